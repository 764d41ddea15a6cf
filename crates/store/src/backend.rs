//! The waist every backend fills: get, scan, commit (and the removal of what has expired), and what each promises.
//!
//! A backend knows rows, not records: text keys, JSON text, versions. Everything typed lies above, in `tx` and
//! `table`. It must hold for each:
//!
//! - `commit` is all or nothing and isolated: its expectations are checked and its writes done as if at one moment.
//! - An acknowledged commit is durable, and every later `get` on any clone sees it.
//! - `get` and each `scan` see one moment. Two calls may see two.
//! - A row's version is that of the batch that wrote it, so it never comes back: a row that was deleted and written
//!   anew is a different one, even with the same value.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use domain::time::Timestamp;

use crate::error::Result;

/// A boxed future, so that backends can stand behind one pointer.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Which batch wrote a row: 63 random bits, positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(i64);

impl Version {
    /// The version with these bits; the sign is dropped.
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits & i64::MAX)
    }

    /// As the backends store it: never negative.
    pub const fn as_i64(self) -> i64 {
        self.0
    }
}

/// Where a row lies: its space (a table or an index) and its encoded key, which begins with the tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The table, or `table.index`.
    pub space: Cow<'static, str>,
    /// The encoded key.
    pub key: String,
}

/// What a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The batch that wrote it.
    pub version: Version,
    /// JSON text.
    pub value: String,
}

/// A bounded, ordered read: keys from `start` (included) to `end` (excluded).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The space to read.
    pub space: Cow<'static, str>,
    /// The lowest key that may be answered.
    pub start: String,
    /// The lowest key above those that may be answered.
    pub end: String,
    /// Rows at most.
    pub limit: usize,
    /// Highest key first.
    pub descending: bool,
}

/// A row to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Where.
    pub at: RowKey,
    /// JSON text.
    pub value: String,
    /// From when on the sweeper may remove it.
    pub expires_at: Option<Timestamp>,
}

/// What is to happen at one moment, or not at all. No key is both put and deleted, or named twice in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The version its rows get, and the name by which a lost answer is looked up. Never used twice.
    pub id: Version,
    /// Rows that must (still) have this version; `None`: must not be there.
    pub expect: Vec<(RowKey, Option<Version>)>,
    /// Rows to write, whether or not they were there.
    pub put: Vec<Put>,
    /// Rows to remove, whether or not they were there.
    pub delete: Vec<RowKey>,
}

/// A place that keeps rows.
///
/// `commit` fails with `Conflict` if an expectation does not hold, with `Unknown` if it may have taken place, and
/// with `Unavailable` only if it surely did not.
pub trait Backend: Send + Sync + 'static {
    /// The rows at these keys, in the order asked, in one round trip and of one moment.
    fn get<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Row>>>>;

    /// One ordered, bounded page of rows with their keys.
    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<(String, Row)>>>;

    /// All of the batch, or nothing.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<()>>;

    /// Removes up to `max` rows whose `expires_at` is `now` or earlier, soonest first; answers how many.
    fn sweep(&self, now: Timestamp, max: usize) -> BoxFuture<'_, Result<usize>>;

    /// What the backend's own clock shows; `None` for one that lives in this process and has no other than ours.
    fn clock(&self) -> BoxFuture<'_, Result<Option<Timestamp>>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}
