//! Runs a draft once, with an event that the caller brings; whatever it asks for is told and not done.

use domain::action::{
    Action, TRIGGER_CREDENTIALS_EXCHANGE, TRIGGER_POST_CHANGE_PASSWORD, TRIGGER_POST_USER_REGISTRATION,
    TRIGGER_PRE_USER_REGISTRATION,
};
use domain::action_cache::{ActionCache, CacheLifetime};
use domain::id::ActionId;
use domain::limits::{
    ACTION_CONSOLE_BYTES_MAX, ACTION_CPU_MS_MAX, ACTION_MEMORY_BYTES_MAX, ACTION_RUN_MS_MAX,
};
use domain::time::Timestamp;
use sandbox::{
    CacheView, Event, Failure, Job, Limits, Secrets, credentials_exchange, post_change_password, post_login,
    post_user_registration, pre_user_registration,
};
use serde_json::Value;
use store::Key;

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

/// How a draft is to be run.
#[derive(Debug, Clone, Default)]
pub struct TestInput {
    /// What the script is to see.
    pub event: Value,
    /// The exported function to call; absent: the trigger's first.
    pub handler: Option<String>,
    /// The time at which the script's clock is to stand; absent: it goes.
    pub now: Option<Timestamp>,
    /// What the script finds in its trigger's cache.
    pub cache: Vec<(String, String)>,
}

impl Engine {
    /// Runs the draft of an Action.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for an event that does not have the trigger's shape, for a handler that is
    /// not the trigger's, and for what is not fit to be cached; [`Error::Busy`].
    pub async fn test_action(&self, id: &ActionId, input: TestInput) -> Result<TestRun, Error> {
        let action: Action =
            self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Action))?;
        let secrets = self.unseal_secrets(&action.name, &action.draft.secrets)?.into();
        let modules = self.readable_modules(&self.draft_modules(&action.draft.modules).await?)?;
        let (handler, event) = event_of(&action.trigger, input.event, secrets).map_err(|error| {
            Error::property(&format!("not an event of this trigger: {error}"), "payload.event")
        })?;
        let handler = match input.handler.as_deref() {
            None => handler,
            Some(wanted) if wanted == handler => handler,
            Some(post_login::CONTINUE_HANDLER) if handler == post_login::HANDLER => {
                post_login::CONTINUE_HANDLER
            }
            Some(_) => return Err(Error::property("is not one of this trigger", "handler")),
        };
        let now = input.now.unwrap_or_else(|| self.now());
        let mut entries = ActionCache::default();
        for (key, value) in input.cache {
            if let Err(refusal) = entries.set(&key, value, CacheLifetime::default(), now) {
                return Err(Error::property(refusal.code(), "cache"));
            }
        }
        let job = Job {
            code: action.draft.code.into(),
            modules,
            handler: handler.to_owned(),
            event,
            limits: Limits {
                cpu_ms: ACTION_CPU_MS_MAX,
                wall_ms: ACTION_RUN_MS_MAX,
                memory_bytes: ACTION_MEMORY_BYTES_MAX,
                console_bytes_max: ACTION_CONSOLE_BYTES_MAX,
            },
            action_name: action.name,
            cache: CacheView { entries, now },
        };
        let outcome = match input.now {
            Some(now) => self.inner.sandbox.run_at(job, now.as_millis()).await,
            None => self.inner.sandbox.run(job).await,
        };
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
        TRIGGER_POST_USER_REGISTRATION => {
            let event = post_user_registration::Event { secrets, ..serde_json::from_value(event)? };
            (post_user_registration::HANDLER, Event::PostUserRegistration(Box::new(event)))
        }
        TRIGGER_POST_CHANGE_PASSWORD => {
            let event = post_change_password::Event { secrets, ..serde_json::from_value(event)? };
            (post_change_password::HANDLER, Event::PostChangePassword(Box::new(event)))
        }
        _ => {
            let event = post_login::Event { secrets, ..serde_json::from_value(event)? };
            (post_login::HANDLER, Event::from(event))
        }
    })
}
