//! What a worker's answer must keep to before the host believes it: every promise that an honest worker keeps by itself.
//!
//! A script that has broken the engine speaks with the worker's voice. It can then say what it likes; here it is held
//! to what it could have said by the `api`. Not here: what the domain's rules say of a command (`engine` applies them to
//! every command, as it does to the Management API's callers), and the length of a message (`wire`).

use serde_json::Value;

use crate::job::Limits;
use crate::outcome::{Command, Failure, Outcome};
use crate::wire::{Reply, Task};

/// Commands of one run. Ours: the largest legal use (25 metadata entries, claims, user metadata) is far below.
pub(crate) const COMMANDS_MAX: usize = 1_000;
/// What a console line costs beside its text, in bytes, so that empty lines are bounded too.
pub(crate) const CONSOLE_LINE_BYTES: usize = 16;
/// UTF-16 units kept of a failure's message and of its stack.
pub(crate) const TEXT_UNITS_MAX: usize = 8 * 1024;
/// Bytes of the note that replaces the console's line which doesn't fit, and more.
const CONSOLE_NOTE_BYTES_MAX: usize = 256;
/// Characters of a scope, as the `api` has it.
const SCOPE_CHARACTERS_MAX: usize = 280;
/// Bytes of the JavaScript that a build answers. Ours: imports and exports grow when they are rewritten, the rest does not.
const BUILT_BYTES_MAX: usize = 4 * domain::limits::ACTION_CODE_BYTES_MAX;
/// Bytes of UTF-8 that one UTF-16 unit takes at most: scripts' texts are cut by units.
const BYTES_PER_UNIT: usize = 3;

/// A worker's answer that was found to keep to its promises.
#[derive(Debug)]
pub(crate) enum Heard {
    /// To [`Task::Run`].
    Ran(Box<Outcome>),
    /// To [`Task::Build`].
    Built(Result<Option<String>, Failure>),
}

impl Heard {
    /// Judges a reply to a task under limits, for which the host waited so many microseconds.
    ///
    /// # Errors
    /// The promise that it breaks; the worker must not be used again.
    pub(crate) fn of(reply: Reply, task: Task, limits: Limits, waited_us: u64) -> Result<Self, &'static str> {
        match (reply, task) {
            (Reply::Ran(outcome), Task::Run) => {
                judge(outcome, limits, waited_us).map(|outcome| Self::Ran(Box::new(outcome)))
            }
            (Reply::Built(Ok(code)), Task::Build) => {
                let fits = code.as_ref().is_none_or(|code| code.len() <= BUILT_BYTES_MAX);
                fits.then_some(Self::Built(Ok(code))).ok_or("the code is longer than its source can make it")
            }
            (Reply::Built(Err(failure)), Task::Build) => {
                let fits = is_legal_failure(&failure);
                fits.then_some(Self::Built(Err(failure)))
                    .ok_or("the failure is none that a worker can report")
            }
            _ => Err("the reply is to another question"),
        }
    }
}

/// An outcome within its bounds, its times cut to what the host saw pass: a worker has one thread.
fn judge(mut outcome: Outcome, limits: Limits, waited_us: u64) -> Result<Outcome, &'static str> {
    if outcome.commands.len() > COMMANDS_MAX {
        return Err("there are too many commands");
    }
    if !outcome.commands.iter().all(is_legal) {
        return Err("a command is none that a script can give");
    }
    let console: usize = outcome.console.iter().map(|line| line.text.len() + CONSOLE_LINE_BYTES).sum();
    if console > limits.console_bytes_max.saturating_add(CONSOLE_NOTE_BYTES_MAX) {
        return Err("the console is longer than it may be");
    }
    if !outcome.failure.as_ref().is_none_or(is_legal_failure) {
        return Err("the failure is none that a worker can report");
    }
    outcome.cpu_us = outcome.cpu_us.min(waited_us);
    outcome.wall_us = outcome.wall_us.min(waited_us);
    Ok(outcome)
}

/// The rules that otherwise stand in the script's own realm alone. The others are the engine's and the domain's.
fn is_legal(command: &Command) -> bool {
    match command {
        Command::AddScope { scope } | Command::RemoveScope { scope } => is_scope(scope),
        Command::SetIdTokenClaim { name, .. }
        | Command::SetAccessTokenClaim { name, .. }
        | Command::SetUserMetadata { name, .. }
        | Command::SetAppMetadata { name, .. } => !name.is_empty(),
        Command::SetTransactionMetadata { key, value } => {
            !key.is_empty() && !matches!(value, Value::Array(_) | Value::Object(_))
        }
        _ => true,
    }
}

/// As the realm's `isScope`. A space in one scope would make two of it once they are joined.
fn is_scope(scope: &str) -> bool {
    !scope.is_empty()
        && scope.encode_utf16().count() <= SCOPE_CHARACTERS_MAX
        && !scope.contains([' ', '\t', '\n', '\r'])
}

fn is_legal_failure(failure: &Failure) -> bool {
    match failure {
        Failure::Script { name, message, stack } => {
            [name, message, stack].into_iter().all(|text| is_short(text))
        }
        Failure::Syntax(error) => is_short(&error.message),
        Failure::Unavailable { reason } => is_short(reason),
        // The host's own words: a worker that has a job is not busy.
        Failure::Busy => false,
        Failure::CpuTime | Failure::WallClock | Failure::Memory | Failure::Crashed | Failure::NoHandler => {
            true
        }
    }
}

fn is_short(text: &str) -> bool {
    text.len() <= TEXT_UNITS_MAX * BYTES_PER_UNIT
}
