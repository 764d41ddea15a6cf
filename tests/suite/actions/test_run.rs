//! `POST /api/v2/actions/actions/{id}/test`: a draft is run once, and what it asks for is told and not done.
//!
//! Auth0: Management API v2 › actions › test an action. `handler` and `now` are ours.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

async fn draft(server: &Server, code: &str) -> String {
    let action = json!({
        "name": "Draft",
        "supported_triggers": [{ "id": "post-login" }],
        "code": code,
        "secrets": [{ "name": "KEY", "value": "of the draft" }],
    });
    let made = server.api().post("actions/actions", &action).await.expect(201).json();
    format!("actions/actions/{}/test", made["id"].as_str().unwrap())
}

async fn run(server: &Server, path: &str, body: &Value) -> Value {
    server.api().post(path, body).await.expect(200).json()["payload"].clone()
}

on_every_store! {
    async fn commands_console_and_errors_are_told(server) {
        let path = draft(server, r#"exports.onExecutePostLogin = async (event, api) => {
            console.warn(event.user.email, event.secrets.KEY);
            api.user.setAppMetadata("seen", true);
            if (event.stats.logins_count > 1) throw new TypeError("too often");
        };"#).await;
        let told = run(server, &path, &json!({ "payload": { "event": { "user": { "email": "ann@example.com" } } } })).await;
        assert_eq!(told["console"], json!(["warn: ann@example.com of the draft"]));
        assert_eq!(told["commands"], json!([{ "command": "set_app_metadata", "name": "seen", "value": true }]));
        assert!(told.get("error").is_none(), "{told}");
        let told = run(server, &path, &json!({ "payload": { "event": { "stats": { "logins_count": 2 } } } })).await;
        assert_eq!((&told["error"]["name"], &told["error"]["message"]), (&json!("TypeError"), &json!("too often")));
    }

    async fn the_clock_stands_where_the_caller_puts_it(server) {
        let path = draft(server, "exports.onExecutePostLogin = () => console.log(new Date().toISOString());").await;
        let body = json!({ "payload": { "event": {} }, "now": "2026-03-02T11:00:00+01:00" });
        assert_eq!(run(server, &path, &body).await["console"], json!(["log: 2026-03-02T10:00:00.000Z"]));
        let reply = server.api().post(&path, &json!({ "payload": { "event": {} }, "now": "noon" })).await;
        assert!(reply.status == 400 && reply.text.contains("now"), "{}", reply.text);
    }

    async fn the_cache_holds_what_the_caller_puts_there_and_nothing_afterwards(server) {
        let path = draft(server, r#"exports.onExecutePostLogin = async (event, api) => {
            console.log(api.cache.get("a")?.value);
            api.cache.set("a", "2", { ttl: 60000 });
        };"#).await;
        let body = json!({ "payload": { "event": {} }, "now": "2026-03-02T10:00:00Z", "cache": { "a": "1" } });
        for _ in 0..2 {
            let told = run(server, &path, &body).await;
            assert_eq!(told["console"], json!(["log: 1"]));
            let kept = json!({ "command": "set_cache", "key": "a", "value": "2", "expires_at_ms": 1_772_445_660_000_i64 });
            assert_eq!(told["commands"], json!([kept]));
        }
        for cache in [json!({ "a": 1 }), json!({ "a": "x".repeat(5000) })] {
            let reply = server.api().post(&path, &json!({ "payload": { "event": {} }, "cache": cache })).await;
            assert!(reply.status == 400 && reply.text.contains("cache"), "{}", reply.text);
        }
    }

    async fn only_handlers_of_the_trigger_are_called(server) {
        let path = draft(server, "exports.onExecutePostLogin = () => console.log('called');").await;
        let body = json!({ "payload": { "event": {} }, "handler": "onExecutePostLogin" });
        assert_eq!(run(server, &path, &body).await["console"], json!(["log: called"]));
        let body = json!({ "payload": { "event": {} }, "handler": "onContinuePostLogin" });
        let told = run(server, &path, &body).await;
        assert_eq!(told["error"]["message"], "The Action does not export the handler of its trigger.");
        let reply = server.api().post(&path, &json!({ "payload": { "event": {} }, "handler": "toString" })).await;
        assert!(reply.status == 400 && reply.text.contains("handler"), "{}", reply.text);
    }
}
