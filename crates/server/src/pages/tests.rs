//! What each page must hold, and what none may.

use axum::response::IntoResponse;

use super::{Brand, ConfirmView, ErrorView, FormPostView, Page, SignInView};

const VIEW: SignInView<'static> = SignInView {
    brand: Brand { name: Some("Acme & Sons"), logo: Some("https://cdn.example/logo.svg") },
    client_name: "Travel <0>",
    state: "st-1",
    csrf: "proof-1",
    username: Some("ada@example.com"),
    problem: Some("Wrong email or password."),
    offers_sign_up: true,
    returns_to: "https://rp.example/cb",
    language: "en",
};

fn every_page() -> Vec<(&'static str, Page)> {
    let fields = [("code".to_owned(), "a\"b".to_owned())];
    vec![
        ("sign_in", super::sign_in(&VIEW)),
        ("sign_up", super::sign_up(&VIEW)),
        (
            "confirm",
            super::confirm_sign_out(&ConfirmView {
                brand: VIEW.brand,
                action: "/oidc/logout",
                fields: &fields,
                returns_to: None,
            }),
        ),
        ("signed_out", super::signed_out(Brand::default())),
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
fn only_the_posting_page_has_a_script_and_its_policy_names_it() {
    for (name, page) in every_page() {
        let posts = name == "form_post";
        assert_eq!(page.html.contains("<script>"), posts, "{name}");
        assert_eq!(page.policy.contains("script-src 'sha256-"), posts, "{name}: {}", page.policy);
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
    let html = super::sign_in(&VIEW).html;
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
fn the_sign_up_form_asks_for_a_new_password() {
    let html = super::sign_up(&VIEW).html;
    for part in
        ["name=\"email\"", "autocomplete=\"new-password\"", "href=\"/u/login?state=st-1\"", "minlength=\"8\""]
    {
        assert!(html.contains(part), "{part} is not in {html}");
    }
}

#[test]
fn values_cannot_leave_their_attribute() {
    let (_, page) = every_page().pop().unwrap();
    assert!(page.html.contains("value=\"a&quot;b\""), "{}", page.html);
}
