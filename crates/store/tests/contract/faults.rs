//! What a unit of work answers, and what it leaves, when the backend fails before, after, or in a race.

use std::sync::Arc;

use store::faulty::{Fault, Faulty};
use store::memory::Memory;
use store::sqlite::Sqlite;
use store::{Backend, Key, StoreError, Tx};

use crate::backends::{Folder, over, runtime};
use crate::records::{Member, count, increment, insert, member};

/// Runs the same test over memory and SQLite.
fn on_both(test: impl AsyncFn(Arc<dyn Backend>)) {
    runtime().block_on(async {
        test(Arc::new(Memory::new())).await;
        let folder = Folder::new();
        test(Arc::new(Sqlite::open(folder.file("store.db")).await.unwrap())).await;
    });
}

#[test]
fn a_commit_that_fails_before_leaves_nothing_and_one_after_leaves_all() {
    on_both(async |plain| {
        let faulty = Faulty::over(plain.clone());
        let (store, truth) = (over(faulty.clone()), over(plain));
        faulty.fail_commit(1, Fault::Before);
        assert!(matches!(increment(&store, "a").await, Err(StoreError::Unavailable(_))));
        assert_eq!(count(&truth, "a").await, 0);
        faulty.fail_commit(2, Fault::After);
        assert_eq!(increment(&store, "a").await, Err(StoreError::Unknown));
        assert_eq!(count(&truth, "a").await, 1, "it took place, and was not done twice");
        faulty.fail_commit(3, Fault::Race);
        assert_eq!(increment(&store, "a").await, Ok(2));
        assert_eq!(faulty.commits(), 4, "a lost race is run again");
    });
}

#[test]
fn a_unit_of_work_that_loses_every_race_ends_in_conflict() {
    on_both(async |plain| {
        let faulty = Faulty::over(plain.clone());
        faulty.fail_randomly(1, 1, &[Fault::Race]);
        assert_eq!(increment(&over(faulty.clone()), "a").await, Err(StoreError::Conflict));
        assert_eq!(faulty.commits(), u64::from(store::limits::TRANSACT_ATTEMPTS_MAX));
        assert_eq!(insert(&over(faulty), &[member("1", "anna", "a")]).await, Err(StoreError::Conflict));
        assert_eq!(count(&over(plain), "a").await, 0);
    });
}

#[test]
fn whichever_call_fails_a_unit_of_work_is_done_wholly_or_not_at_all() {
    on_both(async |plain| {
        for fault in [Fault::Before, Fault::After, Fault::Race] {
            for nth in 1..20 {
                let faulty = Faulty::over(plain.clone());
                let id = format!("{fault:?} {nth}");
                faulty.fail_call(nth, fault);
                let store = over(faulty.clone());
                let answer: Result<(), StoreError> = store
                    .transact(async |tx: &mut Tx| {
                        let named = tx.find::<Member>("name", &Key::of(&id)).await?;
                        assert_eq!(named, None);
                        tx.insert(member(&id, &id, "a"));
                        tx.put(crate::records::Counter { id: id.clone(), count: 1 });
                        Ok(())
                    })
                    .await;
                let truth = over(plain.clone());
                let record = truth.get::<Member>(&Key::of(&id)).await.unwrap().is_some();
                let entry = truth.find::<Member>("name", &Key::of(&id)).await.unwrap().is_some();
                let other = count(&truth, &id).await == 1;
                assert!(record == entry && entry == other, "{id}: half of it was done");
                match answer {
                    Ok(()) => assert!(record, "{id}"),
                    Err(StoreError::Unknown) => assert!(record, "{id}: only the answer was lost"),
                    Err(StoreError::Unavailable(_)) => assert!(!record, "{id}"),
                    Err(other) => panic!("{id}: {other}"),
                }
                if faulty.calls() < nth {
                    assert!(record, "{id}: nothing failed");
                    break;
                }
            }
        }
    });
}

#[test]
fn under_random_faults_the_count_lies_between_what_was_acknowledged_and_what_was_tried() {
    for seed in 1..6_u64 {
        on_both(async |plain| {
            let faulty = Faulty::over(plain.clone());
            faulty.fail_randomly(seed, 4, &[Fault::Before, Fault::After, Fault::Race]);
            let store = over(faulty.clone());
            let (mut acknowledged, mut unknown) = (0, 0);
            for _ in 0..100 {
                match increment(&store, "a").await {
                    Ok(_) => acknowledged += 1,
                    Err(StoreError::Unknown) => unknown += 1,
                    Err(_) => {}
                }
            }
            assert!(acknowledged > 20 && unknown > 3, "seed {seed}: {acknowledged} and {unknown}");
            assert_eq!(count(&over(plain), "a").await, acknowledged + unknown, "seed {seed}");
        });
    }
}
