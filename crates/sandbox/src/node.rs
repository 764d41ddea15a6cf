//! The second kind of worker: Node.js, for Actions that need npm packages.
//!
//! The messages, limits and outcomes are those of the other kind ([`crate::Sandbox`]), and so is the `api`. Each run has
//! a process of its own, and what it asks for is kept on the host's side ([`ledger`]): a script can reach every corner
//! of its Node.js, so nothing there is believed. One process is kept ready for each packages folder lately used.
//!
//! Not here: how packages get into their folder (`engine`).

mod ledger;
mod process;
mod program;
mod rights;
mod shim;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::value::to_raw_value;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::timeout;

use self::ledger::Ledger;
#[cfg(test)]
pub(crate) use self::ledger::QUESTIONS;
use self::process::NodeProcess;
pub use self::program::NodeProgram;
pub use self::shim::node_worker_main;
use crate::fetch::Fetch;
use crate::job::{CacheView, Job, Limits};
use crate::outcome::{Failure, Outcome, SyntaxError};
use crate::pool::{Place, WorkerCommand, to_wire};
use crate::wire::{self, Call, Reply, Request, Task};

/// What the host grants a process beyond the job's wall clock, in milliseconds.
const DEADLINE_GRACE_MS: u64 = 30;
/// How long a process waits for a job before it is ended, in milliseconds: ten minutes, since each holds some 50 MiB.
const IDLE_MS_MAX: u64 = 10 * 60 * 1000;
/// Limits for parsing alone.
const CHECK_LIMITS: Limits =
    Limits { cpu_ms: 2_000, wall_ms: 5_000, memory_bytes: 64 * 1024 * 1024, console_bytes_max: 0 };

/// What a pool of Node.js workers is made of.
#[derive(Debug, Clone)]
pub struct NodeSettings {
    /// How to start a worker. It must end in [`node_worker_main`].
    pub worker: WorkerCommand,
    /// The Node.js that it becomes.
    pub program: NodeProgram,
    /// Runs at once, at least one; as many processes more may wait for work.
    pub workers_max: usize,
    /// Jobs that may wait for their turn; one more is answered [`Failure::Busy`].
    pub queue_max: usize,
}

/// The pool of Node.js workers. Clones share it.
#[derive(Debug, Clone)]
pub struct NodeSandbox {
    pool: Arc<Pool>,
}

/// What a process is bound to from its start.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    /// The folder whose `node_modules` its scripts may require, absolute and without links.
    packages: PathBuf,
    /// Bytes of JavaScript heap.
    memory_bytes: u64,
    /// Processor time in milliseconds; the kernel counts whole seconds.
    cpu_ms: u64,
}

/// A process that waits for a job.
struct Ready {
    number: u64,
    kind: Kind,
    process: NodeProcess,
}

struct Pool {
    settings: NodeSettings,
    workers_max: usize,
    fetch: Arc<dyn Fetch>,
    runtime: Handle,
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    counter: AtomicU64,
    ready: Mutex<Vec<Ready>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pool").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl NodeSandbox {
    /// A pool in which nothing runs yet.
    ///
    /// # Panics
    /// Outside a tokio runtime with its I/O and time drivers on.
    pub fn start(settings: NodeSettings, fetch: Arc<dyn Fetch>) -> Self {
        let workers_max = settings.workers_max.clamp(1, Semaphore::MAX_PERMITS);
        let pool = Pool {
            settings,
            workers_max,
            fetch,
            runtime: Handle::current(),
            slots: Arc::new(Semaphore::new(workers_max)),
            waiting: AtomicUsize::new(0),
            counter: AtomicU64::new(0),
            ready: Mutex::new(Vec::new()),
        };
        Self { pool: Arc::new(pool) }
    }

    /// Runs one Action with the packages of a folder. As [`crate::Sandbox::run`], except that the processor time of the
    /// limits is kept to the second, rounded up, and includes the start of the process.
    pub async fn run(&self, job: Job, packages: &Path) -> Outcome {
        let session_metadata = job.event.session_metadata().cloned();
        let ledger = match Ledger::new(session_metadata.as_ref(), job.cache, job.limits.console_bytes_max) {
            Ok(ledger) => ledger,
            Err(reason) => return Outcome::failed(Failure::Unavailable { reason }),
        };
        let event = match to_raw_value(&job.event) {
            Ok(event) => event,
            Err(error) => return Outcome::failed(unavailable("the event can't be written as JSON", &error)),
        };
        let request = Request {
            task: Task::Run,
            code: job.code.as_ref().to_owned(),
            action_name: job.action_name,
            handler: job.handler,
            limits: job.limits,
            event,
            session_metadata: None,
            now_ms: None,
            // The host's side keeps it.
            cache: CacheView::default(),
            modules: job.modules.into_iter().map(to_wire).collect(),
        };
        let began = Instant::now();
        let mut ledger = ledger;
        let outcome = match self.ask(&request, packages, &mut ledger).await {
            Ok(Reply::Ran(outcome)) => bounded(outcome),
            Ok(_) => Outcome::failed(Failure::Crashed),
            Err(failure) => Outcome::failed(failure),
        };
        let (commands, console) = ledger.into_parts();
        let wall_us = match outcome.wall_us {
            0 => u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            measured => measured,
        };
        Outcome { commands, console, wall_us, ..outcome }
    }

    /// Parses code as `run` would, without running it.
    ///
    /// # Errors
    /// [`SyntaxError`] where the code can't be parsed; with line 0 where no process could be had for it.
    pub async fn check_syntax(&self, code: &str, packages: &Path) -> Result<(), SyntaxError> {
        let unknown = |failure: &Failure| SyntaxError { message: failure.to_string(), line: 0, column: 0 };
        let event = to_raw_value(&()).map_err(|_| unknown(&Failure::Crashed))?;
        let request = Request {
            task: Task::Build,
            code: code.to_owned(),
            action_name: "action".to_owned(),
            handler: String::new(),
            limits: CHECK_LIMITS,
            event,
            session_metadata: None,
            now_ms: None,
            cache: CacheView::default(),
            modules: Vec::new(),
        };
        let mut ledger =
            Ledger::new(None, CacheView::default(), 0).map_err(|_| unknown(&Failure::Crashed))?;
        match self.ask(&request, packages, &mut ledger).await {
            Ok(Reply::Built(Ok(_))) => Ok(()),
            Ok(Reply::Built(Err(Failure::Syntax(error)))) => Err(error),
            Ok(_) => Err(unknown(&Failure::Crashed)),
            Err(failure) => Err(unknown(&failure)),
        }
    }

    /// Ends the pool: later jobs are answered [`Failure::Unavailable`], waiting processes end now, busy ones with their
    /// job.
    pub async fn shut_down(&self) {
        self.pool.slots.close();
        let ready = std::mem::take(&mut *self.pool.ready());
        for one in ready {
            one.process.end().await;
        }
    }

    async fn ask(&self, request: &Request, packages: &Path, ledger: &mut Ledger) -> Result<Reply, Failure> {
        let framed = wire::frame(&Call::Job(request))
            .map_err(|error| unavailable("the job can't be sent to a worker", &error))?;
        let packages = tokio::fs::canonicalize(packages)
            .await
            .map_err(|error| unavailable("the packages folder can't be used", &error))?;
        let limits = request.limits;
        let kind = Kind { packages, memory_bytes: limits.memory_bytes, cpu_ms: limits.cpu_ms };
        let permit = self.pool.wait_for_slot(limits).await?;
        let mut lease = Lease { pool: Arc::clone(&self.pool), kind, process: None, permit: Some(permit) };
        let fetch = Arc::clone(&self.pool.fetch);
        let process = lease.take_or_start().await.map_err(|error| {
            tracing::error!(%error, "no Node.js worker could be started");
            unavailable("no Node.js worker could be started", &error)
        })?;
        let deadline = Duration::from_millis(limits.wall_ms.saturating_add(DEADLINE_GRACE_MS));
        match timeout(deadline, process.serve(&framed, ledger, fetch, deadline)).await {
            Ok(Ok(reply)) => Ok(reply),
            Err(_) => Err(Failure::WallClock),
            Ok(Err(_)) => Err(lease.why_it_died().await),
        }
    }
}

fn unavailable(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::Unavailable { reason: format!("{what}: {error}") }
}

/// Bytes kept of each text of a failure. The worker cuts them too, but is not believed.
const TEXT_BYTES_MAX: usize = 8 * 1024;

fn bounded(mut outcome: Outcome) -> Outcome {
    let cut = |text: &mut String| {
        let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or_default());
    };
    match &mut outcome.failure {
        Some(Failure::Script { name, message, stack }) => [name, message, stack].into_iter().for_each(cut),
        Some(Failure::Syntax(error)) => cut(&mut error.message),
        Some(Failure::Unavailable { reason }) => cut(reason),
        Some(
            Failure::CpuTime
            | Failure::WallClock
            | Failure::Memory
            | Failure::Crashed
            | Failure::Busy
            | Failure::NoHandler,
        )
        | None => {}
    }
    outcome
}

impl Pool {
    /// The waiting processes. A panic elsewhere leaves the list whole.
    fn ready(&self) -> MutexGuard<'_, Vec<Ready>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the right to run: not at all if the queue is full, and not longer than the run may take.
    async fn wait_for_slot(&self, limits: Limits) -> Result<OwnedSemaphorePermit, Failure> {
        let closed = || Failure::Unavailable { reason: "the sandbox is shut down".to_owned() };
        match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(permit) => return Ok(permit),
            Err(TryAcquireError::Closed) => return Err(closed()),
            Err(TryAcquireError::NoPermits) => {}
        }
        let _place = Place::take(&self.waiting, self.settings.queue_max).ok_or(Failure::Busy)?;
        match timeout(Duration::from_millis(limits.wall_ms), Arc::clone(&self.slots).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(Failure::Busy),
        }
    }

    fn take_ready(&self, kind: &Kind) -> Option<NodeProcess> {
        let mut ready = self.ready();
        let at = ready.iter().position(|one| one.kind == *kind)?;
        Some(ready.remove(at).process)
    }

    /// Starts a process for the next job of this kind, unless one waits already.
    async fn start_ahead(pool: &Arc<Self>, kind: Kind) {
        if pool.slots.is_closed() || pool.ready().iter().any(|one| one.kind == kind) {
            return;
        }
        let process = match NodeProcess::start(&pool.settings, &kind).await {
            Ok(process) => process,
            Err(error) => {
                tracing::error!(%error, "no Node.js worker could be started ahead");
                return;
            }
        };
        let number = pool.counter.fetch_add(1, Ordering::Relaxed);
        let surplus = {
            let mut ready = pool.ready();
            ready.push(Ready { number, kind, process });
            let is_surplus = ready.len() > pool.workers_max || pool.slots.is_closed();
            is_surplus.then(|| ready.remove(0))
        };
        if let Some(oldest) = surplus {
            oldest.process.end().await;
        }
        let weak = Arc::downgrade(pool);
        pool.runtime.spawn(async move {
            tokio::time::sleep(Duration::from_millis(IDLE_MS_MAX)).await;
            let Some(pool) = weak.upgrade() else { return };
            let idle = {
                let mut ready = pool.ready();
                let at = ready.iter().position(|one| one.number == number);
                at.map(|at| ready.remove(at))
            };
            if let Some(idle) = idle {
                idle.process.end().await;
            }
        });
    }
}

/// The right to run one process, and that process. Dropped, in whatever way the run ended, it ends the process, keeps
/// the right until that is gone, and starts the next one of its kind.
struct Lease {
    pool: Arc<Pool>,
    kind: Kind,
    process: Option<NodeProcess>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Lease {
    async fn take_or_start(&mut self) -> std::io::Result<&mut NodeProcess> {
        let process = match self.pool.take_ready(&self.kind) {
            Some(process) => process,
            None => NodeProcess::start(&self.pool.settings, &self.kind).await?,
        };
        Ok(self.process.insert(process))
    }

    /// A process hung up in mid-job: the kernel says why.
    async fn why_it_died(mut self) -> Failure {
        match self.process.take() {
            Some(process) => process.why_it_died().await,
            None => Failure::Crashed,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (process, permit) = (self.process.take(), self.permit.take());
        let (pool, kind) = (Arc::clone(&self.pool), self.kind.clone());
        self.pool.runtime.spawn(async move {
            if let Some(process) = process {
                process.end().await;
            }
            drop(permit);
            Pool::start_ahead(&pool, kind).await;
        });
    }
}
