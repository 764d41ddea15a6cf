//! A client's own token for an organization: as far as its grant goes there.
//!
//! Auth0: manage users › organizations › machine-to-machine access.

use serde_json::{Value, json};
use suite::{App, Server, on_every_store};

const AUDIENCE: &str = "https://orders.test/";
const ASK: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];

/// A client with such a grant; answers it and the grant's path.
async fn robot(server: &Server, client: Value, grant: Value) -> (App, String) {
    let api = json!({ "name": "Orders", "identifier": AUDIENCE, "scopes": [{ "value": "read:orders" }] });
    server.api().post("resource-servers", &api).await;
    let app = server.app_with("Robot", client).await;
    let mut body = json!({ "client_id": app.id, "audience": AUDIENCE, "scope": ["read:orders"] });
    body.as_object_mut().unwrap().extend(grant.as_object().unwrap().clone());
    let made = server.api().post("client-grants", &body).await.expect(201).json();
    (app, made["id"].as_str().unwrap().to_owned())
}

async fn organization(server: &Server) -> String {
    let made = server.api().post("organizations", &json!({ "name": "acme" })).await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

async fn claims(app: &App, more: &[(&str, &str)]) -> Value {
    let body = app.token(&[&ASK[..], more].concat()).await.expect(200).json();
    Value::Object(app.claims_of(body["access_token"].as_str().unwrap(), Some(AUDIENCE)).await)
}

async fn refused(app: &App, more: &[(&str, &str)], status: u16, error: &str) -> String {
    app.token(&[&ASK[..], more].concat()).await.expect_oauth_error(status, error)
}

on_every_store! {
    async fn a_grant_is_good_for_the_organizations_that_it_was_given_to(server) {
        let id = organization(server).await;
        let (app, grant_id) = robot(server, json!({}), json!({ "organization_usage": "allow" })).await;
        let named = [("organization", id.as_str())];
        let denied = refused(&app, &named, 403, "access_denied").await;
        assert_eq!(denied, format!("Client is not authorized to access \"{AUDIENCE}\" for the organization {id}."));
        let path = format!("organizations/{id}/client-grants");
        server.api().post(&path, &json!({ "grant_id": grant_id })).await.expect(201);
        let got = claims(&app, &named).await;
        assert_eq!((&got["org_id"], &got["scope"]), (&json!(id), &json!("read:orders")));
        assert_eq!(claims(&app, &[("organization", "acme")]).await["org_id"], id);
        assert!(claims(&app, &[]).await.get("org_id").is_none());
        let event = server.api().logs("seccft").await.into_iter().find(|event| event["organization_name"] == "acme").unwrap();
        assert_eq!((&event["organization_id"], &event["client_id"]), (&json!(id), &json!(app.id)));
        server.api().delete(&format!("{path}/{grant_id}")).await.expect(204);
        refused(&app, &named, 403, "access_denied").await;
    }

    async fn a_grant_says_whether_it_is_for_organizations(server) {
        let id = organization(server).await;
        let named = [("organization", id.as_str())];
        let any = json!({ "organization_usage": "require", "allow_any_organization": true });
        let (app, grant_id) = robot(server, json!({}), any).await;
        assert_eq!(claims(&app, &named).await["org_id"], id);
        let missing = refused(&app, &[], 400, "invalid_request").await;
        assert_eq!(missing, "parameter organization is required for this client and API");
        let unknown = refused(&app, &[("organization", "nowhere")], 400, "invalid_request").await;
        assert_eq!(unknown, "parameter organization is invalid: nowhere");
        let path = format!("client-grants/{grant_id}");
        server.api().patch(&path, &json!({ "organization_usage": null })).await.expect(200);
        let denied = refused(&app, &named, 400, "invalid_request").await;
        assert_eq!(denied, "parameter organization is not allowed for this client and API");
        claims(&app, &[]).await;
    }

    async fn a_client_has_a_default_organization(server) {
        let id = organization(server).await;
        let default = json!({ "default_organization": { "organization_id": id, "flows": ["client_credentials"] } });
        let any = json!({ "organization_usage": "allow", "allow_any_organization": true });
        let (app, _) = robot(server, default.clone(), any).await;
        assert_eq!(claims(&app, &[]).await["org_id"], id);
        let (app, _) = robot(server, default, json!({})).await;
        assert!(claims(&app, &[]).await.get("org_id").is_none(), "its grant is for no organization");
        for bad in [json!({ "organization_id": id }), json!({ "organization_id": id, "flows": ["password"] }), json!({ "flows": ["client_credentials"] })] {
            let body = json!({ "name": "x", "default_organization": bad });
            assert_eq!(server.api().post("clients", &body).await.status, 400, "{body}");
        }
    }

    async fn third_party_clients_use_the_grant_for_all_of_them_where_they_are_admitted(server) {
        let id = organization(server).await;
        let named = [("organization", id.as_str())];
        robot(server, json!({}), json!({})).await;
        let stranger = server.app_with("Stranger", json!({ "is_first_party": false })).await;
        refused(&stranger, &[], 403, "access_denied").await;
        let shared = json!({ "audience": AUDIENCE, "scope": ["read:orders"], "default_for": "third_party_clients",
            "organization_usage": "allow", "allow_any_organization": true });
        server.api().post("client-grants", &shared).await.expect(201);
        assert_eq!(claims(&stranger, &[]).await["scope"], "read:orders");
        refused(&server.app("Ours").await, &[], 403, "access_denied").await;
        refused(&stranger, &named, 403, "access_denied").await;
        server.api().patch(&format!("organizations/{id}"), &json!({ "third_party_client_access": "allow" })).await.expect(200);
        assert_eq!(claims(&stranger, &named).await["org_id"], id);
    }

    async fn a_grant_for_users_or_of_unknown_scopes_gives_a_client_nothing(server) {
        let (users, _) = robot(server, json!({}), json!({ "subject_type": "user" })).await;
        refused(&users, &[], 403, "access_denied").await;
        let (app, _) = robot(server, json!({}), json!({ "scope": ["read:orders", "read:later"] })).await;
        assert_eq!(claims(&app, &[]).await["scope"], "read:orders");
        refused(&app, &[("scope", "read:later")], 403, "access_denied").await;
        let later = json!({ "scopes": [{ "value": "read:orders" }, { "value": "read:later" }] });
        let listed = server.api().get("resource-servers").await.expect(200).json();
        let api = listed.as_array().unwrap().iter().find(|api| api["identifier"] == AUDIENCE).unwrap();
        server.api().patch(&format!("resource-servers/{}", api["id"].as_str().unwrap()), &later).await.expect(200);
        assert_eq!(claims(&app, &[]).await["scope"], "read:orders read:later");
    }

    async fn actions_see_the_organization_of_a_clients_token(server) {
        let id = organization(server).await;
        let (app, _) = robot(server, json!({}), json!({ "organization_usage": "allow", "allow_any_organization": true })).await;
        let code = r#"exports.onExecuteCredentialsExchange = async (event, api) => {
            api.accessToken.setCustomClaim("org", event.organization ? event.organization.name : "none");
        };"#;
        let body = json!({ "name": "Tell", "code": code, "runtime": "node22", "deploy": true,
            "supported_triggers": [{ "id": "credentials-exchange", "version": "v2" }] });
        let action = server.api().post("actions/actions", &body).await.expect(201).json();
        let bindings = json!({ "bindings": [{ "ref": { "type": "action_id", "value": action["id"] }, "display_name": "Tell" }] });
        server.api().patch("actions/triggers/credentials-exchange/bindings", &bindings).await.expect(200);
        assert_eq!(claims(&app, &[("organization", &id)]).await["org"], "acme");
        assert_eq!(claims(&app, &[]).await["org"], "none");
    }
}
