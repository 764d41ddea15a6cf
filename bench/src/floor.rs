//! The least that the parts of a request cost: bytes over HTTP, signatures, commits, a realm, a password's hash.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::serve::ListenerExt;
use rustix::time::{ClockId, clock_gettime};
use store::backend::{Backend, Batch, Put, RowKey, Version};
use store::sqlite::Sqlite;

use crate::Result;
use crate::load::measure;
use crate::process::{Folder, Process};
use crate::wire::{Ask, Wire};

/// The word that makes this program the HTTP floor.
pub(crate) const HTTP_COMMAND: &str = "floor-http";
/// The header that says how many bytes the floor is to answer.
const BYTES: &str = "x-bytes";
/// Bytes of an answer at most.
const BYTES_MAX: usize = 1024 * 1024;
/// Bytes of the claims that are signed.
const SIGNED_BYTES: usize = 512;

/// The HTTP floor: reads any request to its end and answers bytes. The same framework, runtime and allocator as the
/// server's; nothing else.
pub(crate) fn serve_http() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut out = std::io::stdout();
        writeln!(out, "{}", listener.local_addr()?)?;
        out.flush()?;
        let listener = listener.tap_io(|stream| {
            // Only later would be lost by a delay.
            let _ = stream.set_nodelay(true);
        });
        let all = Bytes::from(vec![b'.'; BYTES_MAX]);
        let answer = async move |headers: HeaderMap, body: Bytes| {
            let wanted = headers.get(BYTES).and_then(|value| value.to_str().ok()?.parse().ok());
            std::hint::black_box(body);
            all.slice(..wanted.unwrap_or(0_usize).min(BYTES_MAX))
        };
        Ok(axum::serve(listener, Router::new().fallback(answer)).await?)
    })
}

/// A floor that is measured over HTTP.
pub(crate) struct Http {
    process: Process,
    address: String,
}

impl Http {
    /// Starts this program again, as the floor.
    pub(crate) fn start() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = Process::start(command.arg(HTTP_COMMAND).stdout(Stdio::piped()))?;
        let output = process.output().ok_or("the floor's output is piped")?;
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address)?;
        Ok(Self { process, address: address.trim().to_owned() })
    }

    /// Says the same requests, with the same number of connections, and is answered as many bytes. The result is in
    /// microseconds of processor time for all of the requests together.
    pub(crate) async fn cpu_us(
        &self,
        tape: Vec<(Ask, usize)>,
        at_once: usize,
        time: Duration,
    ) -> Result<f64> {
        let asks: Rc<Vec<Ask>> =
            Rc::new(tape.into_iter().map(|(ask, bytes)| ask.with(BYTES, &bytes.to_string())).collect());
        let mut seats = Vec::with_capacity(at_once);
        for _ in 0..at_once {
            seats.push((Wire::open(&self.address).await?, Rc::clone(&asks)));
        }
        let step = async |(wire, asks): &mut (Wire, Rc<Vec<Ask>>)| {
            for ask in asks.iter() {
                wire.ask(ask.clone()).await?.expect(200)?;
            }
            Ok(())
        };
        Ok(measure(&self.process, seats, time, step).await?.0.cpu_us())
    }
}

/// What work that needs no server costs, in microseconds of processor time.
pub(crate) struct Bare {
    pub(crate) rs256_sign: f64,
    pub(crate) rs256_verify: f64,
    pub(crate) es256_sign: f64,
    pub(crate) realm: f64,
    pub(crate) argon2: f64,
}

impl Bare {
    /// Measures each for a while, on this thread.
    pub(crate) fn measure(time: Duration) -> Result<Self> {
        let (message, random) = ([b'.'; SIGNED_BYTES], SystemRandom::new());
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature)?;
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa.public_key().as_ref())
            .map_err(|error| error.to_string())?;
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let argon2 = argon2::Argon2::default();
        let mut into = vec![0; signature.len()];
        Ok(Self {
            rs256_sign: each(time, || rsa.sign(&RSA_PKCS1_SHA256, &random, &message, &mut into).is_ok()),
            rs256_verify: each(time, || public.verify_sig(&message, &signature).is_ok()),
            es256_sign: each(time, || ec.sign(&random, &message).is_ok()),
            realm: each(time, || {
                sandbox::floor::fresh_realm();
                true
            }),
            argon2: each(time, || {
                argon2.hash_password_into(b"password", b"0123456789abcdef", &mut [0; 32]).is_ok()
            }),
        })
    }
}

/// Processor time of one call, in microseconds.
fn each(time: Duration, mut call: impl FnMut() -> bool) -> f64 {
    let until = Instant::now() + time;
    assert!(call(), "the bare work succeeds");
    let (began, mut count) = (cpu(ClockId::ThreadCPUTime), 0_u32);
    while Instant::now() < until {
        assert!(call(), "the bare work succeeds");
        count += 1;
    }
    (cpu(ClockId::ThreadCPUTime) - began).as_secs_f64() * 1e6 / f64::from(count.max(1))
}

fn cpu(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What durable commits came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Committed {
    /// Commits per second of all writers together.
    pub(crate) per_second: f64,
    /// Processor time of one, in microseconds.
    pub(crate) cpu_us: f64,
}

/// Commits of one row to the store's SQLite backend: nothing read, nothing expected, no index.
pub(crate) struct Commits<'a> {
    parent: &'a Path,
    time: Duration,
    known: HashMap<(usize, usize), Committed>,
}

impl<'a> Commits<'a> {
    /// Commits to files in `parent`, each case for a while.
    pub(crate) fn new(parent: &'a Path, time: Duration) -> Self {
        Self { parent, time, known: HashMap::new() }
    }

    /// So many writers, each committing one row of so many bytes after another.
    pub(crate) fn of(&mut self, writers: usize, row_bytes: usize) -> Result<Committed> {
        if let Some(known) = self.known.get(&(writers, row_bytes)) {
            return Ok(*known);
        }
        let folder = Folder::new(self.parent, "commits")?;
        let (file, time) = (folder.file("store.db"), self.time);
        // A runtime of its own, and meanwhile nothing else runs in this process.
        let run = std::thread::spawn(move || -> std::result::Result<Committed, String> {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            let runtime = runtime.map_err(|error| error.to_string())?;
            runtime.block_on(commit_for(file, writers, row_bytes, time)).map_err(|error| error.to_string())
        });
        let committed = run.join().map_err(|_| "the writers panicked")??;
        self.known.insert((writers, row_bytes), committed);
        Ok(committed)
    }
}

async fn commit_for(
    file: std::path::PathBuf,
    writers: usize,
    row_bytes: usize,
    time: Duration,
) -> store::Result<Committed> {
    let sqlite = Arc::new(Sqlite::open(file).await?);
    let (began, cpu_before) = (Instant::now(), cpu(ClockId::ProcessCPUTime));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..writers {
        let sqlite = Arc::clone(&sqlite);
        tasks.spawn(async move {
            let mut count = 0_u32;
            while began.elapsed() < time {
                let number = i64::from(count) * 4096 + i64::try_from(writer).unwrap_or(0);
                let at = RowKey { space: "bench".into(), key: format!("{number:020}") };
                let put = Put { at, value: ".".repeat(row_bytes), expires_at: None };
                let id = Version::from_bits(number);
                sqlite.commit(Batch { id, expect: Vec::new(), put: vec![put], delete: Vec::new() }).await?;
                count += 1;
            }
            store::Result::Ok(count)
        });
    }
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += done.map_err(|error| store::StoreError::Unavailable(error.to_string()))??;
    }
    let used = cpu(ClockId::ProcessCPUTime) - cpu_before;
    let count = f64::from(count.max(1));
    Ok(Committed {
        per_second: count / began.elapsed().as_secs_f64(),
        cpu_us: used.as_secs_f64() * 1e6 / count,
    })
}
