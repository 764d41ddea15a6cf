//! `/api/v2/actions`: the life of an Action from draft to deletion, as Auth0's API tells it.
//!
//! Auth0: Management API v2 › actions.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

const CODE: &str = "exports.onExecutePostLogin = async () => {};";

fn draft(name: &str) -> Value {
    json!({ "name": name, "supported_triggers": [{ "id": "post-login", "version": "v3" }], "code": CODE })
}

async fn made(server: &Server, name: &str) -> (String, Value) {
    let made = server.api().post("actions/actions", &draft(name)).await.expect(201).json();
    (format!("actions/actions/{}", made["id"].as_str().expect("text")), made)
}

async fn deploy(server: &Server, path: &str) -> Value {
    server.api().post_nothing(&format!("{path}/deploy")).await.expect(200).json()
}

fn binding(kind: &str, value: &Value) -> Value {
    json!({ "bindings": [{ "ref": { "type": kind, "value": value } }] })
}

on_every_store! {
    async fn a_draft_has_auth0s_defaults_and_a_deploy_adds_its_versions(server) {
        let (path, action) = made(server, "Mine").await;
        let expected = json!({ "id": action["id"], "name": "Mine", "code": CODE, "runtime": "node22", "status": "built",
            "supported_triggers": [{ "id": "post-login", "version": "v3" }], "dependencies": [], "secrets": [],
            "all_changes_deployed": false, "created_at": action["created_at"], "updated_at": action["updated_at"] });
        assert_eq!(action, expected);
        let version = deploy(server, &path).await;
        assert_eq!((&version["number"], &version["status"], &version["deployed"]), (&json!(1), &json!("built"), &json!(true)));
        assert_eq!((&version["action"]["id"], &version["action"]["all_changes_deployed"]), (&action["id"], &json!(true)));
        let read = server.api().get(&path).await.expect(200).json();
        assert_eq!(read["all_changes_deployed"], true);
        assert_eq!((&read["deployed_version"]["id"], &read["deployed_version"]["status"]), (&version["id"], &json!("built")));
        assert_eq!((&read["current_version"]["id"], &read["current_version"]["status"]), (&version["id"], &json!("BUILT")));
        let changed = server.api().patch(&path, &json!({ "code": "exports.x = 1;" })).await.expect(200).json();
        assert_eq!((&changed["all_changes_deployed"], &changed["deployed_version"]["code"]), (&json!(false), &json!(CODE)));
        let listed = server.api().get("actions/actions?deployed=true&triggerId=post-login&actionName=Mine").await.expect(200).json();
        assert_eq!((&listed["total"], &listed["page"], &listed["per_page"]), (&json!(1), &json!(0), &json!(20)));
        for (filter, total) in [("deployed=false", 0), ("installed=true", 0), ("installed=false", 1), ("actionName=Other", 0)] {
            let listed = server.api().get(&format!("actions/actions?{filter}")).await.expect(200).json();
            assert_eq!((&listed["total"], listed["actions"].as_array().map(Vec::len)), (&json!(total), Some(total)), "{filter}");
        }
    }

    async fn secrets_are_replaced_as_a_list_kept_without_a_value_and_never_come_back(server) {
        let (path, _) = made(server, "Mine").await;
        let names = |view: &Value| -> Vec<String> {
            view["secrets"].as_array().expect("a list").iter().map(|secret| secret["name"].as_str().expect("text").to_owned()).collect()
        };
        let set = json!({ "secrets": [{ "name": "A", "value": "hidden a" }, { "name": "B", "value": "hidden b" }] });
        let first = server.api().patch(&path, &set).await.expect(200).json();
        assert_eq!(names(&first), ["A", "B"]);
        server.advance_minutes(1);
        let echoed = json!({ "secrets": [{ "name": "C", "value": "hidden c" }, first["secrets"][0]] });
        let second = server.api().patch(&path, &echoed).await.expect(200).json();
        assert_eq!((names(&second), &second["secrets"][0]), (vec!["A".to_owned(), "C".to_owned()], &first["secrets"][0]));
        let code = "exports.onExecutePostLogin = async (event) => console.log(JSON.stringify(event.secrets));";
        server.api().patch(&path, &json!({ "code": code })).await.expect(200);
        let version = deploy(server, &path).await;
        let tested = server.api().post(&format!("{path}/test"), &json!({ "payload": { "event": {} } })).await.expect(200).json();
        assert_eq!(tested["payload"]["console"][0], r#"log: {"A":"hidden a","C":"hidden c"}"#, "the script reads them");
        let one = format!("{path}/versions/{}", version["id"].as_str().expect("text"));
        for place in [path.as_str(), "actions/actions", &one, &format!("{path}/versions")] {
            let reply = server.api().get(place).await.expect(200);
            assert!(!reply.text.contains("hidden"), "{place}: {}", reply.text);
        }
        assert!(!version.to_string().contains("hidden"), "{version}");
        for secret in [
            json!({ "name": "D" }), json!({ "name": "", "value": "x" }), json!({ "name": "d".repeat(129), "value": "x" }),
            json!({ "name": "D", "value": "x".repeat(4097) }),
        ] {
            server.api().patch(&path, &json!({ "secrets": [secret] })).await.expect(400);
        }
        let many: Vec<Value> = (0..31).map(|n| json!({ "name": format!("N{n}"), "value": "x" })).collect();
        server.api().patch(&path, &json!({ "secrets": many })).await.expect(400);
        assert_eq!(names(&server.api().get(&path).await.expect(200).json()), ["A", "C"]);
    }

    async fn an_earlier_version_is_deployed_again_as_a_new_one(server) {
        let (path, _) = made(server, "Mine").await;
        let first = deploy(server, &path).await;
        server.api().patch(&path, &json!({ "code": "exports.second = 2;" })).await.expect(200);
        deploy(server, &path).await;
        let back = format!("{path}/versions/{}/deploy", first["id"].as_str().expect("text"));
        let third = server.api().post_nothing(&back).await.expect(202).json();
        assert_eq!((&third["number"], &third["code"], &third["deployed"]), (&json!(3), &json!(CODE), &json!(true)));
        let read = server.api().get(&path).await.expect(200).json();
        assert_eq!((&read["code"], &read["all_changes_deployed"]), (&json!("exports.second = 2;"), &json!(false)));
        server.api().post(&back, &json!({ "update_draft": true })).await.expect(202);
        let read = server.api().get(&path).await.expect(200).json();
        assert_eq!((&read["code"], &read["all_changes_deployed"]), (&json!(CODE), &json!(true)));
        let versions = server.api().get(&format!("{path}/versions")).await.expect(200).json();
        let told: Vec<(i64, bool)> = versions["versions"].as_array().expect("a list").iter()
            .map(|one| (one["number"].as_i64().expect("a number"), one["deployed"] == true)).collect();
        assert_eq!((told, &versions["total"]), (vec![(4, true), (3, false), (2, false), (1, false)], &json!(4)));
        server.api().post_nothing(&format!("{path}/versions/unknown/deploy")).await.expect(404);
    }

    async fn bindings_are_replaced_in_order_by_id_name_or_binding(server) {
        let place = "actions/triggers/post-login/bindings";
        let (first, one) = made(server, "One").await;
        let (second, _) = made(server, "Two").await;
        let undeployed = server.api().patch(place, &binding("action_id", &one["id"])).await;
        let says = "Trying to create a binding for an action that has not been deployed yet: One";
        undeployed.expect_api_error(400, "Bad Request", says, "");
        for path in [&first, &second] {
            deploy(server, path).await;
        }
        let both = json!({ "bindings": [{ "ref": { "type": "action_name", "value": "Two" }, "display_name": "Second first" },
            { "ref": { "type": "action_id", "value": one["id"] } }] });
        let bound = server.api().patch(place, &both).await.expect(200).json();
        let names = |bound: &Value| -> Vec<String> {
            bound["bindings"].as_array().expect("a list").iter().map(|one| one["display_name"].as_str().expect("text").to_owned()).collect()
        };
        assert_eq!(names(&bound), ["Second first", "One"]);
        assert_eq!((&bound["bindings"][1]["trigger_id"], &bound["bindings"][1]["action"]["name"]), (&json!("post-login"), &json!("One")));
        let refused = server.api().patch(place, &json!({ "bindings": [both["bindings"][0], both["bindings"][0]] })).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        let read = server.api().get(place).await.expect(200).json();
        assert_eq!((names(&read), &read["total"], &read["per_page"]), (names(&bound), &json!(2), &json!(20)));
        let kept = server.api().patch(place, &binding("binding_id", &bound["bindings"][1]["id"])).await.expect(200).json();
        assert_eq!(kept["bindings"][0]["id"], bound["bindings"][1]["id"], "a binding that stays keeps its id");
        let bound = server.api().delete(&first).await;
        bound.expect_api_error(409, "Conflict", "Unable to delete an action bound to a trigger.", "");
        server.api().delete(&format!("{first}?force=true")).await.expect(204);
        assert_eq!(server.api().get(place).await.expect(200).json()["bindings"], json!([]));
        server.api().get(&first).await.expect_api_error(404, "Not Found", "That action does not exist.", "");
        server.api().delete(&second).await.expect(204);
        let unknown = server.api().get("actions/triggers/moonrise/bindings").await;
        unknown.expect_api_error(404, "Not Found", "That trigger does not exist.", "");
    }

    async fn a_tenant_has_a_thousand_actions_and_a_trigger_twenty(server) {
        let mut refs = Vec::new();
        for number in 0..1_000 {
            let mut action = draft(&format!("Action {number}"));
            action["deploy"] = (number <= 20).into();
            let made = server.api().post("actions/actions", &action).await.expect(201).json();
            refs.push(json!({ "ref": { "type": "action_id", "value": made["id"] } }));
        }
        let more = server.api().post("actions/actions", &draft("One more")).await;
        let says = "This tenant has 1000 actions, which is the limit. Delete one first.";
        more.expect_api_error(403, "Forbidden", says, "too_many_entities");
        let place = "actions/triggers/post-login/bindings";
        let refused = server.api().patch(place, &json!({ "bindings": refs[..21] })).await.expect(400).json();
        assert!(refused["message"].as_str().is_some_and(|message| message.contains("maximum 20")), "{refused}");
        server.api().patch(place, &json!({ "bindings": refs[..20] })).await.expect(200);
        let last = format!("actions/actions/{}", refs[999]["ref"]["value"].as_str().expect("text"));
        server.api().delete(&last).await.expect(204);
        server.api().post("actions/actions", &draft("One more")).await.expect(201);
    }

    async fn fifty_versions_are_kept_and_code_has_a_hundred_kilobytes(server) {
        let (path, _) = made(server, "Mine").await;
        let (fits, large) = (" ".repeat(100_000), " ".repeat(100_001));
        server.api().patch(&path, &json!({ "code": fits })).await.expect(200);
        let refused = server.api().patch(&path, &json!({ "code": large })).await.expect(400).json();
        assert!(refused["message"].as_str().is_some_and(|message| message.contains("maximum 100000")), "{refused}");
        server.api().patch(&path, &json!({ "code": CODE })).await.expect(200);
        for _ in 0..52 {
            deploy(server, &path).await;
        }
        let versions = server.api().get(&format!("{path}/versions?per_page=50")).await.expect(200).json();
        let newest = (&versions["versions"][0]["number"], &versions["versions"][49]["number"]);
        assert_eq!((&versions["total"], newest), (&json!(50), (&json!(52), &json!(3))));
    }

    async fn a_test_tells_what_happened_and_an_execution_is_kept(server) {
        let (path, _) = made(server, "Mine").await;
        let code = "exports.onExecutePostLogin = async (event, api) => {\n  console.log('hi');\n  throw new TypeError('no');\n};";
        server.api().patch(&path, &json!({ "code": code })).await.expect(200);
        let tested = server.api().post(&format!("{path}/test"), &json!({ "payload": { "event": {} } })).await.expect(200).json();
        let payload = &tested["payload"];
        assert_eq!((&payload["error"]["name"], &payload["error"]["message"]), (&json!("TypeError"), &json!("no")));
        assert!(payload["error"]["stack"].as_str().is_some_and(|stack| stack.contains("Mine:3:")), "{payload}");
        assert!(payload["stats"]["action_duration_ms"].is_u64(), "{payload}");
        server.api().post(&format!("{path}/test"), &json!({})).await.expect(400);
        deploy(server, &path).await;
        let id = server.api().get(&path).await.expect(200).json()["id"].clone();
        server.api().patch("actions/triggers/post-login/bindings", &binding("action_id", &id)).await.expect(200);
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        server.browser().sign_in_at(&app.request().url(), &user).await;
        let failed = server.api().only_log("actions_execution_failed").await;
        let execution = format!("actions/executions/{}", failed["details"]["execution_id"].as_str().expect("text"));
        let kept = server.api().get(&execution).await.expect(200).json();
        assert_eq!((&kept["trigger_id"], &kept["results"][0]["action_name"]), (&json!("post-login"), &json!("Mine")));
        assert_eq!(kept["results"][0]["error"]["msg"], "no");
        server.advance_hours(10 * 24 + 1);
        server.api().get(&execution).await.expect_api_error(404, "Not Found", "That execution does not exist.", "");
    }
}
