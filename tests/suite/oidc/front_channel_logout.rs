//! Clients that the browser itself tells of a sign-out, in frames.
//!
//! Spec: OIDC Front-Channel Logout 1.0 §2, §3.

use serde_json::json;
use suite::browser::SESSION_COOKIE;
use suite::on_every_store;

fn framed(host: &str) -> serde_json::Value {
    let uri = format!("{host}/bye?logout=get");
    json!({ "oidc_logout": { "frontchannel_logout_uri": uri, "frontchannel_logout_session_required": true } })
}

on_every_store! {
    async fn the_page_after_a_sign_out_frames_each_client_and_goes_on(server) {
        let shop = server.app_with("Shop", framed("https://shop.test")).await;
        let news = server.app_with("News", framed("https://news.test")).await;
        let plain = server.app("Plain").await;
        let never_used = server.app_with("Unused", framed("https://unused.test")).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let signed_in = shop.sign_in(&browser, &user).await;
        news.sign_in_silently(&browser).await;
        plain.sign_in_silently(&browser).await;

        let page = plain.sign_out(&browser, &signed_in_at(&plain, &browser).await).await;
        page.expect_page(200, "You are signed out");
        server.api().expect_no_session(&signed_in.sid).await;
        assert_eq!(browser.cookie(SESSION_COOKIE), None);
        let issuer: String = url::form_urlencoded::byte_serialize(server.wire.issuer().as_bytes()).collect();
        let text = page.text.replace("&#x2f;", "/").replace("&amp;", "&");
        for host in ["https://shop.test", "https://news.test"] {
            let frame = format!("<iframe src=\"{host}/bye?logout=get&iss={issuer}&sid={}\"", signed_in.sid);
            assert!(text.contains(&frame), "{frame} is not in {text}");
        }
        assert_eq!(text.matches("<iframe").count(), 2, "{} is not told: {text}", never_used.id);
        let on = format!("{}?state=bye", plain.logout_uri);
        assert!(text.contains(&format!("<meta http-equiv=\"refresh\" content=\"5;url={on}\">")), "{text}");
        assert!(text.contains(&format!("<a href=\"{on}\">Continue</a>")), "{text}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("; frame-src https://news.test https://shop.test;"), "{policy}");

        let again = browser.get(&format!("/v2/logout?client_id={}", plain.id)).await;
        assert_eq!((again.status, again.location().unwrap().as_str()), (302, &*plain.logout_uri), "nobody is left to tell");
    }

    async fn v2_logout_and_the_confirm_page_tell_them_too(server) {
        let shop = server.app_with("Shop", framed("https://shop.test")).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        shop.sign_in(&browser, &user).await;
        browser.get("/v2/logout?federated").await.expect_page(200, "https:&#x2f;&#x2f;shop.test&#x2f;bye");
        shop.sign_in(&browser, &user).await;
        let asked = browser.get("/oidc/logout").await;
        let done = browser.submit(&asked, &suite::browser::the_form(&asked)).await;
        done.expect_page(200, "https:&#x2f;&#x2f;shop.test&#x2f;bye");
        assert!(!done.text.contains("http-equiv"), "there is nowhere to go on to: {}", done.text);
    }

    async fn the_largest_session_frames_its_newest_clients(server) {
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let oldest = server.app_with("Oldest", framed("https://oldest.test")).await;
        oldest.sign_in(&browser, &user).await;
        for number in 0..50 {
            let app = server.app_with(&format!("a{number}"), framed(&format!("https://a{number}.test"))).await;
            browser.pass_through(&app.silent()).await.code();
        }
        let page = browser.get("/v2/logout").await;
        assert_eq!(page.text.matches("<iframe").count(), 50);
        assert!(!page.text.contains("oldest.test"));
    }

    async fn the_settings_are_given_back_and_bound_to_the_callbacks(server) {
        let app = server.app_with("Shop", framed("https://shop.test")).await;
        let path = format!("clients/{}", app.id);
        let kept = server.api().get(&path).await.expect(200).json();
        assert_eq!(kept["oidc_logout"]["frontchannel_logout_uri"], "https://shop.test/bye?logout=get");
        assert_eq!(kept["oidc_logout"]["frontchannel_logout_session_required"], true);

        for body in [
            framed("https://evil.test"),
            framed("http://shop.test"),
            json!({ "oidc_logout": { "frontchannel_logout_uri": "https://shop.test/#x" } }),
            json!({ "callbacks": ["https://moved.test/callback"] }),
        ] {
            let refused = server.api().patch(&path, &body).await.expect(400);
            assert!(refused.text.contains("oidc_logout.frontchannel_logout_uri"), "{}", refused.text);
            assert_eq!(server.api().get(&path).await.expect(200).json(), kept);
        }
        let gone = server.api().patch(&path, &json!({ "oidc_logout": {} })).await.expect(200).json();
        assert!(gone.get("oidc_logout").is_none(), "{gone}");
    }
}

/// A fresh ID token of an application that the browser's session vouches for.
async fn signed_in_at(app: &suite::app::App, browser: &suite::browser::Browser) -> String {
    app.sign_in_silently(browser).await.id_token
}
