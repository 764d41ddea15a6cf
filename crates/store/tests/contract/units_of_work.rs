//! What a unit of work promises: all or nothing, unique entries, expiry, and sealed secrets.

use domain::secret::Secret;
use domain::time::Timestamp;
use store::memory::Memory;
use store::{Key, Order, Store, StoreError, Tx};

use crate::backends::MASTER_KEY;
use crate::records::{Counter, Member, count, delete, increment, insert, member, put};

fn taken(index: &'static str) -> Result<(), StoreError> {
    Err(StoreError::AlreadyExists { index })
}

async fn named(store: &Store, name: &str) -> Option<String> {
    store.find::<Member>("name", &Key::of(name)).await.unwrap().map(|member| member.id)
}

pub async fn what_was_put_is_read_back_and_what_was_deleted_is_gone(store: Store) {
    store.ping().await.unwrap();
    let anna = member("1", "anna", "a");
    insert(&store, &[anna.clone(), member("2", "bert", "a")]).await.unwrap();
    assert_eq!(store.get::<Member>(&Key::of("1")).await.unwrap(), Some(anna.clone()));
    let keys = [Key::of("2"), Key::of("nobody"), Key::of("1"), Key::of("2")];
    let many = store.get_many::<Member>(&keys).await.unwrap();
    let ids: Vec<_> = many.iter().map(|member| member.as_ref().map(|member| &*member.id)).collect();
    assert_eq!(ids, [Some("2"), None, Some("1"), Some("2")]);
    delete::<Member>(&store, &Key::of("1")).await.unwrap();
    assert_eq!(store.get::<Member>(&Key::of("1")).await.unwrap(), None);
    delete::<Member>(&store, &Key::of("1")).await.expect("deleting what is not there is no error");
    insert(&store, &[anna]).await.expect("the key is free again");
}

pub async fn a_unit_of_work_sees_its_own_writes_and_nobody_else_does(store: Store) {
    insert(&store, &[member("1", "anna", "a"), member("2", "bert", "a")]).await.unwrap();
    store
        .transact(async |tx: &mut Tx| {
            tx.delete::<Member>(&Key::of("1"));
            tx.insert(member("3", "carl", "b"));
            tx.put(Member { note: "new".into(), ..member("2", "berta", "a") });
            assert_eq!(tx.get::<Member>(&Key::of("1")).await?, None);
            assert_eq!(tx.find::<Member>("name", &Key::of("anna")).await?, None);
            assert_eq!(tx.find::<Member>("name", &Key::of("bert")).await?, None);
            assert_eq!(tx.find::<Member>("name", &Key::of("berta")).await?.unwrap().note, "new");
            assert_eq!(tx.find::<Member>("group", &Key::of("b")).await?.unwrap().id, "3");
            assert_eq!(store.get::<Member>(&Key::of("3")).await?, None);
            assert!(store.get::<Member>(&Key::of("1")).await?.is_some());
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    assert_eq!(named(&store, "carl").await.as_deref(), Some("3"));
    assert_eq!(named(&store, "anna").await, None);
}

pub async fn an_error_from_the_closure_commits_nothing(store: Store) {
    let failed: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            tx.insert(member("1", "anna", "a"));
            Err(StoreError::Unavailable("changed my mind".into()))
        })
        .await;
    assert_eq!(failed, Err(StoreError::Unavailable("changed my mind".into())));
    assert_eq!(store.get::<Member>(&Key::of("1")).await.unwrap(), None);
}

pub async fn inserting_a_taken_key_is_already_exists(store: Store) {
    insert(&store, &[member("1", "anna", "a")]).await.unwrap();
    assert_eq!(insert(&store, &[member("1", "other", "a")]).await, taken("key"));
    assert_eq!(insert(&store, &[member("2", "anna", "a")]).await, taken("name"));
    assert_eq!(insert(&store, &[member("3", "x", "a"), member("4", "x", "a")]).await, taken("name"));
    assert_eq!(insert(&store, &[member("5", "x", "a"), member("5", "y", "a")]).await, taken("key"));
    assert_eq!(put(&store, &member("6", "anna", "a")).await, taken("name"));
    let after_a_look: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            assert!(tx.find::<Member>("name", &Key::of("anna")).await?.is_some());
            tx.insert(member("7", "anna", "a"));
            Ok(())
        })
        .await;
    assert_eq!(after_a_look, taken("name"));
    let page = store.page::<Member>(None, &Key::all(), None, 10, Order::Ascending).await.unwrap();
    assert_eq!(page.items, [member("1", "anna", "a")], "a refused unit of work leaves nothing");
}

pub async fn a_closure_that_looks_first_runs_again_instead_of_failing(store: Store) {
    let rival = store.clone();
    let answer: Result<String, StoreError> = store
        .transact(async |tx: &mut Tx| {
            if let Some(there) = tx.find::<Member>("name", &Key::of("anna")).await? {
                return Ok(there.id);
            }
            // Someone is faster, between our look and our commit.
            insert(&rival, &[member("theirs", "anna", "a")]).await?;
            tx.insert(member("ours", "anna", "a"));
            Ok("ours".into())
        })
        .await;
    assert_eq!(answer.unwrap(), "theirs");
    assert_eq!(store.get::<Member>(&Key::of("ours")).await.unwrap(), None);
}

pub async fn a_unique_entry_is_freed_when_its_record_changes_or_goes(store: Store) {
    insert(&store, &[member("1", "anna", "a"), member("2", "bert", "a")]).await.unwrap();
    put(&store, &member("1", "anne", "a")).await.unwrap();
    assert_eq!(named(&store, "anna").await, None);
    assert_eq!(named(&store, "anne").await.as_deref(), Some("1"));
    insert(&store, &[member("3", "anna", "a")]).await.expect("the old name is free");
    delete::<Member>(&store, &Key::of("2")).await.unwrap();
    insert(&store, &[member("4", "bert", "a")]).await.expect("the name went with its record");
    assert_eq!(named(&store, "bert").await.as_deref(), Some("4"));
}

pub async fn two_records_may_swap_unique_entries_in_one_commit(store: Store) {
    insert(&store, &[member("1", "anna", "a"), member("2", "bert", "a")]).await.unwrap();
    let swap: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            tx.put(member("1", "bert", "a"));
            tx.put(member("2", "anna", "a"));
            Ok(())
        })
        .await;
    swap.unwrap();
    assert_eq!(named(&store, "anna").await.as_deref(), Some("2"));
    assert_eq!(named(&store, "bert").await.as_deref(), Some("1"));
    let replace: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            tx.delete::<Member>(&Key::of("1"));
            tx.insert(member("1", "bert", "b"));
            Ok(())
        })
        .await;
    replace.expect("deleted and inserted in one unit of work is a replacement");
    assert_eq!(store.find::<Member>("group", &Key::of("b")).await.unwrap().unwrap().id, "1");
}

pub async fn a_put_without_a_read_still_clears_the_old_entries(store: Store) {
    put(&store, &member("1", "anna", "a")).await.unwrap();
    put(&store, &member("1", "anna", "b")).await.unwrap();
    put(&store, &member("1", "anne", "b")).await.unwrap();
    for (index, key, there) in
        [("group", "a", false), ("group", "b", true), ("name", "anna", false), ("name", "anne", true)]
    {
        let found = store.find::<Member>(index, &Key::of(key)).await.unwrap();
        assert_eq!(found.is_some(), there, "{index} {key}");
    }
}

pub async fn an_entry_is_taken_from_an_index_as_from_a_queue(store: Store) {
    let members = [member("1", "anna", "a"), member("2", "bert", "a")];
    insert(&store, &members).await.unwrap();
    let dropped = store
        .transact(async |tx| {
            tx.drop_entries("group", &members[0]);
            Ok::<_, StoreError>(())
        })
        .await;
    dropped.unwrap();
    let left = store.page::<Member>(Some("group"), &Key::of("a"), None, 10, Order::Ascending).await.unwrap();
    assert_eq!(left.items, [members[1].clone()]);
    assert_eq!(
        store.get::<Member>(&Key::of("1")).await.unwrap().as_ref(),
        Some(&members[0]),
        "the record stays"
    );
    assert_eq!(named(&store, "anna").await.as_deref(), Some("1"), "and so do its other entries");
    let moved = Member { group: "b".into(), ..members[0].clone() };
    put(&store, &moved).await.unwrap();
    assert!(
        store.find::<Member>("group", &Key::of("b")).await.unwrap().is_some(),
        "a changed entry is a new one"
    );
}

pub async fn a_batch_past_its_bounds_is_refused_whole(store: Store) {
    let corrupt = |answer: Result<(), StoreError>| matches!(answer, Err(StoreError::Corrupt(_)));
    let large = Member { note: "x".repeat(store::limits::VALUE_BYTES_MAX), ..member("large", "large", "a") };
    assert!(corrupt(insert(&store, &[member("1", "anna", "a"), large]).await));
    let many: Vec<Counter> =
        (0..store::limits::BATCH_ROWS_MAX).map(|n| Counter { id: n.to_string(), count: 0 }).collect();
    assert!(corrupt(insert(&store, &many).await));
    let long = "k".repeat(store::limits::KEY_BYTES_MAX);
    assert!(corrupt(insert(&store, &[Counter { id: long, count: 0 }]).await));
    assert_eq!(store.get::<Member>(&Key::of("1")).await.unwrap(), None);
    assert_eq!(count(&store, "0").await, 0);
    insert(&store, &many[..1_000]).await.expect("a thousand records fit");
}

pub async fn text_of_every_kind_survives(store: Store) {
    for (place, text) in
        ["", " ", "!", "\"", "a!b", "a\"b", "\u{0}", "\n", "é", "🦀", "\u{ffff}", "'; --", "%_\\"]
            .iter()
            .enumerate()
    {
        let odd = Member { note: (*text).into(), ..member(&format!("{place}{text}"), text, text) };
        insert(&store, std::slice::from_ref(&odd)).await.unwrap();
        assert_eq!(store.get::<Member>(&Key::of(&odd.id)).await.unwrap().as_ref(), Some(&odd), "{text:?}");
        assert_eq!(named(&store, text).await.as_ref(), Some(&odd.id), "{text:?}");
        assert_eq!(
            store.find::<Member>("group", &Key::of(*text)).await.unwrap().as_ref(),
            Some(&odd),
            "{text:?}"
        );
    }
}

pub async fn tenants_do_not_see_each_other(store: Store) {
    // One's name begins with the other's.
    let inner = std::sync::Arc::new(Memory::new());
    let (one, two) = (Store::over(inner.clone(), "t", &MASTER_KEY), Store::over(inner, "t!", &MASTER_KEY));
    for (ours, theirs) in [(&one, &two), (&two, &one)] {
        insert(ours, &[member("1", "anna", "a")]).await.unwrap();
        let page = ours.page::<Member>(None, &Key::all(), None, 10, Order::Ascending).await.unwrap();
        assert_eq!(page.items.len(), 1);
        delete::<Member>(ours, &Key::of("1")).await.unwrap();
        assert_eq!(theirs.get::<Member>(&Key::of("1")).await.unwrap(), None);
    }
    assert_eq!(store.tenant(), "tenant one");
}

pub async fn expired_records_are_swept_with_their_entries_and_others_stay(store: Store) {
    let at = Timestamp::from_millis;
    for n in 0..10 {
        let until = Some(at(1_000 + n));
        insert(&store, &[Member { until, ..member(&n.to_string(), &n.to_string(), "a") }]).await.unwrap();
    }
    insert(&store, &[member("stays", "stays", "a")]).await.unwrap();
    let mut swept = 0;
    for _ in 0..100 {
        match store.sweep_expired(at(1_004), 3).await {
            Ok(0) => break,
            Ok(rows) => swept += rows,
            Err(error) => assert_eq!(error, StoreError::Conflict, "only a scheduled fault may fail it"),
        }
    }
    assert_eq!(swept, 10, "five records, each with its unique entry");
    for n in 0..10 {
        assert_eq!(store.get::<Member>(&Key::of(n.to_string())).await.unwrap().is_some(), n > 4, "{n}");
        assert_eq!(named(&store, &n.to_string()).await.is_some(), n > 4, "{n}");
    }
    let group = store.page::<Member>(Some("group"), &Key::of("a"), None, 20, Order::Ascending).await.unwrap();
    assert_eq!(group.items.len(), 6, "entries that outlive their record are skipped");
    let longer = Member { until: Some(at(i64::MAX / 2)), ..member("9", "9", "a") };
    put(&store, &longer).await.unwrap();
    while store.sweep_expired(at(1_000_000_000_000), 100).await != Ok(0) {}
    assert_eq!(store.get::<Member>(&Key::of("9")).await.unwrap(), Some(longer), "its expiry was moved");
    assert_eq!(named(&store, "9").await.as_deref(), Some("9"), "and so was its unique entry's");
    assert_eq!(
        store.find::<Member>("group", &Key::of("a")).await.unwrap().unwrap().id,
        "9",
        "and the other's"
    );
    assert_eq!(named(&store, "stays").await.as_deref(), Some("stays"));
}

pub async fn secrets_unseal_only_for_their_purpose_and_key(store: Store) {
    let sealed = store.seal("client abc secret", b"hunter2");
    assert_ne!(sealed, store.seal("client abc secret", b"hunter2"), "each seal has its own nonce");
    assert!(!sealed.0.contains("hunter2"));
    assert_eq!(store.unseal("client abc secret", &sealed).unwrap(), b"hunter2");
    let other = Store::over(std::sync::Arc::new(Memory::new()), "t", &Secret::new([8; 32]));
    let mut changed = sealed.clone();
    changed.0.replace_range(8..9, if changed.0.as_bytes()[8] == b'A' { "B" } else { "A" });
    let corrupt = |answer| matches!(answer, Err(StoreError::Corrupt(_)));
    assert!(corrupt(store.unseal("client xyz secret", &sealed)));
    assert!(corrupt(other.unseal("client abc secret", &sealed)));
    assert!(corrupt(store.unseal("client abc secret", &changed)));
    assert!(corrupt(store.unseal("client abc secret", &store::Sealed("v1.AAAA".into()))));
    assert!(corrupt(store.unseal("client abc secret", &store::Sealed("hunter2".into()))));
    assert_eq!(increment(&store, "still works").await, Ok(1));
}
