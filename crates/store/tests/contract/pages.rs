//! Pages: order, prefixes, indexes, shards, and cursors that cannot leave their place.

use std::collections::BTreeSet;

use domain::time::Timestamp;
use store::{Key, Order, Record, Shard, Store, StoreError, key, shard_of};

use crate::records::{Line, Member, delete, insert, member, put};

/// Reads all pages of a given size.
async fn all<R: Record>(
    store: &Store,
    index: Option<&str>,
    prefix: &Key,
    size: usize,
    order: Order,
) -> Vec<R> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let page = store.page::<R>(index, prefix, after.as_deref(), size, order).await.unwrap();
        assert!(page.items.len() <= size);
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            return items;
        }
    }
}

fn ids(members: &[Member]) -> Vec<&str> {
    members.iter().map(|member| &*member.id).collect()
}

pub async fn pages_follow_each_other_in_both_orders(store: Store) {
    let members: Vec<Member> = (0..25).map(|n| member(&format!("{n:02}"), &n.to_string(), "a")).collect();
    insert(&store, &members).await.unwrap();
    for size in [1, 2, 7, 24, 25, 26, usize::MAX] {
        let up: Vec<Member> = all(&store, None, &Key::all(), size, Order::Ascending).await;
        assert_eq!(up, members, "{size}");
        let mut down: Vec<Member> = all(&store, None, &Key::all(), size, Order::Descending).await;
        down.reverse();
        assert_eq!(down, members, "{size}");
    }
    let last = store.page::<Member>(None, &Key::all(), None, 25, Order::Ascending).await.unwrap();
    assert_eq!(last.next, None, "a page that holds the last record says so");
}

pub async fn a_prefix_holds_whole_segments_only(store: Store) {
    let groups = ["a", "ab", "a!", "a b", "", "b", "A", "aé"];
    for (place, group) in groups.iter().enumerate() {
        let both = [
            member(&format!("{place}x"), &format!("{place}x"), group),
            member(&format!("{place}y"), &format!("{place}y"), group),
        ];
        insert(&store, &both).await.unwrap();
    }
    for (place, group) in groups.iter().enumerate() {
        for order in [Order::Ascending, Order::Descending] {
            let found: Vec<Member> = all(&store, Some("group"), &Key::of(*group), 1, order).await;
            let mut found = ids(&found);
            found.sort_unstable();
            assert_eq!(found, [format!("{place}x"), format!("{place}y")], "{group:?}");
        }
    }
}

pub async fn an_index_page_lists_the_records_and_follows_changes(store: Store) {
    let members: Vec<Member> = (0..9).map(|n| member(&n.to_string(), &n.to_string(), "a")).collect();
    insert(&store, &members).await.unwrap();
    put(&store, &member("3", "3", "b")).await.unwrap();
    delete::<Member>(&store, &Key::of("4")).await.unwrap();
    let a: Vec<Member> = all(&store, Some("group"), &Key::of("a"), 2, Order::Descending).await;
    assert_eq!(ids(&a), ["8", "7", "6", "5", "2", "1", "0"]);
    let b: Vec<Member> = all(&store, Some("group"), &Key::of("b"), 2, Order::Ascending).await;
    assert_eq!(ids(&b), ["3"]);
    let names: Vec<Member> = all(&store, Some("name"), &Key::all(), 3, Order::Ascending).await;
    assert_eq!(names.len(), 8);
}

pub async fn a_page_over_shards_is_in_the_order_of_time(store: Store) {
    let line = |n: i64| Line {
        id: format!("line {n}"),
        at: Timestamp::from_millis(1_600_000_000_000 + n * 37 % 100),
        who: format!("who {}", n % 2),
    };
    let mut lines: Vec<Line> = (0..60).map(line).collect();
    insert(&store, &lines).await.unwrap();
    lines.sort_by(|left, right| (left.at, &left.id).cmp(&(right.at, &right.id)));
    let shards: BTreeSet<Shard> = lines.iter().map(|line| shard_of(&line.id)).collect();
    assert_eq!(shards.len(), usize::from(store::TIME_SHARDS), "the lines lie in every shard");
    let (mut newest_first, mut after) = (Vec::new(), None);
    loop {
        let page = store
            .page_sharded::<Line>(None, &Key::all(), after.as_deref(), 7, Order::Descending)
            .await
            .unwrap();
        newest_first.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    newest_first.reverse();
    assert_eq!(newest_first, lines);
    let of_one =
        store.page_sharded::<Line>(Some("who"), &key!["who 1"], None, 100, Order::Ascending).await.unwrap();
    lines.retain(|line| line.who == "who 1");
    assert_eq!(of_one.items, lines);
    assert_eq!(of_one.next, None);
}

pub async fn a_forged_cursor_stays_within_the_prefix(store: Store) {
    insert(&store, &[member("1", "1", "a"), member("2", "2", "b"), member("3", "3", "c")]).await.unwrap();
    for forged in ["", "_____w", "AA", "YSE", "not base64!", "enp6enp6enp6", "ISEhISEh", "IiIiIg"] {
        for order in [Order::Ascending, Order::Descending] {
            match store.page::<Member>(Some("group"), &Key::of("b"), Some(forged), 10, order).await {
                Ok(page) => assert!(page.items.iter().all(|member| member.group == "b"), "{forged}"),
                Err(error) => {
                    assert!(matches!(error, StoreError::Corrupt(_)), "{forged}: {error}");
                    assert!(!store::read::is_cursor(forged));
                }
            }
        }
    }
}
