//! `/oidc/logout` and `/v2/logout`: who may end a session without being asked, and where the browser goes.
//!
//! Spec: OIDC RP-Initiated Logout 1.0 §2, §3. Auth0: log users out of Auth0.

use serde_json::json;
use suite::browser::{SESSION_COOKIE, the_form};
use suite::on_every_store;

fn encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

on_every_store! {
    async fn without_a_hint_the_user_is_asked_first(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let path = format!("/oidc/logout?client_id={}&post_logout_redirect_uri={}", app.id, encoded(&app.logout_uri));
        let page = browser.get(&path).await;
        page.expect_page(200, "Sign out?");
        server.api().session(&signed_in.sid).await;

        let mut forged = the_form(&page);
        forged.set("csrf", "forged");
        assert_eq!(browser.submit(&page, &forged).await.status, 403);
        server.api().session(&signed_in.sid).await;
        let elsewhere = server.browser();
        elsewhere.set_cookie(SESSION_COOKIE, &browser.cookie(SESSION_COOKIE).unwrap());
        assert_eq!(elsewhere.submit(&page, &the_form(&page)).await.status, 403, "the proof is for one browser");

        let done = browser.submit(&page, &the_form(&page)).await;
        assert_eq!(done.location().unwrap().as_str(), app.logout_uri);
        server.api().expect_no_session(&signed_in.sid).await;
        assert_eq!(browser.cookie(SESSION_COOKIE), None);
    }

    async fn a_hint_about_another_session_asks_too(server) {
        let (app, user, browser, signed_in) = server.someone_signed_in().await;
        let other = app.sign_in(&server.browser(), &user).await;
        let page = app.sign_out(&browser, &other.id_token).await;
        page.expect_page(200, "Sign out?");
        server.api().session(&signed_in.sid).await;
        server.api().session(&other.sid).await;
    }

    async fn a_session_id_as_logout_hint_does_without_asking(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let done = browser.get(&format!("/oidc/logout?client_id={}&logout_hint={}", app.id, signed_in.sid)).await;
        done.expect_page(200, "signed out");
        server.api().expect_no_session(&signed_in.sid).await;
    }

    async fn the_tenant_can_do_without_asking(server) {
        server.api().tenant(&json!({ "sessions": { "oidc_logout_prompt_enabled": false } })).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        browser.get(&format!("/oidc/logout?client_id={}", app.id)).await.expect_page(200, "signed out");
        server.api().expect_no_session(&signed_in.sid).await;
    }

    async fn a_form_serves_as_well_as_a_query(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let fields = [
            ("id_token_hint", &*signed_in.id_token), ("client_id", &*app.id), ("logout_hint", &*signed_in.sid),
            ("post_logout_redirect_uri", &*app.logout_uri), ("state", "a b"), ("ui_locales", "de en"), ("federated", ""),
        ];
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let done = browser.post_once("/oidc/logout", &fields.map(own)).await;
        assert_eq!((done.status, done.location().unwrap().as_str()), (302, &*format!("{}?state=a+b", app.logout_uri)));
        server.api().expect_no_session(&signed_in.sid).await;
    }

    async fn an_expired_id_token_still_serves_as_a_hint(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        server.advance_hours(20);
        assert_eq!(app.sign_out(&browser, &signed_in.id_token).await.status, 302);
        server.api().expect_no_session(&signed_in.sid).await;
    }

    async fn bad_hints_and_unregistered_targets_end_nothing_and_redirect_nowhere(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let other = server.app("Other").await;
        let hint = encoded(&signed_in.id_token);
        for (query, says) in [
            (format!("id_token_hint={hint}&post_logout_redirect_uri={}", encoded("https://evil.test/")), "allowed logout URLs"),
            (format!("id_token_hint={hint}&post_logout_redirect_uri={}", encoded(&format!("{}?x=1", app.logout_uri))), "allowed logout URLs"),
            (format!("id_token_hint={hint}&post_logout_redirect_uri={}", encoded(&format!("{}/", app.logout_uri))), "allowed logout URLs"),
            (format!("id_token_hint={hint}&client_id={}", other.id), "another client"),
            (format!("id_token_hint={hint}&logout_hint=another"), "different sessions"),
            (format!("id_token_hint={}", encoded(signed_in.access_token())), "not an ID token"),
            ("id_token_hint=a.b.c".to_owned(), "not an ID token"),
            ("client_id=unknown".to_owned(), "Unknown client"),
        ] {
            browser.get(&format!("/oidc/logout?{query}")).await.expect_page(400, says);
            server.api().session(&signed_in.sid).await;
        }
        assert_eq!(server.api().logs("flo").await.len(), 8);
    }

    async fn v2_logout_returns_to_registered_urls_only(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        server.api().tenant(&json!({ "allowed_logout_urls": ["https://portal.test/"] })).await;
        for (query, to) in [
            (format!("client_id={}", app.id), &*app.logout_uri),
            (format!("client_id={}&returnTo={}", app.id, encoded(&app.logout_uri)), &*app.logout_uri),
            ("returnTo=https://portal.test/".to_owned(), "https://portal.test/"),
        ] {
            let signed_in = app.sign_in(&browser, &user).await;
            let done = browser.get(&format!("/v2/logout?{query}")).await;
            assert_eq!((done.status, done.location().unwrap().as_str()), (302, to));
            server.api().expect_no_session(&signed_in.sid).await;
            assert_eq!(browser.cookie(SESSION_COOKIE), None);
        }
        let signed_in = app.sign_in(&browser, &user).await;
        for query in ["returnTo=https://evil.test/".to_owned(), format!("client_id={}&returnTo=https://portal.test/", app.id)] {
            browser.get(&format!("/v2/logout?{query}")).await.expect_page(400, "allowed logout URLs");
        }
        server.api().session(&signed_in.sid).await;
    }

    async fn logging_out_without_a_session_is_no_error(server) {
        let app = server.app("Shop").await;
        let done = server.browser().get(&format!("/v2/logout?client_id={}", app.id)).await;
        assert_eq!(done.location().unwrap().as_str(), app.logout_uri);
        assert!(server.api().logs("slo").await.is_empty());
    }
}
