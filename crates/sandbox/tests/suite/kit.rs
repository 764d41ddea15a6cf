//! What every test here starts from: a pool of real workers, and jobs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use sandbox::post_login::{Event, HANDLER, Session};
use sandbox::{CacheView, Command, Failure, Job, Limits, Outcome, Sandbox, SandboxSettings, WorkerCommand};

/// Limits that a busy machine keeps for anything harmless.
pub const LIMITS: Limits =
    Limits { cpu_ms: 2_000, wall_ms: 10_000, memory_bytes: 32 * 1024 * 1024, console_bytes_max: 64 * 1024 };

pub fn settings(workers_max: usize, queue_max: usize) -> SandboxSettings {
    SandboxSettings {
        worker: WorkerCommand {
            program: PathBuf::from(env!("CARGO_BIN_EXE_sandbox-worker")),
            args: Vec::new(),
        },
        workers_max,
        queue_max,
        worker_memory_bytes_max: 256 * 1024 * 1024,
    }
}

/// A pool of one worker.
pub fn sandbox() -> Sandbox {
    Sandbox::start(settings(1, 16))
}

pub fn job(code: &str, event: Event) -> Job {
    Job {
        code: Arc::from(code),
        handler: HANDLER.to_owned(),
        event: event.into(),
        limits: LIMITS,
        action_name: "My Action".to_owned(),
        cache: CacheView::default(),
    }
}

/// An Action whose handler has this body.
pub fn action(body: &str) -> String {
    format!("exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};")
}

pub fn event_with_session(metadata: &[(&str, &str)]) -> Event {
    let metadata: BTreeMap<_, _> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let session = Session { id: "sess_1".to_owned(), metadata, ..Session::default() };
    Event { session: Some(session), ..Event::default() }
}

/// Runs a handler's body with a session in the event.
pub async fn run(body: &str) -> Outcome {
    sandbox().run(job(&action(body), event_with_session(&[("old", "1")]))).await
}

/// The commands of a body that must end well.
pub async fn commands(body: &str) -> Vec<Command> {
    let outcome = run(body).await;
    assert_eq!(outcome.failure, None, "{body}");
    outcome.commands
}

/// The message of the exception that a body must end with.
pub async fn message(body: &str) -> String {
    match run(body).await.failure {
        Some(Failure::Script { message, .. }) => message,
        other => panic!("{body}: {other:?}"),
    }
}
