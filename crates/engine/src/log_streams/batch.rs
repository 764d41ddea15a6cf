//! What is sent at once: events that a stream is for, in the order of the log, written as its receiver wants them.

use domain::event::LogEvent;
use domain::id::LogId;
use domain::limits::{LOG_STREAM_BATCH_BYTES_MAX, LOG_STREAM_BATCH_EVENTS_MAX};
use domain::log_stream::{Category, ContentFormat, LogStream, PersonalField};
use serde_json::Value;

use super::WriteEvent;

/// What stands in place of personal data.
const STARS: &str = "*****";

/// Some events, and how far the stream has come when the receiver has them all.
#[derive(Debug, PartialEq)]
pub(super) struct Batch {
    /// The events, oldest first.
    pub(super) items: Vec<Item>,
    /// The last event that was looked at.
    pub(super) through: LogId,
    /// Whether events were left for the next batch.
    pub(super) left_some: bool,
}

/// One event.
#[derive(Debug, PartialEq)]
pub(super) struct Item {
    /// Its identifier.
    pub(super) id: LogId,
    /// The event as JSON.
    pub(super) data: String,
}

impl Batch {
    /// Takes of `events` what fits. After failures less is taken each time, down to one event, so that one that a
    /// receiver cannot take does not keep those before it from arriving. Nothing comes of no events.
    pub(super) fn of(
        events: &[LogEvent],
        stream: &LogStream,
        failures: u32,
        write: &WriteEvent<'_>,
    ) -> Option<Self> {
        let items_max = (LOG_STREAM_BATCH_EVENTS_MAX >> failures.min(10)).max(1);
        let (mut items, mut bytes) = (Vec::<Item>::new(), 0);
        let mut through = None;
        for event in events {
            let wanted = stream.filters.is_empty() || stream.filters.contains(&Category::of(event.kind));
            if wanted {
                let mut value = write(event);
                if let Some(personal) = &stream.personal_data {
                    star(&mut value, &personal.fields);
                }
                let data = value.to_string();
                if items.len() == items_max
                    || (!items.is_empty() && bytes + data.len() > LOG_STREAM_BATCH_BYTES_MAX)
                {
                    return Some(Self { items, through: through?, left_some: true });
                }
                bytes += data.len();
                items.push(Item { id: event.id.clone(), data });
            }
            through = Some(event.id.clone());
        }
        Some(Self { items, through: through?, left_some: false })
    }

    /// The last event that the receiver has when it took so many.
    pub(super) fn cursor(&self, taken: usize) -> Option<&LogId> {
        match taken {
            all if all == self.items.len() => Some(&self.through),
            0 => None,
            some => self.items.get(some - 1).map(|item| &item.id),
        }
    }

    /// JSON lines of the bare events, for a file.
    pub(super) fn lines(&self) -> String {
        self.items.iter().map(|item| format!("{}\n", item.data)).collect()
    }

    /// The bodies of the posts that carry it, in order, and how many events are in each.
    pub(super) fn bodies(&self, format: ContentFormat) -> Vec<(String, usize)> {
        if self.items.is_empty() {
            return Vec::new();
        }
        let all: Vec<String> = self.items.iter().map(Item::in_envelope).collect();
        let count = all.len();
        match format {
            ContentFormat::Lines => vec![(all.iter().map(|item| format!("{item}\n")).collect(), count)],
            ContentFormat::Array => vec![(format!("[{}]", all.join(",")), count)],
            ContentFormat::Object => all.into_iter().map(|item| (item, 1)).collect(),
        }
    }
}

impl Item {
    /// The form in which Auth0's receivers expect it.
    fn in_envelope(&self) -> String {
        format!(r#"{{"log_id":{},"data":{}}}"#, Value::from(self.id.as_str()), self.data)
    }
}

/// Stars personal data by the names of the properties that hold it, at any depth.
fn star(value: &mut Value, fields: &[PersonalField]) {
    match value {
        Value::Object(properties) => {
            for (name, inner) in properties {
                let hidden = fields.iter().any(|field| field.names().contains(&name.as_str()));
                match hidden && !inner.is_null() {
                    true => *inner = STARS.into(),
                    false => star(inner, fields),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| star(item, fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use domain::event::{EventKind, LogEvent};
    use domain::limits::{LOG_STREAM_BATCH_BYTES_MAX, LOG_STREAM_BATCH_EVENTS_MAX};
    use domain::log_stream::{
        Category, ContentFormat, FileSink, LogStream, LogStreamStatus, PersonalField, Sink,
    };
    use domain::time::Timestamp;
    use serde_json::{Value, json};

    use super::{Batch, star};

    fn stream(filters: &[Category]) -> LogStream {
        LogStream {
            id: "lst_1".into(),
            name: String::new(),
            status: LogStreamStatus::Active,
            sink: Sink::File(FileSink { name: "f".into() }),
            filters: filters.to_vec(),
            is_priority: None,
            personal_data: None,
            created_at: Timestamp(0),
        }
    }

    fn events(kinds: &[EventKind]) -> Vec<LogEvent> {
        let event = |(at, kind): (usize, &EventKind)| {
            let text = json!({ "id": format!("{at:03}"), "date": 0, "kind": kind });
            serde_json::from_value(text).unwrap()
        };
        kinds.iter().enumerate().map(event).collect()
    }

    fn ids(batch: &Batch) -> Vec<&str> {
        batch.items.iter().map(|item| item.id.as_str()).collect()
    }

    const WRITE: fn(&LogEvent) -> Value = |event| json!({ "type": event.kind.code() });

    #[test]
    fn events_of_other_categories_are_passed_over_and_count_as_seen() {
        let all = events(&[EventKind::Login, EventKind::LoginFailed, EventKind::Login]);
        let batch = Batch::of(&all, &stream(&[Category::LoginFail]), 0, &WRITE).unwrap();
        assert_eq!((ids(&batch), batch.through.as_str(), batch.left_some), (vec!["001"], "002", false));
        let none = Batch::of(&all, &stream(&[Category::SignupFail]), 0, &WRITE).unwrap();
        assert_eq!((none.items.len(), none.through.as_str()), (0, "002"));
        assert_eq!(none.cursor(0).map(|id| id.as_str()), Some("002"));
        assert!(none.bodies(ContentFormat::Array).is_empty());
        assert_eq!(Batch::of(&[], &stream(&[]), 0, &WRITE), None);
    }

    #[test]
    fn each_format_has_its_body() {
        let all = events(&[EventKind::Login, EventKind::LoginFailed]);
        let batch = Batch::of(&all, &stream(&[]), 0, &WRITE).unwrap();
        let (first, second) =
            (r#"{"log_id":"000","data":{"type":"s"}}"#, r#"{"log_id":"001","data":{"type":"f"}}"#);
        assert_eq!(batch.bodies(ContentFormat::Lines), [(format!("{first}\n{second}\n"), 2)]);
        assert_eq!(batch.bodies(ContentFormat::Array), [(format!("[{first},{second}]"), 2)]);
        assert_eq!(batch.bodies(ContentFormat::Object), [(first.to_owned(), 1), (second.to_owned(), 1)]);
        assert_eq!(batch.lines(), "{\"type\":\"s\"}\n{\"type\":\"f\"}\n");
        let cursor = |taken| batch.cursor(taken).map(|id| id.as_str().to_owned());
        assert_eq!((cursor(0), cursor(1), cursor(2)), (None, Some("000".into()), Some("001".into())));
    }

    #[test]
    fn a_batch_ends_by_number_by_bytes_and_gets_smaller_with_each_failure() {
        let all = events(&[EventKind::Login; LOG_STREAM_BATCH_EVENTS_MAX + 1]);
        let of = |failures| Batch::of(&all, &stream(&[]), failures, &WRITE).unwrap();
        assert_eq!((of(0).items.len(), of(0).left_some), (LOG_STREAM_BATCH_EVENTS_MAX, true));
        assert_eq!((of(1).items.len(), of(6).items.len(), of(1000).items.len()), (50, 1, 1));
        assert_eq!(of(1000).through.as_str(), "000");
        let large: fn(&LogEvent) -> Value = |_| "x".repeat(LOG_STREAM_BATCH_BYTES_MAX).into();
        let batch = Batch::of(&all, &stream(&[]), 0, &large).unwrap();
        assert_eq!((ids(&batch), batch.left_some), (vec!["000"], true), "one that is too large goes alone");
    }

    #[test]
    fn personal_data_is_starred_at_any_depth_and_the_rest_is_not() {
        let mut value = json!({
            "user_name": "ann@example.com", "description": "x",
            "details": [{ "email": "ann@example.com", "phone_number": null, "address": { "city": "Ulm" } }],
        });
        star(&mut value, &[PersonalField::Email, PersonalField::Phone, PersonalField::Address]);
        let expect = json!({
            "user_name": "*****", "description": "x",
            "details": [{ "email": "*****", "phone_number": null, "address": "*****" }],
        });
        assert_eq!(value, expect);
    }
}
