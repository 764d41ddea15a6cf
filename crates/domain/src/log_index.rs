//! How log events are numbered and found again: the records beside them.
//!
//! An event gets its place in the order after its commit, when some node takes it up (`engine::logs`). Places are only
//! ever added at the end, so whoever reads on from one misses nothing, whatever the clocks say. `LOG_BLOCK_EVENTS` events
//! in a row are a block, which is indexed when it is full; `LOG_SEGMENT_BLOCKS` indexed blocks become one segment.

use serde::{Deserialize, Serialize};

use crate::id::LogId;
use crate::time::Timestamp;

/// Events in one block. Part of the stored format. Ours: the block that is being filled is searched event by event.
pub const LOG_BLOCK_EVENTS: usize = 128;
/// Blocks in one segment, once they are merged. Part of the stored format. Ours: a rare value is looked for in each
/// segment.
pub const LOG_SEGMENT_BLOCKS: u64 = 32;

/// The end of the order, where events are added. There is one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// Full blocks so far; the number of the one that is being filled.
    pub blocks: u64,
    /// Merged segments so far.
    pub merged: u64,
    /// Whether each event that was written before there was this order has its place. Until then events are taken from
    /// the log itself, from `ceiling` on.
    #[serde(default)]
    pub caught_up: bool,
    /// The highest identifier that has a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<LogId>,
    /// The block that is being filled.
    pub open: OpenBlock,
}

/// A block that is not full.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBlock {
    /// Its events in their order.
    pub ids: Vec<LogId>,
    /// Those among them that came after an event with a higher identifier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late: Vec<LogId>,
    /// The highest identifier that had a place before its first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<LogId>,
    /// When the last of its events expires; `None`: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A full block: which events have these places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogBlock {
    /// Blocks before it.
    pub number: u64,
    /// Its events in their order.
    pub ids: Vec<LogId>,
    /// Those among them that came after an event with a higher identifier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late: Vec<LogId>,
    /// The highest identifier that has a place up to its end.
    pub ceiling: LogId,
    /// When the last of its events expires.
    pub expires_at: Timestamp,
}

/// Blocks in a row that are indexed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSegment {
    /// Its first block.
    pub first: u64,
    /// How many blocks: one, or [`LOG_SEGMENT_BLOCKS`].
    pub blocks: u64,
    /// The lowest identifier in it.
    pub oldest: LogId,
    /// The highest identifier that had a place before it; `None`: it is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<LogId>,
    /// The highest identifier that has a place up to its end.
    pub ceiling: LogId,
    /// When the last of its events expires.
    pub expires_at: Timestamp,
}

/// Which events of a segment have which values in one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPosting {
    /// The segment's first block.
    pub first: u64,
    /// The field.
    pub field: String,
    /// Which values: those whose fingerprint ends so.
    pub bucket: String,
    /// Fingerprints of values and the places of their events, as `engine::logs` writes them.
    pub text: String,
    /// When the last event of the segment expires.
    pub expires_at: Timestamp,
}
