//! Organizations: their fields, names, pages, members, and what goes with them.

use serde_json::{Value, json};
use suite::on_every_store;

fn names(listed: &Value) -> Vec<&str> {
    listed.as_array().unwrap().iter().map(|found| found["name"].as_str().unwrap()).collect()
}

on_every_store! {
    async fn an_organization_is_made_read_changed_and_deleted(server) {
        let api = server.api();
        let made = api.post("organizations", &json!({ "name": "acme", "display_name": "Acme" })).await.expect(201).json();
        let id = made["id"].as_str().unwrap();
        assert!(id.starts_with("org_") && id.len() == 20, "{id}");
        let plain = json!({ "id": id, "name": "acme", "display_name": "Acme",
            "third_party_client_access": "block", "is_app_entitlement_active": false });
        assert_eq!(made, plain);
        let path = format!("organizations/{id}");
        assert_eq!(api.get(&path).await.expect(200).json(), plain);
        assert_eq!(api.get("organizations/name/acme").await.expect(200).json(), plain);

        let more = json!({
            "branding": { "logo_url": "https://acme.example/logo.svg", "colors": { "primary": "#e3e2f0", "page_background": "white" } },
            "metadata": { "plan": "gold", "gone": null },
            "token_quota": { "client_credentials": { "enforce": true, "per_day": 2000 } },
            "third_party_client_access": "allow", "is_app_entitlement_active": true,
        });
        let changed = api.patch(&path, &more).await.expect(200).json();
        for name in ["branding", "token_quota", "third_party_client_access", "is_app_entitlement_active"] {
            assert_eq!(changed[name], more[name], "{name}");
        }
        assert_eq!((&changed["metadata"], &changed["name"]), (&json!({ "plan": "gold" }), &json!("acme")));
        let less = json!({ "metadata": {}, "token_quota": null, "branding": null, "name": "acme-2" });
        let changed = api.patch(&path, &less).await.expect(200).json();
        for name in ["metadata", "token_quota", "branding"] {
            assert!(changed.get(name).is_none(), "{changed}");
        }
        assert_eq!(api.get("organizations/name/acme-2").await.expect(200).json()["id"], id);

        api.delete(&path).await.expect(204);
        api.get(&path).await.expect_api_error(404, "Not Found", "No organization found by that id or name", "");
        api.get("organizations/name/acme-2").await.expect(404);
        api.delete(&path).await.expect(204);
    }

    async fn bad_names_and_values_are_refused_and_change_nothing(server) {
        let api = server.api();
        let id = api.post("organizations", &json!({ "name": "acme" })).await.expect(201).json()["id"].clone();
        let path = format!("organizations/{}", id.as_str().unwrap());
        for name in ["", "Acme", "-acme", "a b", "org_acme", &"a".repeat(51)] {
            let body = json!({ "name": name });
            assert_eq!(api.post("organizations", &body).await.status, 400, "{name}");
            assert_eq!(api.patch(&path, &body).await.status, 400, "{name}");
        }
        for body in [
            json!({}), json!({ "display_name": "" }), json!({ "unknown_thing": 1 }), json!({ "metadata": { "a": 1 } }),
            json!({ "branding": { "logo_url": "http://acme.example/x" } }), json!({ "third_party_client_access": "x" }),
            json!({ "token_quota": { "client_credentials": {} } }),
        ] {
            let reply = api.patch(&path, &body).await;
            assert_eq!((reply.status, &reply.json()["errorCode"]), (400, &json!("invalid_body")), "{body}");
        }
        let missing = json!({ "name": "x", "enabled_connections": [{ "connection_id": "con_0000000000000000" }] });
        assert_eq!(api.post("organizations", &missing).await.status, 400);
        api.get("organizations/name/x").await.expect(404);
        let taken = api.post("organizations", &json!({ "name": "acme" })).await;
        taken.expect_api_error(409, "Conflict", "An organization with this name already exists.", "");
    }

    async fn organizations_are_listed_by_page_by_checkpoint_and_in_order(server) {
        let api = server.api();
        for (name, display_name) in [("b-first", "Zeta"), ("a-second", "Yota"), ("c-third", "Xi")] {
            api.post("organizations", &json!({ "name": name, "display_name": display_name })).await.expect(201);
            server.advance_minutes(1);
        }
        for (sort, expected) in [
            ("name:1", ["a-second", "b-first", "c-third"]), ("name:-1", ["c-third", "b-first", "a-second"]),
            ("display_name:1", ["c-third", "a-second", "b-first"]), ("created_at:-1", ["c-third", "a-second", "b-first"]),
        ] {
            let listed = api.get(&format!("organizations?sort={sort}")).await.expect(200).json();
            assert_eq!(names(&listed), expected, "{sort}");
        }
        for bad in ["name", "name:2", "id:1"] {
            let reply = api.get(&format!("organizations?sort={bad}")).await;
            assert_eq!((reply.status, &reply.json()["errorCode"]), (400, &json!("invalid_query_string")), "{bad}");
        }
        let page = api.get("organizations?sort=name:1&page=1&per_page=2&include_totals=true").await.expect(200).json();
        assert_eq!((&page["start"], &page["limit"], &page["total"]), (&json!(2), &json!(2), &json!(3)));
        assert_eq!(names(&page["organizations"]), ["c-third"]);
        let (mut from, mut all) = (String::new(), 0);
        loop {
            let page = api.get(&format!("organizations?take=2{from}")).await.expect(200).json();
            all += page["organizations"].as_array().unwrap().len();
            let Some(next) = page["next"].as_str() else { break };
            from = format!("&from={next}");
        }
        assert_eq!(all, 3);
    }

    async fn members_are_listed_with_a_checkpoint_behind_the_last_one(server) {
        let (api, ann, bob) = (server.api(), server.user("ann@example.com").await, server.user("bob@example.com").await);
        let id = api.organization("acme", "Acme", &ann).await;
        let path = format!("organizations/{id}/members");
        api.post(&path, &json!({ "members": [ann.id, bob.id] })).await.expect(204);
        let page = api.get(&format!("{path}?take=100&include_totals=true&fields=user_id")).await.expect(200).json();
        let mut both = [&*ann.id, &*bob.id];
        both.sort_unstable();
        assert_eq!(page["members"], json!([{ "user_id": both[0] }, { "user_id": both[1] }]));
        let next = page["next"].as_str().unwrap();
        assert_eq!(api.get(&format!("{path}?take=100&from={next}")).await.expect(200).json(), json!({ "members": [] }));
        let first = api.get(&format!("{path}?take=1")).await.expect(200).json();
        let rest = api.get(&format!("{path}?take=5&from={}", first["next"].as_str().unwrap())).await.expect(200).json();
        assert_eq!(rest["members"][0]["user_id"], both[1]);
        assert!(api.get(&path).await.expect(200).json().as_array().is_some_and(|all| all.len() == 2));
        api.call(reqwest::Method::DELETE, &path, Some(&json!({ "members": [ann.id, bob.id] }))).await.expect(204);
        assert_eq!(api.get(&format!("{path}?take=100")).await.expect(200).json(), json!({ "members": [] }));
    }

    async fn an_organization_names_applications(server) {
        let (api, shop, other) = (server.api(), server.app("Shop").await, server.app("Other").await);
        let id = api.post("organizations", &json!({ "name": "acme" })).await.expect(201).json()["id"].as_str().unwrap().to_owned();
        let path = format!("organizations/{id}/clients");
        assert_eq!(api.get(&format!("{path}?take=50")).await.expect(200).json(), json!({ "clients": [] }));
        let body = json!({ "clients": [{ "client_id": shop.id, "use_for_member_access": true }] });
        let made = api.post(&path, &body).await.expect(201).json();
        assert_eq!((&made[0]["client_id"], &made[0]["use_for_member_access"]), (&json!(shop.id), &json!(true)));
        let about = &made[0]["client"];
        assert_eq!((&about["name"], &about["is_first_party"], &about["organization_usage"]), (&json!("Shop"), &json!(true), &json!("allow")));
        let one = format!("{path}/{}", shop.id);
        let changed = api.patch(&one, &json!({ "use_for_member_access": false })).await.expect(200).json();
        assert_eq!(changed["use_for_member_access"], false);
        assert_eq!(api.get(&one).await.expect(200).json(), changed);
        let absent = api.get(&format!("{path}/{}", other.id)).await;
        absent.expect_api_error(404, "Not Found", "The organization client does not exist.", "");
        api.post(&path, &json!({ "clients": [{ "client_id": "nobody" }] })).await.expect(404);
        api.post(&path, &json!({ "clients": [] })).await.expect(400);
        assert_eq!(api.get(&path).await.expect(200).json(), json!([changed]));
        api.call(reqwest::Method::DELETE, &path, Some(&json!({ "clients": [shop.id] }))).await.expect(204);
        assert_eq!(api.get(&path).await.expect(200).json(), json!([]));
        api.post(&path, &body).await.expect(201);
        api.delete(&format!("clients/{}", shop.id)).await.expect(204);
        assert_eq!(api.get(&path).await.expect(200).json(), json!([]));
    }

    async fn each_call_wants_its_scope(server) {
        let api = server.api_with(&["read:users"]).await;
        for path in [
            "organizations", "organizations/x", "organizations/name/x", "organizations/x/members", "organizations/x/connections",
            "organizations/x/enabled_connections", "organizations/x/enabled_connections/y", "organizations/x/clients",
            "organizations/x/clients/y", "organizations/x/connections/y",
        ] {
            assert_eq!(api.get(path).await.json()["errorCode"], "insufficient_scope", "GET {path}");
        }
        for path in ["organizations", "organizations/x/members", "organizations/x/connections", "organizations/x/enabled_connections", "organizations/x/clients"] {
            assert_eq!(api.post(path, &json!({})).await.json()["errorCode"], "insufficient_scope", "POST {path}");
        }
        for path in ["organizations/x", "organizations/x/connections/y", "organizations/x/enabled_connections/y", "organizations/x/clients/y"] {
            assert_eq!(api.patch(path, &json!({})).await.json()["errorCode"], "insufficient_scope", "PATCH {path}");
        }
        for path in ["organizations/x", "organizations/x/connections/y", "organizations/x/enabled_connections/y"] {
            assert_eq!(api.delete(path).await.json()["errorCode"], "insufficient_scope", "DELETE {path}");
        }
    }
}
