//! Where Actions run beside a browser's sign-in, and what they may do there.

mod atomic_deploy;
mod cache;
mod credentials_exchange;
mod executions;
mod gallery;
mod gallery_journeys;
mod modules;
mod npm;
mod post_change_password;
mod post_user_registration;
mod pre_user_registration;
mod primary_user;
mod redirect;
mod refresh_exchange;
mod test_run;
mod typescript;

use serde_json::json;
use suite::{Api, Server};

/// Deploys and binds one Action at a trigger, in place of all that were bound there.
async fn bind(server: &Server, trigger: &str, handler: &str, body: &str) {
    bind_with(server.api(), trigger, handler, body).await;
}

/// The same through a caller of the Management API.
pub(crate) async fn bind_with(api: &Api, trigger: &str, handler: &str, body: &str) {
    let code = format!("exports.{handler} = async (event, api) => {{\n{body}\n}};");
    let name = format!("{trigger} {}", api.logs("sapi").await.len());
    let action = json!({ "name": name, "supported_triggers": [{ "id": trigger, "version": "v2" }], "code": code, "deploy": true });
    let made = api.post("actions/actions", &action).await.expect(201).json();
    let binding = json!({ "bindings": [{ "ref": { "type": "action_id", "value": made["id"] }, "display_name": name }] });
    api.patch(&format!("actions/triggers/{trigger}/bindings"), &binding).await.expect(200);
}
