//! Workers that are killed by a signal: in mid-run it costs that run, between two runs it costs none.

use std::sync::Arc;
use std::time::Duration;

use sandbox::fetch::{Fetch, FetchFuture, FetchRequest, FetchResponse};
use sandbox::post_login::Event;
use sandbox::{Failure, Sandbox, SandboxSettings, WorkerCommand};
use tokio::sync::{Semaphore, mpsc};

use crate::kit::{action, job, settings};

/// Tells when a run is in its middle, and holds it there until it is let go.
struct Held {
    in_the_middle: mpsc::Sender<()>,
    go_on: Semaphore,
}

impl Fetch for Held {
    fn fetch(&self, request: FetchRequest, _timeout: Duration) -> FetchFuture<'_> {
        Box::pin(async move {
            self.in_the_middle.send(()).await.unwrap();
            self.go_on.acquire().await.unwrap().forget();
            Ok(FetchResponse {
                status: 200,
                status_text: String::new(),
                url: request.url,
                redirected: false,
                headers: Vec::new(),
                body: Vec::new(),
            })
        })
    }
}

/// A pool of workers that can be told from those of other tests by their argument.
struct Pool {
    sandbox: Sandbox,
    held: Arc<Held>,
    in_the_middle: mpsc::Receiver<()>,
    mark: String,
}

impl Pool {
    fn start(workers: usize, mark: &str) -> Self {
        let (sender, in_the_middle) = mpsc::channel(8);
        let held = Arc::new(Held { in_the_middle: sender, go_on: Semaphore::new(0) });
        let mark = format!("--{mark}-{}", std::process::id());
        let settings = settings(workers, 64);
        let worker = WorkerCommand { args: vec![mark.clone()], ..settings.worker.clone() };
        let sandbox =
            Sandbox::start_with_fetch(SandboxSettings { worker, ..settings }, Arc::<Held>::clone(&held));
        Self { sandbox, held, in_the_middle, mark }
    }

    /// Runs an Action that stays in its middle.
    fn long_run(&self) -> tokio::task::JoinHandle<Option<Failure>> {
        let sandbox = self.sandbox.clone();
        let code = action("await fetch('https://a.example/'); api.access.deny('done')");
        tokio::spawn(async move { sandbox.run(job(&code, Event::default())).await.failure })
    }

    async fn short_run(&self) -> Option<Failure> {
        self.sandbox.run(job(&action("api.access.deny('x')"), Event::default())).await.failure
    }

    /// The processes of its workers.
    fn workers(&self) -> Vec<i32> {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let is_ours = |id: &i32| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|word| word == self.mark.as_bytes())
        };
        ids.filter(is_ours).collect()
    }
}

/// Sends a signal until the process is gone: a first SIGSEGV that no access to memory caused only resets its handler.
async fn kill(process: i32, signal: rustix::process::Signal) {
    let id = rustix::process::Pid::from_raw(process).unwrap();
    let gone = async {
        while rustix::process::kill_process(id, signal).is_ok() && !is_zombie(process) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("a killed process ends");
}

fn is_zombie(process: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

const SIGNALS: [rustix::process::Signal; 4] = [
    rustix::process::Signal::KILL,
    rustix::process::Signal::SEGV,
    rustix::process::Signal::ABORT,
    rustix::process::Signal::TERM,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_in_mid_run_fails_that_run_and_no_other() {
    for (number, signal) in SIGNALS.into_iter().enumerate() {
        let mut pool = Pool::start(2, &format!("mid-run-{number}"));
        let runs = [pool.long_run(), pool.long_run()];
        for _ in &runs {
            pool.in_the_middle.recv().await.unwrap();
        }
        let workers = pool.workers();
        assert_eq!(workers.len(), 2);
        kill(workers[0], signal).await;
        // The killed worker has a successor, which others use while the second long run still holds its own.
        for _ in 0..20 {
            assert_eq!(pool.short_run().await, None, "{signal:?}");
        }
        pool.held.go_on.add_permits(2);
        let mut failures = Vec::new();
        for run in runs {
            failures.extend(run.await.unwrap());
        }
        assert_eq!(failures, [Failure::Crashed], "{signal:?}");
        pool.sandbox.shut_down().await;
    }
}

#[tokio::test]
async fn a_worker_killed_between_two_runs_fails_none() {
    let pool = Pool::start(1, "idle");
    for _ in 0..5 {
        assert_eq!(pool.short_run().await, None);
        for worker in pool.workers() {
            kill(worker, rustix::process::Signal::KILL).await;
        }
        assert_eq!(pool.short_run().await, None);
    }
}
