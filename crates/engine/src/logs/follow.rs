//! Reads on from a checkpoint, in the order in which events were numbered: what comes late stands at the end.
//!
//! Auth0: deploy & monitor › logs › retrieve logs with the Management API › by checkpoint. Every event has its place after
//! its commit and behind all that had one before, so whoever goes on behind the last one read misses none and gets none
//! twice (`docs/adr/0028-the-log-is-numbered-after-the-commit.md`).

use std::collections::BTreeMap;
use std::ops::Range;

use domain::event::LogEvent;
use domain::id::LogId;
use domain::limits::LOG_SEARCH_SEGMENTS_MAX;
use domain::log_index::{LOG_BLOCK_EVENTS, LOG_SEGMENT_BLOCKS, LogBlock, LogHead, LogSegment};
use domain::query::Query;
use store::limits::PAGE_MAX;
use store::tables::log_head_key;
use store::{Key, Order, read};

use super::find::{ATTEMPTS_MAX, EVENTS_PER_READ, SEGMENTS_PER_READ, fits, texts, too_much};
use super::plan::Plan;
use crate::{Engine, Error};

/// A place in the order.
struct Place {
    /// What is left of its block.
    rest: Vec<LogId>,
    /// The number of the block behind that.
    next: u64,
}

impl Engine {
    /// Up to `take` events (at most a thousand) behind the one with the identifier `from` in the order in which they
    /// were numbered, which is nearly that of time: how an exporter reads on without gaps. Without `from`, from the
    /// first. Behind one that is not there, those that are newer.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn logs_after(&self, from: Option<&LogId>, take: usize) -> Result<Vec<LogEvent>, Error> {
        self.number_logs().await?;
        let take = take.min(PAGE_MAX);
        let head: LogHead = self.store().get(&log_head_key()).await?.unwrap_or_default();
        let Place { mut rest, mut next } = self.place_after(&head, from).await?;
        let mut events = Vec::new();
        loop {
            while rest.len() < take - events.len() && next <= head.blocks {
                // The block that is being filled comes behind the full ones.
                if next == head.blocks {
                    rest.extend(head.open.ids.iter().cloned());
                } else if let Some(block) = self.store().get::<LogBlock>(&Key::of(next)).await? {
                    rest.extend(block.ids);
                }
                next += 1;
            }
            let ids: Vec<LogId> = rest.drain(..rest.len().min(take - events.len())).collect();
            if ids.is_empty() {
                return Ok(events);
            }
            // What has expired meanwhile is passed over.
            events.extend(self.load_logs(&ids).await?);
        }
    }

    /// The same for those events only that a query lets pass; `plan` is the part of it that the index answers.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it would look at too much, and what the store answers.
    pub(super) async fn fitting_logs_after(
        &self,
        query: &Query,
        plan: &Plan,
        from: Option<&LogId>,
        take: usize,
    ) -> Result<Vec<LogEvent>, Error> {
        self.number_logs().await?;
        for _ in 0..ATTEMPTS_MAX {
            let head: LogHead = self.store().get(&log_head_key()).await?.unwrap_or_default();
            let Place { rest, next } = self.place_after(&head, from).await?;
            let mut events = Vec::new();
            self.take_fitting(query, rest, take, &mut events).await?;
            self.take_from_segments(query, plan, next..head.blocks, take, &mut events).await?;
            if next <= head.blocks {
                self.take_fitting(query, head.open.ids, take, &mut events).await?;
            }
            // Blocks that are merged under a search hide from it.
            let now: LogHead = self.store().get(&log_head_key()).await?.unwrap_or_default();
            if now.merged == head.merged {
                return Ok(events);
            }
        }
        Err(Error::Busy)
    }

    async fn take_fitting(
        &self,
        query: &Query,
        ids: Vec<LogId>,
        take: usize,
        events: &mut Vec<LogEvent>,
    ) -> Result<(), Error> {
        for ids in ids.chunks(EVENTS_PER_READ) {
            if events.len() >= take {
                break;
            }
            let room = take - events.len();
            let fitting = self.load_logs(ids).await?.into_iter().filter(|event| fits(query, event));
            events.extend(fitting.take(room));
        }
        Ok(())
    }

    /// Takes what fits from the blocks with these numbers.
    async fn take_from_segments(
        &self,
        query: &Query,
        plan: &Plan,
        numbers: Range<u64>,
        take: usize,
        events: &mut Vec<LogEvent>,
    ) -> Result<(), Error> {
        let terms = plan.terms();
        // The segment that a block is in begins no earlier than a merged one would.
        let begin = (numbers.start / LOG_SEGMENT_BLOCKS * LOG_SEGMENT_BLOCKS).checked_sub(1);
        let mut cursor = begin.map(|before| read::cursor_after(&Key::of(before)));
        let (mut passed, count) = (0, plan.segments_per_read(SEGMENTS_PER_READ[1]));
        while events.len() < take && !numbers.is_empty() {
            let page = self
                .store()
                .page::<LogSegment>(None, &Key::all(), cursor.as_deref(), count, Order::Ascending)
                .await?;
            let texts = texts(self, page.items.iter(), &terms).await?;
            for segment in &page.items {
                let places = plan.places(segment, &texts);
                let mut by_block: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
                for place in places.iter() {
                    let number = segment.first + u64::try_from(place / LOG_BLOCK_EVENTS).unwrap_or_default();
                    if numbers.contains(&number) {
                        by_block.entry(number).or_default().push(place % LOG_BLOCK_EVENTS);
                    }
                }
                let keys: Vec<Key> = by_block.keys().map(Key::of).collect();
                let mut ids = Vec::new();
                for block in self.store().get_many::<LogBlock>(&keys).await?.into_iter().flatten() {
                    let places = by_block.remove(&block.number).unwrap_or_default();
                    ids.extend(places.into_iter().filter_map(|place| block.ids.get(place).cloned()));
                }
                self.take_fitting(query, ids, take, events).await?;
                if events.len() >= take {
                    return Ok(());
                }
            }
            passed += page.items.len();
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
            if passed > LOG_SEARCH_SEGMENTS_MAX {
                return Err(too_much());
            }
        }
        Ok(())
    }

    /// Where to go on behind an event.
    async fn place_after(&self, head: &LogHead, from: Option<&LogId>) -> Result<Place, Error> {
        let store = self.store();
        let Some(from) = from else {
            let first = store.page::<LogBlock>(None, &Key::all(), None, 1, Order::Ascending).await?;
            let next = first.items.first().map_or(head.blocks, |block| block.number);
            return Ok(Place { rest: Vec::new(), next });
        };
        let behind = |ids: &[LogId]| -> Option<Vec<LogId>> {
            let at = ids.iter().position(|id| id == from)?;
            Some(ids.iter().skip(at + 1).cloned().collect())
        };
        if let Some(rest) = behind(&head.open.ids) {
            return Ok(Place { rest, next: head.blocks + 1 });
        }
        // The first block that reaches so far holds it, unless it came late.
        let cursor = read::cursor_after(&Key::of(from));
        let reaching =
            store.page::<LogBlock>(Some("ceiling"), &Key::all(), Some(&cursor), 1, Order::Ascending).await?;
        // One that was filled since the head was read is the head's open block.
        let reaching = reaching.items.into_iter().next().filter(|block| block.number < head.blocks);
        let late = match &reaching {
            Some(block) if block.ids.contains(from) => None,
            Some(_) | None => store.find::<LogBlock>("late", &Key::of(from)).await?,
        };
        if let Some(block) = late.as_ref().or(reaching.as_ref())
            && let Some(rest) = behind(&block.ids)
        {
            return Ok(Place { rest, next: block.number + 1 });
        }
        let newer = |ids: &[LogId]| ids.iter().filter(|id| *id > from).cloned().collect();
        Ok(match reaching {
            Some(block) => Place { rest: newer(&block.ids), next: block.number + 1 },
            None => Place { rest: newer(&head.open.ids), next: head.blocks + 1 },
        })
    }
}
