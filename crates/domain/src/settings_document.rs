//! Settings that are taken and given back and have no effect of their own here yet: mail, pages, texts.
//!
//! What a document may hold is checked where it comes in. What has an effect is a type of its own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::secret::Sealed;
use crate::time::Timestamp;

/// One document, under its kind and a name within it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingsDocument {
    /// What it is about, such as `email_template`.
    pub kind: String,
    /// Which one of these; empty where there is one only.
    #[serde(default)]
    pub name: String,
    /// What it holds.
    pub body: Map<String, Value>,
    /// What of it is never given back, sealed together.
    #[serde(default)]
    pub secrets: Option<Sealed>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}
