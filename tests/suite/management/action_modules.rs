//! `/api/v2/actions/modules`: drafts, versions, roll-back, use and its protection.
//!
//! Auth0: Management API v2 › actions › modules.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

const CODE: &str = "module.exports = 1;";

async fn made(server: &Server, name: &str) -> (String, Value) {
    let made =
        server.api().post("actions/modules", &json!({ "name": name, "code": CODE })).await.expect(201).json();
    (format!("actions/modules/{}", made["id"].as_str().expect("text")), made)
}

async fn publish(server: &Server, path: &str) -> Value {
    server.api().post_nothing(&format!("{path}/versions")).await.expect(200).json()
}

/// A deployed Action that uses a module in one version; answers its path.
async fn user_of(server: &Server, name: &str, version: &Value) -> String {
    let body = json!({ "name": name, "supported_triggers": [{ "id": "post-login", "version": "v3" }],
        "code": "exports.onExecutePostLogin = async () => {};", "deploy": true,
        "modules": [{ "module_id": version["module_id"], "module_version_id": version["id"] }] });
    let made = server.api().post("actions/actions", &body).await.expect(201).json();
    format!("actions/actions/{}", made["id"].as_str().expect("text"))
}

on_every_store! {
    async fn a_module_is_made_changed_published_and_deleted(server) {
        let (path, module) = made(server, "Text tools").await;
        let expected = json!({ "id": module["id"], "name": "Text tools", "code": CODE, "dependencies": [], "secrets": [],
            "all_changes_published": false, "actions_using_module_total": 0,
            "created_at": module["created_at"], "updated_at": module["updated_at"] });
        assert_eq!(module, expected);
        server.advance_minutes(1);
        let change = json!({ "code": "module.exports = 2;", "secrets": [{ "name": "KEY", "value": "hidden" }] });
        let changed = server.api().patch(&path, &change).await.expect(200).json();
        assert_eq!((&changed["code"], &changed["secrets"][0]["name"]), (&json!("module.exports = 2;"), &json!("KEY")));
        assert_ne!(changed["updated_at"], changed["created_at"]);
        let version = publish(server, &path).await;
        let expected = json!({ "id": version["id"], "module_id": module["id"], "version_number": 1, "code": "module.exports = 2;",
            "dependencies": [], "secrets": changed["secrets"], "created_at": version["created_at"] });
        assert_eq!(version, expected);
        let read = server.api().get(&path).await.expect(200).json();
        assert_eq!((&read["all_changes_published"], &read["latest_version_number"]), (&json!(true), &json!(1)));
        assert_eq!((&read["latest_version"]["id"], &read["latest_version"]["code"]), (&version["id"], &version["code"]));
        let one = format!("{path}/versions/{}", version["id"].as_str().expect("text"));
        assert_eq!(server.api().get(&one).await.expect(200).json(), version);
        let listed = server.api().get("actions/modules").await.expect(200).json();
        assert_eq!((&listed["total"], &listed["page"], &listed["per_page"]), (&json!(1), &json!(0), &json!(100)));
        assert!(listed["modules"][0]["id"] == module["id"] && listed["modules"][0].get("latest_version").is_none(), "{listed}");
        for reply in [&read, &version, &listed] {
            assert!(!reply.to_string().contains("hidden"), "a secret never comes back: {reply}");
        }
        server.api().delete(&path).await.expect(204);
        server.api().get(&path).await.expect_api_error(404, "Not Found", "The action module does not exist.", "");
        assert_eq!(server.api().get(&one).await.status, 404);
        let told: Vec<String> = server.api().logs("sapi").await.iter().map(|event| event["description"].to_string()).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(!format!("{:?}", server.api().logs("sapi").await).contains("hidden"), "nor in the log");
    }

    async fn publishing_twice_or_what_does_not_parse_is_refused_and_changes_nothing(server) {
        let (path, _) = made(server, "m").await;
        publish(server, &path).await;
        let again = server.api().post_nothing(&format!("{path}/versions")).await;
        again.expect_api_error(409, "Conflict", "No draft version is available to publish.", "");
        for (change, says) in [
            (json!({ "code": "module.exports = {\n  a: ,\n};" }), "line 2, column "),
            (json!({ "code": CODE, "dependencies": [{ "name": "lodash", "version": "4.17.21" }] }), "npm dependencies"),
        ] {
            server.api().patch(&path, &change).await.expect(200);
            let refused = server.api().post_nothing(&format!("{path}/versions")).await.expect(400).json();
            assert!(refused["message"].as_str().is_some_and(|message| message.contains(says)), "{refused}");
        }
        let read = server.api().get(&path).await.expect(200).json();
        assert_eq!((&read["latest_version_number"], &read["latest_version"]["code"]), (&json!(1), &json!(CODE)));
        let at_once = json!({ "name": "n", "code": "(", "publish": true });
        server.api().post("actions/modules", &at_once).await.expect(400);
        assert_eq!(server.api().get("actions/modules").await.expect(200).json()["total"], 1);
    }

    async fn rolling_back_takes_a_version_into_the_draft(server) {
        let (path, _) = made(server, "m").await;
        let first = publish(server, &path).await;
        let change = json!({ "code": "module.exports = 2;", "secrets": [{ "name": "KEY", "value": "x" }] });
        server.api().patch(&path, &change).await.expect(200);
        let second = publish(server, &path).await;
        let versions = server.api().get(&format!("{path}/versions?per_page=1")).await.expect(200).json();
        assert_eq!((&versions["total"], &versions["versions"][0]["id"]), (&json!(2), &second["id"]), "newest first");
        let back = format!("{path}/rollback");
        let to = |version: &Value| json!({ "module_version_id": version["id"] });
        let rolled = server.api().post(&back, &to(&first)).await.expect(200).json();
        assert_eq!((&rolled["code"], &rolled["secrets"]), (&json!(CODE), &json!([])));
        assert_eq!((&rolled["all_changes_published"], &rolled["latest_version"]["id"]), (&json!(false), &second["id"]));
        let again = server.api().post(&back, &to(&first)).await;
        again.expect_api_error(409, "Conflict", "The specified version is already the current draft version.", "");
        let rolled = server.api().post(&back, &to(&second)).await.expect(200).json();
        assert_eq!((&rolled["secrets"][0]["name"], &rolled["all_changes_published"]), (&json!("KEY"), &json!(true)));
        let unknown = server.api().post(&back, &json!({ "module_version_id": "x" })).await;
        unknown.expect_api_error(404, "Not Found", "The action module version does not exist.", "");
        server.api().post(&back, &json!({})).await.expect(400);
    }

    async fn a_module_in_use_is_not_deleted_and_tells_by_whom(server) {
        let (path, _) = made(server, "m").await;
        let version = publish(server, &path).await;
        let action = user_of(server, "User", &version).await;
        assert_eq!(server.api().get(&path).await.expect(200).json()["actions_using_module_total"], 1);
        let users = server.api().get(&format!("{path}/actions")).await.expect(200).json();
        let expected = json!({ "action_id": action.rsplit('/').next(), "action_name": "User", "module_version_id": version["id"],
            "module_version_number": 1, "supported_triggers": [{ "id": "post-login", "version": "v3" }] });
        assert_eq!((&users["actions"], &users["total"]), (&json!([expected]), &json!(1)));
        let refused = server.api().delete(&path).await;
        let says = "The action module cannot be deleted because it is in use by one or more actions.";
        refused.expect_api_error(412, "Precondition Failed", says, "");
        server.api().patch(&action, &json!({ "modules": [] })).await.expect(200);
        assert_eq!(server.api().delete(&path).await.status, 412, "a draft without it runs nowhere");
        server.api().delete(&action).await.expect(204);
        assert_eq!(server.api().get(&path).await.expect(200).json()["actions_using_module_total"], 0);
        server.api().delete(&path).await.expect(204);
    }

    async fn an_action_names_modules_by_id_or_name_and_gives_all_four_parts_back(server) {
        let (path, module) = made(server, "m").await;
        let first = publish(server, &path).await;
        server.api().patch(&path, &json!({ "code": "module.exports = 2;" })).await.expect(200);
        let second = publish(server, &path).await;
        let action = user_of(server, "User", &first).await;
        let part = |version: &Value| json!({ "module_id": module["id"], "module_name": "m",
            "module_version_id": version["id"], "module_version_number": version["version_number"] });
        assert_eq!(server.api().get(&action).await.expect(200).json()["modules"], json!([part(&first)]));
        for (choice, chosen) in [
            (json!({ "module_name": "m" }), &second),
            (json!({ "module_id": module["id"], "module_version_number": 1 }), &first),
            (part(&second), &second),
        ] {
            let changed = server.api().patch(&action, &json!({ "modules": [choice] })).await.expect(200).json();
            assert_eq!(changed["modules"], json!([part(chosen)]), "{choice}");
        }
        let (_, unpublished) = made(server, "unpublished").await;
        for wrong in [
            json!([{}]), json!([{ "module_name": "gone" }]), json!([{ "module_id": unpublished["id"] }]),
            json!([{ "module_id": module["id"], "module_name": "n" }]), json!([{ "module_name": "m", "module_version_number": 3 }]),
            json!([{ "module_name": "m", "module_version_id": first["id"], "module_version_number": 2 }]),
            json!([{ "module_id": unpublished["id"], "module_version_id": first["id"] }]),
            json!([{ "module_name": "m" }, { "module_name": "m" }]), json!([{ "module_name": "m", "other": 1 }]),
            json!([{ "module_name": "m" }, { "module_name": "n" }, { "module_name": "o" }, { "module_name": "p" }]),
        ] {
            let refused = server.api().patch(&action, &json!({ "modules": wrong })).await;
            assert_eq!((refused.status, &refused.json()["errorCode"]), (400, &json!("invalid_body")), "{wrong}: {}", refused.text);
        }
        assert_eq!(server.api().get(&action).await.expect(200).json()["modules"], json!([part(&second)]));
    }

    async fn the_oldest_unused_version_makes_room_and_a_draft_that_wants_it_is_told(server) {
        let (path, _) = made(server, "m").await;
        let first = publish(server, &path).await;
        user_of(server, "Keeps the first", &first).await;
        let mut versions = vec![first];
        for number in 2..=50 {
            server.api().patch(&path, &json!({ "code": format!("module.exports = {number};") })).await.expect(200);
            versions.push(publish(server, &path).await);
        }
        let late = user_of(server, "Late", &versions[2]).await;
        server.api().patch(&late, &json!({ "modules": [{ "module_name": "m", "module_version_number": 2 }] })).await.expect(200);
        server.api().patch(&path, &json!({ "code": "module.exports = 51;" })).await.expect(200);
        publish(server, &path).await;
        let there = server.api().get(&format!("{path}/versions?per_page=100")).await.expect(200).json();
        let numbers: Vec<i64> = there["versions"].as_array().expect("a list").iter().rev().filter_map(|one| one["version_number"].as_i64()).collect();
        assert_eq!((numbers.len(), &numbers[..3]), (50, &[1, 3, 4][..]));
        let refused = server.api().post_nothing(&format!("{late}/deploy")).await;
        refused.expect_api_error(400, "Bad Request", "Payload validation error: 'version 2 of m is gone' on property modules.", "invalid_body");
    }

    async fn illegal_properties_of_a_module_are_refused_by_name(server) {
        let (path, _) = made(server, "m").await;
        let taken = server.api().post("actions/modules", &json!({ "name": "m", "code": CODE })).await;
        taken.expect_api_error(409, "Conflict", "An action module with the same name already exists.", "");
        let long = "x".repeat(65_537);
        for (body, property) in [
            (json!({ "code": CODE }), "name"), (json!({ "name": "n" }), "code"), (json!({ "name": " ", "code": CODE }), "name"),
            (json!({ "name": "n\u{0}", "code": CODE }), "name"), (json!({ "name": "n", "code": long }), "code"),
            (json!({ "name": "n", "code": CODE, "secrets": [{ "name": "A" }] }), "secrets[0].value"),
            (json!({ "name": "n", "code": CODE, "secrets": [{ "name": "A", "value": "x".repeat(4097) }] }), "secrets[0].value"),
            (json!({ "name": "n", "code": CODE, "supported_triggers": [] }), "supported_triggers"),
        ] {
            let refused = server.api().post("actions/modules", &body).await;
            assert!(refused.status == 400 && refused.text.contains(property), "{property}: {}", refused.text);
        }
        for body in [json!({}), json!({ "name": "other" }), json!({ "code": 1 })] {
            server.api().patch(&path, &body).await.expect(400);
        }
        server.api().post("actions/modules", &json!({ "name": "n", "code": CODE, "api_version": "1" })).await.expect(201);
    }

    async fn each_call_wants_its_scope(server) {
        let (path, _) = made(server, "m").await;
        publish(server, &path).await;
        let nobody = server.api_with(&["read:clients"]).await;
        for (method, path, scope) in [
            ("GET", "actions/modules".to_owned(), "read"), ("POST", "actions/modules".to_owned(), "create"),
            ("GET", path.clone(), "read"), ("PATCH", path.clone(), "update"), ("DELETE", path.clone(), "delete"),
            ("GET", format!("{path}/actions"), "read"), ("POST", format!("{path}/rollback"), "update"),
            ("GET", format!("{path}/versions"), "read"), ("POST", format!("{path}/versions"), "update"),
            ("GET", format!("{path}/versions/x"), "read"),
        ] {
            let method = method.parse().expect("a method");
            let refused = nobody.call(method, &path, Some(&json!({ "code": CODE }))).await;
            let says = format!("Insufficient scope, expected any of: {scope}:actions");
            refused.expect_api_error(403, "Forbidden", &says, "insufficient_scope");
        }
    }
}
