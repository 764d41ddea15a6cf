//! Modules that Actions share, as sign-ins and tokens see them.
//!
//! Auth0: Actions › Actions Modules.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

/// A published module whose `exports` are this expression; answers its identifier and its version's.
pub async fn published(server: &Server, name: &str, expression: &str) -> (String, String) {
    let body = json!({ "name": name, "code": format!("module.exports = {expression};"), "publish": true,
        "secrets": [{ "name": "KEY", "value": "open sesame" }] });
    let made = server.api().post("actions/modules", &body).await.expect(201).json();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&made["id"]), text(&made["latest_version"]["id"]))
}

/// Changes a module's `exports` and publishes them; answers the version.
async fn publish(server: &Server, module: &str, expression: &str) -> Value {
    let body = json!({ "code": format!("module.exports = {expression};") });
    server.api().patch(&format!("actions/modules/{module}"), &body).await.expect(200);
    server.api().post_nothing(&format!("actions/modules/{module}/versions")).await.expect(200).json()
}

/// A deployed Action with modules, bound at post-login in place of all others; answers its identifier.
async fn bound(server: &Server, body: &str, modules: &Value) -> String {
    let code = format!("exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};");
    let action = json!({ "name": "Uses modules", "supported_triggers": [{ "id": "post-login", "version": "v3" }],
        "code": code, "modules": modules, "deploy": true });
    let made = server.api().post("actions/actions", &action).await.expect(201).json();
    let binding = json!({ "bindings": [{ "ref": { "type": "action_id", "value": made["id"] } }] });
    server.api().patch("actions/triggers/post-login/bindings", &binding).await.expect(200);
    made["id"].as_str().expect("text").to_owned()
}

on_every_store! {
    async fn a_sign_in_runs_the_version_that_its_action_names_until_it_is_deployed_with_another(server) {
        let (module, first) = published(server, "greeter", "(name) => `1 ${name} ${actions.secrets.KEY}`").await;
        let body = r#"api.session.setMetadata("greeting", require("actions:greeter")(event.user.name));"#;
        let action = bound(server, body, &json!([{ "module_id": module, "module_version_id": first }])).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let seen = async || server.api().session_metadata(&signed_in.sid).await["greeting"].clone();
        let before = seen().await;
        assert!(before.as_str().is_some_and(|text| text.starts_with("1 ") && text.ends_with("open sesame")), "{before}");

        let second = publish(server, &module, "() => 'two'").await;
        app.sign_in_silently(&browser).await;
        assert_eq!(seen().await, before, "a new version changes no Action");
        let choice = json!({ "modules": [{ "module_name": "greeter", "module_version_number": second["version_number"] }] });
        let path = format!("actions/actions/{action}");
        let draft = server.api().patch(&path, &choice).await.expect(200).json();
        assert_eq!((&draft["modules"][0]["module_version_id"], &draft["all_changes_deployed"]), (&second["id"], &json!(false)));
        assert_eq!(draft["deployed_version"]["modules"][0]["module_version_id"], first.as_str());
        app.sign_in_silently(&browser).await;
        assert_eq!(seen().await, before, "a draft changes no sign-in");
        server.api().post_nothing(&format!("{path}/deploy")).await.expect(200);
        app.sign_in_silently(&browser).await;
        assert_eq!(seen().await, "two");
    }

    async fn rolling_back_brings_an_earlier_version_of_the_module_back_even_if_it_is_gone(server) {
        let (module, first) = published(server, "greeter", "'one'").await;
        let body = r#"api.session.setMetadata("greeting", require("actions:greeter"));"#;
        let action = bound(server, body, &json!([{ "module_id": module, "module_version_id": first }])).await;
        let path = format!("actions/actions/{action}");
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        server.api().patch(&path, &json!({ "code": "exports.onExecutePostLogin = async () => {};", "modules": [] })).await.expect(200);
        server.api().post_nothing(&format!("{path}/deploy")).await.expect(200);
        server.api().delete(&format!("actions/modules/{module}")).await.expect(204);
        server.api().set_session_metadata(&signed_in.sid, &json!({})).await;
        let versions = server.api().get(&format!("{path}/versions")).await.expect(200).json();
        let earlier = versions["versions"][1]["id"].as_str().expect("two versions");
        server.api().post_nothing(&format!("{path}/versions/{earlier}/deploy")).await.expect(202);
        app.sign_in_silently(&browser).await;
        assert_eq!(server.api().session_metadata(&signed_in.sid).await["greeting"], "one");
    }

    async fn modules_serve_other_triggers_and_test_runs(server) {
        let (module, _) = published(server, "rules", "{ refuse: (api) => api.access.deny('closed', actions.secrets.KEY) }").await;
        let code = "exports.onExecuteCredentialsExchange = async (event, api) => { console.log('asked'); require('actions:rules').refuse(api); };";
        let body = json!({ "name": "Door", "supported_triggers": [{ "id": "credentials-exchange" }], "code": code,
            "modules": [{ "module_id": module }], "deploy": true });
        let made = server.api().post("actions/actions", &body).await.expect(201).json();
        let path = format!("actions/actions/{}/test", made["id"].as_str().expect("text"));
        let tested = server.api().post(&path, &json!({ "payload": { "event": {} } })).await.expect(200).json();
        assert_eq!(tested["payload"]["console"], json!(["log: asked"]), "{tested}");
        assert_eq!(tested["payload"]["commands"][0]["reason"], "open sesame", "{tested}");

        let api = json!({ "name": "Orders", "identifier": "https://orders.test/", "scopes": [{ "value": "read:orders" }] });
        server.api().post("resource-servers", &api).await.expect(201);
        let (id, secret) = server.machine("Robot", "https://orders.test/", &["read:orders"]).await;
        let binding = json!({ "bindings": [{ "ref": { "type": "action_name", "value": "Door" } }] });
        server.api().patch("actions/triggers/credentials-exchange/bindings", &binding).await.expect(200);
        let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret),
            ("audience", "https://orders.test/")];
        let reply = server.wire.post_form("/oauth/token", &fields).await;
        assert_eq!(reply.expect_oauth_error(400, "closed"), "open sesame");
    }

    async fn a_modules_exception_is_logged_with_its_file_and_line(server) {
        let (module, _) = published(server, "tools", "{\n  fail() {\n    null.x;\n  }\n}").await;
        bound(server, "require('actions:tools').fail();", &json!([{ "module_id": module }])).await;
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let callback = server.browser().sign_in_at(&app.request().url(), &user).await;
        assert_eq!(callback.get("error"), "access_denied");
        let failed = server.api().only_log("actions_execution_failed").await;
        let stack = failed["details"]["action_error"]["stack"].as_str().expect("text");
        assert!(stack.contains("actions:tools:3:") && stack.contains("Uses modules:2:"), "{stack}");
    }
}
