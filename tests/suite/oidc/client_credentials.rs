//! Tokens for clients on their own behalf: as far as their grant goes.
//!
//! Spec: RFC 6749 §4.4. Auth0: client grants.

use serde_json::json;
use suite::{App, Server, on_every_store};

const AUDIENCE: &str = "https://orders.test/";

async fn robot(server: &Server, scopes: &[&str]) -> App {
    let api = json!({ "name": "Orders", "identifier": AUDIENCE, "token_lifetime": 600,
        "scopes": [{ "value": "read:orders" }, { "value": "write:orders" }] });
    server.api().post("resource-servers", &api).await.expect(201);
    let (id, secret) = server.machine("Robot", AUDIENCE, scopes).await;
    App::of(&server.wire, &json!({ "client_id": id, "client_secret": secret }))
}

on_every_store! {
    async fn a_client_gets_the_scopes_of_its_grant(server) {
        let robot = robot(server, &["read:orders"]).await;
        let body = robot.token(&[("grant_type", "client_credentials"), ("audience", AUDIENCE)]).await.expect(200).json();
        assert_eq!((&body["expires_in"], &body["scope"]), (&json!(600), &json!("read:orders")));
        assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none(), "{body}");
        let claims = robot.claims_of(body["access_token"].as_str().unwrap(), Some(AUDIENCE)).await;
        assert_eq!(claims["sub"], format!("{}@clients", robot.id));
        assert_eq!((&claims["gty"], &claims["azp"]), (&json!("client-credentials"), &json!(robot.id)));
        let events = server.api().logs("seccft").await;
        assert!(events.iter().any(|event| event["client_id"] == robot.id.as_str()), "{events:?}");
    }

    async fn what_the_grant_does_not_hold_is_denied(server) {
        let robot = robot(server, &["read:orders"]).await;
        let audience = ("audience", AUDIENCE);
        let grant = ("grant_type", "client_credentials");
        robot.token(&[grant, audience, ("scope", "read:orders write:orders")]).await.expect_oauth_error(403, "access_denied");
        robot.token(&[grant, audience, ("scope", "read:orders")]).await.expect(200);
        let management = server.wire.management_audience();
        robot.token(&[grant, ("audience", &management)]).await.expect_oauth_error(403, "access_denied");
        robot.token(&[grant, ("audience", "https://nowhere.test/")]).await.expect_oauth_error(403, "access_denied");
        robot.token(&[grant]).await.expect_oauth_error(403, "access_denied");
        let failures = server.api().logs("feccft").await;
        assert_eq!(failures.iter().filter(|event| event["client_id"] == robot.id.as_str()).count(), 4, "{failures:?}");
    }

    async fn a_public_client_or_one_without_the_grant_type_gets_none(server) {
        let web = server.app_with("Web", json!({ "grant_types": ["authorization_code"] })).await;
        let fields = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
        web.token(&fields).await.expect_oauth_error(403, "unauthorized_client");
        let spa = server.app_with("Spa", json!({ "token_endpoint_auth_method": "none" })).await;
        let public = spa.with_secret("");
        let reply = public.token(&fields).await;
        assert!(matches!(reply.status, 401 | 403), "{}", reply.text);
    }
}
