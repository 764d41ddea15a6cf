//! What holds when many work at once.

use std::sync::atomic::{AtomicU64, Ordering};

use store::{Key, Store, StoreError, Tx};
use tokio::task::JoinSet;

use crate::records::{Counter, Member, count, increment, insert, member};

pub async fn increments_at_once_are_never_lost(store: Store) {
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            let mut done = 0_u64;
            while done < 12 {
                match increment(&store, "shared").await {
                    Ok(_) => done += 1,
                    Err(error) => assert_eq!(error, StoreError::Conflict),
                }
            }
            increment(&store, &format!("own {writer}")).await.unwrap();
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    assert_eq!(count(&store, "shared").await, 8 * 12);
    assert_eq!(count(&store, "own 7").await, 1);
}

pub async fn of_many_who_insert_one_unique_entry_exactly_one_wins(store: Store) {
    for round in 0..5 {
        let mut rivals = JoinSet::new();
        for rival in 0..8 {
            let store = store.clone();
            rivals.spawn(async move {
                let name = format!("name {round}");
                insert(&store, &[member(&format!("{round}-{rival}"), &name, "a")]).await
            });
        }
        let answers: Vec<_> = rivals.join_all().await;
        let won = answers.iter().filter(|answer| answer.is_ok()).count();
        let taken = Err(StoreError::AlreadyExists { index: "name" });
        let lost = answers.iter().filter(|answer| **answer == taken).count();
        assert_eq!((won, lost), (1, 7), "{answers:?}");
    }
    let all =
        store.page::<Member>(Some("group"), &Key::of("a"), None, 100, store::Order::Ascending).await.unwrap();
    assert_eq!(all.items.len(), 5);
}

/// Write skew: each reads both rows, each changes one. Either order alone leaves a sum of 1; both together would not.
pub async fn two_who_read_both_and_write_one_each_cannot_both_commit(store: Store) {
    for round in 0..10 {
        let (left, right) = (format!("left {round}"), format!("right {round}"));
        let counter = |id: &str| Counter { id: id.into(), count: 1 };
        insert(&store, &[counter(&left), counter(&right)]).await.unwrap();
        let take = async |own: &str| -> Result<(), StoreError> {
            store
                .transact(async |tx: &mut Tx| {
                    let both = tx.get_many::<Counter>(&[Key::of(&left), Key::of(&right)]).await?;
                    let sum: u64 = both.iter().flatten().map(|counter| counter.count).sum();
                    if sum == 2 {
                        tx.put(Counter { id: own.to_owned(), count: 0 });
                    }
                    Ok(())
                })
                .await
        };
        let (first, second) = tokio::join!(take(&left), take(&right));
        first.unwrap();
        second.unwrap();
        assert_eq!(count(&store, &left).await + count(&store, &right).await, 1);
    }
}

/// Two rows are always changed together, so whoever reads both must see the same in both, even when someone changes
/// them between the two reads.
pub async fn a_read_only_unit_of_work_sees_one_moment(store: Store) {
    let set = async |count: u64| -> Result<(), StoreError> {
        store
            .transact(async |tx: &mut Tx| {
                tx.put(Counter { id: "left".into(), count });
                tx.put(Counter { id: "right".into(), count });
                Ok(())
            })
            .await
    };
    set(0).await.unwrap();
    let runs = AtomicU64::new(0);
    let read = async |tx: &mut Tx| -> Result<(u64, u64), StoreError> {
        let count = |found: Option<Counter>| found.unwrap().count;
        let left = count(tx.get::<Counter>(&Key::of("left")).await?);
        if runs.fetch_add(1, Ordering::SeqCst) == 0 {
            set(1).await?;
        }
        Ok((left, count(tx.get::<Counter>(&Key::of("right")).await?)))
    };
    assert_eq!(store.transact(read).await, Ok((1, 1)));
    assert_eq!(runs.load(Ordering::SeqCst), 2, "the first run saw two moments and was run again");
}
