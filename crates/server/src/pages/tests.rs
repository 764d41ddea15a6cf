//! What each page must hold, and what none may.

use axum::response::IntoResponse;

use super::{Brand, ConfirmView, ConnectionView, ErrorView, FormPostView, Page, SignInView, SignedOutView};

const VIEW: SignInView<'static> = SignInView {
    brand: Brand { name: Some("Acme & Sons"), logo: Some("https://cdn.example/logo.svg") },
    client_name: "Travel <0>",
    state: "st-1",
    csrf: "proof-1",
    username: Some("ada@example.com"),
    problem: Some("Wrong email or password."),
    offers_sign_up: true,
    takes_password: true,
    connections: &[ConnectionView { name: "up", label: "Acme <staff>" }],
    returns_to: "https://rp.example/cb",
    language: "en",
};

fn goes_on() -> Page {
    let frames = ["https://a.example/bye?iss=i&sid=s".to_owned(), "http://localhost:3000/bye".to_owned()];
    let goes_on_to = Some("https://rp.example/?state=\"x");
    super::signed_out(&SignedOutView { brand: VIEW.brand, frames: &frames, goes_on_to })
}

fn every_page() -> Vec<(&'static str, Page)> {
    let fields = [("code".to_owned(), "a\"b".to_owned())];
    vec![
        ("sign_in", super::sign_in(&VIEW)),
        ("sign_up", super::sign_up(&VIEW)),
        ("organization", super::organization(&VIEW)),
        (
            "confirm",
            super::confirm_sign_out(&ConfirmView {
                brand: VIEW.brand,
                action: "/oidc/logout",
                fields: &fields,
                returns_to: None,
            }),
        ),
        ("signed_out", super::signed_out(&SignedOutView::default())),
        ("goes_on", goes_on()),
        ("welcome", super::welcome(Brand::default())),
        ("error", super::error(&ErrorView { title: "No", message: "why", code: Some("invalid_request") })),
        ("form_post", super::form_post(&FormPostView { action: "https://rp.example/cb", fields: &fields })),
    ]
}

#[test]
fn every_page_is_whole_small_and_names_its_language() {
    for (name, page) in every_page() {
        assert!(page.html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}: {}", page.html);
        assert!(page.html.trim_end().ends_with("</html>"), "{name}");
        assert!(page.html.contains("name=\"viewport\""), "{name}");
        assert!(page.html.contains(super::STYLE_PATH.as_str()), "{name}");
        assert!(page.html.len() < 4096, "{name} weighs {} bytes", page.html.len());
        assert!(
            !page.html.contains("style=") && !page.html.contains(" on"),
            "{name} has inline style or handlers"
        );
    }
}

#[test]
fn only_pages_that_go_on_by_themselves_have_a_script_and_their_policy_names_it() {
    for (name, page) in every_page() {
        let has_one = matches!(name, "form_post" | "goes_on");
        assert_eq!(page.html.contains("<script>"), has_one, "{name}");
        assert_eq!(page.policy.contains("script-src 'sha256-"), has_one, "{name}: {}", page.policy);
    }
}

#[test]
fn every_page_carries_its_security_headers() {
    for (name, page) in every_page() {
        let response = page.into_response();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-security-policy").starts_with("default-src 'none';"), "{name}");
        assert_eq!(
            (header("cache-control"), header("referrer-policy")),
            ("no-store".into(), "no-referrer".into())
        );
    }
}

#[test]
fn the_sign_in_form_has_the_fields_that_it_promises() {
    let html = super::sign_in(&SignInView { connections: &[], ..VIEW }).html;
    assert_eq!(html.matches("<form").count(), 1);
    for part in [
        "<form method=\"post\"",
        "name=\"username\"",
        "autocomplete=\"username\"",
        "value=\"ada@example.com\"",
        "name=\"password\"",
        "autocomplete=\"current-password\"",
        "<input type=\"hidden\" name=\"state\" value=\"st-1\">",
        "<input type=\"hidden\" name=\"csrf\" value=\"proof-1\">",
        "href=\"/u/signup?state=st-1\"",
        "role=\"alert\"",
        "Wrong email or password.",
        "Acme &amp; Sons",
        "Travel &lt;0&gt;",
        "https:&#x2f;&#x2f;cdn.example&#x2f;logo.svg",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    let closed = super::sign_in(&SignInView { offers_sign_up: false, problem: None, ..VIEW }).html;
    assert!(!closed.contains("/u/signup") && !closed.contains("role=\"alert\""), "{closed}");
}

#[test]
fn a_provider_has_a_form_of_its_own_that_works_without_scripts() {
    let html = super::sign_in(&VIEW).html;
    for part in [
        "action=\"/u/login/connection?state=st-1\"",
        "name=\"connection\" value=\"up\"",
        "Continue with Acme &lt;staff&gt;</button>",
        "name=\"password\"",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    let only = super::sign_in(&SignInView { takes_password: false, ..VIEW }).html;
    assert!(!only.contains("name=\"password\"") && only.contains("value=\"up\""), "{only}");
    let without = super::sign_in(&SignInView { connections: &[], ..VIEW }).html;
    assert!(!without.contains("/u/login/connection"), "{without}");
}

#[test]
fn the_sign_up_form_asks_for_a_new_password() {
    let html = super::sign_up(&VIEW).html;
    for part in
        ["name=\"email\"", "autocomplete=\"new-password\"", "href=\"/u/login?state=st-1\"", "minlength=\"8\""]
    {
        assert!(html.contains(part), "{part} is not in {html}");
    }
}

#[test]
fn after_a_sign_out_applications_are_framed_and_the_browser_goes_on() {
    let page = goes_on();
    for part in [
        "<iframe src=\"https:&#x2f;&#x2f;a.example&#x2f;bye?iss=i&amp;sid=s\" sandbox=",
        "<meta http-equiv=\"refresh\" content=\"5;url=https:&#x2f;&#x2f;rp.example&#x2f;?state=&quot;x\">",
        "<a href=\"https:&#x2f;&#x2f;rp.example&#x2f;?state=&quot;x\">Continue</a>",
    ] {
        assert!(page.html.contains(part), "{part} is not in {}", page.html);
    }
    assert!(page.policy.contains("; frame-src http://localhost:3000 https://a.example;"), "{}", page.policy);
    let stays = super::signed_out(&SignedOutView::default()).html;
    assert!(!stays.contains("iframe") && !stays.contains("refresh") && !stays.contains("<a "), "{stays}");
}

#[test]
fn values_cannot_leave_their_attribute() {
    let (_, page) = every_page().pop().unwrap();
    assert!(page.html.contains("value=\"a&quot;b\""), "{}", page.html);
}
