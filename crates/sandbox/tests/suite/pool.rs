//! The pool: its bounds, and that whatever happens to a worker costs one job only.

use std::sync::Arc;
use std::time::Duration;

use sandbox::post_login::Event;
use sandbox::{Failure, Job, Limits, Sandbox, SandboxSettings, WorkerCommand};

use crate::kit::{LIMITS, action, job, settings};

fn endless(wall_ms: u64) -> Job {
    let code = action("await new Promise((ok) => setTimeout(ok, 1e9))");
    Job { limits: Limits { wall_ms, ..LIMITS }, ..job(&code, Event::default()) }
}

fn quick() -> Job {
    job(&action("api.access.deny('x')"), Event::default())
}

#[tokio::test]
async fn a_full_queue_answers_busy_at_once() {
    let sandbox = Sandbox::start(settings(1, 1));
    assert_eq!(sandbox.run(quick()).await.failure, None);
    let runs: Vec<_> = (0..2)
        .map(|_| {
            let sandbox = sandbox.clone();
            tokio::spawn(async move { sandbox.run(endless(1_000)).await.failure })
        })
        .collect();
    // Both get as far as they can: one to the worker, one into the queue.
    tokio::task::yield_now().await;
    let third = tokio::time::timeout(Duration::from_millis(500), sandbox.run(quick())).await.unwrap();
    assert_eq!(third.failure, Some(Failure::Busy));
    for run in runs {
        assert!(matches!(run.await.unwrap(), Some(Failure::WallClock | Failure::Busy)));
    }
    assert_eq!(sandbox.run(quick()).await.failure, None);
}

#[tokio::test]
async fn a_job_waits_in_the_queue_no_longer_than_it_may_run() {
    let sandbox = Sandbox::start(settings(1, 4));
    let first = tokio::spawn({
        let sandbox = sandbox.clone();
        async move { sandbox.run(endless(2_000)).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(sandbox.run(endless(50)).await.failure, Some(Failure::Busy));
    assert_eq!(first.await.unwrap().failure, Some(Failure::WallClock));
}

#[tokio::test]
async fn dropping_a_run_frees_its_worker() {
    let sandbox = Sandbox::start(settings(1, 4));
    for _ in 0..3 {
        let dropped = tokio::time::timeout(Duration::from_millis(50), sandbox.run(endless(60_000))).await;
        assert!(dropped.is_err());
        let next = tokio::time::timeout(Duration::from_secs(5), sandbox.run(quick())).await.unwrap();
        assert_eq!((next.failure, next.commands.len()), (None, 1));
    }
}

#[tokio::test]
async fn many_jobs_at_once_each_get_their_own_answer() {
    let sandbox = Sandbox::start(settings(2, 64));
    let runs: Vec<_> = (0..64)
        .map(|n| {
            let sandbox = sandbox.clone();
            let code = action(&format!("await null; api.access.deny('{n}')"));
            tokio::spawn(async move { sandbox.run(job(&code, Event::default())).await })
        })
        .collect();
    for (n, run) in runs.into_iter().enumerate() {
        let outcome = run.await.unwrap();
        let expected = [sandbox::Command::DenyAccess { reason: n.to_string() }];
        assert_eq!((outcome.failure, outcome.commands.as_slice()), (None, &expected[..]));
    }
}

#[tokio::test]
async fn after_shutting_down_nothing_runs() {
    let sandbox = Sandbox::start(settings(2, 4));
    assert_eq!(sandbox.run(quick()).await.failure, None);
    sandbox.shut_down().await;
    assert!(matches!(sandbox.run(quick()).await.failure, Some(Failure::Unavailable { .. })));
}

async fn failure_with(program: &str, args: &[&str]) -> Option<Failure> {
    let worker =
        WorkerCommand { program: program.into(), args: args.iter().map(|&arg| arg.to_owned()).collect() };
    Sandbox::start(SandboxSettings { worker, ..settings(1, 4) }).run(quick()).await.failure
}

#[tokio::test]
async fn a_program_that_is_no_worker_makes_actions_unavailable() {
    assert!(matches!(failure_with("/nonexistent/worker", &[]).await, Some(Failure::Unavailable { .. })));
    assert!(matches!(failure_with("/bin/true", &[]).await, Some(Failure::Unavailable { .. })));
    assert!(matches!(failure_with("/bin/echo", &["x"]).await, Some(Failure::Unavailable { .. })));
}

#[tokio::test]
async fn a_job_that_is_too_large_for_a_message_is_refused_without_harm() {
    let sandbox = Sandbox::start(settings(1, 4));
    let large = Job { code: Arc::from(" ".repeat(9 * 1024 * 1024)), ..quick() };
    assert!(matches!(sandbox.run(large).await.failure, Some(Failure::Unavailable { .. })));
    assert_eq!(sandbox.run(quick()).await.failure, None);
}
