//! The domains of an organization.

use serde_json::json;
use suite::on_every_store;

on_every_store! {
    async fn a_domain_is_made_read_changed_and_deleted(server) {
        let api = server.api();
        let id = api.post("organizations", &json!({ "name": "acme" })).await.expect(201).json()["id"].as_str().unwrap().to_owned();
        let path = format!("organizations/{id}/discovery-domains");
        assert_eq!(api.get(&path).await.expect(200).json(), json!({ "domains": [] }));
        let made = api.post(&path, &json!({ "domain": "Acme.example" })).await.expect(201).json();
        assert!(made["id"].as_str().unwrap().starts_with("ord_"), "{made}");
        assert_eq!((&made["domain"], &made["status"], &made["use_for_organization_discovery"]), (&json!("acme.example"), &json!("pending"), &json!(true)));
        assert_eq!(made["verification_host"], format!("_ss-verification.{id}.acme.example"));
        assert_eq!(made["verification_txt"].as_str().unwrap().len(), 32);
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        assert_eq!(api.get(&one).await.expect(200).json(), made);
        assert_eq!(api.get(&format!("{path}/name/ACME.example")).await.expect(200).json(), made);
        assert_eq!(api.get(&path).await.expect(200).json(), json!({ "domains": [made] }));
        let changed = api.patch(&one, &json!({ "status": "verified", "use_for_organization_discovery": false })).await.expect(200).json();
        assert_eq!((&changed["status"], &changed["use_for_organization_discovery"]), (&json!("verified"), &json!(false)));
        api.post(&path, &json!({ "domain": "acme.example" })).await.expect(409);
        for bad in [json!({}), json!({ "domain": "a_b.example" }), json!({ "domain": "ab" }), json!({ "domain": "x.example", "status": "so-so" })] {
            assert_eq!(api.post(&path, &bad).await.status, 400, "{bad}");
        }
        for bad in [json!({}), json!({ "domain": "y.example" }), json!({ "status": 1 })] {
            assert_eq!(api.patch(&one, &bad).await.status, 400, "{bad}");
        }
        api.delete(&one).await.expect(204);
        let gone = api.get(&one).await;
        gone.expect_api_error(404, "Not Found", "The organization discovery domain does not exist.", "");
        api.patch(&one, &json!({ "status": "pending" })).await.expect(404);
        api.get(&format!("{path}/name/acme.example")).await.expect(404);
        api.post(&path, &json!({ "domain": "acme.example" })).await.expect(201);
        api.delete(&format!("organizations/{id}")).await.expect(204);
        api.get(&path).await.expect_api_error(404, "Not Found", "No organization found by that id or name", "");
    }

    async fn domains_want_their_scopes(server) {
        let (api, path) = (server.api_with(&["read:organizations"]).await, "organizations/x/discovery-domains");
        for reply in [
            api.get(path).await, api.get(&format!("{path}/y")).await, api.get(&format!("{path}/name/y")).await,
            api.post(path, &json!({})).await, api.patch(&format!("{path}/y"), &json!({})).await, api.delete(&format!("{path}/y")).await,
            api.get("organizations/x/client-grants").await, api.post("organizations/x/client-grants", &json!({})).await,
            api.delete("organizations/x/client-grants/y").await, api.get("client-grants/y/organizations").await,
        ] {
            assert_eq!((reply.status, &reply.json()["errorCode"]), (403, &json!("insufficient_scope")), "{}", reply.url);
        }
    }
}
