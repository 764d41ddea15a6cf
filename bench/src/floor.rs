//! The least that the parts of a request cost: bytes over HTTP, signatures, commits, a realm, a password's hash.

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
/// What is signed: as long as the claims of a token.
const SIGNED: [u8; 512] = [b'.'; 512];

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
    pub(crate) async fn cpu_us(&self, tape: &[(Ask, usize)], at_once: usize, time: Duration) -> Result<f64> {
        let asks: Rc<Vec<Ask>> =
            Rc::new(tape.iter().map(|(ask, bytes)| ask.clone().with(BYTES, &bytes.to_string())).collect());
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

/// Work that needs no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Rs256,
    Rs256Verified,
    Es256,
    Realm,
    Argon2,
}

impl Piece {
    pub(crate) const ALL: [Self; 5] =
        [Self::Rs256, Self::Rs256Verified, Self::Es256, Self::Realm, Self::Argon2];

    /// As the tables call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs256Verified => "RS256 verified",
            Self::Es256 => "ES256",
            Self::Realm => "realm",
            Self::Argon2 => "Argon2id",
        }
    }
}

/// Keys for the bare signatures.
pub(crate) struct Bare {
    random: SystemRandom,
    rsa: RsaKeyPair,
    public: ParsedPublicKey,
    signature: Vec<u8>,
    ec: EcdsaKeyPair,
}

impl Bare {
    pub(crate) fn new() -> Result<Self> {
        let (random, rsa) = (SystemRandom::new(), RsaKeyPair::generate(KeySize::Rsa2048)?);
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, &SIGNED, &mut signature)?;
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa.public_key().as_ref())
            .map_err(|error| error.to_string())?;
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        Ok(Self { random, rsa, public, signature, ec })
    }

    /// What one piece costs, in microseconds of processor time, measured for so long.
    pub(crate) fn cpu_us(&self, piece: Piece, time: Duration) -> f64 {
        each(time, |room: &mut [u8]| match piece {
            Piece::Rs256 => {
                let room = &mut room[..self.signature.len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, &SIGNED, room).is_ok()
            }
            Piece::Rs256Verified => self.public.verify_sig(&SIGNED, &self.signature).is_ok(),
            Piece::Es256 => self.ec.sign(&self.random, &SIGNED).is_ok(),
            Piece::Realm => {
                sandbox::floor::untouched_realm();
                true
            }
            Piece::Argon2 => {
                let salt = b"0123456789abcdef";
                argon2::Argon2::default().hash_password_into(b"password", salt, &mut room[..32]).is_ok()
            }
        })
    }
}

/// Processor time of one call, in microseconds, with every processor at it: a processor that shares its core with a
/// busy one is slower, and while the server is measured all are busy.
fn each(time: Duration, call: impl Fn(&mut [u8]) -> bool + Sync) -> f64 {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let until = Instant::now() + time;
    let run = || {
        let mut room = [0; 1024];
        assert!(call(&mut room), "the bare work succeeds");
        let (began, mut count) = (cpu(ClockId::ThreadCPUTime), 0_u32);
        while count == 0 || Instant::now() < until {
            assert!(call(&mut room), "the bare work succeeds");
            count += 1;
        }
        ((cpu(ClockId::ThreadCPUTime) - began).as_secs_f64() * 1e6, f64::from(count))
    };
    let (used_us, count) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let done = threads.into_iter().map(|thread| thread.join().expect("the bare work does not panic"));
        done.fold((0.0, 0.0), |sum, (used_us, count)| (sum.0 + used_us, sum.1 + count))
    });
    used_us / count
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

/// Commits of one row of so many bytes to the store's SQLite backend, in a file of its own in `parent`, by so many
/// writers for so long: nothing read, nothing expected, no index. With a pace, all writers together commit so many a
/// second, for the fewer share a sync, the more each one costs; without, as many as they can.
pub(crate) fn commits(
    parent: &Path,
    writers: usize,
    row_bytes: usize,
    pace: Option<f64>,
    time: Duration,
) -> Result<Committed> {
    let folder = Folder::new(parent, "commits")?;
    let file = folder.file("store.db");
    // A runtime of its own, and meanwhile nothing else runs in this process.
    let run = std::thread::spawn(move || -> std::result::Result<Committed, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(commit_for(file, writers, row_bytes, pace, time)).map_err(|error| error.to_string())
    });
    Ok(run.join().map_err(|_| "the writers panicked")??)
}

/// How many times a second the disk takes 4 KiB and says that they are safe, one after another: what a lone writer
/// waits for, and what many share.
pub(crate) fn syncs_per_second(parent: &Path, time: Duration) -> Result<f64> {
    let folder = Folder::new(parent, "syncs")?;
    let mut file = std::fs::File::create(folder.file("bytes"))?;
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < time {
        file.write_all(&[b'.'; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

async fn commit_for(
    file: std::path::PathBuf,
    writers: usize,
    row_bytes: usize,
    pace: Option<f64>,
    time: Duration,
) -> store::Result<Committed> {
    let sqlite = Arc::new(Sqlite::open(file).await?);
    let (began, cpu_before) = (Instant::now(), cpu(ClockId::ProcessCPUTime));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..writers {
        let sqlite = Arc::clone(&sqlite);
        // Each writer has its turn once in as long as all together take for one commit each.
        let turn = pace.map(|pace| Duration::from_secs_f64(writers as f64 / pace.max(1.0)));
        let offset = turn.unwrap_or_default().mul_f64(writer as f64 / writers as f64);
        tasks.spawn(async move {
            let mut count = 0_u32;
            while began.elapsed() < time {
                if let Some(turn) = turn {
                    tokio::time::sleep_until((began + offset + turn * count).into()).await;
                }
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
