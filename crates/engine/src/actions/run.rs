//! Runs what is bound to a trigger, in order. Nothing is stored here and no unit of work is open.
//!
//! Auth0: Actions › triggers. A later Action sees what an earlier one set, because the stage's state changed.

use domain::action::{Execution, ExecutionResult};
use domain::id::ActionId;
use domain::limits::{ACTION_EXECUTION_MS, ACTION_RUN_MS_MAX, ACTION_TRIGGER_MS_MAX};
use domain::time::Timestamp;
use sandbox::{ConsoleLevel, Event, Failure, Job, Outcome};
use serde_json::{Value, json};

use super::{BoundAction, node};
use crate::sign_in::commands::{Effects, Ending};
use crate::{Engine, Error};

/// A moment at which Actions run: what they see, and what later ones see of earlier ones.
pub(crate) trait Stage {
    /// The trigger.
    const TRIGGER: &'static str;
    /// The function that its Actions export.
    const HANDLER: &'static str;

    /// The event as the next Action is to see it.
    fn event(&self, effects: &Effects, secrets: sandbox::Secrets) -> Event;

    /// Takes what was asked for so far into what the next Action sees.
    ///
    /// # Errors
    /// What the Action that asked last is told to have thrown.
    fn absorb(&mut self, effects: &Effects) -> Result<(), String>;
}

/// What the Actions of one trigger came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct TriggerRun {
    /// What they asked for.
    pub(crate) effects: Effects,
    /// The record of the run; absent where nothing is bound.
    pub(crate) execution: Option<Execution>,
    /// The Action that failed, for its log event.
    pub(crate) failed: Option<FailedAction>,
}

impl TriggerRun {
    /// The record's identifier.
    pub(crate) fn execution_id(&self) -> Option<&ActionId> {
        self.execution.as_ref().map(|execution| &execution.id)
    }
}

/// An Action that threw, ran out of its limits, or could not run.
#[derive(Debug, Clone)]
pub(crate) struct FailedAction {
    trigger: &'static str,
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
            "trigger_id": self.trigger,
        })
    }
}

impl Engine {
    /// Runs what is bound to the stage's trigger.
    ///
    /// # Errors
    /// What the store answers; what an Action does wrong is in the run.
    pub(crate) async fn run_trigger<S: Stage>(&self, stage: &mut S) -> Result<TriggerRun, Error> {
        let bound = self.bound_actions(S::TRIGGER).await?;
        let mut run = TriggerRun::default();
        if bound.is_empty() {
            return Ok(run);
        }
        let began = self.now();
        let mut results = Vec::with_capacity(bound.len());
        let mut left_ms = ACTION_TRIGGER_MS_MAX;
        for action in bound {
            let event = stage.event(&run.effects, action.secrets.clone().into());
            let (result, outcome) = self.run_one(&action, S::HANDLER, event, left_ms).await;
            left_ms = left_ms.saturating_sub(outcome.wall_us / 1000);
            results.push(result);
            take_outcome(outcome, &action, stage, &mut run);
            if run.effects.ending.is_some() {
                break;
            }
        }
        run.execution = Some(Execution {
            id: ActionId::new(domain::id::uuid(self.random())),
            trigger: S::TRIGGER.to_owned(),
            results,
            created_at: began,
            expires_at: began.plus_millis(ACTION_EXECUTION_MS),
        });
        Ok(run)
    }

    async fn run_one(
        &self,
        action: &BoundAction,
        handler: &str,
        event: Event,
        left_ms: u64,
    ) -> (ExecutionResult, Outcome) {
        let started_at = self.now();
        let packages = action.version.packages.as_ref();
        let job = Job {
            code: action.version.source.code.as_str().into(),
            handler: handler.to_owned(),
            event,
            limits: node::limits(packages, ACTION_RUN_MS_MAX.min(left_ms)),
            action_name: action.version.action_name.clone(),
        };
        let outcome = if left_ms == 0 {
            Outcome { failure: Some(Failure::WallClock), ..Outcome::default() }
        } else {
            self.run_job(job, packages).await
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
}

/// What a sign-in is told whose Actions ask for more claims than a token carries.
const CLAIMS_TOO_LARGE: &str = "The custom claims set by Actions are too large";

/// Takes the commands of a run into the effects and into what the next Action sees. A failed run's commands do not
/// count.
fn take_outcome<S: Stage>(outcome: Outcome, action: &BoundAction, stage: &mut S, run: &mut TriggerRun) {
    let failure = match outcome.failure {
        Some(failure) => Some(failure),
        None => {
            for command in outcome.commands {
                run.effects.take(command);
            }
            let fits = run.effects.claims_fit().then_some(()).ok_or_else(|| CLAIMS_TOO_LARGE.to_owned());
            fits.and_then(|()| stage.absorb(&run.effects)).err().map(|message| Failure::Script {
                name: "Error".to_owned(),
                message,
                stack: String::new(),
            })
        }
    };
    let Some(failure) = failure else { return };
    run.effects.ending = Some(Ending::denied(failure.to_string()));
    run.failed = Some(FailedAction {
        trigger: S::TRIGGER,
        action_id: action.version.action_id.clone(),
        action_name: action.version.action_name.clone(),
        binding_id: action.binding.id.clone(),
        version_id: action.version.id.clone(),
        failure,
    });
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
