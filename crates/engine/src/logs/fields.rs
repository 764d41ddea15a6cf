//! The fields of an event that `q` can name.
//!
//! Auth0: log search query syntax, searchable fields. Ours beyond: `session_id`, `audience`, `scope`,
//! `organization_name`.

use std::borrow::Cow;

use domain::event::LogEvent;
use domain::query::{Field, FieldKind, Syntax};

use crate::log_body::strategy_type;

/// What `q` can say about log events.
pub const LOG_SYNTAX: Syntax = Syntax {
    fields: &[
        Field::text("type"),
        Field::moment("date"),
        Field::text("log_id"),
        Field::text("description"),
        Field::text("client_id"),
        Field::text("client_name"),
        Field::text("user_id"),
        Field::text("user_name"),
        Field::text("session_id"),
        Field::text("connection"),
        Field::text("connection_id"),
        Field::text("strategy"),
        Field::text("strategy_type"),
        Field::text("ip"),
        Field::text("user_agent"),
        Field::text("hostname"),
        Field::text("audience"),
        Field::text("scope"),
        Field::text("organization_id"),
        Field::text("organization_name"),
    ],
    bare: &["client_name", "connection", "description", "ip", "log_id", "type", "user_name"],
};

/// The fields whose values are indexed: all but the identifier, by which events lie, and the date, by which they are
/// ordered. A field that comes later is found only in events that are indexed from then on.
pub(super) fn indexed() -> impl Iterator<Item = &'static str> {
    let indexed = |field: &&Field| field.kind == FieldKind::Text && field.name != "log_id";
    LOG_SYNTAX.fields.iter().filter(indexed).map(|field| field.name)
}

/// The value of one of these fields.
pub(super) fn value<'a>(event: &'a LogEvent, field: &str) -> Option<Cow<'a, str>> {
    let own = match field {
        "type" => return Some(Cow::Borrowed(event.kind.code())),
        "date" => return Some(Cow::Owned(event.date.to_string())),
        "log_id" => return Some(Cow::Borrowed(event.id.as_str())),
        "description" => &event.description,
        "client_id" => &event.client_id,
        "client_name" => &event.client_name,
        "user_id" => &event.user_id,
        "user_name" => &event.user_name,
        "session_id" => &event.session_id,
        "connection" => &event.connection,
        "connection_id" => &event.connection_id,
        "strategy" => &event.strategy,
        "strategy_type" => return event.strategy.as_deref().map(strategy_type).map(Cow::Borrowed),
        "ip" => &event.ip,
        "user_agent" => &event.user_agent,
        "hostname" => &event.hostname,
        "audience" => &event.audience,
        "scope" => &event.scope,
        "organization_id" => &event.organization_id,
        "organization_name" => &event.organization_name,
        _ => return None,
    };
    own.as_deref().map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::{LOG_SYNTAX, indexed};

    #[test]
    fn all_fields_of_text_but_the_identifier_are_indexed() {
        let indexed: Vec<_> = indexed().collect();
        assert_eq!(indexed.len(), LOG_SYNTAX.fields.len() - 2);
        assert!(LOG_SYNTAX.bare.iter().all(|bare| *bare == "log_id" || indexed.contains(bare)));
    }
}
