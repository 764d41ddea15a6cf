//! Runs what is bound to a trigger, in order. Nothing is stored here and no unit of work is open.
//!
//! Auth0: Actions › triggers. A later Action sees what an earlier one set, because the stage's state changed.

use std::borrow::Cow;

use domain::action::{Execution, ExecutionResult};
use domain::id::ActionId;
use domain::limits::{ACTION_EXECUTION_MS, ACTION_RUN_MS_MAX, ACTION_TRIGGER_MS_MAX};
use domain::redact::STARS;
use domain::time::Timestamp;
use sandbox::{CacheView, Command, ConsoleLevel, Event, Failure, Job, Outcome};
use serde_json::{Value, json};

use super::cache::without_cached_value;
use super::progress::{Progress, Turn};
use super::{BoundAction, node, recorded_event};
use crate::sign_in::commands::{Effects, Ending};
use crate::{Engine, Error};

/// A moment at which Actions run: what they see, and what later ones see of earlier ones.
pub(crate) trait Stage {
    /// The trigger.
    const TRIGGER: &'static str;
    /// The function that its Actions export.
    const HANDLER: &'static str;
    /// The function that an Action may export to hear that the browser is back, where it can be sent away.
    const CONTINUE_HANDLER: &'static str = "";

    /// The event as the next Action is to see it.
    fn event(&self, effects: &Effects, secrets: sandbox::Secrets) -> Event;

    /// Takes what was asked for so far into what the next Action sees.
    ///
    /// # Errors
    /// What the Action that asked last is told to have thrown.
    fn absorb(&mut self, effects: &Effects) -> Result<(), String>;

    /// Whether an Action ended well in an earlier try of this run, and is not to run again.
    fn ran_before(&self, _binding_id: &ActionId) -> bool {
        false
    }

    /// Remembers an Action that ended well, where there may be another try.
    fn ended_well(&mut self, _binding_id: &ActionId, _result: &ExecutionResult) {}

    /// Looks up in the store what was asked for, where that is needed before the next Action runs.
    ///
    /// # Errors
    /// What the store answers; inside, what the Action that asked last is told to have thrown.
    fn settle(
        &mut self,
        _engine: &Engine,
        _effects: &Effects,
    ) -> impl Future<Output = Result<Result<(), String>, Error>> + Send {
        std::future::ready(Ok(Ok(())))
    }

    /// Whether there is a browser that can be sent away.
    fn can_redirect(&self) -> bool {
        false
    }
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
    /// The Actions that have run, in order; earlier parts of the same transaction included.
    pub(crate) done: Vec<ActionId>,
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
    /// Whether the Action never got to run, through no fault of its own: what hindered it may pass.
    pub(crate) const fn had_no_turn(&self) -> bool {
        matches!(self.failure, Failure::Busy | Failure::Unavailable { .. })
    }

    /// Why it failed, for the operator.
    pub(crate) fn reason(&self) -> String {
        match &self.failure {
            Failure::Unavailable { reason } => format!("{}: {reason}", self.failure),
            failure => failure.to_string(),
        }
    }

    /// The details of the `actions_execution_failed` event (Auth0: tenant log schema).
    pub(crate) fn details(&self, execution_id: Option<&ActionId>) -> Value {
        let class = match &self.failure {
            Failure::Script { .. } | Failure::Memory | Failure::NoHandler | Failure::Syntax(_) => {
                "action_error"
            }
            Failure::CpuTime | Failure::WallClock => "action_timeout",
            Failure::Busy => "rate_limited",
            Failure::Crashed | Failure::Unavailable { .. } => "platform_error",
        };
        let (name, stack) = failure_parts(&self.failure);
        let message = match &self.failure {
            Failure::Script { message, .. } => message.clone(),
            failure => failure.to_string(),
        };
        let code = failure_id(&self.failure);
        let error = json!({ "name": name, "message": message, "code": code, "stack": stack });
        json!({
            "error_class": class,
            "action_error": error,
            "action_id": self.action_id,
            "action_name": self.action_name,
            "binding_id": self.binding_id,
            "version_id": self.version_id,
            "execution_id": execution_id.map_or("", ActionId::as_str),
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
        self.run_trigger_from(stage, Progress::default()).await
    }

    /// Runs what is bound to the stage's trigger and is still to run in a transaction.
    ///
    /// # Errors
    /// As [`Engine::run_trigger`].
    pub(crate) async fn run_trigger_from<S: Stage>(
        &self,
        stage: &mut S,
        progress: Progress,
    ) -> Result<TriggerRun, Error> {
        let bound = self.bound_actions(S::TRIGGER).await?;
        let turns = progress.turns(bound, S::HANDLER, S::CONTINUE_HANDLER);
        let mut run = TriggerRun { effects: progress.effects, done: progress.done, ..TriggerRun::default() };
        if progress.continues.is_some()
            && let Err(message) = stage.absorb(&run.effects)
        {
            run.effects.ending = Some(Ending::denied(message));
            return Ok(run);
        }
        if turns.is_empty() {
            return Ok(run);
        }
        let began = self.now();
        let mut results = Vec::with_capacity(turns.len());
        let mut left_ms = ACTION_TRIGGER_MS_MAX;
        for Turn { action, handler } in turns {
            if stage.ran_before(&action.binding.id) {
                continue;
            }
            let event = stage.event(&run.effects, action.secrets.clone().into());
            let cache = self.inner.action_caches.view(S::TRIGGER, self.now());
            let is_optional = handler == S::CONTINUE_HANDLER;
            let (mut result, outcome) =
                self.run_one(&action, handler, is_optional, event, cache, left_ms).await;
            self.inner.action_caches.take(S::TRIGGER, &outcome, self.now());
            left_ms = left_ms.saturating_sub(outcome.wall_us / 1000);
            let at = result.started_at;
            run.done.retain(|done| *done != action.binding.action_id);
            run.done.push(action.binding.action_id.clone());
            let effects_before = run.effects.clone();
            let refused = outcome.failure.is_some()
                || outcome.commands.iter().any(|command| command.refusal().is_some());
            let seen = refused.then(|| stage.event(&effects_before, sandbox::Secrets::default()));
            take_outcome(outcome, at, &action, stage, &mut run);
            if run.effects.ending.is_none()
                && let Err(message) = stage.settle(self, &run.effects).await?
            {
                fail::<S>(thrown(message), &action, &mut run);
            }
            match &run.failed {
                Some(failed) => note_failure(&mut result, &failed.failure),
                None => stage.ended_well(&action.binding.id, &result),
            }
            if refused || run.failed.is_some() {
                // What the stage refused left the stage as it was.
                let seen = seen.unwrap_or_else(|| stage.event(&effects_before, sandbox::Secrets::default()));
                result.event = recorded_event::of(&seen);
            }
            results.push(result);
            if run.effects.redirect.is_some() && !stage.can_redirect() {
                run.effects.ending.get_or_insert_with(Ending::interaction_required);
            }
            if run.effects.ending.is_some() || run.effects.redirect.is_some() {
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
        is_optional: bool,
        event: Event,
        cache: CacheView,
        left_ms: u64,
    ) -> (ExecutionResult, Outcome) {
        let started_at = self.now();
        let packages = action.version.packages.as_ref();
        let job = Job {
            code: action.version.script().into(),
            modules: action.modules.clone(),
            handler: handler.to_owned(),
            event,
            limits: node::limits(packages, ACTION_RUN_MS_MAX.min(left_ms)),
            action_name: action.version.action_name.clone(),
            cache,
        };
        let mut outcome = if left_ms == 0 {
            Outcome { failure: Some(Failure::WallClock), ..Outcome::default() }
        } else {
            self.run_job(job, packages).await
        };
        conceal(&mut outcome, action);
        if is_optional && outcome.failure == Some(Failure::NoHandler) {
            outcome.failure = None;
        }
        let took_ms = i64::try_from(outcome.wall_us / 1000).unwrap_or(i64::MAX);
        let result = ExecutionResult {
            action_name: action.version.action_name.clone(),
            action_id: action.version.action_id.clone(),
            version_id: action.version.id.clone(),
            started_at,
            ended_at: Timestamp(started_at.as_millis().saturating_add(took_ms)),
            error: None,
            error_name: None,
            stack: None,
            cpu_us: outcome.cpu_us,
            wall_us: outcome.wall_us,
            console: console_text(&outcome),
            commands: outcome
                .commands
                .iter()
                .filter_map(|command| serde_json::to_value(without_cached_value(&recorded(command))).ok())
                .collect(),
            event: None,
        };
        (result, outcome)
    }
}

/// Bytes of the shortest secret that is looked for in what an Action threw or printed. Ours: shorter ones are found in any
/// text.
const CONCEALED_BYTES_MIN: usize = 4;

/// Stars the secrets of the Action and its modules in what it threw, which goes into the log and to the client, and in
/// what it printed, which goes into the record of the run.
fn conceal(outcome: &mut Outcome, action: &BoundAction) {
    let own = action.secrets.values().map(String::as_str);
    let of_modules = action.modules.iter().flat_map(|module| module.secrets.values());
    let mut secrets: Vec<&str> =
        own.chain(of_modules).filter(|secret| secret.len() >= CONCEALED_BYTES_MIN).collect();
    // One may begin with another: the longer goes first.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mut texts: Vec<&mut String> = outcome.console.iter_mut().map(|line| &mut line.text).collect();
    if let Some(Failure::Script { name, message, stack }) = &mut outcome.failure {
        texts.extend([name, message, stack]);
    }
    for text in texts {
        for secret in &secrets {
            if text.contains(secret) {
                *text = text.replace(secret, STARS);
            }
        }
    }
}

/// What a sign-in is told whose Actions ask for more claims than a token carries.
const CLAIMS_TOO_LARGE: &str = "The custom claims set by Actions are too large";

/// Takes the commands of a run into the effects and into what the next Action sees. A failed run's commands do not
/// count.
fn take_outcome<S: Stage>(
    outcome: Outcome,
    at: Timestamp,
    action: &BoundAction,
    stage: &mut S,
    run: &mut TriggerRun,
) {
    let failure = match outcome.failure {
        Some(failure) => Some(failure),
        None => {
            for command in outcome.commands {
                run.effects.take(command, at);
            }
            let fits = run.effects.claims_fit().then_some(()).ok_or_else(|| CLAIMS_TOO_LARGE.to_owned());
            fits.and_then(|()| stage.absorb(&run.effects)).err().map(thrown)
        }
    };
    if let Some(failure) = failure {
        fail::<S>(failure, action, run);
    }
}

/// As if the script had thrown it.
fn thrown(message: String) -> Failure {
    Failure::Script { name: "Error".to_owned(), message, stack: String::new() }
}

/// Ends the run with an Action's failure.
fn fail<S: Stage>(failure: Failure, action: &BoundAction, run: &mut TriggerRun) {
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

/// A command as the record of the run keeps it: without the query of a redirect, where tokens travel.
fn recorded(command: &Command) -> Cow<'_, Command> {
    match command {
        Command::SendUserTo { url } => {
            let url = url.split(['?', '#']).next().unwrap_or_default().to_owned();
            Cow::Owned(Command::SendUserTo { url })
        }
        other => Cow::Borrowed(other),
    }
}

fn note_failure(result: &mut ExecutionResult, failure: &Failure) {
    let (name, stack) = failure_parts(failure);
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    result.error = Some((failure_id(failure).to_owned(), failure.to_string()));
    (result.error_name, result.stack) = (given(name), given(stack));
}

/// The name and the stack of the exception behind a failure.
pub(super) fn failure_parts(failure: &Failure) -> (&str, &str) {
    match failure {
        Failure::Script { name, stack, .. } => (name, stack),
        Failure::Syntax(_) => ("SyntaxError", ""),
        Failure::CpuTime
        | Failure::WallClock
        | Failure::Memory
        | Failure::Crashed
        | Failure::Busy
        | Failure::NoHandler
        | Failure::Unavailable { .. } => ("Error", ""),
    }
}

/// Console lines, `level: text`.
pub(super) fn console_text(outcome: &Outcome) -> Vec<String> {
    outcome.console.iter().map(|line| format!("{}: {}", level_name(line.level), line.text)).collect()
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
