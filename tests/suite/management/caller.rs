//! Who may call the Management API, and what the others are told.
//!
//! Auth0: Management API v2 › access tokens. Spec: RFC 6750 §3.

use serde_json::json;
use suite::on_every_store;
use suite::reply::Reply;

on_every_store! {
    async fn a_call_without_a_good_token_is_refused_with_401(server) {
        let url = format!("{}/api/v2/sessions/any", server.wire.url);
        let http = &server.wire.http;
        let reply = Reply::to(http.get(&url)).await;
        reply.expect_api_error(401, "Unauthorized", "Missing authentication", "");
        assert!(reply.header("www-authenticate").starts_with("Bearer"), "{reply:?}");
        let good = server.api().token().await;
        let (signed, _) = good.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{}", "A".repeat(342));
        for bad in ["x", "a.b.c", &forged, &format!("{good}x"), "eyJhbGciOiJub25lIn0.e30."] {
            let reply = Reply::to(http.get(&url).bearer_auth(bad)).await;
            assert_eq!((reply.status, reply.json()["error"].clone()), (401, json!("Unauthorized")), "{bad}: {}", reply.text);
        }
        let reply = Reply::to(http.get(&url).bearer_auth(&forged)).await;
        let message = "Invalid signature received for JSON Web Token validation";
        assert_eq!(reply.json()["message"], message);
        let basic = Reply::to(http.get(&url).basic_auth("a", Some("b"))).await;
        assert_eq!(basic.status, 401);
    }

    async fn an_expired_token_is_refused_by_name(server) {
        let token = server.api().token().await;
        server.advance_ms(24 * 3_600_000);
        let request = server.wire.http.get(format!("{}/api/v2/clients", server.wire.url)).bearer_auth(token);
        let reply = Reply::to(request).await.expect(401);
        assert_eq!(reply.json()["message"], "Expired token received for JSON Web Token validation");
    }

    async fn a_token_for_another_api_does_not_do(server) {
        let api = json!({ "name": "Orders", "identifier": "https://orders.test/", "scopes": [{ "value": "read:sessions" }] });
        server.api().post("resource-servers", &api).await.expect(201);
        let (id, secret) = server.machine("Robot", "https://orders.test/", &["read:sessions"]).await;
        let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret), ("audience", "https://orders.test/")];
        let token = server.wire.post_form("/oauth/token", &fields).await.expect(200).json();
        let request = server.wire.http.get(format!("{}/api/v2/sessions/any", server.wire.url));
        let reply = Reply::to(request.bearer_auth(token["access_token"].as_str().unwrap())).await;
        assert_eq!(reply.status, 401, "{}", reply.text);
    }

    async fn a_users_token_for_the_management_api_carries_none_of_its_scopes(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let audience = server.wire.management_audience();
        let scope = "openid read:users update:users read:sessions delete:sessions";
        let url = app.request().with("audience", &audience).with("scope", scope).url();
        let signed_in = app.redeem(&server.browser().sign_in_at(&url, &user).await).await;
        let claims = app.claims_of(signed_in.access_token(), Some(&audience)).await;
        let granted = claims.get("scope").and_then(|scope| scope.as_str()).unwrap_or_default();
        assert!(!granted.contains(':'), "no scope of the API: {granted}");
        for path in ["users", "clients", &format!("sessions/{}", signed_in.sid)] {
            let request = server.wire.http.get(format!("{}/api/v2/{path}", server.wire.url));
            let reply = Reply::to(request.bearer_auth(signed_in.access_token())).await;
            assert_eq!(reply.status, 403, "{path}: {}", reply.text);
        }
    }

    async fn an_unknown_path_is_not_found_in_the_apis_shape(server) {
        let reply = server.api().get("no-such-thing").await;
        assert_eq!((reply.status, reply.json()["statusCode"].clone()), (404, json!(404)), "{}", reply.text);
        let reply = server.api().post_nothing("sessions/x").await;
        assert!(matches!(reply.status, 404 | 405), "{}", reply.text);
        assert_eq!(reply.json()["statusCode"], reply.status);
    }

    async fn a_correlation_id_is_kept_with_the_write(server) {
        let body = json!({ "name": "Shop" });
        let token = server.api().token().await;
        let request = server.wire.http.post(format!("{}/api/v2/clients", server.wire.url)).bearer_auth(token);
        Reply::to(request.header("x-correlation-id", "c".repeat(70)).json(&body)).await.expect(201);
        let events = server.api().logs("sapi").await;
        let found = events.iter().any(|event| event["references"]["correlation_id"] == "c".repeat(64));
        assert!(found, "{events:?}");
    }
}
