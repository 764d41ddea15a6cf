//! What a deploy tool asks for and the server does not have: empty, with its scope, and not to be written.

use reqwest::Method;
use serde_json::json;
use suite::on_every_store;

on_every_store! {
    async fn what_is_not_here_is_empty_and_says_so_when_it_is_written(server) {
        for (path, body) in [
            ("rules", json!([])),
            ("rules?include_totals=true&page=0&per_page=50", json!({ "start": 0, "limit": 50, "length": 0, "total": 0, "rules": [] })),
            ("custom-domains", json!([])),
            ("custom-domains?take=50", json!({ "custom_domains": [] })),
            ("flows/vault/connections", json!([])),
            ("event-streams", json!({ "eventStreams": [] })),
            ("network-acls", json!({ "network_acls": [] })),
            ("token-exchange-profiles", json!({ "token_exchange_profiles": [] })),
            ("guardian/policies", json!([])),
            ("guardian/factors/phone/selected-provider", json!({ "provider": "auth0" })),
            ("risk-assessments/settings", json!({ "enabled": false })),
        ] {
            assert_eq!(server.api().get(path).await.expect(200).json(), body, "{path}");
        }
        let factors = server.api().get("guardian/factors").await.expect(200).json();
        assert!(factors.as_array().unwrap().iter().all(|factor| factor["enabled"] == false), "{factors}");

        let no_domains = server.api().post("custom-domains", &json!({ "domain": "a.test" })).await;
        let code = "operation_not_supported";
        no_domains.expect_api_error(400, "Bad Request", "This server has no custom domains.", code);
        server.api().get("custom-domains/cd_1").await.expect(404);
        server.api().post("rules", &json!({ "name": "r", "script": "" })).await.expect(400);
    }

    async fn a_write_that_says_what_is_so_anyway_is_taken(server) {
        let put = async |path: &str, body| server.api().call(Method::PUT, path, Some(&body)).await;
        put("guardian/factors/sms", json!({ "enabled": false })).await.expect(200);
        put("guardian/factors/sms", json!({ "enabled": true })).await.expect(400);
        put("guardian/policies", json!([])).await.expect(200);
        put("guardian/policies", json!(["all-applications"])).await.expect(400);
        let path = "risk-assessments/settings";
        server.api().patch(path, &json!({ "enabled": false })).await.expect(200);
        server.api().patch(path, &json!({ "enabled": true })).await.expect(400);
        server.api().patch(path, &json!({ "other": true })).await.expect(400);
    }

    async fn even_what_is_not_here_asks_for_its_scope(server) {
        let nobody = server.api_with(&["read:clients"]).await;
        for path in ["rules", "flows", "guardian/factors", "custom-domains", "connections/con_1/keys"] {
            nobody.get(path).await.expect(403);
            nobody.post(path, &json!({})).await.expect(403);
        }
        nobody.call(Method::PUT, "guardian/factors/sms", Some(&json!({ "enabled": false }))).await.expect(403);
    }
}
