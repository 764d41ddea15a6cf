//! Gives new events their places in the order, and indexes each block of them when it is full.
//!
//! Every node may do it, whenever it likes: what two of them want to number at once conflicts at the head, and one tries
//! again. Until it is numbered an event stands in the index `new`, since the commit that made it. Why so:
//! `docs/adr/0028-the-log-is-numbered-after-the-commit.md`.

use std::collections::HashMap;

use domain::event::LogEvent;
use domain::id::LogId;
use domain::log_index::{
    LOG_BLOCK_EVENTS, LOG_SEGMENT_BLOCKS, LogBlock, LogHead, LogPosting, LogSegment, OpenBlock,
};
use domain::time::Timestamp;
use store::tables::{log_head_key, log_posting_key};
use store::{Key, Order, Record, Tx, read};

use super::fields::{indexed, value};
use super::postings::Postings;
use crate::{Engine, Error};

/// Events numbered in one commit. Ours: four blocks, some hundred rows.
const NEW_PER_COMMIT: usize = 4 * LOG_BLOCK_EVENTS;
/// Commits in one call. Ours: a backlog is worked off, a caller does not wait for ever.
const COMMITS_MAX: usize = 64;

/// What one commit did.
struct Step {
    more: bool,
    merge_due: bool,
}

/// Lets one task of this node number at a time: two would only conflict.
#[derive(Default)]
pub(crate) struct Numbering(tokio::sync::Mutex<()>);

impl Engine {
    /// Numbers new events, up to some ten thousand; answers whether there are more.
    ///
    /// # Errors
    /// What the store answers; what was numbered before stays numbered.
    pub async fn number_logs(&self) -> Result<bool, Error> {
        let _alone = self.inner.log_numbering.0.lock().await;
        for _ in 0..COMMITS_MAX {
            let step = self.number_some().await?;
            if step.merge_due {
                self.merge_blocks().await?;
            }
            if !step.more {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The new events that get their places next, oldest first, and whether there are more.
    async fn next_logs(&self) -> Result<(Vec<LogEvent>, bool), Error> {
        let Some(newest) = self.newest_log(Some("new")).await? else { return Ok((Vec::new(), false)) };
        let mut new = self.new_logs(NEW_PER_COMMIT).await?;
        let more = new.len() >= NEW_PER_COMMIT;
        new.retain(|event| event.id <= newest);
        Ok((new, more))
    }

    /// Shards are read one after another, so that an event may come in behind the look at its shard, and one that was made
    /// after it before the look at another. Hence nothing gets a place that is newer than this one, which was there before
    /// all these looks: whatever was acknowledged before it was made is met by them.
    async fn newest_log(&self, index: Option<&str>) -> Result<Option<LogId>, Error> {
        let all = Key::all();
        let page = self.store().page_sharded::<LogEvent>(index, &all, None, 1, Order::Descending).await?;
        Ok(page.items.into_iter().next().map(|event| event.id))
    }

    /// New events, oldest first.
    pub(super) async fn new_logs(&self, most: usize) -> Result<Vec<LogEvent>, Error> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = self
                .store()
                .page_sharded::<LogEvent>(
                    Some("new"),
                    &Key::all(),
                    cursor.as_deref(),
                    most.saturating_sub(found.len()).min(NEW_PER_COMMIT),
                    Order::Ascending,
                )
                .await?;
            found.extend(page.items);
            cursor = page.next;
            // An event that expired before it was numbered may leave a page of nothing.
            if cursor.is_none() || found.len() >= most {
                return Ok(found);
            }
        }
    }

    /// Numbers in one commit.
    async fn number_some(&self) -> Result<Step, Error> {
        self.store()
            .transact(async |tx| -> Result<Step, Error> {
                // The head is read first: whoever numbers the same events changes it.
                let mut head = tx.get::<LogHead>(&log_head_key()).await?.unwrap_or_default();
                let was_caught_up = head.caught_up;
                let (new, more) = if head.caught_up {
                    self.next_logs().await?
                } else {
                    let (old, more) = self.logs_beyond(head.ceiling.as_ref()).await?;
                    head.caught_up = !more;
                    (old, true)
                };
                if !new.is_empty() || head.caught_up != was_caught_up {
                    self.place(tx, &mut head, &new).await?;
                    tx.put(head.clone());
                }
                let merge_due = head.blocks >= (head.merged + 1) * LOG_SEGMENT_BLOCKS;
                Ok(Step { more, merge_due })
            })
            .await
    }

    /// Events as they lie in the log, beyond an identifier, and whether there are more. What is left out, or comes in below
    /// it meanwhile, stands in the index `new`.
    async fn logs_beyond(&self, ceiling: Option<&LogId>) -> Result<(Vec<LogEvent>, bool), Error> {
        let newest = self.newest_log(None).await?;
        let cursor = ceiling.map(|ceiling| read::cursor_after(&Key::of(ceiling)));
        let page = self
            .store()
            .page_sharded::<LogEvent>(None, &Key::all(), cursor.as_deref(), NEW_PER_COMMIT, Order::Ascending)
            .await?;
        let mut old = page.items;
        old.retain(|event| newest.as_ref().is_some_and(|newest| event.id <= *newest));
        Ok((old, page.next.is_some()))
    }

    /// Puts events behind all that have a place.
    async fn place(&self, tx: &mut Tx, head: &mut LogHead, new: &[LogEvent]) -> Result<(), Error> {
        let fills = head.open.ids.len() + new.len() >= LOG_BLOCK_EVENTS;
        let begun = if fills { self.load_logs(&head.open.ids).await? } else { Vec::new() };
        let events: HashMap<&LogId, &LogEvent> =
            begun.iter().chain(new).map(|event| (&event.id, event)).collect();
        for event in new {
            tx.drop_entries("new", event);
            add(head, event);
            if head.open.ids.len() >= LOG_BLOCK_EVENTS {
                close(tx, head, &events);
            }
        }
        Ok(())
    }

    /// Makes one segment of the oldest blocks that are not merged, if there are enough.
    async fn merge_blocks(&self) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let Some(mut head) = tx.get::<LogHead>(&log_head_key()).await? else { return Ok(()) };
                let first = head.merged * LOG_SEGMENT_BLOCKS;
                if head.blocks < first + LOG_SEGMENT_BLOCKS {
                    return Ok(());
                }
                let keys: Vec<Key> = (first..first + LOG_SEGMENT_BLOCKS).map(Key::of).collect();
                let parts: Vec<LogSegment> =
                    tx.get_many::<LogSegment>(&keys).await?.into_iter().flatten().collect();
                if let Some(whole) = merged(first, &parts) {
                    for field in indexed() {
                        merge_field(tx, &whole, &parts, field).await?;
                    }
                    parts.iter().for_each(|part| tx.delete::<LogSegment>(&part.key()));
                    tx.put(whole);
                }
                head.merged += 1;
                tx.put(head);
                Ok(())
            })
            .await
    }
}

fn add(head: &mut LogHead, event: &LogEvent) {
    let LogHead { ceiling, open, .. } = head;
    if open.ids.is_empty() {
        *open = OpenBlock { before: ceiling.clone(), ..OpenBlock::default() };
    }
    if ceiling.as_ref().is_some_and(|ceiling| event.id < *ceiling) {
        open.late.push(event.id.clone());
    } else {
        *ceiling = Some(event.id.clone());
    }
    open.expires_at = open.expires_at.max(Some(event.expires_at()));
    open.ids.push(event.id.clone());
}

/// Ends the block that is being filled. What of it has expired is not indexed.
fn close(tx: &mut Tx, head: &mut LogHead, events: &HashMap<&LogId, &LogEvent>) {
    let OpenBlock { ids, late, before, expires_at } = std::mem::take(&mut head.open);
    let (Some(oldest), Some(ceiling), Some(expires_at)) =
        (ids.iter().min().cloned(), head.ceiling.clone(), expires_at)
    else {
        return;
    };
    let number = head.blocks;
    head.blocks += 1;
    for field in indexed() {
        let mut postings = Postings::default();
        for (place, event) in ids.iter().enumerate().filter_map(|(place, id)| Some((place, events.get(id)?)))
        {
            if let Some(value) = value(event, field) {
                postings.add(&value, place);
            }
        }
        insert(tx, number, field, expires_at, &postings, 1);
    }
    tx.insert(LogSegment { first: number, blocks: 1, oldest, before, ceiling: ceiling.clone(), expires_at });
    tx.insert(LogBlock { number, ids, late, ceiling, expires_at });
}

fn insert(tx: &mut Tx, first: u64, field: &str, expires_at: Timestamp, postings: &Postings, blocks: u64) {
    for (bucket, text) in postings.texts(blocks) {
        let (field, bucket) = (field.to_owned(), bucket.to_owned());
        tx.insert(LogPosting { first, field, bucket, text, expires_at });
    }
}

/// The segment that these parts make, of which some may have expired.
fn merged(first: u64, parts: &[LogSegment]) -> Option<LogSegment> {
    let (head, tail) = (parts.first()?, parts.last()?);
    Some(LogSegment {
        first,
        blocks: LOG_SEGMENT_BLOCKS,
        oldest: parts.iter().map(|part| &part.oldest).min()?.clone(),
        before: head.before.clone(),
        ceiling: tail.ceiling.clone(),
        expires_at: parts.iter().map(|part| part.expires_at).max()?,
    })
}

async fn merge_field(
    tx: &mut Tx,
    whole: &LogSegment,
    parts: &[LogSegment],
    field: &str,
) -> Result<(), Error> {
    let keys: Vec<Key> = parts.iter().map(|part| log_posting_key(part.first, field, "")).collect();
    let mut postings = Postings::default();
    for part in tx.get_many::<LogPosting>(&keys).await?.into_iter().flatten() {
        let blocks = usize::try_from(part.first - whole.first).unwrap_or_default();
        postings.absorb(&part.text, blocks * LOG_BLOCK_EVENTS);
        tx.delete::<LogPosting>(&part.key());
    }
    insert(tx, whole.first, field, whole.expires_at, &postings, whole.blocks);
    Ok(())
}
