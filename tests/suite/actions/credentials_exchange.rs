//! Credentials-exchange Actions: claims in a client's own token, and a refusal with a code.
//!
//! Auth0: Actions › credentials-exchange.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

const AUDIENCE: &str = "https://orders.test/";

/// Makes an API, a client that may use it, and binds a body; answers the client's credentials.
async fn machine(server: &Server, body: &str) -> (String, String) {
    let api = json!({ "name": "Orders", "identifier": AUDIENCE, "scopes": [{ "value": "read:orders" }] });
    server.api().post("resource-servers", &api).await.expect(201);
    let credentials = server.machine("Robot", AUDIENCE, &["read:orders"]).await;
    super::bind(server, "credentials-exchange", "onExecuteCredentialsExchange", body).await;
    credentials
}

async fn token(server: &Server, (id, secret): &(String, String)) -> suite::Reply {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &**id),
        ("client_secret", &**secret),
        ("audience", AUDIENCE),
    ];
    server.wire.post_form("/oauth/token", &fields).await
}

on_every_store! {
    async fn claims_reach_the_token_and_the_event_tells_who_asks_for_what(server) {
        let robot = machine(server, r#"
            api.accessToken.setCustomClaim("https://x/seen", [
                event.client.client_id, event.resource_server.identifier, event.accessToken.scope,
                event.request.body.grant_type, typeof event.user,
            ]);
        "#).await;
        let tokens = token(server, &robot).await.expect(200).json();
        let verified = server.wire.keys().await.verify(tokens["access_token"].as_str().expect("as told")).expect("as told");
        let expected = json!([robot.0, AUDIENCE, ["read:orders"], "client_credentials", "undefined"]);
        assert_eq!(verified.claims["https://x/seen"], expected);
    }

    async fn a_denial_carries_its_own_code_and_is_logged(server) {
        let robot = machine(server, r#"api.access.deny("out_of_hours", "Come back tomorrow.");"#).await;
        let reply = token(server, &robot).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        let expected: Value = json!({ "error": "out_of_hours", "error_description": "Come back tomorrow." });
        assert_eq!(reply.json(), expected);
        let event = server.api().only_log("feccft").await;
        assert_eq!(event["details"]["error"]["oauthError"], "out_of_hours");
        super::bind(server, "credentials-exchange", "onExecuteCredentialsExchange", r#"api.access.deny("invalid_scope", "no");"#).await;
        token(server, &robot).await.expect_oauth_error(400, "invalid_scope");
    }

    async fn a_failure_refuses_the_token_and_names_its_trigger(server) {
        let robot = machine(server, r#"throw new Error("broken");"#).await;
        assert_eq!(token(server, &robot).await.expect_oauth_error(403, "access_denied"), "broken");
        let failed = server.api().only_log("actions_execution_failed").await;
        assert_eq!(failed["details"]["trigger_id"], "credentials-exchange");
    }

    async fn an_action_is_bound_to_its_own_trigger_only(server) {
        machine(server, "").await;
        let bound = server.api().get("actions/triggers/credentials-exchange/bindings").await.expect(200).json();
        let id = &bound["bindings"][0]["action"]["id"];
        let body = json!({ "bindings": [{ "ref": { "type": "action_id", "value": id } }] });
        server.api().patch("actions/triggers/post-login/bindings", &body).await.expect(400);
        let known = server.api().get("actions/triggers").await.expect(200).json();
        let known: Vec<&str> = known["triggers"].as_array().expect("as told").iter().map(|one| one["id"].as_str().expect("as told")).collect();
        let all = ["post-login", "credentials-exchange", "pre-user-registration", "post-user-registration", "post-change-password"];
        assert_eq!(known, all);
    }
}
