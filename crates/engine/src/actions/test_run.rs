//! Runs a draft once, with an event that the caller brings; whatever it asks for is told and not done.

use domain::action::{
    Action, ActionVersion, TRIGGER_CREDENTIALS_EXCHANGE, TRIGGER_POST_CHANGE_PASSWORD,
    TRIGGER_POST_USER_REGISTRATION, TRIGGER_PRE_USER_REGISTRATION,
};
use domain::action_cache::{ActionCache, CacheLifetime};
use domain::id::ActionId;
use domain::limits::ACTION_RUN_MS_MAX;
use domain::time::Timestamp;
use sandbox::{
    CacheView, Event, Failure, Job, Limits, Outcome, Secrets, credentials_exchange, post_change_password,
    post_login, post_user_registration, pre_user_registration,
};
use serde_json::Value;
use store::Key;

use super::node;
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
}

impl Engine {
    /// Runs the draft of an Action.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for an event that does not have the trigger's shape, for a handler that is
    /// not the trigger's, for what is not fit to be cached, and for npm packages that can't be had; [`Error::Busy`].
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
        let deployed = match &action.deployed_version {
            Some(id) => self.store().get::<ActionVersion>(&Key::of(id)).await?,
            None => None,
        };
        let packages = self.packages_for(&action.draft, deployed.as_ref()).await?;
        let packages = packages.as_ref().map(|(packages, _hold)| packages);
        if packages.is_some() && input.now.is_some() {
            return Err(Error::property("the clock of an action with npm packages cannot stand", "now"));
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
        };
        let limits = node::limits(packages, ACTION_RUN_MS_MAX);
        let outcome = match self.build_for(draft.code, packages).await {
            Err(failure) => Outcome { failure: Some(failure), ..Outcome::default() },
            Ok(script) => {
                let job = draft.job(script, limits, "payload.event")?;
                match input.now {
                    Some(now) => self.inner.sandbox.run_at(job, now.as_millis()).await,
                    None => self.run_job(job, packages).await,
                }
            }
        };
        ran(outcome).map(TestRun::from)
    }
}

impl Draft<'_> {
    /// The job that runs it, by the script that was built of its code where that isn't the code itself. `property` is
    /// what the caller calls the event.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an event that does not have the trigger's shape, and for a handler that is not the
    /// trigger's.
    pub(super) fn job(self, script: Option<String>, limits: Limits, property: &str) -> Result<Job, Error> {
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
        Ok(Job {
            code: script.as_deref().unwrap_or(self.code).into(),
            modules: self.modules,
            handler: handler.to_owned(),
            event,
            limits,
            action_name: self.name.to_owned(),
            cache: self.cache,
        })
    }
}

/// The outcome, unless nothing was run for want of a worker.
pub(super) fn ran(outcome: Outcome) -> Result<Outcome, Error> {
    match outcome.failure {
        Some(Failure::Busy) => Err(Error::Busy),
        Some(Failure::Unavailable { reason }) => Err(Error::Unavailable(reason)),
        _ => Ok(outcome),
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
