//! Session metadata: legal keys, values and counts; set, delete, evict, replace.
//!
//! Auth0: manage users › sessions › session metadata. Lengths are counted in UTF-16 code units, because that
//! is what `String.length` counts in the scripts and SDKs of its users.
//!
//! Not here: who may change it (the Management API's scopes, an Action's `api`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits::{
    SESSION_METADATA_ENTRIES_MAX, SESSION_METADATA_KEY_UNITS_MAX, SESSION_METADATA_VALUE_UNITS_MAX,
};

/// Up to 25 small strings that belong to one browser session, or to one refresh token.
///
/// Holds only legal entries: the one way in is through the methods below.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionMetadata(BTreeMap<String, String>);

/// Why a metadata write was refused. The text is what an Action sees after its prefix
/// (Auth0 Actions: `api.session.setMetadata`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// More than [`SESSION_METADATA_ENTRIES_MAX`] entries.
    #[error("Metadata must not contain more than 25 entries")]
    TooManyEntries,
    /// A key is longer than [`SESSION_METADATA_KEY_UNITS_MAX`].
    #[error("All metadata keys must be at most 255 characters long")]
    KeyTooLong {
        /// The offending key.
        key: String,
    },
    /// A key holds a NUL character.
    #[error("Metadata keys must not contain null bytes (\\x00)")]
    KeyHasNul {
        /// The offending key.
        key: String,
    },
    /// A key is empty or holds a character outside `[A-Za-z0-9_-]`.
    #[error("Metadata keys may only include letters, numbers, underscores, or hyphens")]
    KeyCharacters {
        /// The offending key.
        key: String,
    },
    /// A value is longer than [`SESSION_METADATA_VALUE_UNITS_MAX`].
    #[error("All metadata values must be at most 255 characters long")]
    ValueTooLong {
        /// The key whose value it is.
        key: String,
    },
    /// A value holds a NUL character.
    #[error("Metadata values must not contain null bytes (\\x00)")]
    ValueHasNul {
        /// The key whose value it is.
        key: String,
    },
}

impl MetadataError {
    /// Whether a size rule was broken (count or length), as opposed to a forbidden character.
    /// The Management API answers all size refusals with one documented sentence.
    pub fn is_about_size(&self) -> bool {
        match self {
            Self::TooManyEntries | Self::KeyTooLong { .. } | Self::ValueTooLong { .. } => true,
            Self::KeyHasNul { .. } | Self::KeyCharacters { .. } | Self::ValueHasNul { .. } => false,
        }
    }

    /// The key that broke the rule, where one did.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::TooManyEntries => None,
            Self::KeyTooLong { key }
            | Self::KeyHasNul { key }
            | Self::KeyCharacters { key }
            | Self::ValueTooLong { key }
            | Self::ValueHasNul { key } => Some(key),
        }
    }
}

impl SessionMetadata {
    /// Takes a whole new map, or refuses it whole. The first broken rule wins: the count, then entry by entry.
    ///
    /// # Errors
    /// Any [`MetadataError`].
    pub fn replace_with(entries: BTreeMap<String, String>) -> Result<Self, MetadataError> {
        if entries.len() > SESSION_METADATA_ENTRIES_MAX {
            return Err(MetadataError::TooManyEntries);
        }
        for (key, value) in &entries {
            check_entry(key, value)?;
        }
        Ok(Self(entries))
    }

    /// Sets one entry. A refusal leaves the map as it was.
    ///
    /// # Errors
    /// Any [`MetadataError`].
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), MetadataError> {
        if !self.0.contains_key(key) && self.0.len() >= SESSION_METADATA_ENTRIES_MAX {
            return Err(MetadataError::TooManyEntries);
        }
        check_entry(key, value)?;
        self.0.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// Removes one entry; an absent key is no error.
    pub fn delete(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Removes every entry.
    pub fn evict(&mut self) {
        self.0.clear();
    }

    /// One value.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All entries in the order of their keys.
    pub fn entries(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn check_entry(key: &str, value: &str) -> Result<(), MetadataError> {
    let owned = || key.to_owned();
    if utf16_units(key) > SESSION_METADATA_KEY_UNITS_MAX {
        return Err(MetadataError::KeyTooLong { key: owned() });
    }
    if key.contains('\0') {
        return Err(MetadataError::KeyHasNul { key: owned() });
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if key.is_empty() || !key.bytes().all(legal) {
        return Err(MetadataError::KeyCharacters { key: owned() });
    }
    if utf16_units(value) > SESSION_METADATA_VALUE_UNITS_MAX {
        return Err(MetadataError::ValueTooLong { key: owned() });
    }
    if value.contains('\0') {
        return Err(MetadataError::ValueHasNul { key: owned() });
    }
    Ok(())
}

fn utf16_units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    use super::{BTreeMap, MetadataError, SessionMetadata};

    fn check(key: &str, value: &str, expect: Result<(), &str>) {
        let mut metadata = SessionMetadata::default();
        let got = metadata.set(key, value);
        assert_eq!(got.clone().map_err(|error| error.to_string()), expect.map_err(str::to_owned), "{key:?}");
        assert_eq!(metadata.is_empty(), got.is_err());
    }

    #[test]
    fn each_rule_has_its_text() {
        let characters = Err("Metadata keys may only include letters, numbers, underscores, or hyphens");
        check("device_name-1", "x", Ok(()));
        check("a", "", Ok(()));
        check("", "x", characters);
        check("bad key!", "x", characters);
        check("ключ", "x", characters);
        check(&"k".repeat(255), "x", Ok(()));
        check(&"k".repeat(256), "x", Err("All metadata keys must be at most 255 characters long"));
        check("a\0b", "x", Err("Metadata keys must not contain null bytes (\\x00)"));
        check("a", &"v".repeat(255), Ok(()));
        check("a", &"v".repeat(256), Err("All metadata values must be at most 255 characters long"));
        check("a", "v\0", Err("Metadata values must not contain null bytes (\\x00)"));
    }

    #[test]
    fn length_is_counted_in_utf16_units() {
        check("a", &"😀".repeat(127), Ok(()));
        check("a", &"😀".repeat(128), Err("All metadata values must be at most 255 characters long"));
    }

    #[test]
    fn the_26th_entry_is_refused_but_an_old_key_can_be_overwritten() {
        let entries: BTreeMap<_, _> = (0..25).map(|n| (format!("k{n}"), "v".to_owned())).collect();
        let mut metadata = SessionMetadata::replace_with(entries.clone()).unwrap();
        assert_eq!(metadata.set("k25", "v"), Err(MetadataError::TooManyEntries));
        assert_eq!(metadata.set("k3", "new"), Ok(()));
        assert_eq!(metadata.get("k3"), Some("new"));
        let more = entries.into_iter().chain([("k25".to_owned(), String::new())]).collect();
        assert_eq!(SessionMetadata::replace_with(more), Err(MetadataError::TooManyEntries));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn replacing_accepts_what_setting_one_by_one_accepts(entries in any::<BTreeMap<String, String>>()) {
            let mut one_by_one = SessionMetadata::default();
            let all_set = entries.iter().all(|(key, value)| one_by_one.set(key, value).is_ok());
            prop_assert_eq!(SessionMetadata::replace_with(entries).is_ok(), all_set);
        }
    }
}
