//! RS256 by default, ES256 where a client or an API asks for it.

use serde_json::json;
use suite::{Server, on_every_store};

async fn algorithm(server: &Server, token: &str) -> &'static str {
    let verified = server.wire.keys().await.verify(token).unwrap();
    assert!(verified.header.kid.is_some(), "a key is named");
    verified.header.alg.as_str()
}

on_every_store! {
    async fn a_client_chooses_the_signature_of_its_id_and_logout_tokens(server) {
        let party = suite::RelyingParty::listen(&server.wire).await;
        let settings = json!({ "jwt_configuration": { "alg": "ES256" }, "oidc_logout": party.settings("all", &[], true) });
        let (app, user) = (server.app_with("Modern", settings).await, server.user("ann@example.com").await);
        let signed_in = app.sign_in(&server.browser(), &user).await;
        assert_eq!(algorithm(server, &signed_in.id_token).await, "ES256");
        assert_eq!(algorithm(server, signed_in.access_token()).await, "RS256");
        server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
        party.hears_of(&app, &signed_in.sid).await;
        assert_eq!(algorithm(server, &party.raw(1).await).await, "ES256");
        let classic = server.app("Classic").await.sign_in(&server.browser(), &user).await;
        assert_eq!(algorithm(server, &classic.id_token).await, "RS256");
    }

    async fn an_api_chooses_the_signature_of_its_access_tokens(server) {
        let api = json!({ "name": "Orders", "identifier": "https://orders.test/", "signing_alg": "ES256", "scopes": [{ "value": "a" }] });
        server.api().post("resource-servers", &api).await.expect(201);
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let url = app.request().with("audience", "https://orders.test/").url();
        let signed_in = app.redeem(&server.browser().sign_in_at(&url, &user).await).await;
        assert_eq!(algorithm(server, signed_in.access_token()).await, "ES256");
        assert_eq!(algorithm(server, &signed_in.id_token).await, "RS256");
        let (id, secret) = server.machine("Robot", "https://orders.test/", &["a"]).await;
        let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret), ("audience", "https://orders.test/")];
        let body = server.wire.post_form("/oauth/token", &fields).await.expect(200).json();
        assert_eq!(algorithm(server, body["access_token"].as_str().unwrap()).await, "ES256");
    }
}
