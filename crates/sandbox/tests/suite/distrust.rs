//! A worker that a script has taken over: whatever it says costs its own job, never the host, and it gets no second one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sandbox::fetch::{FETCHES_MAX, Fetch, FetchFuture, FetchRequest};
use sandbox::post_login::Event;
use sandbox::{Command, Failure, Job, Limits, Outcome, Sandbox, SandboxSettings, WorkerCommand};

use crate::kit::{LIMITS, action, job, settings};

/// The wall clock of each job, in milliseconds: as long as a worker that says nothing is waited for.
const WALL_MS: u64 = 300;
/// What the host may take beyond that on a busy machine, with the start of a worker.
const GRACE: Duration = Duration::from_millis(700);

/// Never answers, and counts.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Fetch for Counting {
    fn fetch(&self, _request: FetchRequest, _timeout: Duration) -> FetchFuture<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::pending())
    }
}

/// A pool whose only worker does wrong in this way.
fn pool(way: &str) -> (Sandbox, Arc<Counting>) {
    let worker =
        WorkerCommand { program: env!("CARGO_BIN_EXE_sandbox-rogue").into(), args: vec![way.to_owned()] };
    let fetch = Arc::new(Counting::default());
    let settings = SandboxSettings { worker, ..settings(1, 4) };
    (Sandbox::start_with_fetch(settings, Arc::<Counting>::clone(&fetch)), fetch)
}

async fn run(sandbox: &Sandbox) -> Outcome {
    let limits = Limits { wall_ms: WALL_MS, console_bytes_max: 64 * 1024, ..LIMITS };
    sandbox.run(Job { limits, ..job(&action(""), Event::default()) }).await
}

fn denied(reason: &str) -> Vec<Command> {
    vec![Command::DenyAccess { reason: reason.to_owned() }]
}

#[tokio::test]
async fn what_breaks_the_protocol_or_a_promise_is_a_crash_and_nothing_of_it_counts() {
    let ways = [
        "garbage",
        "long length",
        "deep nesting",
        "deep value",
        "many commands",
        "smuggled scope",
        "nameless claim",
        "nested transaction",
        "long console",
        "long failure",
        "busy",
        "fetches for ever",
    ];
    for way in ways {
        let (sandbox, fetch) = pool(way);
        // The worker after it is as bad, and as harmless.
        for _ in 0..2 {
            let outcome = run(&sandbox).await;
            assert_eq!(outcome.failure, Some(Failure::Crashed), "{way}");
            assert!(outcome.commands.is_empty() && outcome.console.is_empty(), "{way}");
        }
        let (asked, expected) =
            (fetch.0.load(Ordering::SeqCst), if way == "fetches for ever" { 2 * FETCHES_MAX } else { 0 });
        assert!(asked <= expected, "{way}: {asked} fetches");
    }
}

#[tokio::test]
async fn a_worker_that_keeps_the_host_waiting_is_ended_at_the_limit() {
    for way in ["nothing", "half a message"] {
        let (sandbox, _) = pool(way);
        // The first worker has been started now.
        let _first = run(&sandbox).await;
        let began = Instant::now();
        assert_eq!(run(&sandbox).await.failure, Some(Failure::WallClock), "{way}");
        assert!(began.elapsed() < Duration::from_millis(WALL_MS) + GRACE, "{way}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_worker_that_answered_another_question_is_not_asked_again() {
    for way in ["ready again", "other question"] {
        let (sandbox, _) = pool(way);
        for _ in 0..3 {
            assert_eq!(run(&sandbox).await.failure, Some(Failure::Crashed), "{way}");
        }
    }
}

#[tokio::test]
async fn what_is_said_between_two_jobs_is_no_answer_to_the_next() {
    let (sandbox, _) = pool("answers ahead");
    for _ in 0..3 {
        assert_eq!(run(&sandbox).await.commands, denied("asked"));
    }
}

#[tokio::test]
async fn a_fetch_beyond_the_limits_is_refused_by_the_host_too() {
    let (sandbox, fetch) = pool("long fetch");
    assert_eq!(run(&sandbox).await.commands, denied("answered"));
    assert_eq!(fetch.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn code_that_is_only_parsed_fetches_nothing() {
    let (sandbox, fetch) = pool("fetches for ever");
    assert!(sandbox.build("1").await.is_err());
    assert_eq!(fetch.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn times_are_what_the_host_saw_pass() {
    let (sandbox, _) = pool("eternal times");
    let outcome = run(&sandbox).await;
    assert_eq!(outcome.failure, None);
    assert!(outcome.wall_us <= WALL_MS * 1_000 && outcome.cpu_us <= WALL_MS * 1_000, "{outcome:?}");
}
