//! Runs a draft once, with an event that the caller brings; whatever it asks for is told and not done.

use domain::action::{Action, ActionVersion, TRIGGER_CREDENTIALS_EXCHANGE, TRIGGER_PRE_USER_REGISTRATION};
use domain::id::ActionId;
use domain::limits::ACTION_RUN_MS_MAX;
use sandbox::{Event, Failure, Job, Secrets, credentials_exchange, post_login, pre_user_registration};
use serde_json::Value;
use store::Key;

use super::node;
use crate::{Engine, Error, Resource};

/// What a test run gave.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRun {
    /// Name, message and stack of what went wrong.
    pub error: Option<(String, String, String)>,
    /// Wall clock in microseconds.
    pub wall_us: u64,
    /// Processor time in microseconds.
    pub cpu_us: u64,
    /// Console lines, `level: text`.
    pub console: Vec<String>,
    /// What it asked for.
    pub commands: Vec<Value>,
}

impl Engine {
    /// Runs the draft of an Action.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for an event that does not have the trigger's shape and for npm packages
    /// that can't be had; [`Error::Busy`].
    pub async fn test_action(&self, id: &ActionId, event: Value) -> Result<TestRun, Error> {
        let action: Action =
            self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Action))?;
        let secrets = self.unseal_secrets(&action.name, &action.draft)?.into();
        let (handler, event) = event_of(&action.trigger, event, secrets).map_err(|error| {
            Error::property(&format!("not an event of this trigger: {error}"), "payload.event")
        })?;
        let deployed = match &action.deployed_version {
            Some(id) => self.store().get::<ActionVersion>(&Key::of(id)).await?,
            None => None,
        };
        let packages = self.packages_for(&action.draft, deployed.as_ref()).await?;
        let packages = packages.as_ref().map(|(packages, _hold)| packages);
        let job = Job {
            code: action.draft.code.into(),
            handler: handler.to_owned(),
            event,
            limits: node::limits(packages, ACTION_RUN_MS_MAX),
            action_name: action.name,
        };
        let outcome = self.run_job(job, packages).await;
        let error = match outcome.failure {
            None => None,
            Some(Failure::Busy) => return Err(Error::Busy),
            Some(Failure::Unavailable { reason }) => return Err(Error::Unavailable(reason)),
            Some(Failure::Script { name, message, stack }) => Some((name, message, stack)),
            Some(other) => Some(("Error".to_owned(), other.to_string(), String::new())),
        };
        let console = outcome.console.iter().map(|line| {
            let level =
                serde_json::to_value(line.level).ok().and_then(|level| level.as_str().map(str::to_owned));
            format!("{}: {}", level.unwrap_or_default(), line.text)
        });
        let commands = outcome.commands.iter().filter_map(|command| serde_json::to_value(command).ok());
        Ok(TestRun {
            error,
            wall_us: outcome.wall_us,
            cpu_us: outcome.cpu_us,
            console: console.collect(),
            commands: commands.collect(),
        })
    }
}

/// The handler of a trigger, and its event as a caller wrote it, with the Action's own secrets.
fn event_of(
    trigger: &str,
    event: Value,
    secrets: Secrets,
) -> Result<(&'static str, Event), serde_json::Error> {
    Ok(match trigger {
        TRIGGER_CREDENTIALS_EXCHANGE => {
            let event = credentials_exchange::Event { secrets, ..serde_json::from_value(event)? };
            (credentials_exchange::HANDLER, Event::CredentialsExchange(Box::new(event)))
        }
        TRIGGER_PRE_USER_REGISTRATION => {
            let event = pre_user_registration::Event { secrets, ..serde_json::from_value(event)? };
            (pre_user_registration::HANDLER, Event::PreUserRegistration(Box::new(event)))
        }
        _ => {
            let event = post_login::Event { secrets, ..serde_json::from_value(event)? };
            (post_login::HANDLER, Event::from(event))
        }
    })
}
