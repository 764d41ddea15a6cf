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
    CacheView, Event, Failure, Job, Limits, Outcome, Sandbox, Secrets, credentials_exchange,
    post_change_password, post_login, post_user_registration, pre_user_registration,
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
    /// What it may require.
    pub(super) modules: Vec<sandbox::Module>,
    /// What it finds in its trigger's cache, and when it runs.
    pub(super) cache: CacheView,
    /// Whether its clock stands at that time.
    pub(super) clock_stands: bool,
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
        let now = input.now.unwrap_or_else(|| self.now());
        let mut entries = ActionCache::default();
        for (key, value) in input.cache {
            if let Err(refusal) = entries.set(&key, value, CacheLifetime::default(), now) {
                return Err(Error::property(refusal.code(), "cache"));
            }
        }
        let draft = Draft {
            code: &action.draft.code,
            name: &action.name,
            trigger: &action.trigger,
            handler: input.handler.as_deref(),
            event: input.event,
            secrets: self.unseal_secrets(&action.name, &action.draft.secrets)?.into(),
            modules: self.readable_modules(&self.draft_modules(&action.draft.modules).await?)?,
            cache: CacheView { entries, now },
            clock_stands: input.now.is_some(),
        };
        draft.run(&self.inner.sandbox, "payload.event").await.map(TestRun::from)
    }
}

impl Draft<'_> {
    /// Builds and runs it. Code that cannot be built is a failure of the run. `property` is what the caller calls the
    /// event.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an event that does not have the trigger's shape, and for a handler that is not the
    /// trigger's; [`Error::Busy`]; [`Error::Unavailable`].
    pub(super) async fn run(self, sandbox: &Sandbox, property: &str) -> Result<Outcome, Error> {
        let (handler, event) = event_of(self.trigger, self.event, self.secrets)
            .map_err(|error| Error::property(&format!("not an event of this trigger: {error}"), property))?;
        let handler = match self.handler {
            None => handler,
            Some(wanted) if wanted == handler => handler,
            Some(post_login::CONTINUE_HANDLER) if handler == post_login::HANDLER => {
                post_login::CONTINUE_HANDLER
            }
            Some(_) => return Err(Error::property("is not one of this trigger", "handler")),
        };
        let outcome = match sandbox.build(self.code).await {
            Err(failure) => Outcome { failure: Some(failure), ..Outcome::default() },
            Ok(built) => {
                let now = self.cache.now;
                let job = Job {
                    code: built.as_deref().unwrap_or(self.code).into(),
                    modules: self.modules,
                    handler: handler.to_owned(),
                    event,
                    limits: Limits {
                        cpu_ms: ACTION_CPU_MS_MAX,
                        wall_ms: ACTION_RUN_MS_MAX,
                        memory_bytes: ACTION_MEMORY_BYTES_MAX,
                        console_bytes_max: ACTION_CONSOLE_BYTES_MAX,
                    },
                    action_name: self.name.to_owned(),
                    cache: self.cache,
                };
                match self.clock_stands {
                    true => sandbox.run_at(job, now.as_millis()).await,
                    false => sandbox.run(job).await,
                }
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
