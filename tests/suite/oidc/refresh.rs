//! Refresh tokens: narrowed, rotated, revoked as a family when a spent one comes back.
//!
//! Spec: RFC 6749 §6, RFC 9700 §4.14. Auth0: refresh token rotation.

use serde_json::json;
use suite::{App, Server, SignedIn, on_every_store};

async fn with_settings(server: &Server, leeway: i64) -> (App, SignedIn) {
    let settings = json!({ "refresh_token": { "rotation_type": "rotating", "expiration_type": "expiring", "leeway": leeway,
        "token_lifetime": 7200, "idle_token_lifetime": 3600, "infinite_token_lifetime": false, "infinite_idle_token_lifetime": false } });
    let (app, user) = (server.app_with("Shop", settings).await, server.user("ann@example.com").await);
    let signed_in = app.sign_in_with(&server.browser(), &user, "openid email offline_access").await;
    (app, signed_in)
}

async fn exchanged(app: &App, token: &str) -> String {
    let body = app.refresh(token).await.expect(200).json();
    body["refresh_token"].as_str().expect("a rotated token").to_owned()
}

on_every_store! {
    async fn a_token_that_does_not_rotate_is_good_again_and_again(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let signed_in = app.sign_in_with(&server.browser(), &user, "openid offline_access").await;
        for _ in 0..3 {
            server.advance_hours(48);
            let body = app.refresh(signed_in.refresh_token()).await.expect(200).json();
            assert!(body.get("refresh_token").is_none(), "{body}");
            let claims = app.claims_of(body["id_token"].as_str().unwrap(), Some(&app.id)).await;
            assert_eq!((&claims["sub"], &claims["sid"]), (&json!(user.id), &json!(signed_in.sid)));
            assert!(!claims.contains_key("nonce"), "a refreshed ID token has none");
        }
        assert_eq!(server.api().logs("sertft").await.len(), 3);
    }

    async fn each_use_gives_a_new_token_and_spends_the_old_one(server) {
        let (app, signed_in) = with_settings(server, 0).await;
        let second = exchanged(&app, signed_in.refresh_token()).await;
        let third = exchanged(&app, &second).await;
        assert!(second != signed_in.refresh_token() && third != second);
    }

    async fn requests_sent_at_once_may_each_use_the_same_token_within_the_leeway(server) {
        let (app, signed_in) = with_settings(server, 10).await;
        let mut newest = String::new();
        for _ in 0..4 {
            newest = exchanged(&app, signed_in.refresh_token()).await;
        }
        server.advance_ms(11_000);
        let newest = exchanged(&app, &newest).await;
        app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        app.refresh(&newest).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn a_spent_token_that_comes_back_ends_the_whole_family_and_its_session(server) {
        let (app, signed_in) = with_settings(server, 0).await;
        let second = exchanged(&app, signed_in.refresh_token()).await;
        let third = exchanged(&app, &second).await;
        app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        app.refresh(&third).await.expect_oauth_error(403, "invalid_grant");
        assert_eq!(server.api().only_log("ferrt").await["client_id"], app.id.as_str());
        server.api().expect_no_session(&signed_in.sid).await;
        let ended = server.api().only_log("session_revoked").await;
        assert_eq!((&ended["session_id"], &ended["details"]["initiator"]), (&json!(signed_in.sid), &json!("session-revoked")));
    }

    async fn taking_back_a_spent_token_takes_back_its_successor(server) {
        let (app, signed_in) = with_settings(server, 0).await;
        let second = exchanged(&app, signed_in.refresh_token()).await;
        let fields = [("client_id", &*app.id), ("client_secret", &*app.secret), ("token", signed_in.refresh_token())];
        server.wire.post_form("/oauth/revoke", &fields).await.expect(200);
        app.refresh(&second).await.expect_oauth_error(403, "invalid_grant");
        server.api().only_log("srrt").await;
    }

    async fn within_the_leeway_a_lost_answer_may_be_asked_for_again(server) {
        let (app, signed_in) = with_settings(server, 30).await;
        let lost = exchanged(&app, signed_in.refresh_token()).await;
        server.advance_ms(29_000);
        let again = exchanged(&app, signed_in.refresh_token()).await;
        assert_ne!(lost, again);
        exchanged(&app, &again).await;
        server.advance_ms(31_000);
        app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn idle_and_absolute_lifetimes_end_a_token(server) {
        let (app, signed_in) = with_settings(server, 0).await;
        server.advance_minutes(50);
        let second = exchanged(&app, signed_in.refresh_token()).await;
        server.advance_minutes(50);
        let third = exchanged(&app, &second).await;
        server.advance_minutes(21);
        app.refresh(&third).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn scopes_shrink_and_never_grow(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let signed_in = app.sign_in_with(&server.browser(), &user, "openid email offline_access").await;
        let asked = |scope: &'static str| [("grant_type", "refresh_token"), ("refresh_token", signed_in.refresh_token()), ("scope", scope)];
        let narrowed = app.token(&asked("openid")).await.expect(200).json();
        assert_eq!(narrowed["scope"], "openid");
        app.token(&asked("openid profile")).await.expect_oauth_error(400, "invalid_scope");
        let whole = app.refresh(signed_in.refresh_token()).await.expect(200).json();
        assert!(whole["scope"].as_str().unwrap().contains("email"), "{whole}");
    }

    async fn another_client_cannot_use_it(server) {
        let (app, user, other) = (server.app("Shop").await, server.user("ann@example.com").await, server.app("Other").await);
        let signed_in = app.sign_in_with(&server.browser(), &user, "openid offline_access").await;
        other.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        app.refresh(signed_in.refresh_token()).await.expect(200);
    }

    async fn a_blocked_user_gets_no_more_tokens(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let signed_in = app.sign_in_with(&server.browser(), &user, "openid offline_access").await;
        server.api().patch(&format!("users/{}", user.path_id()), &json!({ "blocked": true })).await.expect(200);
        app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn made_up_tokens_are_refused(server) {
        let app = server.app("Shop").await;
        for token in ["x", "v1.", "v1.aaaaaaaaaaaaaaaaaaaaaaaa.bbbb", &"v1.".repeat(100)] {
            app.refresh(token).await.expect_oauth_error(403, "invalid_grant");
        }
        app.token(&[("grant_type", "refresh_token")]).await.expect_oauth_error(400, "invalid_request");
    }
}
