//! `/userinfo` and `/oauth/revoke`.
//!
//! Spec: OIDC Core 1.0 §5.3, RFC 6750, RFC 7009.

use serde_json::json;
use suite::reply::Reply;
use suite::{Server, on_every_store};

async fn userinfo(server: &Server, token: &str) -> Reply {
    Reply::to(server.wire.http.get(format!("{}/userinfo", server.wire.url)).bearer_auth(token)).await
}

on_every_store! {
    async fn userinfo_tells_what_the_scopes_allow(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let full = app.sign_in(&browser, &user).await;
        let info = userinfo(server, full.access_token()).await.expect(200).json();
        assert_eq!((&info["sub"], &info["email"], &info["nickname"]), (&json!(user.id), &json!("ann@example.com"), &json!("ann")));
        let little = app.sign_in_with(&server.browser(), &user, "openid").await;
        assert_eq!(userinfo(server, little.access_token()).await.expect(200).json(), json!({ "sub": user.id }));
        let posted = Reply::to(server.wire.http.post(format!("{}/userinfo", server.wire.url)).bearer_auth(little.access_token())).await;
        assert_eq!(posted.expect(200).json(), json!({ "sub": user.id }));
    }

    async fn userinfo_takes_no_other_token(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let machine = server.api().token().await;
        for token in ["x", &signed_in.id_token, &machine, ""] {
            let reply = userinfo(server, token).await;
            assert_eq!(reply.status, 401, "{token}: {}", reply.text);
            assert!(reply.header("www-authenticate").starts_with("Bearer"), "{reply:?}");
        }
        assert_eq!(server.wire.get("/userinfo").await.status, 401);
        server.advance_hours(24);
        assert_eq!(userinfo(server, signed_in.access_token()).await.status, 401, "expired");
    }

    async fn a_revoked_refresh_token_is_no_good_and_an_unknown_one_no_error(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let signed_in = app.sign_in_with(&server.browser(), &user, "openid offline_access").await;
        let revoke = async |id: &str, secret: &str, token: &str| {
            server.wire.post_form("/oauth/revoke", &[("client_id", id), ("client_secret", secret), ("token", token)]).await
        };
        revoke(&app.id, &app.secret, "unknown").await.expect(200);
        let other = server.app("Other").await;
        revoke(&other.id, &other.secret, signed_in.refresh_token()).await.expect(200);
        app.refresh(signed_in.refresh_token()).await.expect(200);
        revoke(&app.id, "wrong", signed_in.refresh_token()).await.expect_oauth_error(401, "invalid_client");
        revoke(&app.id, &app.secret, signed_in.refresh_token()).await.expect(200);
        app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        assert_eq!(server.api().only_log("srrt").await["client_id"], app.id.as_str());
        let nothing = server.wire.post_form("/oauth/revoke", &[("client_id", &app.id), ("client_secret", &app.secret)]).await;
        nothing.expect_oauth_error(400, "invalid_request");
    }
}
