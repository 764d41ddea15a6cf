//! Clients that watch the session from a frame: what they are given, and when it stops being true.
//!
//! Spec: OIDC Session Management 1.0 §3. What the script in the frame answers is in the browser's suite.

use protocol::session_state::session_state;
use serde_json::json;
use suite::app::App;
use suite::browser::{Browser, Callback, SESSION_COOKIE};
use suite::on_every_store;

const STATE_COOKIE: &str = "__Host-vestibule-state";

/// Whether the frame, with what the browser holds now, would say that nothing changed.
fn is_unchanged(app: &App, browser: &Browser, given: &Callback) -> bool {
    let salt = given.get("session_state").split_once('.').expect("hash.salt").1;
    let kept = browser.cookie(STATE_COOKIE).unwrap_or_default();
    session_state(&app.id, &app.redirect_uri, &kept, salt).as_deref() == Some(given.get("session_state"))
}

on_every_store! {
    async fn a_tenant_that_does_not_ask_for_it_sees_nothing_of_it(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let callback = browser.sign_in_at(&app.request().url(), &user).await;
        assert!(!callback.params.contains_key("session_state"), "{callback:?}");
        assert_eq!(browser.cookie(STATE_COOKIE), None);
        let document = server.wire.get("/.well-known/openid-configuration").await.json();
        assert!(document.get("check_session_iframe").is_none());
    }

    async fn the_state_changes_with_the_session_and_tells_nothing_of_its_cookie(server) {
        let kept = server.api().tenant(&json!({ "sessions": { "oidc_session_management_enabled": true } })).await;
        assert_eq!(kept["sessions"], json!({ "oidc_logout_prompt_enabled": true, "oidc_session_management_enabled": true }));
        let document = server.wire.get("/.well-known/openid-configuration").await.json();
        assert_eq!(document["check_session_iframe"], format!("{}oidc/check-session", server.wire.issuer()));

        let (app, other) = (server.app("Shop").await, server.app("News").await);
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let first = browser.sign_in_at(&app.request().url(), &user).await;
        assert!(is_unchanged(&app, &browser, &first));
        let cookie = browser.cookie(SESSION_COOKIE).unwrap();
        for part in cookie.split('.') {
            assert!(!browser.cookie(STATE_COOKIE).unwrap().contains(part));
        }

        let again = browser.pass_through(&app.silent()).await;
        assert!(is_unchanged(&app, &browser, &first) && is_unchanged(&app, &browser, &again));
        assert_ne!(first.get("session_state"), again.get("session_state"), "each is salted");
        let elsewhere = browser.pass_through(&other.silent()).await;
        assert!(is_unchanged(&other, &browser, &elsewhere) && !is_unchanged(&other, &browser, &first));

        let renewed = browser.sign_in_at(&app.request().with("prompt", "login").url(), &user).await;
        assert!(!is_unchanged(&app, &browser, &first) && is_unchanged(&app, &browser, &renewed));

        browser.get("/v2/logout").await.expect_page(200, "signed out");
        assert_eq!(browser.cookie(STATE_COOKIE), None);
        assert!(!is_unchanged(&app, &browser, &renewed));
        let refused = browser.pass_through(&app.silent()).await;
        assert!(refused.get("error") == "login_required" && refused.get("session_state").is_empty(), "{refused:?}");
    }

    async fn a_session_from_before_gets_its_state_at_the_next_answer(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        app.sign_in(&browser, &user).await;
        let cookie = browser.cookie(SESSION_COOKIE);
        server.api().tenant(&json!({ "sessions": { "oidc_session_management_enabled": true } })).await;
        let silent = browser.pass_through(&app.silent()).await;
        assert!(is_unchanged(&app, &browser, &silent));
        assert_eq!(browser.cookie(SESSION_COOKIE), cookie, "the session's cookie is as it was");
    }

    async fn an_app_without_an_origin_gets_no_state(server) {
        server.api().tenant(&json!({ "sessions": { "oidc_session_management_enabled": true } })).await;
        let app = server.app_with("Phone", json!({ "callbacks": ["com.example.phone:/cb"] })).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let callback = browser.sign_in_at(&app.request().url(), &user).await;
        assert!(!callback.code().is_empty() && callback.get("session_state").is_empty(), "{callback:?}");
    }

    async fn the_frame_is_the_same_for_everyone_and_runs_its_own_script_only(server) {
        let frame = server.wire.get("/oidc/check-session").await.expect(200);
        assert!(frame.text.contains(STATE_COOKIE));
        assert_eq!(frame.header("cache-control"), "public, max-age=3600");
        let policy = frame.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("frame-ancestors"), "{policy}");
        assert!(frame.headers.get("x-frame-options").is_none() && frame.headers.get("set-cookie").is_none());
    }

    async fn one_session_setting_leaves_the_other_alone(server) {
        let set = |name: &str, value: bool| json!({ "sessions": { name: value } });
        server.api().tenant(&set("oidc_logout_prompt_enabled", false)).await;
        let both = server.api().tenant(&set("oidc_session_management_enabled", true)).await;
        assert_eq!(both["sessions"], json!({ "oidc_logout_prompt_enabled": false, "oidc_session_management_enabled": true }));
        let cleared = server.api().tenant(&json!({ "sessions": null })).await;
        assert_eq!(cleared["sessions"], json!({ "oidc_logout_prompt_enabled": true, "oidc_session_management_enabled": false }));
    }
}
