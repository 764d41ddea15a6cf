//! Two nodes on one database: what they must agree on when they start at once, and when their machines' clocks differ.

use std::sync::Arc;

use domain::time::{Timestamp, minutes};
use engine::ports::{Clock, ManualClock};
use store::Backend;
use store::backend::{Batch, BoxFuture, Row, RowKey, Scan};
use store::memory::Memory;

use crate::world::{BEGIN, Run};

/// A database that has a clock of its own, as PostgreSQL has.
struct WithClock {
    inner: Memory,
    clock: ManualClock,
}

impl WithClock {
    fn new() -> Arc<Self> {
        Arc::new(Self { inner: Memory::new(), clock: ManualClock::at(BEGIN) })
    }
}

impl Backend for WithClock {
    fn get<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, store::Result<Vec<Option<Row>>>> {
        self.inner.get(keys)
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, store::Result<Vec<(String, Row)>>> {
        self.inner.scan(scan)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, store::Result<()>> {
        self.inner.commit(batch)
    }

    fn sweep(&self, now: Timestamp, max: usize) -> BoxFuture<'_, store::Result<usize>> {
        self.inner.sweep(now, max)
    }

    fn clock(&self) -> BoxFuture<'_, store::Result<Option<Timestamp>>> {
        Box::pin(std::future::ready(Ok(Some(self.clock.now()))))
    }
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn nodes_that_start_at_once_sign_with_the_same_keys() {
    block_on(async {
        let run = Run::on(WithClock::new(), 1);
        let (one, other) = tokio::join!(run.open(run.backend()), run.open(run.backend()));
        let keys = [one.unwrap(), other.unwrap()].map(|engine| engine.keys().set.to_jwks());
        assert_eq!(keys[0], keys[1]);
        assert_eq!(keys[0]["keys"].as_array().unwrap().len(), 2, "one for each algorithm: {}", keys[0]);
    });
}

#[test]
fn nodes_whose_clocks_are_minutes_apart_agree_on_the_databases_and_follow_it() {
    block_on(async {
        let database = WithClock::new();
        let run = Run::on(Arc::clone(&database) as Arc<dyn Backend>, 1);
        let clock_at = |offset| Arc::new(ManualClock::at(BEGIN.plus_millis(minutes(offset))));
        let (ahead, behind) = (clock_at(2), clock_at(-2));
        let one = run.open_at(run.backend(), Arc::clone(&ahead), true).await.unwrap();
        let other = run.open_at(run.backend(), behind, true).await.unwrap();
        assert_eq!((one.now(), other.now()), (BEGIN, BEGIN));
        // Somebody sets the clock of a machine right, and time goes on.
        ahead.advance_millis(minutes(-2));
        database.clock.advance_millis(1_000);
        for engine in [&one, &other] {
            engine.sweep().await.unwrap();
            assert_eq!(engine.now(), BEGIN.plus_millis(1_000));
        }
    });
}

#[test]
fn a_node_that_is_told_to_keep_its_own_clock_does() {
    block_on(async {
        let run = Run::on(WithClock::new(), 1);
        let ahead = BEGIN.plus_millis(minutes(2));
        let engine = run.open_at(run.backend(), Arc::new(ManualClock::at(ahead)), false).await.unwrap();
        engine.sweep().await.unwrap();
        assert_eq!(engine.now(), ahead);
    });
}
