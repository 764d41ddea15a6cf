//! How long a session lives: absolutely, idle, and in the browser.
//!
//! Auth0: manage users › sessions › session lifecycle.

use domain::time::hours;
use serde_json::json;
use suite::{RelyingParty, on_every_store};

on_every_store! {
    async fn a_session_ends_after_72_idle_hours(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        server.advance_ms(hours(72) - 1);
        assert_eq!(server.api().session(&signed_in.sid).await["id"], signed_in.sid.as_str());
        server.advance_ms(1);
        server.api().expect_no_session(&signed_in.sid).await;
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
    }

    async fn interactions_push_the_idle_end_but_not_the_absolute_one(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        for _ in 0..2 {
            server.advance_hours(70);
            assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);
        }
        server.advance_ms(hours(28) - 1);
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);
        server.advance_ms(1);
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
        server.api().expect_no_session(&signed_in.sid).await;
    }

    async fn the_api_and_token_exchanges_do_not_push_the_idle_end(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in_with(&browser, &user, "openid offline_access").await;
        let before = server.api().session(&signed_in.sid).await["idle_expires_at"].clone();
        server.advance_hours(10);
        app.refresh(signed_in.refresh_token()).await.expect(200);
        server.api().set_session_metadata(&signed_in.sid, &json!({ "a": "1" })).await;
        assert_eq!(server.api().session(&signed_in.sid).await["idle_expires_at"], before);
    }

    async fn the_tenants_lifetimes_are_kept(server) {
        server.api().tenant(&json!({ "session_lifetime": 5, "idle_session_lifetime": 2 })).await;
        let begun = server.now();
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(session["expires_at"], begun.plus_millis(hours(5)).to_string());
        assert_eq!(session["idle_expires_at"], begun.plus_millis(hours(2)).to_string());
        server.advance_hours(2);
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
    }

    async fn an_idle_end_never_lies_behind_the_absolute_one(server) {
        server.api().tenant(&json!({ "session_lifetime": 3, "idle_session_lifetime": 2 })).await;
        let begun = server.now();
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        server.advance_minutes(110);
        app.sign_in_silently(&browser).await;
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(session["idle_expires_at"], begun.plus_millis(hours(3)).to_string());
    }

    async fn the_sweep_ends_what_expired_and_tells_its_clients(server) {
        let (app, party) = RelyingParty::with_app(server, "Shop", true).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in(&browser, &user).await;
        server.api().set_session_metadata(&signed_in.sid, &json!({ "seat": "7" })).await;
        let stays = app.sign_in(&server.browser(), &user).await;
        let stays_browser = server.browser();
        let kept = app.sign_in(&stays_browser, &user).await;
        server.advance_hours(71);
        app.sign_in_silently(&stays_browser).await;
        assert_eq!(server.sweep().await, 0, "nothing has expired");
        server.advance_hours(1);
        assert_eq!(server.sweep().await, 2);
        assert_eq!(server.sweep().await, 0);
        server.deliver().await;
        let tokens = [party.token(&app, 1).await, party.token(&app, 2).await];
        let mut sids: Vec<_> = tokens.iter().filter_map(|token| token.sid.clone()).collect();
        let mut expected = vec![signed_in.sid.clone(), stays.sid];
        sids.sort();
        expected.sort();
        assert_eq!(sids, expected);
        let told = tokens.iter().find(|token| token.sid.as_ref() == Some(&signed_in.sid)).unwrap();
        assert_eq!(told.claims["session_metadata"], json!({ "seat": "7" }));
        let events = server.api().logs("session_expired").await;
        assert_eq!(events.len(), 2, "{events:?}");
        assert!(events.iter().all(|event| event["details"]["initiator"] == "session-expired"), "{events:?}");
        server.api().session(&kept.sid).await;
    }

    async fn a_persistent_cookie_outlives_the_browsers_window_and_another_does_not(server) {
        let (app, user, browser, signed_in) = server.someone_signed_in().await;
        browser.close_and_open();
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);

        server.api().tenant(&json!({ "session_cookie": { "mode": "non-persistent" } })).await;
        let begun = server.now();
        let other = server.browser();
        let brief = app.sign_in(&other, &user).await;
        let session = server.api().session(&brief.sid).await;
        assert_eq!(session["cookie"], json!({ "mode": "non-persistent" }));
        assert_eq!(session["expires_at"], begun.plus_millis(hours(72)).to_string());
        assert_eq!(session["idle_expires_at"], begun.plus_millis(hours(24)).to_string());
        assert_eq!(app.sign_in_silently(&other).await.sid, brief.sid);
        other.close_and_open();
        other.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
    }

    async fn an_unfinished_sign_in_is_over_after_an_hour(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let page = browser.get(&app.request().url()).await;
        server.advance_minutes(60);
        let late = browser.enter(&page, &user.email, &user.password).await;
        assert_eq!(late.status, 400, "{}", late.text);
        assert!(late.location().is_none());
    }
}
