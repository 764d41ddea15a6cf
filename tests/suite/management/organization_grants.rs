//! The client grants of an organization, and the organizations of a client grant.

use domain::limits::ORGANIZATION_GRANTS_MAX;
use serde_json::{Value, json};
use suite::{Server, on_every_store};

const AUDIENCE: &str = "https://orders.test/";

/// A grant with these properties, for a client of its own; answers its identifier.
async fn grant(server: &Server, more: Value) -> String {
    let api = json!({ "name": "Orders", "identifier": AUDIENCE, "scopes": [{ "value": "read:orders" }] });
    let made = server.api().post("resource-servers", &api).await;
    assert!(matches!(made.status, 201 | 409), "{}", made.text);
    let mut body =
        json!({ "client_id": server.app("Shop").await.id, "audience": AUDIENCE, "scope": ["read:orders"] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = server.api().post("client-grants", &body).await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

async fn organization(server: &Server, name: &str) -> String {
    let made = server.api().post("organizations", &json!({ "name": name })).await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

on_every_store! {
    async fn a_grant_is_given_to_an_organization_and_taken_away(server) {
        let (api, id) = (server.api(), organization(server, "acme").await);
        let grant_id = grant(server, json!({ "organization_usage": "allow" })).await;
        let path = format!("organizations/{id}/client-grants");
        let empty = api.get(&format!("{path}?include_totals=true&per_page=50")).await.expect(200).json();
        assert_eq!((&empty["client_grants"], &empty["total"], &empty["limit"]), (&json!([]), &json!(0), &json!(50)));
        let added = api.post(&path, &json!({ "grant_id": grant_id })).await.expect(201).json();
        assert_eq!((&added["grant_id"], &added["id"], &added["organization_usage"]), (&json!(grant_id), &json!(grant_id), &json!("allow")));
        let listed = api.get(&path).await.expect(200).json();
        assert_eq!((&listed[0]["id"], &listed[0]["audience"], &listed[0]["subject_type"]), (&json!(grant_id), &json!(AUDIENCE), &json!("client")));
        let again = api.post(&path, &json!({ "grant_id": grant_id })).await;
        again.expect_api_error(409, "Conflict", "The client grant has already been added to this organization.", "");
        let other = grant(server, json!({})).await;
        api.post(&path, &json!({ "grant_id": other })).await.expect(201);
        for (query, count) in [
            (format!("grant_ids={other}"), 1), (format!("grant_ids={other}&grant_ids={grant_id}"), 2), ("audience=x".into(), 0),
            (format!("client_id={}", added["client_id"].as_str().unwrap()), 1), ("page=1&per_page=1".into(), 1),
        ] {
            let found = api.get(&format!("{path}?{query}")).await.expect(200).json();
            assert_eq!(found.as_array().unwrap().len(), count, "{query}");
        }
        let of_grant = format!("client-grants/{grant_id}/organizations");
        assert_eq!(api.get(&of_grant).await.expect(200).json()[0]["id"], id);
        api.delete(&format!("{path}/{other}")).await.expect(204);
        api.delete(&format!("{path}/{other}")).await.expect(204);
        api.delete(&format!("client-grants/{grant_id}")).await.expect(204);
        assert_eq!(api.get(&path).await.expect(200).json(), json!([]));
        api.get(&of_grant).await.expect(404);
        let absent = api.post(&path, &json!({ "grant_id": grant_id })).await;
        absent.expect_api_error(404, "Not Found", "The grant does not exist.", "inexistent_client_grant");
        api.get("organizations/org_0000000000000000/client-grants").await.expect(404);
        api.get("client-grants/cgr_0000000000000000/organizations").await.expect(404);
    }

    async fn there_is_an_end_to_grants_and_what_is_left_of_lost_ones_takes_no_room(server) {
        let (api, id, app) = (server.api(), organization(server, "acme").await, server.app("Many").await);
        let path = format!("organizations/{id}/client-grants");
        for number in 0..ORGANIZATION_GRANTS_MAX {
            let audience = format!("https://{number}.test/");
            api.post("resource-servers", &json!({ "name": "x", "identifier": audience })).await.expect(201);
            let body = json!({ "client_id": app.id, "audience": audience, "scope": [] });
            let made = api.post("client-grants", &body).await.expect(201).json();
            api.post(&path, &json!({ "grant_id": made["id"] })).await.expect(201);
        }
        let another = json!({ "grant_id": grant(server, json!({})).await });
        let full = api.post(&path, &another).await;
        full.expect_api_error(409, "Conflict", "Quota exceeded; cannot add more than 100 client grants to a single organization", "");
        api.delete(&format!("clients/{}", app.id)).await.expect(204);
        let total = async || api.get(&format!("{path}?include_totals=true")).await.expect(200).json()["total"].clone();
        assert_eq!(total().await, 0);
        api.post(&path, &another).await.expect(201);
        assert_eq!(total().await, 1);
        api.delete(&format!("organizations/{id}")).await.expect(204);
        let of_grant = format!("client-grants/{}/organizations", another["grant_id"].as_str().unwrap());
        assert_eq!(api.get(&of_grant).await.expect(200).json(), json!([]));
    }

    async fn grants_are_found_by_what_they_are_for(server) {
        let api = server.api();
        let (any, users) = (grant(server, json!({ "allow_any_organization": true })).await, grant(server, json!({ "subject_type": "user" })).await);
        let shared = json!({ "audience": AUDIENCE, "scope": ["read:orders"], "default_for": "third_party_clients" });
        let made = api.post("client-grants", &shared).await.expect(201).json();
        assert_eq!((&made["default_for"], made.get("client_id")), (&json!("third_party_clients"), None));
        api.post("client-grants", &shared).await.expect(409);
        let shared = made["id"].as_str().unwrap();
        for (query, expected) in [
            ("allow_any_organization=true", any.as_str()), ("subject_type=user", &users), ("default_for=third_party_clients", shared),
        ] {
            let found = api.get(&format!("client-grants?audience={AUDIENCE}&{query}")).await.expect(200).json();
            assert_eq!((found.as_array().unwrap().len(), &found[0]["id"]), (1, &json!(expected)), "{query}");
        }
        for query in ["subject_type=x", "default_for=x", "allow_any_organization=x"] {
            api.get(&format!("client-grants?{query}")).await.expect(400);
        }
        for more in [json!({ "organization_usage": "x" }), json!({ "allow_any_organization": 1 }), json!({ "subject_type": "x" }), json!({ "default_for": "all" })] {
            let mut body = json!({ "client_id": "x", "audience": AUDIENCE, "scope": [] });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            assert_eq!(api.post("client-grants", &body).await.status, 400, "{more}");
        }
        let both = json!({ "client_id": "x", "audience": AUDIENCE, "scope": [], "default_for": "third_party_clients" });
        assert_eq!(api.post("client-grants", &both).await.status, 400);
        let path = format!("client-grants/{any}");
        let changed = api.patch(&path, &json!({ "allow_any_organization": null, "organization_usage": "require" })).await.expect(200).json();
        assert_eq!((changed.get("allow_any_organization"), &changed["organization_usage"]), (None, &json!("require")));
    }
}
