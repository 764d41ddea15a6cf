//! Invitations to an organization: made, read, taken back.

use serde_json::{Value, json};
use suite::{App, Server, on_every_store};

const LOGIN: &str = "https://shop.test/login?from=mail";

async fn prepared(server: &Server) -> (App, String, String) {
    let app = server.app_with("Shop", json!({ "initiate_login_uri": LOGIN })).await;
    let connection_id = server.api().connection_id().await;
    let body = json!({ "name": "acme", "enabled_connections": [{ "connection_id": connection_id }] });
    let made = server.api().post("organizations", &body).await.expect(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    (app, format!("organizations/{id}/invitations"), id)
}

fn body(app: &App, more: Value) -> Value {
    let mut body = json!({ "inviter": { "name": "Ann" }, "invitee": { "email": "bob@acme.example" }, "client_id": app.id });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

on_every_store! {
    async fn an_invitation_is_made_read_and_taken_back(server) {
        let (api, (app, path, id)) = (server.api(), prepared(server).await);
        let connection_id = api.connection_id().await;
        let more = json!({ "connection_id": connection_id, "ttl_sec": 3600, "user_metadata": { "a": 1 }, "send_invitation_email": false });
        let made = api.post(&path, &body(&app, more)).await.expect(200).json();
        assert!(made["id"].as_str().unwrap().starts_with("uinv_"), "{made}");
        let ticket = made["ticket_id"].as_str().unwrap();
        assert_eq!(made["invitation_url"], format!("{LOGIN}&invitation={ticket}&organization={id}&organization_name=acme"));
        assert_eq!((&made["inviter"], &made["invitee"]), (&json!({ "name": "Ann" }), &json!({ "email": "bob@acme.example" })));
        assert_eq!((&made["connection_id"], &made["user_metadata"], made.get("app_metadata")), (&json!(connection_id), &json!({ "a": 1 }), None));
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        assert_eq!(api.get(&one).await.expect(200).json(), made);
        assert_eq!(api.get(&format!("{one}?fields=id,invitee")).await.expect(200).json().as_object().unwrap().len(), 2);
        server.advance_minutes(30);
        let second = api.post(&path, &body(&app, json!({}))).await.expect(200).json();
        for (query, first) in [("", &second), ("?sort=created_at:1", &made), ("?sort=created_at:-1", &second)] {
            let listed = api.get(&format!("{path}{query}")).await.expect(200).json();
            assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (2, &first["id"]), "{query}");
        }
        let page = api.get(&format!("{path}?include_totals=true&per_page=1&page=1&fields=id")).await.expect(200).json();
        assert_eq!((&page["invitations"], &page["start"], &page["limit"]), (&json!([{ "id": made["id"] }]), &json!(1), &json!(1)));
        server.advance_minutes(31);
        api.get(&one).await.expect_api_error(404, "Not Found", "The invitation does not exist.", "");
        assert_eq!(api.get(&path).await.expect(200).json().as_array().unwrap().len(), 1);
        let one = format!("{path}/{}", second["id"].as_str().unwrap());
        api.delete(&one).await.expect(204);
        api.delete(&one).await.expect(204);
        assert_eq!(api.get(&path).await.expect(200).json(), json!([]));
        api.get("organizations/org_0000000000000000/invitations").await.expect(404);
        let reads = api.logs("mgmt_api_read").await;
        assert!(reads.iter().any(|event| event["details"]["accessedSecrets"] == json!(["invitation_url"])), "{reads:?}");
        assert!(!format!("{:?}", api.logs("sapi").await).contains(ticket), "no ticket in the log");
    }

    async fn what_cannot_be_an_invitation_is_refused(server) {
        let (api, (app, path, _)) = (server.api(), prepared(server).await);
        let silent = server.app("Silent").await;
        let denies = server.app_with("Denies", json!({ "organization_usage": "deny", "initiate_login_uri": LOGIN })).await;
        let odd = server.app_with("Odd", json!({ "initiate_login_uri": "http://odd.test/" })).await;
        let staff = api.post("connections", &json!({ "name": "staff", "strategy": "auth0" })).await.expect(201).json();
        let staff = staff["id"].as_str().unwrap();
        for (body, says) in [
            (body(&app, json!({ "client_id": "nobody" })), "The specified client_id does not exist."),
            (body(&denies, json!({})), "The specified client_id does not allow organizations."),
            (body(&silent, json!({})), "A default login route is required"),
            (body(&odd, json!({})), "is not an https URL"),
            (body(&app, json!({ "connection_id": "con_0000000000000000" })), "The specified connection does not exist."),
            (body(&app, json!({ "connection_id": staff })), "is not enabled for the organization"),
            (body(&app, json!({ "send_invitation_email": true })), "sends no emails"),
            (body(&app, json!({ "ttl_sec": 2_592_001 })), "ttl_sec"),
            (body(&app, json!({ "invitee": { "email": "bob" } })), "invitee.email"),
            (body(&app, json!({ "inviter": { "name": "" } })), "inviter.name"),
            (body(&app, json!({ "unknown_thing": 1 })), "unknown_thing"),
            (json!({ "invitee": { "email": "b@c.d" }, "client_id": app.id }), "inviter"),
        ] {
            let reply = api.post(&path, &body).await;
            assert_eq!(reply.status, 400, "{body}: {}", reply.text);
            assert!(reply.json()["message"].as_str().unwrap().contains(says), "{says}: {}", reply.text);
        }
        assert_eq!(api.get(&path).await.expect(200).json(), json!([]));
        api.get(&format!("{path}?sort=id:1")).await.expect(400);
        api.tenant(&json!({ "default_redirection_uri": "https://home.test/in" })).await;
        let made = api.post(&path, &body(&silent, json!({}))).await.expect(200).json();
        assert!(made["invitation_url"].as_str().unwrap().starts_with("https://home.test/in?invitation="), "{made}");
        let other = server.api_with(&["read:organizations"]).await;
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        for reply in [other.get(&path).await, other.get(&one).await, other.post(&path, &json!({})).await, other.delete(&one).await] {
            assert_eq!(reply.json()["errorCode"], "insufficient_scope");
        }
    }
}
