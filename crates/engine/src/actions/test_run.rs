//! Runs a draft once, with an event that the caller brings; whatever it asks for is told and not done.

use domain::action::{Action, TRIGGER_CREDENTIALS_EXCHANGE, TRIGGER_PRE_USER_REGISTRATION};
use domain::id::ActionId;
use domain::limits::{
    ACTION_CONSOLE_BYTES_MAX, ACTION_CPU_MS_MAX, ACTION_MEMORY_BYTES_MAX, ACTION_RUN_MS_MAX,
};
use sandbox::{
    Event, Failure, Job, Limits, Outcome, Sandbox, Secrets, credentials_exchange, post_login,
    pre_user_registration,
};
use serde_json::Value;
use store::Key;

use super::run::{console_text, failure_parts};
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

impl From<Outcome> for TestRun {
    fn from(outcome: Outcome) -> Self {
        let commands = outcome.commands.iter().filter_map(|command| serde_json::to_value(command).ok());
        Self {
            error: outcome.failure.as_ref().map(|failure| {
                let (name, stack) = failure_parts(failure);
                let message = match failure {
                    Failure::Script { message, .. } => message.clone(),
                    Failure::Syntax(error) => {
                        format!("{} (line {}, column {})", error.message, error.line, error.column)
                    }
                    other => other.to_string(),
                };
                (name.to_owned(), message, stack.to_owned())
            }),
            wall_us: outcome.wall_us,
            cpu_us: outcome.cpu_us,
            console: console_text(&outcome),
            commands: commands.collect(),
        }
    }
}

/// A draft that is to run once.
pub(super) struct Draft<'a> {
    /// As its author wrote it.
    pub(super) code: &'a str,
    /// Stands as the file name in stack traces.
    pub(super) name: &'a str,
    /// The trigger that it is for.
    pub(super) trigger: &'a str,
    /// The function to call; the trigger's usual one when absent.
    pub(super) handler: Option<&'a str>,
    /// What it sees as `event`, as a caller wrote it, without secrets.
    pub(super) event: Value,
    /// `event.secrets`
    pub(super) secrets: Secrets,
}

impl Engine {
    /// Runs the draft of an Action.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for an event that does not have the trigger's shape; [`Error::Busy`].
    pub async fn test_action(&self, id: &ActionId, event: Value) -> Result<TestRun, Error> {
        let action: Action =
            self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Action))?;
        let draft = Draft {
            code: &action.draft.code,
            name: &action.name,
            trigger: &action.trigger,
            handler: None,
            event,
            secrets: self.unseal_secrets(&action.name, &action.draft)?.into(),
        };
        draft.run(&self.inner.sandbox, "payload.event").await.map(TestRun::from)
    }
}

impl Draft<'_> {
    /// Builds and runs it. Code that cannot be built is a failure of the run. `property` is what the caller calls the
    /// event.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an event that does not have the trigger's shape; [`Error::Busy`];
    /// [`Error::Unavailable`].
    pub(super) async fn run(self, sandbox: &Sandbox, property: &str) -> Result<Outcome, Error> {
        let (handler, event) = event_of(self.trigger, self.event, self.secrets)
            .map_err(|error| Error::property(&format!("not an event of this trigger: {error}"), property))?;
        let outcome = match sandbox.build(self.code).await {
            Err(failure) => Outcome { failure: Some(failure), ..Outcome::default() },
            Ok(built) => {
                let job = Job {
                    code: built.as_deref().unwrap_or(self.code).into(),
                    handler: self.handler.unwrap_or(handler).to_owned(),
                    event,
                    limits: Limits {
                        cpu_ms: ACTION_CPU_MS_MAX,
                        wall_ms: ACTION_RUN_MS_MAX,
                        memory_bytes: ACTION_MEMORY_BYTES_MAX,
                        console_bytes_max: ACTION_CONSOLE_BYTES_MAX,
                    },
                    action_name: self.name.to_owned(),
                };
                sandbox.run(job).await
            }
        };
        match outcome.failure {
            Some(Failure::Busy) => Err(Error::Busy),
            Some(Failure::Unavailable { reason }) => Err(Error::Unavailable(reason)),
            _ => Ok(outcome),
        }
    }
}

/// The handler of a trigger, and its event as a caller wrote it, with the Action's own secrets.
pub(super) fn event_of(
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
