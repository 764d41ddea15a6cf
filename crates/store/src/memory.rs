//! A backend in memory, for tests: the plainest thing that keeps the promises of `backend`, except durability.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::time::Timestamp;

use crate::backend::{Backend, Batch, BoxFuture, Row, RowKey, Scan};
use crate::error::{Result, StoreError};

type Space = BTreeMap<String, (Row, Option<Timestamp>)>;

/// Rows in ordered maps, one per space, under one lock.
#[derive(Debug, Default)]
pub struct Memory {
    spaces: Mutex<BTreeMap<Cow<'static, str>, Space>>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Cow<'static, str>, Space>> {
        // Nothing below can panic between two writes, so a poisoned lock guards whole batches all the same.
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get_now(&self, keys: &[RowKey]) -> Vec<Option<Row>> {
        let spaces = self.lock();
        let row = |at: &RowKey| spaces.get(&at.space)?.get(&at.key).map(|(row, _)| row.clone());
        keys.iter().map(row).collect()
    }

    fn scan_now(&self, scan: &Scan) -> Vec<(String, Row)> {
        let spaces = self.lock();
        let Some(space) = spaces.get(&scan.space).filter(|_| scan.start < scan.end) else {
            return Vec::new();
        };
        let rows = space.range::<str, _>((Included(scan.start.as_str()), Excluded(scan.end.as_str())));
        let copy = |(key, (row, _)): (&String, &(Row, _))| (key.clone(), row.clone());
        if scan.descending {
            rows.rev().take(scan.limit).map(copy).collect()
        } else {
            rows.take(scan.limit).map(copy).collect()
        }
    }

    fn commit_now(&self, batch: Batch) -> Result<()> {
        let mut spaces = self.lock();
        for (at, expected) in &batch.expect {
            let version =
                spaces.get(&at.space).and_then(|space| space.get(&at.key)).map(|(row, _)| row.version);
            if version != *expected {
                return Err(StoreError::Conflict);
            }
        }
        for at in &batch.delete {
            if let Some(space) = spaces.get_mut(&at.space) {
                space.remove(&at.key);
            }
        }
        for put in batch.put {
            let row = Row { version: batch.id, value: put.value };
            spaces.entry(put.at.space).or_default().insert(put.at.key, (row, put.expires_at));
        }
        Ok(())
    }

    fn sweep_now(&self, now: Timestamp, max: usize) -> usize {
        let mut spaces = self.lock();
        let mut expired: Vec<(Timestamp, Cow<'static, str>, String)> = Vec::new();
        for (name, space) in spaces.iter() {
            for (key, (_, expires_at)) in space {
                if let Some(at) = expires_at.filter(|at| *at <= now) {
                    expired.push((at, name.clone(), key.clone()));
                }
            }
        }
        expired.sort();
        expired.truncate(max);
        for (_, space, key) in &expired {
            if let Some(space) = spaces.get_mut(space) {
                space.remove(key);
            }
        }
        expired.len()
    }
}

impl Backend for Memory {
    fn get<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Row>>>> {
        Box::pin(async move { Ok(self.get_now(keys)) })
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<(String, Row)>>> {
        Box::pin(async move { Ok(self.scan_now(&scan)) })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.commit_now(batch) })
    }

    fn sweep(&self, now: Timestamp, max: usize) -> BoxFuture<'_, Result<usize>> {
        Box::pin(async move { Ok(self.sweep_now(now, max)) })
    }
}
