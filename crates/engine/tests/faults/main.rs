//! Whatever call fails, and wherever the process dies: what was acknowledged stays, what ended is told, log and state
//! agree.
//!
//! A story (sign-in, metadata, tokens, an end of the session, deliveries) is played again and again. The first time
//! its first call to the store fails, then its second, and so on, until it comes through; the same for the calls to
//! relying parties. A call fails before it did anything, or after; or the process dies at it: the engine is dropped
//! there and another one opened on the same records. Then time passes, and the invariants of `check.rs` must hold.
//!
//! | variable | what it does |
//! | --- | --- |
//! | `FAULTS_SEED` | identifiers and chance come from this number; a failure prints it |
//! | `FAULTS_ONLY` | plays the one case of this name; a failure prints it |
//! | `FAULTS_SEEDS` | plays with so many seeds |
//! | `FAULTS_ALL` | plays every case; otherwise a store gets each so many-th, others with each seed |

#![expect(clippy::unwrap_used, reason = "this whole crate is a test, its helpers too")]

mod check;
mod log_order;
mod nodes;
mod story;
mod world;

use std::sync::Arc;

use store::faulty::{Fault, Faulty};

use crate::story::{End, Told};
use crate::world::{Kind, Place, PostFault, Run, Template};

/// What goes wrong, and where.
#[derive(Debug, Clone, Copy)]
enum Point {
    Call(u64, Fault),
    Commit(u64, Fault),
    Post(u64, PostFault),
    /// One call in twelve, as the seed has it.
    Random(u64),
}

impl Point {
    /// The same fault at the `n`th place.
    fn at(self, n: u64) -> Self {
        match self {
            Self::Call(_, fault) => Self::Call(n, fault),
            Self::Commit(_, fault) => Self::Commit(n, fault),
            Self::Post(_, fault) => Self::Post(n, fault),
            Self::Random(_) => Self::Random(n),
        }
    }
}

/// Each way to fail. A read that fails after it was done is a read that fails before.
const POINTS: [Point; 10] = [
    Point::Call(0, Fault::Before),
    Point::Call(0, Fault::HaltBefore),
    Point::Commit(0, Fault::After),
    Point::Commit(0, Fault::Race),
    Point::Commit(0, Fault::HaltAfter),
    Point::Post(0, PostFault::NotReached),
    Point::Post(0, PostFault::AnswerLost),
    Point::Post(0, PostFault::DiesBefore),
    Point::Post(0, PostFault::DiesAfter),
    Point::Random(0),
];
/// Rounds of chance for each story.
const RANDOM_ROUNDS: u64 = 12;
/// Each so many-th case is played: in memory, and on a store that syncs. Primes, so that seeds meet all of them.
const STRIDES: (u64, u64) = (11, 29);
/// No story makes so many calls.
const CALLS_MAX: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Prints how to play a failed case again.
struct Label(u64, String);

impl Drop for Label {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("FAULTS_SEED={} FAULTS_ONLY='{}'", self.0, self.1);
        }
    }
}

/// Plays one case and checks what is left; answers whether its fault came to pass.
async fn play(place: &Place, template: &Template, end: End, point: Point, seed: u64) -> bool {
    let run = Run::begin(place, template, seed).await;
    let faulty = Faulty::over(place.backend.clone());
    match point {
        Point::Call(n, fault) => faulty.fail_call(n, fault),
        Point::Commit(n, fault) => faulty.fail_commit(n, fault),
        Point::Post(n, fault) => run.parties.fail(n, fault, Arc::clone(&faulty)),
        Point::Random(n) => {
            let faults = [Fault::Before, Fault::After, Fault::Race, Fault::HaltBefore, Fault::HaltAfter];
            faulty.fail_randomly(seed ^ (n << 32), 12, &faults);
        }
    }
    let mut told = Told::from(template);
    tokio::select! {
        biased;
        () = faulty.halted() => {}
        () = story::play(&run, &faulty, end, &mut told) => {}
    }
    let engine = run.recover(end).await;
    check::check(&run, &engine, end, &told).await;
    place.purge().await;
    match point {
        Point::Call(n, _) => faulty.calls() >= n,
        Point::Commit(n, _) => faulty.commits() >= n,
        Point::Post(n, _) => run.parties.calls() >= n,
        Point::Random(n) => n < RANDOM_ROUNDS,
    }
}

async fn play_all(kind: Kind, seed: u64) {
    let Some(place) = Place::open(kind).await else { return };
    let only = std::env::var("FAULTS_ONLY").ok();
    let everything = only.is_some() || std::env::var_os("FAULTS_ALL").is_some();
    let stride = match kind {
        _ if everything => 1,
        Kind::Memory => STRIDES.0,
        Kind::Sqlite | Kind::Postgres => STRIDES.1,
    };
    let templates = [Template::before_sign_in(seed).await, Template::signed_in(seed).await];
    let mut cases = 0;
    for end in End::ALL {
        let template = &templates[usize::from(end != End::SignIn)];
        for (way, point) in (0_u64..).zip(POINTS) {
            let mut n = 1 + (seed + way) % stride;
            loop {
                assert!(n < CALLS_MAX, "{end:?} never comes through");
                let label = format!("{end:?}: {:?}", point.at(n));
                if only.as_ref().is_none_or(|only| *only == label) {
                    let _label = Label(seed, label);
                    cases += 1;
                    if !play(&place, template, end, point.at(n), seed).await {
                        break;
                    }
                } else if n > CALLS_MAX / 4 {
                    break;
                }
                n += stride;
            }
        }
    }
    eprintln!("{kind:?}: {cases} cases, seed {seed}");
    assert!(cases > 100 || only.is_some(), "hardly anything was tried");
    place.close().await;
}

fn on(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = number("FAULTS_SEED").unwrap_or(u64::from(std::process::id()));
    for seed in first..first + number("FAULTS_SEEDS").unwrap_or(1) {
        runtime.block_on(play_all(kind, seed));
    }
}

#[test]
fn whatever_fails_in_memory_nothing_acknowledged_is_lost_and_every_end_is_told() {
    on(Kind::Memory);
}

#[test]
fn whatever_fails_on_sqlite_nothing_acknowledged_is_lost_and_every_end_is_told() {
    on(Kind::Sqlite);
}

#[test]
fn whatever_fails_on_postgres_nothing_acknowledged_is_lost_and_every_end_is_told() {
    on(Kind::Postgres);
}
