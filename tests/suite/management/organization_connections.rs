//! The connections of an organization, in both forms of the API.

use serde_json::{Value, json};
use suite::on_every_store;

on_every_store! {
    async fn a_connection_is_enabled_changed_and_taken_away(server) {
        let (api, connection_id) = (server.api(), server.api().connection_id().await);
        let made = api.post("organizations", &json!({ "name": "acme" })).await.expect(201).json();
        let path = format!("organizations/{}/enabled_connections", made["id"].as_str().unwrap());
        assert_eq!(api.get(&path).await.expect(200).json(), json!([]));
        let added = api.post(&path, &json!({ "connection_id": connection_id })).await.expect(201).json();
        let plain = json!({
            "connection_id": connection_id, "assign_membership_on_login": false, "show_as_button": true, "is_signup_enabled": false,
            "connection": { "name": "Username-Password-Authentication", "strategy": "auth0" },
        });
        assert_eq!(added, plain);
        let again = api.post(&path, &json!({ "connection_id": connection_id })).await;
        again.expect_api_error(409, "Conflict", "The organization connection already exists.", "");
        let one = format!("{path}/{connection_id}");
        assert_eq!(api.get(&one).await.expect(200).json(), plain);
        assert_eq!(
            api.get(&format!("{path}?include_totals=true&per_page=10")).await.expect(200).json(),
            json!({ "enabled_connections": [plain], "start": 0, "limit": 10, "length": 1, "total": 1 })
        );
        let wanted = json!({ "assign_membership_on_login": true, "show_as_button": false, "is_signup_enabled": true });
        let changed = api.patch(&one, &wanted).await.expect(200).json();
        for name in ["assign_membership_on_login", "show_as_button", "is_signup_enabled"] {
            assert_eq!(changed[name], wanted[name], "{name}");
        }
        for bad in [json!({}), json!({ "show_as_button": 1 }), json!({ "is_enabled": false }), json!({ "connection_id": "x" })] {
            api.patch(&one, &bad).await.expect(400);
        }
        api.delete(&one).await.expect(204);
        let gone = api.get(&one).await;
        gone.expect_api_error(404, "Not Found", "The organization connection does not exist.", "");
        api.patch(&one, &wanted).await.expect(404);
        api.delete(&one).await.expect(204);
        api.get("organizations/org_0000000000000000/enabled_connections").await.expect(404);
        let descriptions: Vec<Value> =
            api.logs("sapi").await.into_iter().map(|event| event["description"].clone()).collect();
        for said in ["Add a Connection to an Organization", "Modify an Organization's Connection", "Delete a Connection from an Organization"] {
            assert!(descriptions.contains(&json!(said)), "{said}: {descriptions:?}");
        }
    }

    async fn the_newer_form_also_knows_connections_that_are_off(server) {
        let (api, connection_id) = (server.api(), server.api().connection_id().await);
        let made = api.post("organizations", &json!({ "name": "acme" })).await.expect(201).json();
        let base = format!("organizations/{}", made["id"].as_str().unwrap());
        let body = json!({ "connection_id": connection_id, "is_enabled": false, "organization_connection_name": "staff", "organization_access_level": "limited" });
        let added = api.post(&format!("{base}/connections"), &body).await.expect(201).json();
        for name in ["is_enabled", "organization_connection_name", "organization_access_level"] {
            assert_eq!(added[name], body[name], "{name}");
        }
        let one = format!("{base}/connections/{connection_id}");
        assert_eq!(api.get(&one).await.expect(200).json(), added);
        api.get(&format!("{base}/enabled_connections/{connection_id}")).await.expect(404);
        let total = async |query: &str| {
            let path = format!("{base}/{query}include_totals=true");
            api.get(&path).await.expect(200).json()["total"].as_i64().unwrap()
        };
        let counts = (total("connections?").await, total("connections?is_enabled=true&").await, total("connections?is_enabled=false&").await);
        assert_eq!((counts, total("enabled_connections?").await), ((1, 0, 1), 0));
        let changed = api.patch(&one, &json!({ "is_enabled": true, "organization_connection_name": null })).await.expect(200).json();
        assert_eq!((&changed["is_enabled"], changed.get("organization_connection_name")), (&json!(true), None));
        assert_eq!(total("enabled_connections?").await, 1);
        for bad in [json!({ "organization_access_level": "most" }), json!({ "organization_connection_name": "" }), json!({ "is_enabled": "no" })] {
            api.patch(&one, &bad).await.expect(400);
        }
    }

    async fn a_connection_that_is_deleted_is_no_organizations(server) {
        let api = server.api();
        let made = api.post("connections", &json!({ "name": "staff", "strategy": "auth0" })).await.expect(201).json();
        let connection_id = made["id"].as_str().unwrap();
        let enabled = json!([{ "connection_id": connection_id, "assign_membership_on_login": true }]);
        let made = api.post("organizations", &json!({ "name": "acme", "enabled_connections": enabled })).await.expect(201).json();
        assert_eq!(made["enabled_connections"][0]["assign_membership_on_login"], true, "{made}");
        let path = format!("organizations/{}/connections", made["id"].as_str().unwrap());
        assert_eq!(api.get(&path).await.expect(200).json()[0]["connection"]["name"], "staff");
        api.delete(&format!("connections/{connection_id}")).await;
        assert_eq!(api.get(&path).await.expect(200).json(), json!([]));
        api.post(&path, &json!({ "connection_id": connection_id })).await.expect(400);
    }
}
