//! Typed records, and the index entries that follow from them.
//!
//! An index is a space of its own, `table.index`, whose rows name the record's key. A unique entry is a row at
//! exactly the index key, so "taken" is nothing more than "there is a row". A many-entry carries the record's key
//! behind the index key. All entries of one index have the same number of segments.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use domain::time::Timestamp;

use crate::error::{Result, StoreError};
use crate::key::Key;
use crate::limits::INDEX_EXPIRY_STEP_MS;

/// Something that is stored under a key of its own.
///
/// A record may only ever gain optional fields: what a release has written must decode for good.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The table. No two record types share one, and none contains a `.`.
    const SPACE: &'static str;

    /// The key within tenant and table. It never changes for one record.
    fn key(&self) -> Key;

    /// The index entries of this record as it is now.
    fn indexes(&self) -> Vec<IndexEntry> {
        Vec::new()
    }

    /// From when on the sweeper may remove the record. Until it is swept, an expired record is still found: whether
    /// it counts is for the reader to decide, who has the clock.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

/// One way to find a record other than by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    pub(crate) name: &'static str,
    pub(crate) key: Key,
    pub(crate) unique: bool,
}

impl IndexEntry {
    /// An entry that no other record may have. The second insert gets `AlreadyExists` with this name.
    pub fn unique(name: &'static str, key: Key) -> Self {
        Self { name, key, unique: true }
    }

    /// An entry that many records may share; they are then ordered by their own keys.
    pub fn many(name: &'static str, key: Key) -> Self {
        Self { name, key, unique: false }
    }
}

/// One page of records, and where the next begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<R> {
    /// At most as many as asked for; fewer, even none, do not mean that this was the last page.
    pub items: Vec<R>,
    /// Pass it as `after` to get the following page; `None` on the last. Opaque, safe in a URL, and harmless when
    /// forged: it can only move within the prefix asked for.
    pub next: Option<String>,
}

impl<R> Page<R> {
    /// The same page with each record turned into something else.
    pub fn map<T>(self, change: impl FnMut(R) -> T) -> Page<T> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

/// A row of an index: names the record.
#[derive(Debug, Serialize, serde::Deserialize)]
pub(crate) struct Pointer {
    /// The record's encoded key, without the tenant.
    pub(crate) key: String,
}

/// An index row as it follows from a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryRow {
    pub(crate) name: &'static str,
    pub(crate) space: Cow<'static, str>,
    pub(crate) key: Key,
    pub(crate) unique: bool,
    pub(crate) expires_at: Option<Timestamp>,
}

/// The space in which the entries of an index lie.
pub(crate) fn index_space(space: &str, index: &str) -> Cow<'static, str> {
    Cow::Owned(format!("{space}.{index}"))
}

/// The index rows of a record.
pub(crate) fn entry_rows<R: Record>(record: &R) -> Vec<EntryRow> {
    let entries = record.indexes();
    if entries.is_empty() {
        return Vec::new();
    }
    let (own, expires_at) = (record.key(), record.expires_at());
    entries
        .into_iter()
        .map(|entry| EntryRow {
            name: entry.name,
            space: index_space(R::SPACE, entry.name),
            key: if entry.unique { entry.key } else { entry.key.join(&own) },
            unique: entry.unique,
            expires_at: expires_at.map(|at| entry_expiry(at, entry.unique)),
        })
        .collect()
}

/// A unique entry goes with its record, or its name would stay taken. Another may outlive it by up to two steps,
/// in which time it points nowhere and readers skip it.
fn entry_expiry(record: Timestamp, unique: bool) -> Timestamp {
    if unique {
        return record;
    }
    let step = record.as_millis().div_euclid(INDEX_EXPIRY_STEP_MS).saturating_add(2);
    Timestamp::from_millis(step.saturating_mul(INDEX_EXPIRY_STEP_MS))
}

/// The index rows of a record that is only known as text: how a `Tx` clears up after a record it replaces.
pub(crate) fn entry_rows_of_text<R: Record>(text: &str) -> Result<Vec<EntryRow>> {
    Ok(entry_rows::<R>(&decode(text)?))
}

pub(crate) fn decode<R: Record>(text: &str) -> Result<R> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Corrupt(format!("a record of {} does not decode: {error}", R::SPACE)))
}

pub(crate) fn encode<R: Record>(record: &R) -> Result<String> {
    serde_json::to_string(record)
        .map_err(|error| StoreError::Corrupt(format!("a record of {} does not encode: {error}", R::SPACE)))
}
