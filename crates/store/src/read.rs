//! Reading outside a unit of work: by key, by index, and page by page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::backend::{Row, Scan};
use crate::error::{Result, StoreError};
use crate::key::{Key, Order, Shard, just_after, prefix_end};
use crate::limits::{GET_KEYS_MAX, PAGE_MAX};
use crate::table::{Page, Pointer, Record, decode, entry_rows, index_space};
use crate::{Inner, Store};

impl Store {
    /// The record at `key`, as last committed.
    pub async fn get<R: Record>(&self, key: &Key) -> Result<Option<R>> {
        let at = self.inner.at(R::SPACE.into(), key);
        let rows = self.inner.backend.get(&[at]).await?;
        rows.into_iter().next().flatten().map(|row| decode(&row.value)).transpose()
    }

    /// The records at these keys (at most `limits::GET_KEYS_MAX`), in the order asked, in one round trip.
    pub async fn get_many<R: Record>(&self, keys: &[Key]) -> Result<Vec<Option<R>>> {
        self.inner
            .rows::<R>(keys)
            .await?
            .into_iter()
            .map(|row| row.map(|row| decode(&row.value)).transpose())
            .collect()
    }

    /// The record with this entry in the index: the one of a unique index, the first of another.
    pub async fn find<R: Record>(&self, index: &str, key: &Key) -> Result<Option<R>> {
        let found = self.inner.scan_rows::<R>(Some(index), key, None, 1, Order::Ascending).await?;
        Ok(self.inner.records_of::<R>(Some(index), &found).await?.into_iter().next())
    }

    /// How many entries of an index begin with `prefix`, counted up to `limit`, without a look at their records. It may be
    /// too many: an entry can outlive a record that expires by up to two steps of `limits::INDEX_EXPIRY_STEP_MS`.
    pub async fn count_entries<R: Record>(&self, index: &str, prefix: &Key, limit: usize) -> Result<usize> {
        let limit = limit.min(PAGE_MAX);
        let found = self.inner.scan_rows::<R>(Some(index), prefix, None, limit, Order::Ascending).await?;
        Ok(found.len())
    }

    /// One page of the records whose keys, or whose entries in `index`, begin with `prefix` (`Key::all()`: of all).
    ///
    /// A snapshot, not a promise: a record may come or go the moment after, and within an index page each record is
    /// read a moment after its entry. `limit` is taken as at most `limits::PAGE_MAX` and at least one.
    ///
    /// # Errors
    /// `Corrupt` when `after` is not a cursor.
    pub async fn page<R: Record>(
        &self,
        index: Option<&str>,
        prefix: &Key,
        after: Option<&str>,
        limit: usize,
        order: Order,
    ) -> Result<Page<R>> {
        let limit = limit.clamp(1, PAGE_MAX);
        let after = after.map(decode_cursor).transpose()?;
        let mut rows = self.inner.scan_rows::<R>(index, prefix, after.as_deref(), limit + 1, order).await?;
        let next = cut(&mut rows, limit).map(|rest| encode_cursor(&rest));
        let items = self.inner.records_of(index, &rows).await?;
        Ok(Page { items, next })
    }

    /// Like [`Store::page`] for keys (or entries) that begin with a [`Shard`], then `prefix`, then time: one page over
    /// all shards, merged by what follows the shard.
    pub async fn page_sharded<R: Record>(
        &self,
        index: Option<&str>,
        prefix: &Key,
        after: Option<&str>,
        limit: usize,
        order: Order,
    ) -> Result<Page<R>> {
        let limit = limit.clamp(1, PAGE_MAX);
        let after = after.map(decode_cursor).transpose()?;
        let mut merged = Vec::new();
        for shard in Shard::all() {
            let prefix = Key::of(shard).join(prefix);
            merged
                .extend(self.inner.scan_rows::<R>(index, &prefix, after.as_deref(), limit + 1, order).await?);
        }
        match order {
            Order::Ascending => merged.sort_by(|left, right| left.rest.cmp(&right.rest)),
            Order::Descending => merged.sort_by(|left, right| right.rest.cmp(&left.rest)),
        }
        let next = cut(&mut merged, limit).map(|rest| encode_cursor(&rest));
        let items = self.inner.records_of(index, &merged).await?;
        Ok(Page { items, next })
    }
}

/// A row under a prefix.
pub(crate) struct Found {
    /// What follows the prefix in its key.
    rest: String,
    /// Its whole key, without the tenant.
    pub(crate) key: String,
    pub(crate) row: Row,
}

/// What a page's `after` must be to begin just beyond the record (or, in a sharded table, the rest of its key after
/// the shard) at `key`, as `Page::next` would have said it.
pub fn cursor_after(key: &Key) -> String {
    encode_cursor(key.as_str())
}

/// Whether a text has the form of a `Page::next`, so that a caller can refuse another before asking for the page.
pub fn is_cursor(text: &str) -> bool {
    decode_cursor(text).is_ok()
}

/// Shortens rows to `limit`; answers where the last one lies if there were more.
fn cut(rows: &mut Vec<Found>, limit: usize) -> Option<String> {
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(|found| found.rest.clone())
}

fn encode_cursor(rest: &str) -> String {
    URL_SAFE_NO_PAD.encode(rest)
}

/// A forged cursor can hold anything except NUL, which PostgreSQL would refuse; it only moves within the prefix.
fn decode_cursor(cursor: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = bytes.filter(|text| !text.contains('\0') && text.len() <= crate::limits::KEY_BYTES_MAX);
    text.ok_or_else(|| StoreError::Corrupt("the cursor of a page does not decode".into()))
}

impl Inner {
    /// The rows of records at these keys.
    pub(crate) async fn rows<R: Record>(&self, keys: &[Key]) -> Result<Vec<Option<Row>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        if keys.len() > GET_KEYS_MAX {
            return Err(StoreError::Corrupt(format!("{} keys asked for at once", keys.len())));
        }
        let at: Vec<_> = keys.iter().map(|key| self.at(R::SPACE.into(), key)).collect();
        self.backend.get(&at).await
    }

    /// Rows under a prefix, from just beyond `after`, which is what follows the prefix in a key.
    pub(crate) async fn scan_rows<R: Record>(
        &self,
        index: Option<&str>,
        prefix: &Key,
        after: Option<&str>,
        limit: usize,
        order: Order,
    ) -> Result<Vec<Found>> {
        let prefix = self.row_key(prefix);
        let (mut start, mut end) = (prefix.clone(), prefix_end(&prefix));
        match (after, order) {
            (None, _) => {}
            (Some(rest), Order::Ascending) => start = just_after(&format!("{prefix}{rest}")),
            (Some(rest), Order::Descending) => end = end.min(format!("{prefix}{rest}")),
        }
        let space = index.map_or(R::SPACE.into(), |index| index_space(R::SPACE, index));
        let scan = Scan { space, start, end, limit, descending: order == Order::Descending };
        let rows = self.backend.scan(scan).await?;
        let found = |(key, row): (String, Row)| Found {
            rest: key.get(prefix.len()..).unwrap_or_default().to_owned(),
            key: self.own_key(&key).to_owned(),
            row,
        };
        Ok(rows.into_iter().map(found).collect())
    }

    /// Decodes rows of a table; of an index, follows them, skipping those whose record is gone or has moved on.
    async fn records_of<R: Record>(&self, index: Option<&str>, found: &[Found]) -> Result<Vec<R>> {
        let Some(index) = index else { return found.iter().map(|found| decode(&found.row.value)).collect() };
        let keys: Vec<Key> = found.iter().map(|found| pointed_at(&found.row)).collect::<Result<_>>()?;
        let mut records = Vec::with_capacity(keys.len());
        for (found, row) in found.iter().zip(self.rows::<R>(&keys).await?) {
            let Some(row) = row else { continue };
            let record: R = decode(&row.value)?;
            if has_entry(&record, index, &found.key) {
                records.push(record);
            }
        }
        Ok(records)
    }
}

/// The key an index row names.
pub(crate) fn pointed_at(row: &Row) -> Result<Key> {
    let pointer: Pointer = serde_json::from_str(&row.value)
        .map_err(|error| StoreError::Corrupt(format!("an index entry does not decode: {error}")))?;
    Ok(Key::from_encoded(pointer.key))
}

/// Whether the record, as it is, has this row in this index.
pub(crate) fn has_entry<R: Record>(record: &R, index: &str, key: &str) -> bool {
    entry_rows(record).iter().any(|entry| entry.name == index && entry.key.as_str() == key)
}
