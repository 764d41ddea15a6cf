//! A deploy is one step: whoever signs in meanwhile runs wholly what was before or wholly what is after.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use suite::{Server, on_every_store};

const DEPLOYS: usize = 8;

/// Claims from the Action's code, its secret and its module: all three say which version they are of.
fn action_code(version: &str) -> String {
    format!(
        r#"exports.onExecutePostLogin = async (event, api) => {{
            api.idToken.setCustomClaim("https://x/parts",
                ["{version}", event.secrets.VERSION, ...require("actions:parts")]);
        }};"#
    )
}

/// Two versions of a module, by number.
async fn module(server: &Server) -> String {
    let body = |version: &str| {
        json!({ "code": format!("module.exports = ['{version}', actions.secrets.VERSION];"),
            "secrets": [{ "name": "VERSION", "value": version }] })
    };
    let mut first = body("1");
    first["name"] = "parts".into();
    first["publish"] = true.into();
    let made = server.api().post("actions/modules", &first).await.expect(201).json();
    let path = format!("actions/modules/{}", made["id"].as_str().expect("text"));
    server.api().patch(&path, &body("2")).await.expect(200);
    server.api().post_nothing(&format!("{path}/versions")).await.expect(200);
    path
}

fn draft(version: &str) -> Value {
    json!({
        "code": action_code(version),
        "secrets": [{ "name": "VERSION", "value": version }],
        "modules": [{ "module_name": "parts", "module_version_number": version.parse::<u64>().expect("a number") }],
    })
}

/// Deploys the two versions in turn, each time after somebody signed in, with a deploy in between that cannot succeed.
async fn deploy_in_turn(server: &Server, path: &str, signed_in: &AtomicUsize) {
    for turn in 0..DEPLOYS {
        let version = if turn % 2 == 0 { "2" } else { "1" };
        let broken = json!({ "code": "exports.onExecutePostLogin = async (event, api) => {\n  if (;\n};" });
        server.api().patch(path, &broken).await.expect(200);
        let refused = server.api().post_nothing(&format!("{path}/deploy")).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        assert!(refused.text.contains("line 2, column "), "{}", refused.text);
        server.api().patch(path, &draft(version)).await.expect(200);
        server.api().post_nothing(&format!("{path}/deploy")).await.expect(200);
        let before = signed_in.load(Ordering::SeqCst);
        let went_on = async || (signed_in.load(Ordering::SeqCst) > before).then_some(());
        suite::wait::until("somebody signs in between two deploys", went_on).await;
    }
}

on_every_store! {
    async fn each_sign_in_runs_one_version_whole_while_two_are_deployed_in_turn(server) {
        module(server).await;
        let mut action = draft("1");
        action["name"] = "Parts".into();
        action["supported_triggers"] = json!([{ "id": "post-login", "version": "v3" }]);
        action["deploy"] = true.into();
        let made = server.api().post("actions/actions", &action).await.expect(201).json();
        let bindings = json!({ "bindings": [{ "ref": { "type": "action_id", "value": made["id"] } }] });
        server.api().patch("actions/triggers/post-login/bindings", &bindings).await.expect(200);
        let path = format!("actions/actions/{}", made["id"].as_str().expect("text"));
        let (app, _, browser, first) = server.someone_signed_in().await;
        let signed_in = AtomicUsize::new(0);
        let parts = |claims: &serde_json::Map<String, Value>| claims["https://x/parts"].to_string();
        let mut seen = BTreeSet::from([parts(&first.claims)]);
        let signing_in = async {
            loop {
                seen.insert(parts(&app.sign_in_silently(&browser).await.claims));
                signed_in.fetch_add(1, Ordering::SeqCst);
            }
        };
        tokio::select! {
            () = deploy_in_turn(server, &path, &signed_in) => {}
            () = signing_in => {}
        }
        let whole = |version: &str| json!([version, version, version, version]).to_string();
        assert_eq!(seen, BTreeSet::from([whole("1"), whole("2")]));
        let failures = server.api().logs("actions_execution_failed").await;
        assert!(failures.is_empty(), "{failures:?}");
    }

    async fn a_deploy_that_cannot_succeed_changes_nothing(server) {
        let good = "exports.onExecutePostLogin = async (event, api) => api.session.setMetadata('v', '1');";
        server.api().bind(&[("Good", good)]).await;
        let listed = server.api().get("actions/actions").await.expect(200).json();
        let path = format!("actions/actions/{}", listed["actions"][0]["id"].as_str().expect("text"));
        let deployed = |view: &Value| (view["deployed_version"].clone(), view["current_version"].clone());
        let before = deployed(&server.api().get(&path).await.expect(200).json());
        server.api().patch(&path, &json!({ "code": "\n\nlet let = 1" })).await.expect(200);
        let refused = server.api().post_nothing(&format!("{path}/deploy")).await.expect(400).json();
        let message = refused["message"].as_str().expect("text");
        assert!(message.starts_with("The action cannot be deployed: SyntaxError: "), "{message}");
        assert!(message.contains("(line 3, column "), "{message}");
        let after = server.api().get(&path).await.expect(200).json();
        assert_eq!((deployed(&after), &after["all_changes_deployed"]), (before, &json!(false)));
        let versions = server.api().get(&format!("{path}/versions")).await.expect(200).json();
        assert_eq!(versions["total"], 1);
        let (.., signed_in) = server.someone_signed_in().await;
        assert_eq!(server.api().session_metadata(&signed_in.sid).await["v"], "1");
    }

    async fn an_action_that_is_to_be_deployed_at_once_and_cannot_is_not_made(server) {
        let body = json!({ "name": "Broken", "supported_triggers": [{ "id": "post-login", "version": "v3" }],
            "code": "exports.onExecutePostLogin = async (", "deploy": true });
        server.api().post("actions/actions", &body).await.expect(400);
        assert_eq!(server.api().get("actions/actions").await.expect(200).json()["total"], 0);
        assert!(server.api().logs("sapi").await.is_empty(), "what was refused is not told as done");
    }
}
