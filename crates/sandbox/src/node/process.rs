//! One Node.js process, from the host's side: its start, the one job that it serves, its end.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::ledger::{Ledger, QUESTIONS, Question};
use super::shim::Become;
use super::{Kind, NodeSettings};
use crate::fetch::{
    FETCHES_MAX, Fetch, FetchError, HEADER_BYTES_MAX, HEADERS_MAX, REQUEST_BYTES_MAX, URL_BYTES_MAX,
};
use crate::outcome::Failure;
use crate::pool::carry_out;
use crate::wire::{self, Reply};

/// What a process may take to become Node.js and report, in milliseconds.
const START_MS_MAX: u64 = 10_000;
/// What a killed process may take to be gone, in milliseconds; afterwards the runtime reaps it whenever it can.
const KILL_MS_MAX: u64 = 1_000;
/// How Node.js ends itself when it has no memory left: abort(3), or a trap.
const OUT_OF_MEMORY: [i32; 3] = [libc::SIGABRT, libc::SIGTRAP, libc::SIGILL];

/// The first message that Node.js reads: its own scripts, and what they must know.
#[derive(Serialize)]
struct Boot {
    scripts: BTreeMap<&'static str, &'static str>,
    functions: &'static [&'static str],
    limits: BTreeMap<&'static str, usize>,
    fetch_failures: BTreeMap<&'static str, String>,
}

impl Boot {
    fn new() -> Self {
        Self {
            scripts: BTreeMap::from([
                ("network", include_str!("../../js/node/network.js")),
                ("realm", include_str!("../../js/realm.js")),
                ("redirect", include_str!("../../js/redirect.js")),
                ("worker", include_str!("../../js/node/worker.js")),
            ]),
            functions: QUESTIONS,
            limits: BTreeMap::from([
                ("fetches", FETCHES_MAX),
                ("body_bytes", REQUEST_BYTES_MAX),
                ("url_bytes", URL_BYTES_MAX),
                ("headers", HEADERS_MAX),
                ("header_bytes", HEADER_BYTES_MAX),
            ]),
            // By the names that they have in an answer.
            fetch_failures: BTreeMap::from([
                ("timeout", FetchError::Timeout.to_string()),
                ("too_long", FetchError::TooLong.to_string()),
                ("too_many_redirects", FetchError::TooManyRedirects.to_string()),
            ]),
        }
    }
}

/// A process that has given up its rights and waits for its job, or has it.
#[derive(Debug)]
pub(super) struct NodeProcess {
    process: Child,
    calls: UnixStream,
    questions: UnixStream,
}

/// Both ends of a socket: ours for the runtime, theirs for a child.
fn channel() -> io::Result<(UnixStream, Stdio)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, Stdio::from(OwnedFd::from(theirs))))
}

impl NodeProcess {
    /// Starts a process with nothing but two sockets, and waits until it is ready.
    pub(super) async fn start(settings: &NodeSettings, kind: &Kind) -> io::Result<Self> {
        let (calls, their_calls) = channel()?;
        let (questions, their_questions) = channel()?;
        let process = Command::new(&settings.worker.program)
            .args(&settings.worker.args)
            .env_clear()
            .stdin(their_calls)
            .stdout(their_questions)
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut started = Self { process, calls, questions };
        let messages = [
            wire::frame(&Become {
                node: settings.program.path.clone(),
                permission_option: settings.program.permission_option().to_owned(),
                packages: kind.packages.clone(),
                memory_bytes: kind.memory_bytes,
                cpu_seconds: kind.cpu_ms.div_ceil(1_000).max(1),
            })?,
            wire::frame(&Boot::new())?,
        ];
        let report = async {
            for message in &messages {
                wire::send(&mut started.calls, message).await?;
            }
            wire::receive::<Reply>(&mut started.calls).await
        };
        match timeout(Duration::from_millis(START_MS_MAX), report).await {
            Ok(Ok(Reply::Ready)) => Ok(started),
            Ok(Ok(Reply::Refused(reason))) => Err(io::Error::other(reason)),
            Ok(Ok(_)) => Err(io::Error::other("the worker spoke out of turn")),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the worker didn't report in time")),
        }
    }

    /// The job, with the questions and fetches that its script asks meanwhile.
    pub(super) async fn serve(
        &mut self,
        framed: &[u8],
        ledger: &mut Ledger,
        fetch: Arc<dyn Fetch>,
        limit: Duration,
    ) -> io::Result<Reply> {
        let began = Instant::now();
        wire::send(&mut self.calls, framed).await?;
        let (mut reader, mut writer) = self.calls.split();
        let (answers, mut answered) = mpsc::channel(FETCHES_MAX);
        let read = async move {
            // Dropped with the reply, which ends what is still under way.
            let mut running = JoinSet::new();
            let mut asked = 0;
            loop {
                match wire::receive(&mut reader).await? {
                    Reply::Fetch(ask) => {
                        asked += 1;
                        if asked > FETCHES_MAX {
                            return Err(io::Error::other("the worker asks for more than it may"));
                        }
                        let left = limit.saturating_sub(began.elapsed());
                        running.spawn(carry_out(Arc::clone(&fetch), ask, left, answers.clone()));
                    }
                    reply => return Ok(reply),
                }
            }
        };
        let write = async move {
            while let Some(framed) = answered.recv().await {
                wire::send(&mut writer, &framed).await?;
            }
            Err(io::ErrorKind::BrokenPipe.into())
        };
        let questions = &mut self.questions;
        let answer = async move {
            loop {
                let question: Question = wire::receive(questions).await?;
                let answer = ledger.answer(question).map_err(io::Error::other)?;
                wire::send(questions, &wire::frame(&answer)?).await?;
            }
        };
        // Whether it has hung up is for `read` to find: the other ends close with the reply still on its way.
        tokio::select! {
            reply = read => reply,
            failed = unless_hung_up(write) => failed,
            failed = unless_hung_up(answer) => failed,
        }
    }

    /// Kills the process and waits, for a while, until it is gone.
    pub(super) async fn end(mut self) {
        // Both can only fail if it is gone already, or stays for the runtime to reap.
        let _ = self.process.start_kill();
        let _ = timeout(Duration::from_millis(KILL_MS_MAX), self.process.wait()).await;
    }

    /// Why a process hung up. One that the host itself distrusts, and so ends, has crashed.
    pub(super) async fn why_it_died(mut self) -> Failure {
        drop((self.calls, self.questions));
        match timeout(Duration::from_millis(KILL_MS_MAX), self.process.wait()).await {
            Ok(Ok(status)) if status.signal() == Some(libc::SIGXCPU) => Failure::CpuTime,
            Ok(Ok(status)) if status.signal().is_some_and(|signal| OUT_OF_MEMORY.contains(&signal)) => {
                Failure::Memory
            }
            _ => Failure::Crashed,
        }
    }
}

/// The error that a future ends with, and nothing for one that only says that the other end is closed.
async fn unless_hung_up<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    match work.await {
        Err(error) if matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof) => {
            std::future::pending().await
        }
        result => result,
    }
}
