//! One unit of work: remembers the version of all it read, buffers all it writes, commits both at one moment.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::Store;
use crate::backend::{Batch, Put, Row, RowKey, Version};
use crate::error::{Result, StoreError};
use crate::key::{Key, Order};
use crate::limits::{BATCH_ROWS_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::read::{has_entry, pointed_at};
use crate::table::{EntryRow, Page, Pointer, Record, decode, encode, entry_rows, entry_rows_of_text};

/// A unit of work, as [`Store::transact`] hands it out.
///
/// What it wrote it also reads, by key and by `find`. All point reads (`get`, `get_many`, `find`), absence included,
/// are checked again at commit; `page` is not.
pub struct Tx {
    store: Store,
    /// What point reads saw, by row; `None`: not there.
    read: HashMap<RowKey, Option<Row>>,
    /// The index entries of records that were read, so that a record that is written then need not be decoded again.
    entries: HashMap<RowKey, Vec<EntryRow>>,
    /// What is to be written, by row of the record. Ordered, so that the same work makes the same batch.
    writes: BTreeMap<RowKey, Write>,
    /// Index entries that go while their records stay.
    dropped: BTreeSet<RowKey>,
    /// Rows that must have this version, or running the closure again would not help.
    pinned: Vec<(RowKey, Version)>,
    /// The first thing that makes the commit impossible.
    failed: Option<StoreError>,
}

struct Write {
    /// The record's new state; `None`: gone.
    new: Option<NewState>,
    /// An insert: the key must be free at commit.
    insert: bool,
    /// Finds the index entries of the state that is replaced.
    entries_of: fn(&str) -> Result<Vec<EntryRow>>,
    /// The record's own key, which index rows name.
    key: Key,
}

struct NewState {
    value: String,
    expires_at: Option<domain::time::Timestamp>,
    entries: Vec<EntryRow>,
}

/// What became of a commit that failed.
pub(crate) enum CommitError {
    /// Someone was faster; running the closure again may succeed.
    Rerun,
    /// Running it again would not help, or must not be done.
    Final(StoreError),
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Rerun,
            other => Self::Final(other),
        }
    }
}

impl Tx {
    pub(crate) fn new(store: Store) -> Self {
        let (read, entries, writes) = (HashMap::new(), HashMap::new(), BTreeMap::new());
        let (dropped, pinned) = (BTreeSet::new(), Vec::new());
        Self { store, read, entries, writes, dropped, pinned, failed: None }
    }

    /// The record at `key`. At commit it must be unchanged, or still absent.
    pub async fn get<R: Record>(&mut self, key: &Key) -> Result<Option<R>> {
        let found = self.get_many::<R>(std::slice::from_ref(key)).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// The records at these keys, in the order asked, in one round trip. Each is remembered as by [`Tx::get`].
    pub async fn get_many<R: Record>(&mut self, keys: &[Key]) -> Result<Vec<Option<R>>> {
        let at: Vec<RowKey> = keys.iter().map(|key| self.at::<R>(key)).collect();
        let unseen = at.iter().filter(|at| !self.writes.contains_key(at)).cloned().collect();
        self.remember(unseen).await?;
        let mut records = Vec::with_capacity(at.len());
        for at in at {
            let record = self.current::<R>(&at)?;
            if let Some(record) = &record
                && !self.writes.contains_key(&at)
            {
                self.entries.entry(at).or_insert_with(|| entry_rows(record));
            }
            records.push(record);
        }
        Ok(records)
    }

    /// The record with this entry in a unique index, or the first with it in another. Both the entry (or its
    /// absence) and the record are remembered; a newcomer in front of the first is not noticed.
    pub async fn find<R: Record>(&mut self, index: &str, key: &Key) -> Result<Option<R>> {
        if let Some(own) = self.find_among_writes::<R>(index, key)? {
            return Ok(Some(own));
        }
        let inner = self.store.inner.clone();
        let found = inner.scan_rows::<R>(Some(index), key, None, 1, Order::Ascending).await?;
        let space = crate::table::index_space(R::SPACE, index);
        let Some(found) = found.into_iter().next() else {
            self.read.entry(inner.at(space, key)).or_insert(None);
            return Ok(None);
        };
        let target = pointed_at(&found.row)?;
        self.read.entry(inner.at(space, &Key::from_encoded(&*found.key))).or_insert(Some(found.row));
        let record = self.get::<R>(&target).await?;
        Ok(record.filter(|record| has_entry(record, index, &found.key)))
    }

    /// One page, as [`Store::page`] gives it: a snapshot of what is committed. It does not see this unit's own writes,
    /// nothing of it is remembered, and newcomers are not noticed at commit. Where "all of them" matters, let
    /// newcomers write a record that this unit of work reads (to read one that this unit changes is not enough: a
    /// newcomer that commits after the page and before this unit escapes); where one of them matters, `get` it again.
    pub async fn page<R: Record>(
        &mut self,
        index: Option<&str>,
        prefix: &Key,
        after: Option<&str>,
        limit: usize,
        order: Order,
    ) -> Result<Page<R>> {
        self.store.page(index, prefix, after, limit, order).await
    }

    /// Adds a record. At commit its key and its unique index entries must be free; nothing is read before.
    ///
    /// If one is taken, the commit answers `AlreadyExists`, unless this unit of work had looked for it and found it
    /// absent: then someone was faster, and the closure runs again and will see it.
    pub fn insert<R: Record>(&mut self, record: R) {
        let at = self.at::<R>(&record.key());
        let (known, replaced) = match self.writes.get(&at) {
            Some(write) => (write.new.is_some(), write.new.is_none() && !write.insert),
            None => (self.read.get(&at).is_some_and(Option::is_some), false),
        };
        if known {
            self.fail(StoreError::AlreadyExists { index: "key" });
        }
        self.write(at, &record, !replaced);
    }

    /// Writes a record, whether or not it is there. If it was not read in this unit of work, it is read at commit, so
    /// that the index entries of its old state are found.
    pub fn put<R: Record>(&mut self, record: R) {
        let at = self.at::<R>(&record.key());
        let insert = self.writes.get(&at).is_some_and(|write| write.insert);
        self.write(at, &record, insert);
    }

    /// Removes the record at `key` and its index entries, if it is there.
    pub fn delete<R: Record>(&mut self, key: &Key) {
        let at = self.at::<R>(key);
        // What this unit of work inserted must still have been free to insert.
        let insert = self.writes.get(&at).is_some_and(|write| write.insert);
        let entries_of = entry_rows_of_text::<R>;
        self.writes.insert(at, Write { new: None, insert, entries_of, key: key.clone() });
    }

    /// Removes a record's entries in one index and leaves the record: it has then been taken from that index as from a
    /// queue. Nothing is read for it. The entries come back only if the record's entries there change.
    pub fn drop_entries<R: Record>(&mut self, index: &str, record: &R) {
        let entries = entry_rows(record).into_iter().filter(|entry| entry.name == index);
        let rows = entries.map(|entry| self.store.inner.at(entry.space, &entry.key));
        self.dropped.extend(rows);
    }

    /// The record at `key` must still have this version, or the commit fails for good.
    pub(crate) fn pin<R: Record>(&mut self, key: &Key, version: Version) {
        let at = self.at::<R>(key);
        self.pinned.push((at, version));
    }

    fn at<R: Record>(&self, key: &Key) -> RowKey {
        self.store.inner.at(R::SPACE.into(), key)
    }

    fn fail(&mut self, error: StoreError) {
        self.failed.get_or_insert(error);
    }

    fn write<R: Record>(&mut self, at: RowKey, record: &R, insert: bool) {
        let value = match encode(record) {
            Ok(value) => value,
            Err(error) => return self.fail(error),
        };
        let new = Some(NewState { value, expires_at: record.expires_at(), entries: entry_rows(record) });
        let entries_of = entry_rows_of_text::<R>;
        self.writes.insert(at, Write { new, insert, entries_of, key: record.key() });
    }

    /// Reads and remembers those rows that are not yet known.
    async fn remember(&mut self, mut rows: Vec<RowKey>) -> Result<()> {
        rows.retain(|at| !self.read.contains_key(at));
        rows.sort();
        rows.dedup();
        if rows.is_empty() {
            return Ok(());
        }
        if rows.len() > crate::limits::GET_KEYS_MAX {
            return Err(StoreError::Corrupt(format!("{} keys asked for at once", rows.len())));
        }
        let found = self.store.inner.backend.get(&rows).await?;
        self.read.extend(rows.into_iter().zip(found));
        Ok(())
    }

    /// The record as this unit of work sees it; its row must be written or read.
    fn current<R: Record>(&self, at: &RowKey) -> Result<Option<R>> {
        let text = match self.writes.get(at) {
            Some(write) => write.new.as_ref().map(|new| &new.value),
            None => self.read.get(at).and_then(Option::as_ref).map(|row| &row.value),
        };
        text.map(|text| decode(text)).transpose()
    }

    fn find_among_writes<R: Record>(&self, index: &str, key: &Key) -> Result<Option<R>> {
        let own = self.writes.iter().filter(|(at, _)| at.space == R::SPACE);
        for new in own.filter_map(|(_, write)| write.new.as_ref()) {
            if new
                .entries
                .iter()
                .any(|entry| entry.name == index && entry.key.as_str().starts_with(key.as_str()))
            {
                return decode(&new.value).map(Some);
            }
        }
        Ok(None)
    }

    /// Commits. A unit of work that only read one row, or none, has nothing to commit; one that read more proves that
    /// all of it held at one moment.
    pub(crate) async fn commit(self) -> Result<(), CommitError> {
        self.commit_as(crate::new_version()).await
    }

    /// Commits without another attempt; answers the version of what was written.
    pub(crate) async fn commit_once(self) -> Result<Version> {
        let id = crate::new_version();
        match self.commit_as(id).await {
            Ok(()) => Ok(id),
            Err(CommitError::Rerun) => Err(StoreError::Conflict),
            Err(CommitError::Final(error)) => Err(error),
        }
    }

    async fn commit_as(mut self, id: Version) -> Result<(), CommitError> {
        if let Some(error) = self.failed.take() {
            return Err(CommitError::Final(error));
        }
        if self.writes.is_empty() && self.dropped.is_empty() && self.pinned.is_empty() {
            // One row alone held when it was read.
            return if self.read.len() <= 1 { Ok(()) } else { self.check_reads().await };
        }
        let looked_for = self.absent_rows();
        let replaced =
            self.writes.iter().filter(|(_, write)| !write.insert).map(|(at, _)| at.clone()).collect();
        self.remember(replaced).await?;
        let plan = self.plan(id)?;
        check_bounds(&plan.batch)?;
        match self.store.inner.backend.commit(plan.batch).await {
            Err(StoreError::Conflict) => Err(self.explain(&looked_for, &plan.fresh).await),
            other => other.map_err(CommitError::from),
        }
    }

    /// Versions never come back, so rows that are unchanged in one later look were all there at that moment.
    async fn check_reads(&self) -> Result<(), CommitError> {
        let (rows, seen): (Vec<RowKey>, Vec<_>) = self.read.iter().map(|(at, row)| (at.clone(), row)).unzip();
        let now = self.store.inner.backend.get(&rows).await?;
        let version = |row: &Option<Row>| row.as_ref().map(|row| row.version);
        let same = now.iter().zip(seen).all(|(now, seen)| version(now) == version(seen));
        if same { Ok(()) } else { Err(CommitError::Rerun) }
    }

    fn absent_rows(&self) -> HashSet<RowKey> {
        self.read.iter().filter(|(_, row)| row.is_none()).map(|(at, _)| at.clone()).collect()
    }

    /// Turns reads and writes into a batch.
    fn plan(&self, id: Version) -> Result<Plan> {
        let mut entries = Entries::default();
        let mut batch = Batch { id, expect: Vec::new(), put: Vec::new(), delete: Vec::new() };
        let mut fresh = Vec::new();
        for (at, write) in &self.writes {
            let old = match (self.read.get(at).and_then(Option::as_ref), self.entries.get(at)) {
                (None, _) => Cow::default(),
                (Some(_), Some(known)) => Cow::Borrowed(&**known),
                (Some(row), None) => Cow::Owned((write.entries_of)(&row.value)?),
            };
            let new = write.new.as_ref().map_or(&[][..], |new| &new.entries);
            entries.change(&self.store, &old, new, &write.key)?;
            if write.insert {
                fresh.push((at.clone(), "key"));
            }
            match &write.new {
                Some(new) => {
                    batch.put.push(Put {
                        at: at.clone(),
                        value: new.value.clone(),
                        expires_at: new.expires_at,
                    });
                }
                None => batch.delete.push(at.clone()),
            }
        }
        for (at, entry) in entries.added {
            // One that another record of this batch gives up is free because that record's version is expected.
            if entry.unique && !entries.removed.remove(&at) {
                if self.read.get(&at).is_some_and(Option::is_some) {
                    return Err(StoreError::AlreadyExists { index: entry.name });
                }
                fresh.push((at.clone(), entry.name));
            }
            entries.removed.remove(&at);
            batch.put.push(Put { at, value: entry.pointer, expires_at: entry.expires_at });
        }
        let mut expect: BTreeMap<RowKey, Option<Version>> =
            fresh.iter().map(|(at, _)| (at.clone(), None)).collect();
        expect.extend(self.read.iter().map(|(at, row)| (at.clone(), row.as_ref().map(|row| row.version))));
        expect.extend(self.pinned.iter().map(|(at, version)| (at.clone(), Some(*version))));
        batch.expect.extend(expect);
        entries
            .removed
            .extend(self.dropped.iter().filter(|at| !batch.put.iter().any(|put| put.at == **at)).cloned());
        batch.delete.extend(entries.removed);
        Ok(Plan { batch, fresh })
    }

    /// Tells a race from what would fail for ever: looks whether a pinned row has changed, or whether something
    /// inserted without a look is taken.
    async fn explain(&self, looked_for: &HashSet<RowKey>, fresh: &[(RowKey, &'static str)]) -> CommitError {
        let blind: Vec<_> = fresh.iter().filter(|(at, _)| !looked_for.contains(at)).collect();
        let pinned = self.pinned.iter().map(|(at, _)| at);
        let rows: Vec<RowKey> = pinned.chain(blind.iter().map(|(at, _)| at)).cloned().collect();
        if rows.is_empty() {
            return CommitError::Rerun;
        }
        let now = match self.store.inner.backend.get(&rows).await {
            Ok(now) => now,
            Err(error) => return CommitError::from(error),
        };
        let (pinned_now, blind_now) = now.split_at(self.pinned.len());
        for ((_, version), row) in self.pinned.iter().zip(pinned_now) {
            if row.as_ref().map(|row| row.version) != Some(*version) {
                return CommitError::Final(StoreError::Conflict);
            }
        }
        let taken = blind.into_iter().zip(blind_now).find(|(_, row)| row.is_some());
        let Some(((_, index), _)) = taken else { return CommitError::Rerun };
        // What was read may have changed too, and then another run may not insert this at all.
        match self.check_reads().await {
            Ok(()) => CommitError::Final(StoreError::AlreadyExists { index }),
            Err(error) => error,
        }
    }
}

struct Plan {
    batch: Batch,
    /// Rows that are expected absent because something is inserted there, with the name of their index.
    fresh: Vec<(RowKey, &'static str)>,
}

/// The index rows that a batch adds and removes.
#[derive(Default)]
struct Entries {
    added: BTreeMap<RowKey, AddedEntry>,
    removed: BTreeSet<RowKey>,
}

struct AddedEntry {
    name: &'static str,
    unique: bool,
    pointer: String,
    expires_at: Option<domain::time::Timestamp>,
}

impl Entries {
    /// What changes when a record's index rows were `old` and are to be `new`.
    fn change(&mut self, store: &Store, old: &[EntryRow], new: &[EntryRow], key: &Key) -> Result<()> {
        let kept = |entry: &EntryRow| new.iter().any(|new| new.space == entry.space && new.key == entry.key);
        for entry in old.iter().filter(|entry| !kept(entry)) {
            self.removed.insert(store.inner.at(entry.space.clone(), &entry.key));
        }
        for entry in new {
            if old.contains(entry) {
                continue;
            }
            let pointer = serde_json::to_string(&Pointer { key: key.as_str().to_owned() })
                .map_err(|error| StoreError::Corrupt(error.to_string()))?;
            let had = old.iter().any(|old| old.space == entry.space && old.key == entry.key);
            let (name, expires_at) = (entry.name, entry.expires_at);
            // An entry the record has already is only rewritten for its expiry, so it is not expected to be free.
            let added = AddedEntry { name, unique: entry.unique && !had, pointer, expires_at };
            let at = store.inner.at(entry.space.clone(), &entry.key);
            if self.added.insert(at, added).is_some() && entry.unique {
                return Err(StoreError::AlreadyExists { index: name });
            }
        }
        Ok(())
    }
}

fn check_bounds(batch: &Batch) -> Result<()> {
    let rows = batch.expect.len() + batch.put.len() + batch.delete.len();
    if rows > BATCH_ROWS_MAX {
        return Err(StoreError::Corrupt(format!("a batch of {rows} rows; the limit is {BATCH_ROWS_MAX}")));
    }
    for put in &batch.put {
        if put.value.len() > VALUE_BYTES_MAX {
            let (space, bytes) = (&put.at.space, put.value.len());
            return Err(StoreError::Corrupt(format!(
                "a record of {space} has {bytes} bytes; the limit is {VALUE_BYTES_MAX}"
            )));
        }
    }
    let keys =
        batch.expect.iter().map(|(at, _)| at).chain(batch.put.iter().map(|put| &put.at)).chain(&batch.delete);
    for at in keys {
        if at.key.len() + at.space.len() > KEY_BYTES_MAX {
            let (space, bytes) = (&at.space, at.key.len());
            return Err(StoreError::Corrupt(format!(
                "a key of {space} has {bytes} bytes; the limit is {KEY_BYTES_MAX}"
            )));
        }
    }
    Ok(())
}
