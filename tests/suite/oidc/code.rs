//! The exchange of a code: once, by its client, with its verifier.
//!
//! Spec: RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §2.1; OIDC Core 1.0 §3.1.3.

use serde_json::json;
use suite::app::VERIFIER;
use suite::reply::Reply;
use suite::{App, Server, on_every_store};

async fn code(server: &Server, app: &App) -> String {
    let name = format!("user{}@example.com", server.api().logs("s").await.len());
    let user = server.user(&name).await;
    let url = app.request().with("scope", "openid profile email offline_access").url();
    server.browser().sign_in_at(&url, &user).await.code().to_owned()
}

on_every_store! {
    async fn the_tokens_say_who_signed_in_where(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let callback = browser.sign_in_at(&app.request().url(), &user).await;
        let reply = app.exchange(callback.code()).await.expect(200);
        assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
        let body = reply.json();
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(86400)));
        assert!(body.get("refresh_token").is_none(), "only with offline_access");
        let claims = app.claims_of(body["id_token"].as_str().unwrap(), Some(&app.id)).await;
        let now = server.now().as_seconds();
        for (name, value) in [
            ("sub", json!(user.id)), ("aud", json!(app.id)), ("iat", json!(now)), ("exp", json!(now + 36000)),
            ("email", json!("ann@example.com")), ("email_verified", json!(false)), ("nickname", json!("ann")),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
        let access = app.claims_of(body["access_token"].as_str().unwrap(), None).await;
        assert_eq!((&access["sub"], &access["azp"]), (&json!(user.id), &json!(app.id)));
        assert_eq!(server.api().only_log("seacft").await["user_id"], user.id.as_str());
    }

    async fn claims_about_the_user_follow_the_scopes(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let signed_in = app.sign_in_with(&server.browser(), &user, "openid").await;
        for name in ["email", "name", "nickname"] {
            assert!(!signed_in.claims.contains_key(name), "{name}");
        }
        let callback = server.browser().sign_in_at(&app.request().with("scope", "profile").url(), &user).await;
        let tokens = app.exchange(callback.code()).await.expect(200).json();
        assert!(tokens.get("id_token").is_none(), "no openid, no ID token");
    }

    async fn a_second_use_is_refused_and_revokes_what_the_first_gave(server) {
        let app = server.app("Shop").await;
        let code = code(server, &app).await;
        let tokens = app.exchange(&code).await.expect(200).json();
        let access = tokens["access_token"].as_str().unwrap();
        let userinfo = || server.wire.http.get(format!("{}/userinfo", server.wire.url)).bearer_auth(access);
        Reply::to(userinfo()).await.expect(200);
        assert_eq!(app.exchange(&code).await.expect_oauth_error(403, "invalid_grant"), "Invalid authorization code");
        app.refresh(tokens["refresh_token"].as_str().unwrap()).await.expect_oauth_error(403, "invalid_grant");
        assert_eq!(Reply::to(userinfo()).await.status, 401);
        assert_eq!(server.api().logs("feacft").await.len(), 1);
    }

    async fn a_code_used_twice_at_once_gives_tokens_once_at_most(server) {
        let app = server.app("Shop").await;
        let code = code(server, &app).await;
        let (a, b, c) = tokio::join!(app.exchange(&code), app.exchange(&code), app.exchange(&code));
        let good = [a.status, b.status, c.status].into_iter().filter(|status| *status == 200).count();
        assert!(good <= 1, "{} {} {}", a.text, b.text, c.text);
        assert!([a, b, c].iter().all(|reply| matches!(reply.status, 200 | 403)));
    }

    async fn a_code_expires_after_a_minute(server) {
        let app = server.app("Shop").await;
        let code = code(server, &app).await;
        server.advance_ms(60_000);
        app.exchange(&code).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn a_wrong_or_missing_verifier_is_refused(server) {
        let app = server.app("Shop").await;
        for (verifier, status, error) in [
            (Some("x".repeat(43)), 403, "invalid_grant"), (Some("short".to_owned()), 400, "invalid_request"),
            (None, 400, "invalid_request"),
        ] {
            let code = code(server, &app).await;
            let mut fields = vec![("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", &*app.redirect_uri)];
            if let Some(verifier) = &verifier {
                fields.push(("code_verifier", verifier));
            }
            app.token(&fields).await.expect_oauth_error(status, error);
        }
    }

    async fn a_verifier_where_none_was_asked_for_is_refused(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let request = app.request().without("code_challenge").without("code_challenge_method");
        let callback = server.browser().sign_in_at(&request.url(), &user).await;
        app.exchange(callback.code()).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn a_code_belongs_to_its_client_and_its_redirect_uri(server) {
        let (app, other) = (server.app("Shop").await, server.app("Other").await);
        let stolen = code(server, &app).await;
        let fields = [("grant_type", "authorization_code"), ("code", &*stolen), ("redirect_uri", &*app.redirect_uri), ("code_verifier", VERIFIER)];
        other.token(&fields).await.expect_oauth_error(403, "invalid_grant");
        app.exchange(&stolen).await.expect(200);
        let moved = code(server, &app).await;
        let fields = [("grant_type", "authorization_code"), ("code", &*moved), ("redirect_uri", "https://evil.test/"), ("code_verifier", VERIFIER)];
        app.token(&fields).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn a_client_proves_itself_in_the_header_or_the_body_and_a_public_one_not_at_all(server) {
        let app = server.app("Shop").await;
        let basic = server.app_with("Basic", json!({ "token_endpoint_auth_method": "client_secret_basic" })).await;
        let token = format!("{}/oauth/token", server.wire.url);
        let own = code(server, &basic).await;
        let fields = [("grant_type", "authorization_code"), ("code", &*own), ("redirect_uri", &*basic.redirect_uri), ("code_verifier", VERIFIER)];
        let request = server.wire.http.post(&token).basic_auth(&basic.id, Some(&basic.secret)).form(&fields);
        Reply::to(request).await.expect(200);

        let spa = server.app_with("Spa", json!({ "app_type": "spa", "token_endpoint_auth_method": "none" })).await;
        let public = spa.with_secret("");
        let own = code(server, &public).await;
        public.exchange(&own).await.expect(200);

        let own = code(server, &app).await;
        let wrong = app.clone().with_secret("wrong");
        wrong.exchange(&own).await.expect_oauth_error(401, "invalid_client");
        let silent = app.clone().with_secret("");
        silent.exchange(&own).await.expect_oauth_error(401, "invalid_client");
        let fields = [("grant_type", "authorization_code"), ("code", &*own)];
        let request = server.wire.http.post(&token).basic_auth(&app.id, Some("wrong")).form(&fields);
        let reply = Reply::to(request).await;
        reply.expect_oauth_error(401, "invalid_client");
        assert!(reply.header("www-authenticate").starts_with("Basic"), "{reply:?}");
        server.wire.post_form("/oauth/token", &[("grant_type", "authorization_code"), ("client_id", "nobody"), ("client_secret", "x")])
            .await
            .expect_oauth_error(401, "invalid_client");
        app.exchange(&own).await.expect(200);
    }

    async fn json_bodies_do_as_well_as_forms(server) {
        let app = server.app("Shop").await;
        let own = code(server, &app).await;
        let body = json!({ "grant_type": "authorization_code", "client_id": app.id, "client_secret": app.secret,
            "code": own, "redirect_uri": app.redirect_uri, "code_verifier": VERIFIER });
        let request = server.wire.http.post(format!("{}/oauth/token", server.wire.url)).json(&body);
        Reply::to(request).await.expect(200);
    }

    async fn unknown_and_missing_grant_types_are_told_apart(server) {
        let app = server.app("Shop").await;
        app.token(&[("grant_type", "nonsense")]).await.expect_oauth_error(400, "unsupported_grant_type");
        app.token(&[("code", "x")]).await.expect_oauth_error(400, "invalid_request");
        app.token(&[("grant_type", "authorization_code")]).await.expect_oauth_error(400, "invalid_request");
        let twice = [("grant_type", "client_credentials"), ("grant_type", "refresh_token")];
        app.token(&twice).await.expect_oauth_error(400, "invalid_request");
    }
}
