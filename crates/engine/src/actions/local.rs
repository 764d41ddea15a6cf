//! Actions without a server: run from a file, with the limits, the sandbox and the egress rules of a server's.

use std::collections::BTreeMap;

use domain::action::{
    TRIGGER_CREDENTIALS_EXCHANGE, TRIGGER_POST_CHANGE_PASSWORD, TRIGGER_POST_USER_REGISTRATION,
    TRIGGER_PRE_USER_REGISTRATION, TRIGGERS, Trigger,
};
use domain::limits::{ACTION_CODE_BYTES_MAX, ACTION_RUN_MS_MAX};
pub use sandbox::types::FILES as TYPE_FILES;
use sandbox::{CacheView, Command, Outcome, Sandbox};
use serde_json::{Value, json};

use super::node;
use super::test_run::{Draft, TestRun, ran};
use crate::ports::{Clock, SystemClock};
use crate::settings::SandboxChoice;
use crate::{Error, script_fetch, start_sandbox};

/// An Action and what it is to see.
#[derive(Debug, Clone)]
pub struct LocalAction {
    /// JavaScript or TypeScript.
    pub code: String,
    /// Stands as the file name in stack traces.
    pub name: String,
    /// The trigger.
    pub trigger: String,
    /// The function to call; the trigger's usual one when absent.
    pub handler: Option<String>,
    /// `event`; what it leaves out is empty or absent.
    pub event: Value,
    /// `event.secrets`
    pub secrets: BTreeMap<String, String>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct LocalRun {
    /// Everything that a test run of the API tells.
    pub run: TestRun,
    /// Why the Action refused, if it did.
    pub denied: Option<String>,
    /// The session's metadata as the Action saw it; absent where the event has no session.
    pub metadata_before: Option<BTreeMap<String, String>>,
    /// As it would be afterwards. A run that failed or refused changes nothing.
    pub metadata_after: Option<BTreeMap<String, String>>,
}

/// Runs an Action once, in a worker that is started for it.
///
/// # Errors
/// [`Error::Invalid`] for a trigger that there is not, code that is too long, or an event of another shape;
/// [`Error::Unavailable`] when no worker can be started.
pub async fn run(
    sandbox: &SandboxChoice,
    allow_private_addresses: bool,
    action: LocalAction,
) -> Result<LocalRun, Error> {
    if Trigger::find(&action.trigger).is_none() {
        return Err(unknown_trigger(&action.trigger));
    }
    if action.code.len() > ACTION_CODE_BYTES_MAX {
        return Err(wrong(format!("the code is longer than {ACTION_CODE_BYTES_MAX} bytes")));
    }
    let metadata_before = metadata_of(&action.event);
    let draft = Draft {
        code: &action.code,
        name: &action.name,
        trigger: &action.trigger,
        handler: action.handler.as_deref(),
        event: action.event,
        secrets: action.secrets.into(),
        modules: Vec::new(),
        cache: CacheView { now: SystemClock.now(), ..CacheView::default() },
    };
    let sandbox = start_sandbox(sandbox, script_fetch(allow_private_addresses, None)?);
    let outcome = run_draft(&sandbox, draft).await;
    sandbox.shut_down().await;
    let outcome = outcome?;
    let denied = outcome.commands.iter().find_map(Command::refusal).map(str::to_owned);
    let denied = denied.filter(|_| outcome.failure.is_none());
    let changes = outcome.failure.is_none() && denied.is_none();
    let metadata_after = metadata_before.clone().map(|before| match changes {
        true => metadata_after(before, &outcome),
        false => before,
    });
    Ok(LocalRun { run: outcome.into(), denied, metadata_before, metadata_after })
}

/// Code that cannot be built is a failure of the run.
async fn run_draft(sandbox: &Sandbox, draft: Draft<'_>) -> Result<Outcome, Error> {
    match sandbox.build(draft.code).await {
        Err(failure) => ran(Outcome { failure: Some(failure), ..Outcome::default() }),
        Ok(script) => {
            ran(sandbox.run(draft.job(script, node::limits(None, ACTION_RUN_MS_MAX), "event")?).await)
        }
    }
}

/// The reason for which the commands of a recorded run refused, if they did.
pub fn refusal_of(commands: &[Value]) -> Option<String> {
    let read = |command: &Value| serde_json::from_value::<Command>(command.clone()).ok();
    commands.iter().filter_map(read).find_map(|command| command.refusal().map(str::to_owned))
}

/// An event of a trigger to start from.
///
/// # Errors
/// [`Error::Invalid`] for a trigger that there is not.
pub fn sample_event(trigger: &str) -> Result<Value, Error> {
    let client = json!({ "client_id": "app_1", "name": "Shop", "metadata": {} });
    let connection =
        json!({ "id": "con_1", "name": "Username-Password-Authentication", "strategy": "auth0" });
    let request = json!({ "ip": "203.0.113.7", "method": "GET", "query": {}, "body": {}, "user_agent": "Example/1.0", "geoip": {} });
    match Trigger::find(trigger).map(|found| found.id) {
        None => Err(unknown_trigger(trigger)),
        Some(TRIGGER_CREDENTIALS_EXCHANGE) => Ok(json!({
            "access_token": { "customClaims": {}, "scope": ["read:things"] },
            "client": client,
            "request": request,
            "resource_server": { "identifier": "https://api.example.com" },
            "tenant": { "id": "default" },
            "transaction": { "requested_scopes": ["read:things"] },
        })),
        Some(TRIGGER_PRE_USER_REGISTRATION) => Ok(json!({
            "client": client,
            "connection": connection,
            "request": request,
            "tenant": { "id": "default" },
            "user": { "email": "ann@example.com", "app_metadata": {}, "user_metadata": {} },
        })),
        Some(TRIGGER_POST_USER_REGISTRATION) => Ok(json!({
            "connection": connection,
            "request": request,
            "tenant": { "id": "default" },
            "transaction": { "protocol": "oidc-basic-profile", "requested_scopes": ["openid", "profile"] },
            "user": {
                "user_id": "auth0|1",
                "email": "ann@example.com",
                "email_verified": false,
                "created_at": "2026-01-31T12:00:00.000Z",
                "updated_at": "2026-01-31T12:00:00.000Z",
                "app_metadata": {},
                "user_metadata": {},
            },
        })),
        Some(TRIGGER_POST_CHANGE_PASSWORD) => Ok(json!({
            "connection": connection,
            "request": request,
            "tenant": { "id": "default" },
            "user": {
                "user_id": "auth0|1",
                "email": "ann@example.com",
                "last_password_reset": "2026-01-31T12:00:00.000Z",
            },
        })),
        Some(_) => Ok(json!({
            "authentication": { "methods": [{ "name": "pwd", "timestamp": "2026-01-31T12:00:00.000Z" }] },
            "authorization": { "roles": [] },
            "client": client,
            "connection": connection,
            "request": request,
            "session": { "id": "sess_1", "user_id": "auth0|1", "metadata": { "sign_ins": "1" } },
            "stats": { "logins_count": 2 },
            "tenant": { "id": "default" },
            "transaction": {
                "protocol": "oidc-basic-profile",
                "requested_scopes": ["openid", "profile"],
                "redirect_uri": "https://shop.example.com/callback",
            },
            "user": {
                "user_id": "auth0|1",
                "name": "Ann",
                "email": "ann@example.com",
                "email_verified": true,
                "app_metadata": {},
                "user_metadata": {},
            },
        })),
    }
}

fn unknown_trigger(trigger: &str) -> Error {
    let known: Vec<&str> = TRIGGERS.iter().map(|trigger| trigger.id).collect();
    wrong(format!("{trigger} is no trigger, there are {}", known.join(", ")))
}

fn wrong(message: String) -> Error {
    Error::Invalid { message, code: None }
}

/// `event.session.metadata`, where it is what it should be. An event of another shape is refused elsewhere.
fn metadata_of(event: &Value) -> Option<BTreeMap<String, String>> {
    let session = event.get("session").filter(|session| session.is_object())?;
    let metadata = session.get("metadata").cloned().unwrap_or_else(|| json!({}));
    serde_json::from_value(metadata).ok()
}

fn metadata_after(mut metadata: BTreeMap<String, String>, outcome: &Outcome) -> BTreeMap<String, String> {
    for command in &outcome.commands {
        match command {
            Command::SetSessionMetadata { key, value } => drop(metadata.insert(key.clone(), value.clone())),
            Command::DeleteSessionMetadata { key } => drop(metadata.remove(key)),
            Command::EvictSessionMetadata => metadata.clear(),
            _ => {}
        }
    }
    metadata
}

#[cfg(test)]
mod tests {
    use domain::action::TRIGGERS;
    use sandbox::{Outcome, Secrets};
    use serde_json::json;

    use super::{metadata_after, metadata_of, refusal_of, sample_event};
    use crate::actions::test_run::event_of;

    #[test]
    fn every_trigger_has_a_sample_event_of_its_shape() {
        for trigger in TRIGGERS {
            let event = sample_event(trigger.id).unwrap();
            event_of(trigger.id, event, Secrets::default()).unwrap();
        }
        assert!(sample_event("post-logout").is_err());
    }

    #[test]
    fn metadata_follows_the_commands_in_order() {
        let before = metadata_of(&json!({ "session": { "metadata": { "a": "1", "b": "2" } } })).unwrap();
        let commands = json!([
            { "command": "set_session_metadata", "key": "c", "value": "3" },
            { "command": "delete_session_metadata", "key": "a" },
        ]);
        let outcome = Outcome { commands: serde_json::from_value(commands).unwrap(), ..Outcome::default() };
        let after = metadata_after(before, &outcome);
        assert_eq!(json!(after), json!({ "b": "2", "c": "3" }));
        assert_eq!(metadata_of(&json!({ "user": {} })), None);
    }

    #[test]
    fn a_recorded_refusal_is_recognised() {
        let commands = [
            json!({ "command": "add_scope", "scope": "a" }),
            json!({ "command": "deny_access", "reason": "no" }),
        ];
        assert_eq!(refusal_of(&commands), Some("no".to_owned()));
        assert_eq!(refusal_of(&commands[..1]), None);
    }
}
