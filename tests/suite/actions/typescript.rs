//! TypeScript by the Management API: deployed without its types, given back with them, its errors at its own lines.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

const CODE: &str = "import type { Event } from 'types';\n\
    interface Marks { desk?: string }\n\
    export const onExecutePostLogin = async (event: Event, api: PostLoginApi): Promise<void> => {\n\
    \x20 const marks = event.user.app_metadata as Marks;\n\
    \x20 api.session.setMetadata('desk', marks.desk!.toUpperCase());\n\
    };\n";

fn action(name: &str, code: &str) -> Value {
    let trigger = json!([{ "id": "post-login", "version": "v3" }]);
    json!({ "name": name, "supported_triggers": trigger, "code": code })
}

async fn draft(server: &Server, name: &str, code: &str) -> String {
    let made = server.api().post("actions/actions", &action(name, code)).await.expect(201).json();
    made["id"].as_str().expect("an identifier").to_owned()
}

on_every_store! {
    async fn types_are_gone_where_it_runs_and_there_where_it_is_read(server) {
        server.api().bind(&[("Desk", CODE)]).await;
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let desk = json!({ "app_metadata": { "desk": "window" } });
        server.api().patch(&format!("users/{}", user.path_id()), &desk).await.expect(200);
        let signed_in = app.sign_in(&server.browser(), &user).await;
        assert_eq!(server.api().session_metadata(&signed_in.sid).await, json!({ "desk": "WINDOW" }));
        let found = server.api().get("actions/actions?actionName=Desk").await.expect(200).json();
        assert_eq!(found["actions"][0]["code"], CODE);
        assert_eq!(found["actions"][0]["deployed_version"]["code"], CODE);
        let versions = format!("actions/actions/{}/versions", found["actions"][0]["id"].as_str().unwrap());
        let versions = server.api().get(&versions).await.expect(200).json();
        assert_eq!(versions["versions"][0]["code"], CODE);
        // An earlier version is built again when it is deployed again.
        let version = versions["versions"][0]["id"].as_str().unwrap();
        let path = format!("actions/actions/{}/versions/{version}/deploy", found["actions"][0]["id"].as_str().unwrap());
        server.api().post_nothing(&path).await.expect(202);
        let signed_in = app.sign_in(&server.browser(), &user).await;
        assert_eq!(server.api().session_metadata(&signed_in.sid).await, json!({ "desk": "WINDOW" }));
    }

    async fn a_failure_at_run_time_has_the_authors_line_and_column(server) {
        server.api().bind(&[("Desk", CODE)]).await;
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let callback = server.browser().sign_in_at(&app.request().url(), &user).await;
        assert_eq!(callback.get("error"), "access_denied");
        let event = server.api().only_log("actions_execution_failed").await;
        let stack = event["details"]["action_error"]["stack"].as_str().unwrap();
        assert!(stack.contains("Desk:5:"), "{stack}");
    }

    async fn what_cannot_be_deployed_is_refused_with_its_place_and_changes_nothing(server) {
        for (name, code, place, reason) in [
            ("a", "let a: string = 1;\n  enum E { A }", "line 2, column 3", "enum"),
            ("b", "let a: string = ;", "line 1, column 17", "SyntaxError"),
            ("c", "export default async () => {}", "line 1, column 1", "export default"),
            ("d", "const a = 1;\nconst b = ;", "line 2, column 11", "SyntaxError"),
        ] {
            let id = draft(server, name, code).await;
            let reply = server.api().post_nothing(&format!("actions/actions/{id}/deploy")).await;
            assert_eq!(reply.status, 400, "{code}: {}", reply.text);
            let message = reply.json()["message"].as_str().unwrap().to_owned();
            assert!(message.contains(place) && message.contains(reason), "{code}: {message}");
            let action = server.api().get(&format!("actions/actions/{id}")).await.expect(200).json();
            assert_eq!(action.get("deployed_version"), None, "{action}");
        }
        let deep = format!("let a: {}T{};", "(".repeat(40_000), ")".repeat(40_000));
        let id = draft(server, "deep", &deep).await;
        server.api().post_nothing(&format!("actions/actions/{id}/deploy")).await.expect(400);
        server.api().bind(&[("Desk", CODE)]).await;
    }

    async fn a_test_run_takes_typescript_and_tells_why_it_cannot(server) {
        let id = draft(server, "Desk", CODE).await;
        let path = format!("actions/actions/{id}/test");
        let event = json!({ "session": { "id": "s" }, "user": { "app_metadata": { "desk": "door" } } });
        let body = json!({ "payload": { "event": event } });
        let run = server.api().post(&path, &body).await.expect(200).json();
        let command = json!({ "command": "set_session_metadata", "key": "desk", "value": "DOOR" });
        assert_eq!(run["payload"]["commands"], json!([command]), "{run}");
        let wrong = json!({ "code": "let a: T;\nenum E {}" });
        server.api().patch(&format!("actions/actions/{id}"), &wrong).await.expect(200);
        let run = server.api().post(&path, &body).await.expect(200).json();
        assert_eq!(run["payload"]["error"]["name"], "SyntaxError", "{run}");
        assert!(run["payload"]["error"]["message"].as_str().unwrap().contains("line 2, column 1"), "{run}");
    }
}
