//! The log, read: by page, from a checkpoint, one event.
//!
//! Auth0: deploy & monitor › logs › retrieve logs with the Management API.

use std::borrow::Cow;

use domain::event::LogEvent;
use domain::id::{LogId, UserId};
use store::tables::log_key;
use store::{Key, Order, read};

use crate::listing::{Listing, Slice, Source};
use crate::search::Query;
use crate::users::refuse_far_offset;
use crate::{Engine, Error, Resource};

/// Fields of an event that `q` can name.
pub const LOG_SEARCH_FIELDS: &[&str] = &[
    "type",
    "user_id",
    "user_name",
    "client_id",
    "client_name",
    "session_id",
    "connection",
    "connection_id",
    "description",
    "hostname",
    "ip",
    "log_id",
    "strategy",
    "user_agent",
    "date",
];

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
    /// Some of the events that a query lets pass, newest first unless `order` says otherwise.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a query that is not understood, or a slice past the first thousand.
    pub async fn logs(
        &self,
        slice: &Slice,
        q: Option<&str>,
        order: LogOrder,
    ) -> Result<Listing<LogEvent>, Error> {
        refuse_far_offset(slice)?;
        let query = Query::parse(q.unwrap_or_default(), LOG_SEARCH_FIELDS)?;
        let (index, prefix) = match query.exact("user_id") {
            Some(user_id) => (Some("user"), Key::of(user_id)),
            None => (None, Key::all()),
        };
        let source = Source { index, prefix, order: order.into(), sharded: true };
        self.list(source, slice, |event| matches(&query, event)).await
    }

    /// Up to `take` events after the one with the identifier `from`, oldest first: how an exporter reads on without
    /// gaps. Without `from`, from the oldest.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn logs_after(&self, from: Option<&LogId>, take: usize) -> Result<Vec<LogEvent>, Error> {
        let after = from.map(|id| read::cursor_after(&Key::of(id)));
        let page =
            self.store().page_sharded(None, &Key::all(), after.as_deref(), take, Order::Ascending).await?;
        Ok(page.items)
    }

    /// Some of the events about a user, newest first unless `order` says otherwise.
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
        let source = Source { index: Some("user"), prefix: Key::of(id), order: order.into(), sharded: true };
        self.list(source, slice, |_| true).await
    }

    /// One event.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn log(&self, id: &LogId) -> Result<LogEvent, Error> {
        self.store().get(&log_key(id)).await?.ok_or(Error::NotFound(Resource::Log))
    }
}

fn matches(query: &Query, event: &LogEvent) -> bool {
    query.matches(|field| {
        let text = |value: &Option<String>| value.clone().map(Cow::Owned);
        match field {
            "type" => Some(Cow::Borrowed(event.kind.code())),
            "log_id" => Some(Cow::Owned(event.id.to_string())),
            "date" => Some(Cow::Owned(event.date.to_string())),
            "user_id" => text(&event.user_id),
            "user_name" => text(&event.user_name),
            "client_id" => text(&event.client_id),
            "client_name" => text(&event.client_name),
            "session_id" => text(&event.session_id),
            "connection" => text(&event.connection),
            "connection_id" => text(&event.connection_id),
            "description" => text(&event.description),
            "hostname" => text(&event.hostname),
            "ip" => text(&event.ip),
            "strategy" => text(&event.strategy),
            "user_agent" => text(&event.user_agent),
            _ => None,
        }
    })
}
