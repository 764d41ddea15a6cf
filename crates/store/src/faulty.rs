//! Wraps a backend and fails on schedule: for tests of what must hold when the store does not answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::time::Timestamp;
use tokio::sync::watch;

use crate::backend::{Backend, Batch, BoxFuture, Row, RowKey, Scan};
use crate::error::{Result, StoreError};

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call never reaches the backend: nothing is committed, the answer is `Unavailable`.
    Before,
    /// The backend does it, but the answer is lost: `Unknown` for a commit or a sweep, `Unavailable` for a read.
    After,
    /// A commit loses a race it did not lose: `Conflict`. Reads know no races and are left alone.
    Race,
    /// The process dies before the call: nothing is committed, and neither this call nor any later one ever answers.
    /// Whoever waits for [`Faulty::halted`] drops what was under way.
    HaltBefore,
    /// The process dies when the backend has done it, and before it says so.
    HaltAfter,
}

/// A backend in front of another, with a schedule of faults. Calls of all kinds are counted from 1.
pub struct Faulty {
    inner: Arc<dyn Backend>,
    schedule: Mutex<Schedule>,
    halted: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Schedule {
    calls: u64,
    commits: u64,
    by_call: BTreeMap<u64, Fault>,
    by_commit: BTreeMap<u64, Fault>,
    random: Option<Random>,
}

#[derive(Debug)]
struct Random {
    state: u64,
    one_in: u64,
    faults: Vec<Fault>,
}

impl Faulty {
    /// Without faults as yet.
    pub fn over(inner: Arc<dyn Backend>) -> Arc<Self> {
        Arc::new(Self { inner, schedule: Mutex::default(), halted: watch::Sender::new(false) })
    }

    /// The `nth` call of any kind fails, counted from the first call ever. A fault happens once.
    pub fn fail_call(&self, nth: u64, fault: Fault) {
        self.lock().by_call.insert(nth, fault);
    }

    /// The `nth` commit fails, counted from the first commit ever. A fault happens once.
    pub fn fail_commit(&self, nth: u64, fault: Fault) {
        self.lock().by_commit.insert(nth, fault);
    }

    /// One call in `one_in` fails in one of these ways, as the seed has it; no faults, or 0, end this.
    pub fn fail_randomly(&self, seed: u64, one_in: u64, faults: &[Fault]) {
        let faults = faults.to_vec();
        self.lock().random =
            (one_in > 0 && !faults.is_empty()).then_some(Random { state: seed, one_in, faults });
    }

    /// Calls so far: run once without faults to learn how many there are, then fail each in turn.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Commits so far.
    pub fn commits(&self) -> u64 {
        self.lock().commits
    }

    /// The process dies here: no call answers any more.
    pub fn halt(&self) {
        self.halted.send_replace(true);
    }

    /// Waits until the process died.
    pub async fn halted(&self) {
        let mut halted = self.halted.subscribe();
        // The sender lives as long as `self`, so this ends with the halt and not before.
        let _halted = halted.wait_for(|halted| *halted).await;
    }

    fn lock(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn die<T>(&self) -> T {
        self.halt();
        std::future::pending().await
    }

    /// What goes wrong with the call that begins now, which a dead process never makes.
    async fn fault(&self, commit: bool) -> Option<Fault> {
        if *self.halted.borrow() {
            std::future::pending::<()>().await;
        }
        self.lock().next(commit)
    }

    async fn read<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        match self.fault(false).await {
            None | Some(Fault::Race) => call.await,
            Some(fault @ (Fault::Before | Fault::After)) => {
                Err(StoreError::Unavailable(format!("scheduled fault {fault:?}")))
            }
            Some(Fault::HaltBefore | Fault::HaltAfter) => self.die().await,
        }
    }

    async fn write<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        match self.fault(true).await {
            None => call.await,
            Some(Fault::Before) => Err(StoreError::Unavailable("scheduled fault Before".into())),
            Some(Fault::Race) => Err(StoreError::Conflict),
            Some(Fault::After) => call.await.and(Err(StoreError::Unknown)),
            Some(Fault::HaltBefore) => self.die().await,
            Some(Fault::HaltAfter) => {
                let _unheard = call.await;
                self.die().await
            }
        }
    }
}

impl Schedule {
    fn next(&mut self, commit: bool) -> Option<Fault> {
        self.calls += 1;
        self.commits += u64::from(commit);
        let by_commit = if commit { self.by_commit.remove(&self.commits) } else { None };
        let planned = self.by_call.remove(&self.calls).or(by_commit);
        planned.or_else(|| self.random.as_mut().and_then(Random::next))
    }
}

impl Random {
    /// SplitMix64, which is enough to pick faults.
    fn next(&mut self) -> Option<Fault> {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = mixed ^ (mixed >> 31);
        if !bits.is_multiple_of(self.one_in) {
            return None;
        }
        let pick = usize::try_from(bits >> 33).unwrap_or(0) % self.faults.len();
        self.faults.get(pick).copied()
    }
}

impl Backend for Faulty {
    fn get<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Row>>>> {
        Box::pin(self.read(self.inner.get(keys)))
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<(String, Row)>>> {
        Box::pin(self.read(self.inner.scan(scan)))
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.write(self.inner.commit(batch)))
    }

    fn sweep(&self, now: Timestamp, max: usize) -> BoxFuture<'_, Result<usize>> {
        Box::pin(self.write(self.inner.sweep(now, max)))
    }

    fn clock(&self) -> BoxFuture<'_, Result<Option<Timestamp>>> {
        Box::pin(self.read(self.inner.clock()))
    }
}
