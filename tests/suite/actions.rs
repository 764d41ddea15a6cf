//! Where Actions run beside a browser's sign-in, and what they may do there.

mod credentials_exchange;
mod npm;
mod pre_user_registration;
mod refresh_exchange;

use serde_json::json;
use suite::Server;

/// Deploys and binds one Action at a trigger, in place of all that were bound there.
async fn bind(server: &Server, trigger: &str, handler: &str, body: &str) {
    let code = format!("exports.{handler} = async (event, api) => {{\n{body}\n}};");
    let name = format!("{trigger} {}", server.api().logs("sapi").await.len());
    let action = json!({ "name": name, "supported_triggers": [{ "id": trigger, "version": "v2" }], "code": code, "deploy": true });
    let made = server.api().post("actions/actions", &action).await.expect(201).json();
    let binding = json!({ "bindings": [{ "ref": { "type": "action_id", "value": made["id"] }, "display_name": name }] });
    server.api().patch(&format!("actions/triggers/{trigger}/bindings"), &binding).await.expect(200);
}
