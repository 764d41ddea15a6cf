//! The outbox: leases, taking over, reports, and entries that live and die with their unit of work.

use std::collections::BTreeSet;

use domain::time::Timestamp;
use serde_json::json;
use store::{Claimed, LaneTurn, Lease, NewOutboxEntry, OutboxFilter, OutboxState, Store, StoreError, Tx};
use tokio::task::JoinSet;

const LEASE_MS: i64 = 1_000;
const KIND: &str = "logout";

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn entry(id: &str, due_at: i64) -> NewOutboxEntry {
    let (due_at, expires_at) = (at(due_at), at(1_000_000));
    NewOutboxEntry {
        id: id.into(),
        kind: KIND.into(),
        subject: "client".into(),
        due_at,
        expires_at,
        body: json!({"sid": id}),
    }
}

async fn add(store: &Store, entries: &[NewOutboxEntry]) {
    let added: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            for entry in entries {
                tx.outbox_add(entry.clone());
            }
            Ok(())
        })
        .await;
    added.unwrap();
}

/// Claims until nothing is left, since a lost race leaves an entry for the next claim.
async fn claim_all(store: &Store, now: i64, owner: &str) -> Vec<Claimed> {
    let (mut all, mut empty) = (Vec::new(), 0);
    while empty < 8 {
        let some = store.outbox_claim(KIND, at(now), LEASE_MS, owner, 10).await.unwrap();
        empty = if some.is_empty() { empty + 1 } else { 0 };
        all.extend(some);
    }
    all
}

fn ids(claimed: &[Claimed]) -> Vec<&str> {
    let mut ids: Vec<_> = claimed.iter().map(|claimed| &*claimed.entry.id).collect();
    ids.sort_unstable();
    ids
}

pub async fn work_is_handed_out_when_due_and_to_one_claimant(store: Store) {
    assert_eq!(store.outbox_next_due(KIND).await.unwrap(), None);
    add(&store, &[entry("a", 100), entry("b", 200), entry("c", 50)]).await;
    assert_eq!(store.outbox_next_due(KIND).await.unwrap(), Some(at(50)));
    assert!(claim_all(&store, 49, "one").await.is_empty());
    let first = claim_all(&store, 100, "one").await;
    assert_eq!(ids(&first), ["a", "c"]);
    for claimed in &first {
        assert_eq!(claimed.entry.attempts, 1);
        assert_eq!(claimed.entry.claimed_by.as_deref(), Some("one"));
        assert_eq!(claimed.entry.body, json!({"sid": claimed.entry.id}));
    }
    assert!(claim_all(&store, 100, "two").await.is_empty(), "the lease holds");
    assert_eq!(store.outbox_next_due(KIND).await.unwrap(), Some(at(200)));
    assert_eq!(ids(&claim_all(&store, 200, "two").await), ["b"]);
    let done: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            first.iter().for_each(|claimed| tx.outbox_done(claimed));
            Ok(())
        })
        .await;
    done.unwrap();
    assert_eq!(ids(&claim_all(&store, 10_000, "three").await), ["b"], "what is done is gone");
}

pub async fn a_kind_is_claimed_by_itself_however_long_another_waits(store: Store) {
    let other = |n: i64| NewOutboxEntry { kind: "other".into(), ..entry(&format!("other {n}"), n) };
    let others: Vec<_> = (0..20).map(other).collect();
    add(&store, &others).await;
    assert_eq!(store.outbox_next_due(KIND).await.unwrap(), None);
    add(&store, &[entry("a", 100)]).await;
    assert_eq!(store.outbox_next_due(KIND).await.unwrap(), Some(at(100)));
    assert_eq!(ids(&claim_all(&store, 100, "one").await), ["a"]);
    assert_eq!(store.outbox_next_due("other").await.unwrap(), Some(at(0)));
}

pub async fn a_lease_that_ran_out_is_taken_over_and_the_late_report_is_refused(store: Store) {
    add(&store, &[entry("a", 100)]).await;
    let slow = claim_all(&store, 100, "slow").await;
    assert_eq!(store.outbox_next_due(KIND).await.unwrap(), Some(at(100 + LEASE_MS)));
    assert!(claim_all(&store, 100 + LEASE_MS - 1, "fast").await.is_empty());
    let fast = claim_all(&store, 100 + LEASE_MS, "fast").await;
    assert_eq!(fast[0].entry.attempts, 2);
    let late: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            tx.outbox_done(&slow[0]);
            tx.insert(crate::records::member("late", "late", "a"));
            Ok(())
        })
        .await;
    assert_eq!(late, Err(StoreError::Conflict), "the late claimant may not report");
    assert_eq!(store.get::<crate::records::Member>(&store::Key::of("late")).await.unwrap(), None);
    let done: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            tx.outbox_done(&fast[0]);
            Ok(())
        })
        .await;
    done.unwrap();
    assert_eq!(store.outbox_next_due(KIND).await.unwrap(), None);
}

pub async fn work_put_off_comes_back_and_dead_work_does_not(store: Store) {
    add(&store, &[entry("a", 100), entry("b", 100)]).await;
    let claimed = claim_all(&store, 100, "one").await;
    let (a, b) =
        if claimed[0].entry.id == "a" { (&claimed[0], &claimed[1]) } else { (&claimed[1], &claimed[0]) };
    let reported: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            tx.outbox_later(a, at(500), "503");
            tx.outbox_dead(b, &"x".repeat(5_000));
            Ok(())
        })
        .await;
    reported.unwrap();
    assert_eq!(store.outbox_next_due(KIND).await.unwrap(), Some(at(500)));
    assert!(claim_all(&store, 499, "two").await.is_empty());
    let again = claim_all(&store, 500_000, "two").await;
    assert_eq!(ids(&again), ["a"]);
    assert_eq!((again[0].entry.attempts, again[0].entry.last_error.as_deref()), (2, Some("503")));
    let reported: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            tx.outbox_rest_later(&again[0], at(600_000), "504", json!({"rest": "of a"}));
            Ok(())
        })
        .await;
    reported.unwrap();
    let rest = claim_all(&store, 600_000, "three").await;
    assert_eq!((rest[0].entry.attempts, rest[0].entry.last_error.as_deref()), (3, Some("504")));
    assert_eq!(rest[0].entry.body, json!({"rest": "of a"}));
    let of = async |state| {
        let filter = OutboxFilter::State { kind: KIND, state };
        store.outbox_page(filter, None, 10).await.unwrap().items
    };
    let dead = of(OutboxState::Dead).await;
    assert_eq!((dead.len(), &*dead[0].id), (1, "b"));
    assert_eq!(dead[0].last_error.as_ref().unwrap().len(), store::limits::OUTBOX_ERROR_CHARS_MAX);
    assert_eq!(of(OutboxState::Pending).await.len(), 1);
    let of_client = OutboxFilter::Subject { kind: KIND, subject: "client" };
    assert_eq!(store.outbox_page(of_client, None, 10).await.unwrap().items.len(), 2);
    while store.sweep_expired(at(i64::MAX / 2), 100).await != Ok(0) {}
    assert!(of(OutboxState::Dead).await.is_empty(), "dead work is kept for a while only");
    assert_eq!(of(OutboxState::Pending).await.len(), 1, "pending work is never swept");
}

pub async fn claimants_at_once_never_share_an_entry(store: Store) {
    let entries: Vec<_> = (0..30).map(|n| entry(&format!("{n:02}"), n)).collect();
    add(&store, &entries).await;
    let mut claimants = JoinSet::new();
    for claimant in 0..6 {
        let store = store.clone();
        claimants.spawn(async move { claim_all(&store, 100, &format!("claimant {claimant}")).await });
    }
    let claimed: Vec<Claimed> = claimants.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = claimed.iter().map(|claimed| &claimed.entry.id).collect();
    assert_eq!((claimed.len(), distinct.len()), (30, 30));
    assert!(claimed.iter().all(|claimed| claimed.entry.attempts == 1));
}

pub async fn work_added_by_a_failed_unit_does_not_exist(store: Store) {
    let failed: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            tx.outbox_add(entry("a", 1));
            Err(StoreError::Unavailable("the cause did not happen".into()))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(store.outbox_next_due(KIND).await.unwrap(), None);
    add(&store, &[entry("b", 1)]).await;
    let again: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            tx.outbox_add(entry("b", 1));
            Ok(())
        })
        .await;
    assert_eq!(again, Err(StoreError::AlreadyExists { index: "key" }));
}

async fn add_in_lane(store: &Store, lane: &str, ids: impl Iterator<Item = String>, due_at: i64) {
    let entries: Vec<_> = ids.map(|id| entry(&id, due_at)).collect();
    for some in entries.chunks(100) {
        let added: Result<(), StoreError> = store
            .transact(async |tx: &mut Tx| {
                some.iter().for_each(|entry| tx.outbox_add_in_lane(lane, entry.clone()));
                Ok(())
            })
            .await;
        added.unwrap();
    }
}

/// Claims until something comes, since a lost race leaves an entry for the next claim.
async fn claim_lanes(
    store: &Store,
    now: i64,
    max: usize,
    turn: &mut LaneTurn,
    places: impl Fn(&str) -> usize + Sync,
) -> Vec<String> {
    let lease = Lease { now: at(now), until: at(now + LEASE_MS), owner: "one" };
    for _ in 0..8 {
        let some = store.outbox_claim_lanes(KIND, &lease, max, turn, &places).await.unwrap();
        if !some.is_empty() {
            let mut ids: Vec<_> = some.into_iter().map(|claimed| claimed.entry.id).collect();
            ids.sort();
            return ids;
        }
    }
    Vec::new()
}

pub async fn lanes_take_turns_and_one_without_a_place_holds_up_nobody(store: Store) {
    add_in_lane(&store, "b-hangs", (0..300).map(|n| format!("b{n:03}")), 1).await;
    add_in_lane(&store, "a", ["a0".to_owned(), "a1".to_owned()].into_iter(), 100).await;
    add_in_lane(&store, "c", (0..3).map(|n| format!("c{n}")), 100).await;
    assert!(
        store.outbox_claim(KIND, at(100), LEASE_MS, "one", 10).await.unwrap().is_empty(),
        "they have lanes"
    );
    let mut turn = LaneTurn::default();
    let places = |lane: &str| if lane == "b-hangs" { 0 } else { 2 };
    let mut all = Vec::new();
    for _ in 0..5 {
        all.extend(claim_lanes(&store, 100, 10, &mut turn, places).await);
    }
    all.sort();
    assert_eq!(
        all,
        ["a0", "a1", "c0", "c1", "c2"],
        "each is claimed once, and nothing of the lane that is closed"
    );

    // One at a time: a lane with little in it has its turn beside one with hundreds, though all of those are older. (A
    // lost race loses a turn, so the order itself is only the rule.)
    add_in_lane(&store, "a", ["a2".to_owned(), "a3".to_owned()].into_iter(), 100).await;
    let (mut turn, mut all) = (LaneTurn::default(), Vec::new());
    for _ in 0..20 {
        all.extend(claim_lanes(&store, 100, 1, &mut turn, |_| 1).await);
    }
    assert_eq!(all.len(), 20);
    assert!(all.contains(&"a2".to_owned()) && all.contains(&"a3".to_owned()), "{all:?}");
    let some = claim_lanes(&store, 100, 5, &mut turn, |_| 3).await;
    assert!((1..=3).contains(&some.len()), "no more of a lane than it has places: {some:?}");
}

pub async fn lanes_whose_names_begin_alike_are_not_taken_for_each_other(store: Store) {
    for lane in ["https://rp", "https://rp!", "https://rp \"x", "https://rp.example"] {
        add_in_lane(&store, lane, (0..2).map(|n| format!("{lane}{n}")), 1).await;
    }
    let mut turn = LaneTurn::default();
    let mut all = Vec::new();
    for _ in 0..4 {
        all.extend(claim_lanes(&store, 1, 3, &mut turn, |_| 1).await);
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 8, "{all:?}");
    assert!(claim_lanes(&store, 1, 3, &mut turn, |_| 1).await.is_empty());
}

pub async fn the_rest_of_a_work_is_due_again_and_counts_once(store: Store) {
    add(&store, &[entry("a", 100)]).await;
    let first = claim_all(&store, 100, "one").await;
    let step = async |claimed: &Claimed| -> Result<(), StoreError> {
        store
            .transact(async |tx: &mut Tx| {
                tx.outbox_rest(claimed, at(100), json!({"rest": 1}));
                Ok(())
            })
            .await
    };
    step(&first[0]).await.unwrap();
    assert_eq!(step(&first[0]).await, Err(StoreError::Conflict), "a step is taken once");
    let again = claim_all(&store, 100, "two").await;
    assert_eq!((ids(&again), &again[0].entry.body), (vec!["a"], &json!({"rest": 1})));
    assert_eq!(again[0].entry.last_error, None);
}
