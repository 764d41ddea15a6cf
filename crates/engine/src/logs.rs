//! The log, read: by search, from a checkpoint, one event.
//!
//! Auth0: deploy & monitor › logs › retrieve logs with the Management API. Events get their places in `number`, are read on
//! in that order in `follow`, and found by what they hold in `find`: `docs/adr/0028-the-log-is-numbered-after-the-commit.md` and
//! `docs/adr/0029-the-log-is-indexed-in-the-background.md`.

mod fields;
mod find;
mod follow;
pub(crate) mod number;
mod plan;
mod postings;
#[cfg(test)]
mod tests;

use domain::event::LogEvent;
use domain::id::{LogId, UserId};
use domain::limits::OFFSET_ITEMS_MAX;
use domain::query::Query;
use store::tables::log_key;
use store::{Key, Order};

use crate::listing::{Listing, Slice};
use crate::users::refuse_far_offset;
use crate::{Engine, Error, Resource, search};

use self::find::Wanted;
use self::plan::Plan;

pub use self::fields::LOG_SYNTAX;

/// Which end of the log comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogOrder {
    /// The newest event first.
    #[default]
    NewestFirst,
    /// The oldest event first.
    OldestFirst,
}

impl From<LogOrder> for Order {
    fn from(order: LogOrder) -> Self {
        match order {
            LogOrder::NewestFirst => Self::Descending,
            LogOrder::OldestFirst => Self::Ascending,
        }
    }
}

impl Engine {
    /// Some of the events that a query lets pass, newest first unless `order` says otherwise. The total counts no
    /// further than offset paging reaches, and no more than one search looks at. From a checkpoint all events come, in
    /// the order in which they were numbered, whatever the query and the order say.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a query that is not understood, one that would look at too much, or a slice past the first
    /// thousand.
    pub async fn logs(
        &self,
        slice: &Slice,
        q: Option<&str>,
        order: LogOrder,
    ) -> Result<Listing<LogEvent>, Error> {
        refuse_far_offset(slice)?;
        match slice {
            Slice::Offset { start, limit, totals } => {
                let query = search::parse(q, &LOG_SYNTAX)?;
                let page = Page { start: *start, limit: *limit, totals: *totals };
                self.list_page(&query, page, order).await
            }
            Slice::Checkpoint { from, take } => {
                let from = from.clone().map(LogId::new);
                Ok(listing_after(self.logs_after(from.as_ref(), *take).await?, *take))
            }
        }
    }

    /// Some of the events about a user, newest first unless `order` says otherwise; from a checkpoint in the order in
    /// which they were numbered.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the user, [`Error::Invalid`] for a slice past the first thousand.
    pub async fn logs_of_user(
        &self,
        id: &UserId,
        slice: &Slice,
        order: LogOrder,
    ) -> Result<Listing<LogEvent>, Error> {
        refuse_far_offset(slice)?;
        self.user(id).await?;
        let query = Query::exactly("user_id", id.as_str());
        match slice {
            Slice::Offset { start, limit, totals } => {
                let page = Page { start: *start, limit: *limit, totals: *totals };
                self.list_page(&query, page, order).await
            }
            Slice::Checkpoint { from, take } => {
                let from = from.clone().map(LogId::new);
                let plan = Plan::has("user_id", id.as_str());
                let items = self.fitting_logs_after(&query, &plan, from.as_ref(), *take).await?;
                Ok(listing_after(items, *take))
            }
        }
    }

    /// One event.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn log(&self, id: &LogId) -> Result<LogEvent, Error> {
        self.store().get(&log_key(id)).await?.ok_or(Error::NotFound(Resource::Log))
    }

    /// Events by their identifiers, in that order, without those that are gone.
    async fn load_logs(&self, ids: &[LogId]) -> Result<Vec<LogEvent>, Error> {
        let keys: Vec<Key> = ids.iter().map(log_key).collect();
        Ok(self.store().get_many::<LogEvent>(&keys).await?.into_iter().flatten().collect())
    }

    async fn list_page(
        &self,
        query: &Query,
        page: Page,
        order: LogOrder,
    ) -> Result<Listing<LogEvent>, Error> {
        let Page { start, limit, totals } = page;
        let must = start + limit;
        let count = if totals { OFFSET_ITEMS_MAX } else { must };
        let found = self.find_logs(&Wanted { query, order, count, must }).await?;
        let total = totals.then_some(found.len());
        let items = found.into_iter().skip(start).take(limit).collect();
        Ok(Listing { items, start, limit, total, next: None })
    }
}

/// A part of a list by its offset.
struct Page {
    start: usize,
    limit: usize,
    totals: bool,
}

/// What was read from a checkpoint. There may be more where it is full.
fn listing_after(items: Vec<LogEvent>, take: usize) -> Listing<LogEvent> {
    let last = items.last().filter(|_| items.len() >= take);
    let next = last.map(|event| event.id.to_string());
    Listing { items, start: 0, limit: take, total: None, next }
}
