//! Runs the bound post-login Actions in order. Nothing is stored here and no unit of work is open.
//!
//! Auth0: Actions › post-login. A later Action sees what an earlier one set, because the working state changed.

use domain::action::{Execution, ExecutionResult, TRIGGER_POST_LOGIN};
use domain::id::ActionId;
use domain::limits::{
    ACTION_CONSOLE_BYTES_MAX, ACTION_CPU_MS_MAX, ACTION_EXECUTION_MS, ACTION_MEMORY_BYTES_MAX,
    ACTION_RUN_MS_MAX, ACTION_TRIGGER_MS_MAX,
};
use domain::session::Session;
use domain::time::Timestamp;
use sandbox::post_login::HANDLER;
use sandbox::{ConsoleLevel, Failure, Job, Limits, Outcome};
use serde_json::{Map, Value, json};

use super::commands::{Effects, Ending};
use super::{Origin, Working, event};
use crate::actions::BoundAction;
use crate::{Engine, Error, RequestFacts};

/// What goes before the reason when a metadata write is refused at the commit (Auth0: `api.session.setMetadata`).
pub(crate) const METADATA_REFUSED: &str = "Failed to set session metadata: Invalid metadata: ";

/// What the Actions came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct PostLogin {
    /// What they asked for.
    pub(crate) effects: Effects,
    /// The record of the run; absent where nothing is bound.
    pub(crate) execution: Option<Execution>,
    /// The Action that failed, for its log event.
    pub(crate) failed: Option<FailedAction>,
}

/// An Action that threw, ran out of its limits, or could not run.
#[derive(Debug, Clone)]
pub(crate) struct FailedAction {
    action_id: ActionId,
    action_name: String,
    binding_id: ActionId,
    version_id: ActionId,
    failure: Failure,
}

impl FailedAction {
    /// The details of the `actions_execution_failed` event (Auth0: tenant log schema).
    pub(crate) fn details(&self, execution_id: Option<&ActionId>) -> Value {
        let (class, error) = match &self.failure {
            Failure::Script { name, message, stack } => {
                ("action_error", json!({ "name": name, "message": message, "stack": stack }))
            }
            Failure::CpuTime | Failure::WallClock => {
                ("action_timeout", json!({ "message": self.failure.to_string() }))
            }
            Failure::Memory | Failure::NoHandler | Failure::Syntax(_) => {
                ("action_error", json!({ "message": self.failure.to_string() }))
            }
            Failure::Busy => ("rate_limited", json!({ "message": self.failure.to_string() })),
            Failure::Crashed | Failure::Unavailable { .. } => {
                ("platform_error", json!({ "message": self.failure.to_string() }))
            }
        };
        json!({
            "error_class": class,
            "action_error": error,
            "action_id": self.action_id,
            "action_name": self.action_name,
            "binding_id": self.binding_id,
            "version_id": self.version_id,
            "execution_id": execution_id,
            "trigger_id": TRIGGER_POST_LOGIN,
        })
    }
}

impl Engine {
    /// Runs what is bound. `working` changes only in what later Actions may see of earlier ones.
    pub(crate) async fn run_post_login(
        &self,
        working: &mut Working,
        facts: &RequestFacts,
    ) -> Result<PostLogin, Error> {
        let bound = self.bound_actions(TRIGGER_POST_LOGIN).await?;
        let mut run = PostLogin::default();
        if bound.is_empty() {
            return Ok(run);
        }
        let began = self.now();
        let mut results = Vec::with_capacity(bound.len());
        let mut left_ms = ACTION_TRIGGER_MS_MAX;
        let before = working.session.clone();
        for action in bound {
            let (result, outcome) = self.run_one(&action, working, &run.effects, left_ms, facts).await;
            left_ms = left_ms.saturating_sub(outcome.wall_us / 1000);
            results.push(result);
            self.take_outcome(outcome, &action, working, &before, &mut run);
            if run.effects.ending.is_some() {
                break;
            }
        }
        run.execution = Some(Execution {
            id: ActionId::new(domain::id::uuid(self.random())),
            trigger: TRIGGER_POST_LOGIN.to_owned(),
            results,
            created_at: began,
            expires_at: began.plus_millis(ACTION_EXECUTION_MS),
        });
        Ok(run)
    }

    async fn run_one(
        &self,
        action: &BoundAction,
        working: &Working,
        effects: &Effects,
        left_ms: u64,
        facts: &RequestFacts,
    ) -> (ExecutionResult, Outcome) {
        let started_at = self.now();
        let tenant_id = &self.inner.settings.tenant;
        let mut event = event::build(working, tenant_id, &effects.transaction_metadata, facts);
        event.secrets = action.secrets.clone().into();
        let job = Job {
            code: action.version.source.code.as_str().into(),
            handler: HANDLER.to_owned(),
            event,
            limits: Limits {
                cpu_ms: ACTION_CPU_MS_MAX,
                wall_ms: ACTION_RUN_MS_MAX.min(left_ms),
                memory_bytes: ACTION_MEMORY_BYTES_MAX,
                console_bytes_max: ACTION_CONSOLE_BYTES_MAX,
            },
            action_name: action.version.action_name.clone(),
        };
        let outcome = if left_ms == 0 {
            Outcome { failure: Some(Failure::WallClock), ..Outcome::default() }
        } else {
            self.inner.sandbox.run(job).await
        };
        let took_ms = i64::try_from(outcome.wall_us / 1000).unwrap_or(i64::MAX);
        let result = ExecutionResult {
            action_name: action.version.action_name.clone(),
            action_id: action.version.action_id.clone(),
            version_id: action.version.id.clone(),
            started_at,
            ended_at: Timestamp(started_at.as_millis().saturating_add(took_ms)),
            error: outcome
                .failure
                .as_ref()
                .map(|failure| (failure_id(failure).to_owned(), failure.to_string())),
            console: outcome
                .console
                .iter()
                .map(|line| format!("{}: {}", level_name(line.level), line.text))
                .collect(),
            commands: outcome
                .commands
                .iter()
                .filter_map(|command| serde_json::to_value(command).ok())
                .collect(),
        };
        (result, outcome)
    }

    /// Takes the commands of a run into the effects and into what the next Action sees. A failed run's commands do
    /// not count.
    fn take_outcome(
        &self,
        outcome: Outcome,
        action: &BoundAction,
        working: &mut Working,
        before: &Session,
        run: &mut PostLogin,
    ) {
        let fail = |run: &mut PostLogin, failure: Failure, description: String| {
            run.effects.ending = Some(Ending::Denied { description });
            run.failed = Some(FailedAction {
                action_id: action.version.action_id.clone(),
                action_name: action.version.action_name.clone(),
                binding_id: action.binding.id.clone(),
                version_id: action.version.id.clone(),
                failure,
            });
        };
        if let Some(failure) = outcome.failure {
            let description = failure.to_string();
            return fail(run, failure, description);
        }
        for command in outcome.commands {
            run.effects.take(command);
        }
        if !run.effects.claims_fit() {
            let message = "The custom claims set by Actions are too large".to_owned();
            let name = "Error".to_owned();
            let failure = Failure::Script { name, message: message.clone(), stack: String::new() };
            return fail(run, failure, message);
        }
        let mut session = before.clone();
        let is_new = matches!(working.origin, Origin::New { .. });
        match run.effects.apply_to_session(&mut session, &working.tenant, is_new, self.now()) {
            Ok(()) => working.session = session,
            Err(error) => {
                let message = format!("{METADATA_REFUSED}{error}");
                let name = "Error".to_owned();
                let failure = Failure::Script { name, message: message.clone(), stack: String::new() };
                fail(run, failure, message);
            }
        }
    }
}

const fn failure_id(failure: &Failure) -> &'static str {
    match failure {
        Failure::Script { .. } => "script_error",
        Failure::CpuTime => "cpu_time_exceeded",
        Failure::WallClock => "time_exceeded",
        Failure::Memory => "memory_exceeded",
        Failure::Crashed => "crashed",
        Failure::Busy => "busy",
        Failure::NoHandler => "no_handler",
        Failure::Syntax(_) => "syntax_error",
        Failure::Unavailable { .. } => "unavailable",
    }
}

const fn level_name(level: ConsoleLevel) -> &'static str {
    match level {
        ConsoleLevel::Debug => "debug",
        ConsoleLevel::Trace => "trace",
        ConsoleLevel::Log => "log",
        ConsoleLevel::Info => "info",
        ConsoleLevel::Warn => "warn",
        ConsoleLevel::Error => "error",
    }
}

/// The claims that Actions may set: those of the Actions only, ready for the grant.
pub(crate) fn custom_claims(effects: &Effects) -> (Map<String, Value>, Map<String, Value>) {
    (effects.id_token_claims.clone(), effects.access_token_claims.clone())
}
