//! Durable work: added in the unit of work that causes it, claimed by lease, and done, put off or given up.
//!
//! An entry is handed to one claimant per lease, by a version check that one commit wins. When the lease runs out
//! without an answer, the entry is due again: work is done at least once, never silently lost. What a claimant
//! reports counts only while its claim is the last one.
//!
//! A kind may have lanes, such as the hosts that it is sent to: they take turns, and what stands in one of them that is
//! closed is passed over without a write.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use domain::time::Timestamp;

use crate::backend::Version;
use crate::error::{Result, StoreError};
use crate::key::{Key, KeyPart, Order, prefix_end};
use crate::limits::{
    OUTBOX_CLAIM_MAX, OUTBOX_DEAD_KEEP_MS, OUTBOX_ERROR_CHARS_MAX, OUTBOX_LANE_ROWS, OUTBOX_LANE_STEPS_MAX,
};
use crate::read::pointed_at;
use crate::table::{IndexEntry, Page, Record};
use crate::tx::Tx;
use crate::{Store, key};

/// All entries by kind, state and the time when they are due (or due again): each kind is claimed by itself, so that
/// no backlog of one hides the other.
const BY_KIND: &str = "kind";
/// All entries by kind, subject and due time.
const BY_SUBJECT: &str = "subject";
/// Pending entries that have a lane, by kind, lane and due time.
const BY_LANE: &str = "lane";

/// Work to be done later.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOutboxEntry {
    /// Never used before.
    pub id: String,
    /// Which worker it is for.
    pub kind: String,
    /// Whom it concerns, such as a client id: for reports and for counting.
    pub subject: String,
    /// Not before.
    pub due_at: Timestamp,
    /// When the worker should give up. The store hands it out even then, so that giving up is decided and logged.
    pub expires_at: Timestamp,
    /// The facts the worker needs.
    pub body: Value,
}

/// Where an entry stands. (A finished entry is gone.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Waiting, or being worked on under a lease.
    Pending,
    /// Given up. Kept for a while, so that an operator can see it.
    Dead,
}

impl OutboxState {
    const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Dead => "dead",
        }
    }
}

impl KeyPart for OutboxState {
    fn write(&self, key: &mut Key) {
        key.push_text(self.name());
    }
}

/// Work as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// As it was added.
    pub id: String,
    /// Which worker it is for.
    pub kind: String,
    /// Whom it concerns.
    pub subject: String,
    /// The queue that it stands in among its kind, where its kind has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// Where it stands.
    pub state: OutboxState,
    /// Not before; while it is leased, the end of the lease.
    pub due_at: Timestamp,
    /// When the worker should give up.
    pub expires_at: Timestamp,
    /// How often it was claimed.
    pub attempts: u32,
    /// Who claimed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// From when on a dead entry may be swept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<Timestamp>,
    /// The facts the worker needs.
    pub body: Value,
}

impl Record for OutboxEntry {
    const SPACE: &'static str = "outbox";

    fn key(&self) -> Key {
        Key::of(&*self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        if let (Some(lane), OutboxState::Pending) = (&self.lane, self.state) {
            return vec![IndexEntry::many(BY_LANE, key![self.kind, lane, self.due_at])];
        }
        vec![
            IndexEntry::many(BY_KIND, key![self.kind, self.state, self.due_at]),
            IndexEntry::many(BY_SUBJECT, key![self.kind, self.subject, self.due_at]),
        ]
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.kept_until
    }
}

/// An entry this process may work on until `entry.due_at`. Report with `Tx::outbox_done`, `_later` or `_dead`; if the
/// lease has run out and someone else has claimed it since, that unit of work fails with `Conflict`.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The entry, with this claim counted in `attempts`.
    pub entry: OutboxEntry,
    version: Version,
}

/// Whose turn it is among the lanes of a kind: kept by the claimant from one claim to the next.
#[derive(Debug, Clone, Default)]
pub struct LaneTurn {
    /// The lane that was served last; `None`: begin with the first.
    after: Option<String>,
}

/// Which entries a report lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxFilter<'a> {
    /// Those of a kind in a state, by due time.
    State {
        /// The worker's kind.
        kind: &'a str,
        /// Where they stand.
        state: OutboxState,
    },
    /// Those of a kind that concern a subject, in any state, by due time.
    Subject {
        /// The worker's kind.
        kind: &'a str,
        /// Whom they concern.
        subject: &'a str,
    },
}

impl Tx {
    /// Adds work, to be done if and only if this unit of work commits.
    pub fn outbox_add(&mut self, entry: NewOutboxEntry) {
        self.outbox_insert(entry, None);
    }

    /// Adds work that stands in a lane: it is claimed by [`Store::outbox_claim_lanes`] only.
    pub fn outbox_add_in_lane(&mut self, lane: &str, entry: NewOutboxEntry) {
        self.outbox_insert(entry, Some(lane.to_owned()));
    }

    fn outbox_insert(&mut self, entry: NewOutboxEntry, lane: Option<String>) {
        let NewOutboxEntry { id, kind, subject, due_at, expires_at, body } = entry;
        self.insert(OutboxEntry {
            id,
            kind,
            subject,
            lane,
            state: OutboxState::Pending,
            due_at,
            expires_at,
            attempts: 0,
            claimed_by: None,
            last_error: None,
            kept_until: None,
            body,
        });
    }

    /// The work is done: the entry goes.
    pub fn outbox_done(&mut self, claimed: &Claimed) {
        self.pin::<OutboxEntry>(&claimed.entry.key(), claimed.version);
        self.delete::<OutboxEntry>(&claimed.entry.key());
    }

    /// The work failed: try again at `due_at`.
    pub fn outbox_later(&mut self, claimed: &Claimed, due_at: Timestamp, error: &str) {
        self.pin::<OutboxEntry>(&claimed.entry.key(), claimed.version);
        self.put(OutboxEntry { due_at, last_error: Some(shorten(error)), ..claimed.entry.clone() });
    }

    /// The work failed half done: try the rest, which `body` tells, at `due_at`.
    pub fn outbox_rest_later(&mut self, claimed: &Claimed, due_at: Timestamp, error: &str, body: Value) {
        self.pin::<OutboxEntry>(&claimed.entry.key(), claimed.version);
        self.put(OutboxEntry { due_at, body, last_error: Some(shorten(error)), ..claimed.entry.clone() });
    }

    /// A part of the work is done: the rest, which `body` tells, is due at `due_at`.
    pub fn outbox_rest(&mut self, claimed: &Claimed, due_at: Timestamp, body: Value) {
        self.pin::<OutboxEntry>(&claimed.entry.key(), claimed.version);
        self.put(OutboxEntry { due_at, body, ..claimed.entry.clone() });
    }

    /// The work failed for good: the entry is kept for `limits::OUTBOX_DEAD_KEEP_MS` after its lease and never handed
    /// out again.
    pub fn outbox_dead(&mut self, claimed: &Claimed, error: &str) {
        self.pin::<OutboxEntry>(&claimed.entry.key(), claimed.version);
        let kept_until = Some(claimed.entry.due_at.plus_millis(OUTBOX_DEAD_KEEP_MS));
        let (state, last_error) = (OutboxState::Dead, Some(shorten(error)));
        self.put(OutboxEntry { state, last_error, kept_until, ..claimed.entry.clone() });
    }
}

impl Store {
    /// Claims up to `max` (and `limits::OUTBOX_CLAIM_MAX`) entries of a kind that are due, longest waiting first, for
    /// `lease_ms` milliseconds. The lease must be longer than the work can take.
    ///
    /// Entries that someone else claims at the same moment are left to them. `Unknown` may leave entries leased to
    /// nobody; they are due again after the lease.
    pub async fn outbox_claim(
        &self,
        kind: &str,
        now: Timestamp,
        lease_ms: i64,
        owner: &str,
        max: usize,
    ) -> Result<Vec<Claimed>> {
        let max = max.min(OUTBOX_CLAIM_MAX);
        let due = self.due_ids(kind, now, max).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        self.claim_all_or_each(&due, &Lease { now, until: now.plus_millis(lease_ms), owner }).await
    }

    /// The same for a kind whose entries stand in lanes: `places` says how many of a lane may be claimed now. Lanes
    /// take turns, so that none waits for another, however long that is; one without a place costs a glance.
    pub async fn outbox_claim_lanes(
        &self,
        kind: &str,
        lease: &Lease<'_>,
        max: usize,
        turn: &mut LaneTurn,
        places: &(dyn Fn(&str) -> usize + Sync),
    ) -> Result<Vec<Claimed>> {
        let due = self.due_in_lanes(kind, lease.now, max.min(OUTBOX_CLAIM_MAX), turn, places).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        self.claim_all_or_each(&due, lease).await
    }

    /// What is due in lanes that have places, once around or until there is enough.
    async fn due_in_lanes(
        &self,
        kind: &str,
        now: Timestamp,
        max: usize,
        turn: &mut LaneTurn,
        places: &(dyn Fn(&str) -> usize + Sync),
    ) -> Result<Vec<Key>> {
        let begun_after = turn.after.clone();
        let (mut due, mut is_second_lap) = (Vec::new(), begun_after.is_none());
        for _ in 0..OUTBOX_LANE_STEPS_MAX {
            let after = turn.after.as_deref().map(beyond_lane);
            let rows = self
                .inner
                .scan_rows::<OutboxEntry>(
                    Some(BY_LANE),
                    &key![kind],
                    after.as_deref(),
                    OUTBOX_LANE_ROWS,
                    Order::Ascending,
                )
                .await?;
            if rows.is_empty() {
                turn.after = None;
                if is_second_lap {
                    return Ok(due);
                }
                is_second_lap = true;
            }
            let mut free = 0;
            for found in &rows {
                let (lane, due_at) = lane_and_due(&found.key)?;
                if turn.after.as_ref() != Some(&lane) {
                    let was_passed = begun_after.as_ref().is_some_and(|begun| lane > *begun);
                    if due.len() >= max || is_second_lap && was_passed {
                        return Ok(due);
                    }
                    free = places(&lane);
                    turn.after = Some(lane);
                }
                if free > 0 && due.len() < max && due_at <= now {
                    free -= 1;
                    due.push(pointed_at(&found.row)?);
                }
            }
        }
        Ok(due)
    }

    /// Claims all of these, or as many as nobody else claims at the same moment.
    async fn claim_all_or_each(&self, due: &[Key], lease: &Lease<'_>) -> Result<Vec<Claimed>> {
        match self.claim(due, lease).await {
            Err(StoreError::Conflict) => {}
            other => return other,
        }
        let mut claimed = Vec::new();
        for id in due {
            match self.claim(std::slice::from_ref(id), lease).await {
                Ok(one) => claimed.extend(one),
                Err(StoreError::Conflict) => {}
                // What is claimed already must be worked on; the rest fails again next time, if it still does.
                Err(_) if !claimed.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(claimed)
    }

    /// When the next entry of a kind without lanes is due, or a lease on one runs out.
    pub async fn outbox_next_due(&self, kind: &str) -> Result<Option<Timestamp>> {
        Ok(self.pending(kind, 1).await?.first().map(|entry| entry.due_at))
    }

    /// One page of entries for a report, soonest due first.
    pub async fn outbox_page(
        &self,
        filter: OutboxFilter<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<OutboxEntry>> {
        let (index, prefix) = match filter {
            OutboxFilter::State { kind, state } => (BY_KIND, key![kind, state]),
            OutboxFilter::Subject { kind, subject } => (BY_SUBJECT, key![kind, subject]),
        };
        self.page(Some(index), &prefix, after, limit, Order::Ascending).await
    }

    async fn due_ids(&self, kind: &str, now: Timestamp, max: usize) -> Result<Vec<Key>> {
        let pending = self.pending(kind, max).await?;
        Ok(pending.iter().filter(|entry| entry.due_at <= now).map(Record::key).collect())
    }

    /// The pending entries of a kind that are due soonest, leased ones among them.
    async fn pending(&self, kind: &str, max: usize) -> Result<Vec<OutboxEntry>> {
        let prefix = key![kind, OutboxState::Pending];
        Ok(self.page(Some(BY_KIND), &prefix, None, max, Order::Ascending).await?.items)
    }

    /// Claims all of these that are still due, or none.
    async fn claim(&self, keys: &[Key], lease: &Lease<'_>) -> Result<Vec<Claimed>> {
        let mut tx = Tx::new(self.clone());
        let mut entries = Vec::new();
        for entry in tx.get_many::<OutboxEntry>(keys).await?.into_iter().flatten() {
            if entry.state != OutboxState::Pending || entry.due_at > lease.now {
                continue;
            }
            let entry = OutboxEntry {
                due_at: lease.until,
                attempts: entry.attempts.saturating_add(1),
                claimed_by: Some(lease.owner.to_owned()),
                ..entry
            };
            tx.put(entry.clone());
            entries.push(entry);
        }
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let version = tx.commit_once().await?;
        Ok(entries.into_iter().map(|entry| Claimed { entry, version }).collect())
    }
}

/// For how long, and by whom, entries are claimed.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'a> {
    /// The moment: what is due by then is claimed.
    pub now: Timestamp,
    /// When the claim runs out. The work must take less.
    pub until: Timestamp,
    /// Who claims.
    pub owner: &'a str,
}

/// What a page's `after` is to begin beyond everything in a lane.
fn beyond_lane(lane: &str) -> String {
    prefix_end(Key::of(lane).as_str())
}

/// The lane and the due time that a row of the lanes' index is filed under.
fn lane_and_due(key: &str) -> Result<(String, Timestamp)> {
    let mut segments = Key::from_encoded(key).segments().into_iter().skip(1);
    let (lane, due_at) = (segments.next(), segments.next().and_then(|due| due.parse().ok()));
    let found = lane.zip(due_at.map(Timestamp::from_millis));
    found.ok_or_else(|| StoreError::Corrupt("an entry of the lanes' index does not decode".into()))
}

fn shorten(error: &str) -> String {
    error.chars().take(OUTBOX_ERROR_CHARS_MAX).collect()
}
