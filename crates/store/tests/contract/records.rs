//! The records the suite works with.

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::{IndexEntry, Key, Record, Store, StoreError, Tx, key, shard_of};

/// A number under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counter {
    pub id: String,
    pub count: u64,
}

impl Record for Counter {
    const SPACE: &'static str = "counter";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }
}

/// Something with a unique name, that belongs to a group and may expire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub id: String,
    pub name: String,
    pub group: String,
    pub note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Record for Member {
    const SPACE: &'static str = "member";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::unique("name", key![self.name]), IndexEntry::many("group", key![self.group])]
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.until
    }
}

/// One line of a history in the order of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub id: String,
    pub at: Timestamp,
    pub who: String,
}

impl Record for Line {
    const SPACE: &'static str = "line";

    fn key(&self) -> Key {
        key![shard_of(&self.id), self.at, self.id]
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::many("who", key![shard_of(&self.id), self.who, self.at])]
    }
}

pub fn member(id: &str, name: &str, group: &str) -> Member {
    Member { id: id.into(), name: name.into(), group: group.into(), note: String::new(), until: None }
}

pub async fn insert<R: Record>(store: &Store, records: &[R]) -> Result<(), StoreError> {
    store
        .transact(async |tx: &mut Tx| {
            for record in records {
                tx.insert(record.clone());
            }
            Ok(())
        })
        .await
}

pub async fn put<R: Record>(store: &Store, record: &R) -> Result<(), StoreError> {
    store
        .transact(async |tx: &mut Tx| {
            tx.put(record.clone());
            Ok(())
        })
        .await
}

pub async fn delete<R: Record>(store: &Store, key: &Key) -> Result<(), StoreError> {
    store
        .transact(async |tx: &mut Tx| {
            tx.delete::<R>(key);
            Ok(())
        })
        .await
}

/// Adds one; answers the new count.
pub async fn increment(store: &Store, id: &str) -> Result<u64, StoreError> {
    store
        .transact(async |tx: &mut Tx| {
            let count = tx.get::<Counter>(&Key::of(id)).await?.map_or(0, |counter| counter.count) + 1;
            tx.put(Counter { id: id.to_owned(), count });
            Ok(count)
        })
        .await
}

pub async fn count(store: &Store, id: &str) -> u64 {
    store.get::<Counter>(&Key::of(id)).await.unwrap().map_or(0, |counter| counter.count)
}
