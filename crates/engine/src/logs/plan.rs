//! What of a query the index can answer.
//!
//! It lets pass at least what the query does: what it finds is compared with the whole query afterwards.

use std::collections::HashMap;

use domain::event::EventKind;
use domain::id::LogId;
use domain::log_index::{LOG_BLOCK_EVENTS, LogSegment};
use domain::query::{Clause, Condition, Test};
use store::limits::GET_KEYS_MAX;

use super::fields::indexed;
use super::postings::{Places, bucket, fingerprint};

/// The part of a query that the index can answer; it lets pass at least what the query does.
pub(super) enum Plan {
    /// Events with a value in a field.
    Has { field: &'static str, fingerprint: String },
    /// Events that each of these lets pass.
    All(Vec<Plan>),
    /// Events that any of these lets pass.
    Any(Vec<Plan>),
}

impl Plan {
    /// `None`: nothing but a look at each event will do. Identifiers that the query names are put into `named`, and are
    /// looked at without the index.
    pub(super) fn of(clause: &Clause, named: &mut Vec<LogId>) -> Option<Self> {
        match clause {
            Clause::All(parts) => {
                let parts: Vec<_> = parts.iter().filter_map(|part| Self::of(part, named)).collect();
                (!parts.is_empty()).then_some(Self::All(parts))
            }
            Clause::Any(parts) => {
                parts.iter().map(|part| Self::of(part, named)).collect::<Option<_>>().map(Self::Any)
            }
            // What the index says may be too much, so that nothing can be left out by it. But each event has one type.
            Clause::Not(part) => match &**part {
                Clause::Is(Condition { fields, test }) if fields == &["type"] => {
                    Some(Self::of_types(|code| !test.holds(code)))
                }
                Clause::All(_) | Clause::Any(_) | Clause::Not(_) | Clause::Is(_) => None,
            },
            Clause::Is(condition) => {
                let fields = condition.fields.iter();
                let each = fields.map(|field| Self::of_test(field, &condition.test, named));
                each.collect::<Option<_>>().map(Self::Any)
            }
        }
    }

    fn of_test(field: &'static str, test: &Test, named: &mut Vec<LogId>) -> Option<Self> {
        match test {
            Test::Exactly(id) if field == "log_id" => {
                named.push(LogId::new(id));
                Some(Self::Any(Vec::new()))
            }
            Test::Exactly(value) if indexed().any(|indexed| indexed == field) => {
                Some(Self::has(field, value))
            }
            Test::Like(pattern) if field == "type" => Some(Self::of_types(|code| pattern.matches(code))),
            Test::Exactly(_) | Test::Like(_) | Test::Between { .. } | Test::Present => None,
        }
    }

    /// Events with this value in a field.
    pub(super) fn has(field: &'static str, value: &str) -> Self {
        Self::Has { field, fingerprint: fingerprint(value) }
    }

    /// There are few types, and all are known.
    fn of_types(wanted: impl Fn(&str) -> bool) -> Self {
        let codes = EventKind::ALL.iter().map(|kind| kind.code()).filter(|code| wanted(code));
        Self::Any(codes.map(|code| Self::has("type", code)).collect())
    }

    /// How many segments can be asked at once, `most` at most.
    pub(super) fn segments_per_read(&self, most: usize) -> usize {
        (GET_KEYS_MAX / self.terms().len().max(1)).clamp(1, most)
    }

    /// Fields and fingerprints that are asked for.
    pub(super) fn terms(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Has { field, fingerprint } => vec![(field, fingerprint)],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::terms).collect(),
        }
    }

    /// The places in a segment that it lets pass.
    pub(super) fn places(&self, segment: &LogSegment, texts: &Texts) -> Places {
        let count = usize::try_from(segment.blocks).unwrap_or_default() * LOG_BLOCK_EVENTS;
        let mut places = Places::none(count);
        match self {
            Self::Has { field, fingerprint } => {
                if let Some(text) = texts.get(&text_key(segment, field, fingerprint)) {
                    places.add(text, fingerprint);
                }
            }
            Self::Any(parts) => parts.iter().for_each(|part| places.unite(&part.places(segment, texts))),
            Self::All(parts) => {
                let mut each = parts.iter().map(|part| part.places(segment, texts));
                places = each.next().unwrap_or(places);
                each.for_each(|other| places.intersect(&other));
            }
        }
        places
    }
}

/// Texts of postings by segment, field and bucket.
pub(super) type Texts = HashMap<(u64, &'static str, String), String>;

pub(super) fn text_key(
    segment: &LogSegment,
    field: &'static str,
    fingerprint: &str,
) -> (u64, &'static str, String) {
    (segment.first, field, bucket(fingerprint, segment.blocks).to_owned())
}
