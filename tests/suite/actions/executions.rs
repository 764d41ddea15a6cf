//! The record of a run: found from the log event, with the stack, the time, and what a failed Action had seen.

use serde_json::{Value, json};
use suite::{App, Server, User, on_every_store};

/// The execution that the newest log event of a type names.
async fn execution_of(server: &Server, kind: &str) -> Value {
    let event = server.api().logs(kind).await.into_iter().next().expect("an event");
    let id = event["details"]["actions"]["executions"][0]
        .as_str()
        .unwrap_or_else(|| panic!("no execution: {event}"));
    server.api().get(&format!("actions/executions/{id}")).await.expect(200).json()
}

/// Signs in where Actions with these bodies run; the sign-in is refused.
async fn refused(server: &Server, app: &App, user: &User, bodies: &[&str]) -> Value {
    let mut bindings = Vec::new();
    for (at, body) in bodies.iter().enumerate() {
        let code = format!("exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};");
        let secrets = json!([{ "name": "KEY", "value": "opens-every-door" }]);
        let id = server.api().deployed_action(&format!("Action {at}"), &code, &secrets).await;
        bindings.push(json!({ "ref": { "type": "action_id", "value": id }, "display_name": "x" }));
    }
    let body = json!({ "bindings": bindings });
    server.api().patch("actions/triggers/post-login/bindings", &body).await.expect(200);
    let callback = server.browser().sign_in_at(&app.request().with("ext-color", "blue").url(), user).await;
    assert_eq!(callback.get("error"), "access_denied");
    execution_of(server, "f").await
}

on_every_store! {
    async fn a_failure_keeps_its_stack_its_time_and_what_the_action_had_seen_without_secrets(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let first = "api.transaction.setMetadata('step', 'one');";
        let second = "console.log('before');\nthrow new RangeError(event.secrets.KEY.length + event.transaction.metadata.step);";
        let execution = refused(server, &app, &user, &[first, second]).await;
        assert_eq!(execution["status"], "partial", "{execution}");
        assert_eq!(execution["results"][0].get("event"), None, "what went well is not kept: {execution}");
        assert_eq!(execution["results"][0].get("error"), None);
        let failed = &execution["results"][1];
        assert_eq!(failed["error"]["id"], "script_error", "{failed}");
        assert_eq!((&failed["error"]["name"], &failed["error"]["msg"]), (&json!("RangeError"), &json!("16one")));
        assert!(failed["error"]["stack"].as_str().unwrap().contains("Action 1:3:"), "{failed}");
        assert_eq!(failed["console"], json!(["log: before"]));
        assert!(failed["wall_us"].as_u64().unwrap() > 0 && failed["cpu_us"].is_u64(), "{failed}");
        let event = &failed["event"];
        assert_eq!(event["user"]["email"], "ann@example.com");
        assert_eq!(event["request"]["query"]["ext-color"], "blue");
        assert_eq!(event["transaction"]["metadata"], json!({ "step": "one" }), "what the earlier Action had set");
        assert_eq!(event["secrets"], json!({}));
        let text = execution.to_string();
        assert!(!text.contains("opens-every-door") && !text.contains(&user.password), "{text}");
        // The log holds no more than it did.
        let logged = server.api().only_log("actions_execution_failed").await.to_string();
        assert!(!logged.contains("ext-color"), "{logged}");
    }

    async fn a_refusal_is_kept_as_the_action_saw_it_before_its_own_changes(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let body = "api.session.setMetadata('desk', 'door');\napi.transaction.setMetadata('a', 1);\napi.access.deny('no');";
        let execution = refused(server, &app, &user, &[body]).await;
        let denied = &execution["results"][0];
        assert_eq!(denied.get("error"), None, "a refusal is no error");
        assert_eq!(denied["commands"][2], json!({ "command": "deny_access", "reason": "no" }));
        assert_eq!(denied["event"]["session"]["metadata"], json!({}), "{denied}");
        assert_eq!(denied["event"]["transaction"]["metadata"], json!({}), "{denied}");
    }

    async fn claims_that_are_refused_after_the_run_are_a_failure_of_the_action(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let body = "api.idToken.setCustomClaim('https://x/long', 'x'.repeat(200 * 1024));";
        let execution = refused(server, &app, &user, &[body]).await;
        let failed = &execution["results"][0];
        assert_eq!(failed["error"]["msg"], "The custom claims set by Actions are too large", "{execution}");
        assert_eq!(failed["event"]["user"]["email"], "ann@example.com");
    }

    async fn a_sign_in_that_went_well_keeps_a_small_record(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        server.api().on_post_login("api.session.setMetadata('a', '1');").await;
        app.sign_in(&server.browser(), &user).await;
        let execution = execution_of(server, "s").await;
        assert_eq!(execution["status"], "final");
        assert_eq!(execution["results"][0].get("event"), None, "{execution}");
        assert!(execution.to_string().len() < 700, "{execution}");
    }

    async fn executions_are_for_callers_with_the_scope(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let execution = refused(server, &app, &user, &["throw 1"]).await;
        let reader = server.api_with(&["read:logs"]).await;
        let reply = reader.get(&format!("actions/executions/{}", execution["id"].as_str().unwrap())).await;
        assert_eq!(reply.status, 403, "{}", reply.text);
    }
}
