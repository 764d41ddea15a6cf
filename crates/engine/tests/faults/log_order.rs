//! Many write at once, whose commits come late and whose clocks differ, two nodes number, readers follow the log: nobody
//! misses an event or gets one twice.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::event::{EventKind, LogEvent};
use domain::id::{LogId, UserId};
use domain::time::Timestamp;
use engine::Engine;
use engine::listing::Slice;
use engine::logs::LogOrder;
use serde_json::Value;
use store::backend::{Batch, BoxFuture, Row, RowKey, Scan};
use store::memory::Memory;
use store::{Backend, Key, Order, Store};

use crate::world::{BEGIN, Kind, Place, Run, Template};

const WRITERS: usize = 8;
/// Commits of each writer, and events in each.
const COMMITS: usize = 40;
const EVENTS: usize = 4;
/// A writer whose clock is so far behind, in milliseconds.
const BEHIND_MS: i64 = 120_000;

/// An event of a writer: its identifier is taken here, its commit comes when it comes.
fn event(writer: usize, commit: usize, n: usize) -> LogEvent {
    let ms = i64::try_from(commit).unwrap() * 10 - if writer == 0 { BEHIND_MS } else { 0 };
    let date = BEGIN.plus_millis(ms);
    let digits: String = date.to_string().chars().filter(char::is_ascii_digit).collect();
    LogEvent {
        id: LogId::new(format!("900{digits}{:036}", (writer * COMMITS + commit) * EVENTS + n)),
        date,
        kind: EventKind::Login,
        description: None,
        client_id: None,
        client_name: None,
        user_id: (n == 0).then(|| "auth0|ann".to_owned()),
        user_name: None,
        session_id: None,
        connection: None,
        connection_id: None,
        strategy: None,
        organization_id: None,
        organization_name: None,
        ip: None,
        user_agent: None,
        hostname: None,
        auth0_client: None,
        correlation_id: None,
        audience: None,
        scope: None,
        details: Value::Null,
        kept_days: None,
    }
}

async fn write(store: Store, writer: usize, done: Arc<AtomicUsize>) {
    for commit in 0..COMMITS {
        let events: Vec<_> = (0..EVENTS).map(|n| event(writer, commit, n)).collect();
        // Others commit meanwhile, and are read.
        for _ in 0..(writer * 7 + commit * 13) % 40 {
            tokio::task::yield_now().await;
        }
        let work = async |tx: &mut store::Tx| -> store::Result<()> {
            events.iter().for_each(|event| tx.insert(event.clone()));
            Ok(())
        };
        store.transact(work).await.unwrap();
    }
    done.fetch_add(1, Ordering::SeqCst);
}

/// Reads on until all writers are done and nothing follows.
async fn follow(engine: Engine, take: usize, done: Arc<AtomicUsize>) -> Vec<LogId> {
    let (mut from, mut seen) = (None, Vec::new());
    loop {
        let is_over = done.load(Ordering::SeqCst) == WRITERS;
        let events = engine.logs_after(from.as_ref(), take).await.unwrap();
        seen.extend(events.into_iter().map(|event| event.id));
        if is_over && seen.last() == from.as_ref() {
            return seen;
        }
        from = seen.last().cloned();
        tokio::task::yield_now().await;
    }
}

async fn all_there_are(store: &Store) -> HashSet<LogId> {
    let (mut ids, mut cursor) = (HashSet::new(), None);
    loop {
        let everything = Key::all();
        let page =
            store.page_sharded::<LogEvent>(None, &everything, cursor.as_deref(), 500, Order::Ascending);
        let page = page.await.unwrap();
        ids.extend(page.items.into_iter().map(|event| event.id));
        cursor = page.next;
        if cursor.is_none() {
            return ids;
        }
    }
}

async fn nobody_misses_anything(kind: Kind) {
    let Some(place) = Place::open(kind).await else { return };
    let template = Template::before_sign_in(1).await;
    let run = Run::begin(&place, &template, 1).await;
    let nodes = [run.open(run.backend()).await.unwrap(), run.open(run.backend()).await.unwrap()];
    let done = Arc::new(AtomicUsize::new(0));
    let mut readers = Vec::new();
    for (node, take) in [(0, 100), (1, 7), (1, 1000)] {
        readers.push(tokio::spawn(follow(nodes[node].clone(), take, Arc::clone(&done))));
    }
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(run.store(), writer, Arc::clone(&done)))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let all = all_there_are(&run.store()).await;
    assert!(all.len() >= WRITERS * COMMITS * EVENTS, "{}", all.len());
    let mut order: Option<Vec<LogId>> = None;
    for reader in readers {
        let seen = reader.await.unwrap();
        let distinct: HashSet<_> = seen.iter().cloned().collect();
        assert_eq!(distinct.len(), seen.len(), "nothing comes twice");
        assert!(distinct == all, "{} of {} came", distinct.len(), all.len());
        assert_eq!(*order.get_or_insert_with(|| seen.clone()), seen, "all see the same order");
    }
    let order = order.unwrap();
    assert!(!order.is_sorted(), "some came late, or nothing was tried");
    followed_by_user(&nodes[0], &order).await;
    place.close().await;
}

/// Whoever follows one user sees that user's part of the same order.
async fn followed_by_user(engine: &Engine, order: &[LogId]) {
    let (user, mut from, mut seen) = (UserId::new("auth0|ann"), None, Vec::new());
    loop {
        let slice = Slice::Checkpoint { from, take: 11 };
        let listing = engine.logs_of_user(&user, &slice, LogOrder::NewestFirst).await.unwrap();
        seen.extend(listing.items.into_iter().map(|event| event.id));
        if listing.next.is_none() {
            break;
        }
        from = listing.next;
    }
    let mut expected = Vec::new();
    for id in order {
        if engine.log(id).await.unwrap().user_id.as_deref() == Some(user.as_str()) {
            expected.push(id.clone());
        }
    }
    assert_eq!(seen, expected);
}

/// A database on which others get their turn before each look.
struct Unhurried(Memory);

impl Backend for Unhurried {
    fn get<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, store::Result<Vec<Option<Row>>>> {
        self.0.get(keys)
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, store::Result<Vec<(String, Row)>>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.scan(scan).await
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, store::Result<()>> {
        self.0.commit(batch)
    }

    fn sweep(&self, now: Timestamp, max: usize) -> BoxFuture<'_, store::Result<usize>> {
        self.0.sweep(now, max)
    }
}

#[test]
fn what_was_acknowledged_before_another_began_stands_before_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let run = Run::on(Arc::new(Unhurried(Memory::new())), 1);
        let engine = run.open(run.backend()).await.unwrap();
        let (store, done) = (run.store(), Arc::new(AtomicUsize::new(WRITERS - 1)));
        let reader = tokio::spawn(follow(engine, 100, Arc::clone(&done)));
        for n in 0..500 {
            let one = event(1, n, 1);
            let work = async |tx: &mut store::Tx| -> store::Result<()> {
                tx.insert(one.clone());
                Ok(())
            };
            store.transact(work).await.unwrap();
            tokio::task::yield_now().await;
        }
        done.fetch_add(1, Ordering::SeqCst);
        let seen = reader.await.unwrap();
        assert_eq!(seen.len(), 500);
        assert!(seen.is_sorted());
    });
}

fn on(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(nobody_misses_anything(kind));
}

#[test]
fn who_follows_the_log_in_memory_misses_nothing_and_gets_nothing_twice() {
    on(Kind::Memory);
}

#[test]
fn who_follows_the_log_on_sqlite_misses_nothing_and_gets_nothing_twice() {
    on(Kind::Sqlite);
}

#[test]
fn who_follows_the_log_on_postgres_misses_nothing_and_gets_nothing_twice() {
    on(Kind::Postgres);
}
