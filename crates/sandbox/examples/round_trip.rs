//! Measures one run of a 20-line Action, through a worker process, beside the floor of a realm put back.
//!
//! `cargo run --release -p sandbox --example round_trip -- target/release/sandbox-worker`

use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::post_login::{Event, HANDLER, Session};
use sandbox::{Job, Limits, Sandbox, SandboxSettings, WorkerCommand};

const CODE: &str = include_str!("count_sign_ins.js");
const RUNS: u32 = 5_000;

fn per_run(what: &str, total: Duration, cpu: Duration) {
    let microseconds = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(RUNS);
    let line = format!(
        "{what}: {:.1} µs wall, {:.1} µs of it on this process",
        microseconds(total),
        microseconds(cpu)
    );
    std::io::Write::write_all(&mut std::io::stdout(), format!("{line}\n").as_bytes()).expect("stdout");
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let program = std::env::args().nth(1).expect("the path of sandbox-worker").into();
    let worker = WorkerCommand { program, args: Vec::new() };
    let settings =
        SandboxSettings { worker, workers_max: 1, queue_max: 4, worker_memory_bytes_max: 512 * 1024 * 1024 };
    let sandbox = Sandbox::start(settings);
    let code: Arc<str> = Arc::from(CODE);
    let job = || Job {
        code: Arc::clone(&code),
        handler: HANDLER.to_owned(),
        event: Event { session: Some(Session::default()), ..Event::default() }.into(),
        limits: Limits::default(),
        cache: sandbox::CacheView::default(),
        action_name: "Count sign-ins".to_owned(),
        modules: Vec::new(),
    };
    let first = Instant::now();
    assert_eq!(sandbox.run(job()).await.failure, None);
    per_run("first run, times the number of runs", first.elapsed() * RUNS, Duration::ZERO);
    let (started, cpu) = (Instant::now(), cpu_time());
    let mut worker_cpu_us = 0;
    for _ in 0..RUNS {
        let outcome = sandbox.run(job()).await;
        assert_eq!((outcome.failure, outcome.commands.len()), (None, 5));
        worker_cpu_us += outcome.cpu_us;
    }
    per_run("round trip", started.elapsed(), cpu_time() - cpu);
    per_run("in the worker, from job to outcome", Duration::from_micros(worker_cpu_us), Duration::ZERO);
    sandbox::floor::untouched_realm();
    let (started, cpu) = (Instant::now(), cpu_time());
    for _ in 0..RUNS {
        sandbox::floor::untouched_realm();
    }
    per_run("floor: a realm put back", started.elapsed(), cpu_time() - cpu);
}
