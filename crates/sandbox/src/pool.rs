//! The host's side: a bounded pool of worker processes with a bounded queue, deadlines, kill and replace.
//!
//! A worker serves one job at a time. Whatever goes wrong with it costs that job only: the worker is killed and a
//! fresh one started. Nothing that it says is believed: a script may have taken it over. Not here: what a worker does
//! with a job (`worker`), the bytes between them (`wire`), what an outcome must keep to (`distrust`).

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use serde_json::value::to_raw_value;
use tokio::net::UnixStream;
use tokio::process::{Child, Command as Process};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::distrust::Heard;
use crate::fetch::{FETCHES_MAX, Fetch, FetchError, NoFetch};
use crate::job::{CacheView, Job, Limits, Module};
use crate::outcome::{Failure, Outcome};
use crate::wire::{self, Answer, Ask, Call, Reply, Request, Start, Task};

/// Runs after which a worker is replaced, so that nothing can slowly gather in it.
const WORKER_RUNS_MAX: u32 = 10_000;
/// What a new worker may take to give up its rights and report, in milliseconds.
const WORKER_START_MS_MAX: u64 = 5_000;
/// What the host grants a worker beyond the job's wall clock, in milliseconds: the worker stops itself in time
/// unless it is stuck in one built-in function.
const DEADLINE_GRACE_MS: u64 = 30;
/// What a killed worker may take to be gone, in milliseconds; afterwards the runtime reaps it whenever it can.
const KILL_MS_MAX: u64 = 1_000;
/// Limits for parsing alone, which has no business taking long.
const BUILD_LIMITS: Limits =
    Limits { cpu_ms: 500, wall_ms: 1_000, memory_bytes: 64 * 1024 * 1024, console_bytes_max: 0 };

/// How to start a worker. It must end in [`worker_main`](crate::worker_main).
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The program, such as our own binary.
    pub program: PathBuf,
    /// Its arguments, such as `worker`.
    pub args: Vec<String>,
}

/// How large the pool is.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// How to start a worker.
    pub worker: WorkerCommand,
    /// Workers that live at once, at least one. One for each core is a good choice.
    pub workers_max: usize,
    /// Jobs that may wait for a worker; one more is answered [`Failure::Busy`].
    pub queue_max: usize,
    /// Bytes of address space of a worker: a second fence around the script's own heap limit.
    pub worker_memory_bytes_max: u64,
}

/// The pool of workers. Clones share it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    pool: Arc<Pool>,
}

struct Pool {
    settings: SandboxSettings,
    fetch: Arc<dyn Fetch>,
    runtime: Handle,
    /// One permit for each worker that may live.
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    idle: Mutex<Vec<Worker>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pool").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts the pool; its workers come up in the background, so this returns at once.
    ///
    /// # Panics
    /// Outside a tokio runtime with its I/O and time drivers on.
    pub fn start(settings: SandboxSettings) -> Self {
        Self::start_with_fetch(settings, Arc::new(NoFetch))
    }

    /// As [`Sandbox::start`], with a way out for scripts: without one, each of their fetches is refused.
    ///
    /// # Panics
    /// As [`Sandbox::start`].
    pub fn start_with_fetch(settings: SandboxSettings, fetch: Arc<dyn Fetch>) -> Self {
        let workers = settings.workers_max.clamp(1, Semaphore::MAX_PERMITS);
        let pool = Arc::new(Pool {
            settings,
            fetch,
            runtime: Handle::current(),
            slots: Arc::new(Semaphore::new(workers)),
            waiting: AtomicUsize::new(0),
            idle: Mutex::new(Vec::with_capacity(workers)),
        });
        for _ in 0..workers {
            Pool::start_ahead(&pool);
        }
        Self { pool }
    }

    /// Runs one Action and reports what it asked for. Takes at most the job's wall clock for the run, and as long again
    /// for waiting in the queue. Dropping the future kills the run.
    pub async fn run(&self, job: Job) -> Outcome {
        self.run_with(job, None).await
    }

    /// As [`Sandbox::run`], but the script's clock stands at a time, in milliseconds since 1970: what it does then
    /// doesn't depend on when it is run. Timers and limits go on by the real clock.
    pub async fn run_at(&self, job: Job, now_ms: i64) -> Outcome {
        self.run_with(job, Some(now_ms)).await
    }

    async fn run_with(&self, job: Job, now_ms: Option<i64>) -> Outcome {
        let request = match to_raw_value(&job.event) {
            Ok(event) => Request {
                task: Task::Run,
                code: job.code.as_ref().to_owned(),
                action_name: job.action_name,
                handler: job.handler,
                limits: job.limits,
                session_metadata: job.event.session_metadata().cloned(),
                now_ms,
                event,
                cache: job.cache,
                modules: job.modules.into_iter().map(to_wire).collect(),
            },
            Err(error) => return Outcome::failed(unavailable("the event can't be written as JSON", &error)),
        };
        match self.ask(&request).await {
            Ok(Heard::Ran(outcome)) => *outcome,
            Ok(Heard::Built(_)) => Outcome::failed(Failure::Crashed),
            Err(outcome) => *outcome,
        }
    }

    /// Parses code without running it, and answers the JavaScript to run: the types of a TypeScript source blanked, its
    /// `import` and `export` turned into what CommonJS has; `None` where that is the code as it stands. Takes at most a
    /// second, and as long again in the queue.
    ///
    /// # Errors
    /// [`Failure::Syntax`] where the code can't be parsed, with its place; others where a worker could not say, such as
    /// [`Failure::Crashed`] for nesting without end.
    pub async fn build(&self, code: &str) -> Result<Option<String>, Failure> {
        let event = to_raw_value(&()).map_err(|_| Failure::Crashed)?;
        let request = Request {
            task: Task::Build,
            code: code.to_owned(),
            action_name: "action".to_owned(),
            handler: String::new(),
            limits: BUILD_LIMITS,
            event,
            session_metadata: None,
            now_ms: None,
            cache: CacheView::default(),
            modules: Vec::new(),
        };
        match self.ask(&request).await {
            Ok(Heard::Built(built)) => built,
            Ok(Heard::Ran(_)) => Err(Failure::Crashed),
            Err(outcome) => Err(outcome.failure.unwrap_or(Failure::Crashed)),
        }
    }

    /// Ends the pool: later jobs are answered [`Failure::Unavailable`], idle workers end now, busy ones with their job.
    pub async fn shut_down(&self) {
        self.pool.slots.close();
        let idle = std::mem::take(&mut *self.pool.idle());
        for worker in idle {
            worker.end().await;
        }
    }

    /// The whole way of one request. `Err` holds the outcome of a run that has none of its own.
    async fn ask(&self, request: &Request) -> Result<Heard, Box<Outcome>> {
        let failed = |failure| Box::new(Outcome::failed(failure));
        let framed = wire::frame(&Call::Job(request))
            .map_err(|error| failed(unavailable("the job can't be sent to a worker", &error)))?;
        let permit = self.pool.wait_for_slot(request.limits).await.map_err(failed)?;
        let mut lease = Lease { pool: Arc::clone(&self.pool), worker: None, permit: Some(permit) };
        let fetch: Arc<dyn Fetch> = match request.task {
            Task::Run => Arc::clone(&self.pool.fetch),
            // Code that is only parsed asks for nothing.
            Task::Build => Arc::new(NoFetch),
        };
        let worker = lease.take_or_start().await.map_err(|error| {
            tracing::error!(%error, "no sandbox worker could be started");
            failed(unavailable("no worker could be started", &error))
        })?;
        let started = Instant::now();
        let deadline = Duration::from_millis(request.limits.wall_ms.saturating_add(DEADLINE_GRACE_MS));
        let served = timeout(deadline, worker.serve(&framed, fetch, deadline)).await;
        let wall_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let failure = match served {
            Ok(Ok(reply)) => match Heard::of(reply, request.task, request.limits, wall_us) {
                Ok(heard) => {
                    lease.give_back();
                    return Ok(heard);
                }
                Err(why) => {
                    // The lease kills it: whoever breaks its own promises is not one of ours any more.
                    tracing::error!(why, "a sandbox worker broke the protocol and was ended");
                    Failure::Crashed
                }
            },
            Err(_) => Failure::WallClock,
            Ok(Err(_)) => lease.why_it_died().await,
        };
        Err(Box::new(Outcome { wall_us, ..Outcome::failed(failure) }))
    }
}

pub(crate) fn to_wire(module: Module) -> wire::Module {
    let Module { name, code, secrets } = module;
    wire::Module { name, code: code.as_ref().to_owned(), secrets }
}

fn unavailable(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::Unavailable { reason: format!("{what}: {error}") }
}

impl Pool {
    /// The idle workers. A panic elsewhere leaves the list whole, so a poisoned lock is no reason to stop.
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the right to use a worker: not at all if the queue is full, and not longer than the run may take.
    async fn wait_for_slot(&self, limits: Limits) -> Result<OwnedSemaphorePermit, Failure> {
        let closed = || Failure::Unavailable { reason: "the sandbox is shut down".to_owned() };
        match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(permit) => return Ok(permit),
            Err(tokio::sync::TryAcquireError::Closed) => return Err(closed()),
            Err(tokio::sync::TryAcquireError::NoPermits) => {}
        }
        let _place = Place::take(&self.waiting, self.settings.queue_max).ok_or(Failure::Busy)?;
        let patience = Duration::from_millis(limits.wall_ms);
        match timeout(patience, Arc::clone(&self.slots).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(Failure::Busy),
        }
    }

    /// Starts a worker in the background, so that the next job needn't wait for it.
    fn start_ahead(pool: &Arc<Self>) {
        let Ok(permit) = Arc::clone(&pool.slots).try_acquire_owned() else { return };
        let lease = Lease { pool: Arc::clone(pool), worker: None, permit: Some(permit) };
        pool.runtime.spawn(lease.warm_up());
    }
}

/// A place in the queue.
pub(crate) struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    pub(crate) fn take(waiting: &'a AtomicUsize, max: usize) -> Option<Self> {
        let one_more = |count: usize| (count < max).then_some(count + 1);
        waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to one worker, and that worker. Dropped without [`Lease::give_back`], the worker is killed and
/// another is started ahead: that is what makes dropping a run's future safe.
struct Lease {
    pool: Arc<Pool>,
    worker: Option<Worker>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Lease {
    async fn take_or_start(&mut self) -> io::Result<&mut Worker> {
        let idle = self.pool.idle().pop();
        if let Some(worker) = idle {
            if worker.is_silent() {
                return Ok(self.worker.insert(worker));
            }
            tracing::warn!("a sandbox worker ended, or spoke without being asked, between two jobs");
            worker.end().await;
        }
        Ok(self.worker.insert(Worker::start(&self.pool.settings).await?))
    }

    /// Starts a worker and leaves it idle.
    async fn warm_up(mut self) {
        match Worker::start(&self.pool.settings).await {
            Ok(worker) => {
                self.worker = Some(worker);
                self.give_back();
            }
            Err(error) => {
                tracing::error!(%error, "no sandbox worker could be started ahead");
                self.permit = None;
            }
        }
    }

    /// Makes a healthy worker idle again, or retires it after its last run.
    fn give_back(mut self) {
        let fresh = self.worker.as_ref().is_some_and(|worker| worker.runs < WORKER_RUNS_MAX);
        if !fresh || self.pool.slots.is_closed() {
            return;
        }
        if let Some(worker) = self.worker.take() {
            self.pool.idle().push(worker);
        }
        // The worker first, then the right to it, so that whoever gets the right finds the worker.
        self.permit = None;
    }

    /// A worker hung up in mid-job: the kernel says why.
    async fn why_it_died(mut self) -> Failure {
        match self.worker.take() {
            Some(worker) => worker.why_it_died().await,
            None => Failure::Crashed,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let worker = self.worker.take();
        let pool = Arc::clone(&self.pool);
        if self.pool.slots.is_closed() {
            return;
        }
        // The killed worker keeps its place until it is gone, so there are never more than `workers_max`.
        self.pool.runtime.spawn(async move {
            if let Some(worker) = worker {
                worker.end().await;
            }
            Lease { pool, worker: None, permit: Some(permit) }.warm_up().await;
        });
    }
}

/// One fetch, from the worker's request to the message that answers it.
pub(crate) async fn carry_out(
    fetch: Arc<dyn Fetch>,
    ask: Ask,
    left: Duration,
    answers: mpsc::Sender<Vec<u8>>,
) {
    let result = if ask.request.is_within_limits() {
        match timeout(left, fetch.fetch(ask.request, left)).await {
            Ok(result) => result,
            Err(_) => Err(FetchError::Timeout),
        }
    } else {
        Err(FetchError::Refused("the request is longer than a script may send".to_owned()))
    };
    let framed = wire::frame(&Call::<()>::Answer(Answer { id: ask.id, result })).or_else(|_| {
        wire::frame(&Call::<()>::Answer(Answer { id: ask.id, result: Err(FetchError::TooLong) }))
    });
    if let Ok(framed) = framed {
        // A job that has ended waits for nothing.
        let _ = answers.send(framed).await;
    }
}

/// Starts a worker, waits until it is ready, and ends it: what a measurement of that repeats.
pub(crate) async fn start_and_end_worker(settings: &SandboxSettings) -> io::Result<Duration> {
    let began = Instant::now();
    let worker = Worker::start(settings).await?;
    let took = began.elapsed();
    worker.end().await;
    Ok(took)
}

/// One worker process.
#[derive(Debug)]
struct Worker {
    process: Child,
    socket: UnixStream,
    runs: u32,
}

impl Worker {
    /// Starts a process with nothing but a socket, and waits until it has given up its rights.
    async fn start(settings: &SandboxSettings) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let process = Process::new(&settings.worker.program)
            .args(&settings.worker.args)
            .env_clear()
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut worker = Self { process, socket: UnixStream::from_std(ours)?, runs: 0 };
        let start = wire::frame(&Start { memory_bytes_max: settings.worker_memory_bytes_max })?;
        let patience = Duration::from_millis(WORKER_START_MS_MAX);
        match timeout(patience, worker.exchange(&start)).await {
            Ok(Ok(Reply::Ready)) => Ok(worker),
            Ok(Ok(Reply::Refused(reason))) => Err(io::Error::other(reason)),
            Ok(Ok(_)) => Err(io::Error::other("the worker spoke out of turn")),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the worker didn't report in time")),
        }
    }

    /// Whether it waits for a job: alive, and with nothing said that nobody asked for. What it said between two jobs
    /// would be taken for the answer to the next one.
    fn is_silent(&self) -> bool {
        let mut byte = [0; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        matches!(recv(&self.socket, &mut byte, flags), Err(Errno::AGAIN))
    }

    async fn exchange(&mut self, framed: &[u8]) -> io::Result<Reply> {
        self.runs += 1;
        wire::send(&mut self.socket, framed).await?;
        wire::receive(&mut self.socket).await
    }

    /// One job, with the fetches that its script asks for meanwhile.
    async fn serve(&mut self, framed: &[u8], fetch: Arc<dyn Fetch>, limit: Duration) -> io::Result<Reply> {
        self.runs += 1;
        let began = Instant::now();
        wire::send(&mut self.socket, framed).await?;
        let (mut reader, mut writer) = self.socket.split();
        let (answers, mut answered) = mpsc::channel(FETCHES_MAX);
        let read = async move {
            // Dropped with the reply, which ends what is still under way.
            let mut running = JoinSet::new();
            loop {
                match wire::receive(&mut reader).await? {
                    Reply::Fetch(ask) => {
                        if running.len() >= FETCHES_MAX {
                            return Err(io::Error::other("the worker asks for more than it may"));
                        }
                        let left = limit.saturating_sub(began.elapsed());
                        running.spawn(carry_out(Arc::clone(&fetch), ask, left, answers.clone()));
                    }
                    reply => return Ok(reply),
                }
            }
        };
        // Both at once: a worker that writes doesn't read, and must not meet a host that only writes.
        let write = async move {
            while let Some(framed) = answered.recv().await {
                wire::send(&mut writer, &framed).await?;
            }
            Ok::<_, io::Error>(())
        };
        // The writer ends after the reader, with the answer that it was sending: a cut one would spoil the next job.
        let (reply, ()) = tokio::try_join!(read, write)?;
        Ok(reply)
    }

    /// Kills the process and waits, for a while, until it is gone.
    async fn end(mut self) {
        // Both can only fail if it is gone already, or stays for the runtime to reap.
        let _ = self.process.start_kill();
        let _ = timeout(Duration::from_millis(KILL_MS_MAX), self.process.wait()).await;
    }

    async fn why_it_died(mut self) -> Failure {
        use std::os::unix::process::ExitStatusExt;
        match timeout(Duration::from_millis(KILL_MS_MAX), self.process.wait()).await {
            Ok(Ok(status)) if status.signal() == Some(crate::cpu_timer::SIGNAL) => Failure::CpuTime,
            _ => Failure::Crashed,
        }
    }
}
