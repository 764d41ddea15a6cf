//! What the Actions of one trigger keep for each other for a while, and how much of it.
//!
//! Auth0: Actions, `api.cache`; Actions, limitations. Where it is kept is the engine's business.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits::{
    ACTION_CACHE_BYTES_MAX, ACTION_CACHE_DEFAULT_MS, ACTION_CACHE_ENTRIES_MAX, ACTION_CACHE_KEY_BYTES_MAX,
    ACTION_CACHE_MS_MAX, ACTION_CACHE_VALUE_BYTES_MAX,
};
use crate::time::Timestamp;

/// One value with its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheRecord {
    /// The value.
    pub value: String,
    /// From when on it is gone.
    pub expires_at: Timestamp,
}

/// How long a value is to be kept, as a script wrote it: numbers that may be anything. Of two the earlier counts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CacheLifetime {
    /// Milliseconds from now.
    pub ttl_ms: Option<f64>,
    /// Milliseconds since 1970 (UTC).
    pub expires_at_ms: Option<f64>,
}

/// Why a value is not kept, or not removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheRefusal {
    /// The key is longer than [`ACTION_CACHE_KEY_BYTES_MAX`].
    KeySize,
    /// The value is longer than [`ACTION_CACHE_VALUE_BYTES_MAX`].
    ValueSize,
    /// There is no room for it beside the others.
    CacheSize,
    /// Its end is no finite number.
    InvalidExpiry,
    /// Its end is not in the future.
    AlreadyExpired,
    /// Nothing is kept under this key.
    UnknownKey,
    /// The script has changed too much already.
    TooManyCommands,
}

impl CacheRefusal {
    /// The `code` that the script reads (Auth0: Actions, `api.cache`).
    pub const fn code(self) -> &'static str {
        match self {
            Self::KeySize => "CacheKeySizeExceeded",
            Self::ValueSize => "CacheValueSizeExceeded",
            Self::CacheSize => "CacheSizeExceeded",
            Self::InvalidExpiry => "InvalidExpiry",
            Self::AlreadyExpired => "ItemAlreadyExpired",
            Self::UnknownKey => "CacheKeyDoesNotExist",
            Self::TooManyCommands => "MaxSideEffectsExceeded",
        }
    }
}

/// The values of one trigger, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionCache(BTreeMap<String, CacheRecord>);

impl ActionCache {
    /// What is kept under a key and has not ended.
    pub fn get(&self, key: &str, now: Timestamp) -> Option<&CacheRecord> {
        self.0.get(key).filter(|record| record.expires_at > now)
    }

    /// Keeps a value in place of the one before, for a quarter of an hour where nothing is said and a day at most.
    /// Answers its end.
    ///
    /// # Errors
    /// [`CacheRefusal`]; nothing changes then.
    pub fn set(
        &mut self,
        key: &str,
        value: String,
        lifetime: CacheLifetime,
        now: Timestamp,
    ) -> Result<Timestamp, CacheRefusal> {
        if key.len() > ACTION_CACHE_KEY_BYTES_MAX {
            return Err(CacheRefusal::KeySize);
        }
        if value.len() > ACTION_CACHE_VALUE_BYTES_MAX {
            return Err(CacheRefusal::ValueSize);
        }
        self.drop_expired(now);
        let (entries, bytes) = self.size_without(key);
        if entries >= ACTION_CACHE_ENTRIES_MAX || bytes + key.len() + value.len() > ACTION_CACHE_BYTES_MAX {
            return Err(CacheRefusal::CacheSize);
        }
        let expires_at = lifetime.end(now)?;
        self.0.insert(key.to_owned(), CacheRecord { value, expires_at });
        Ok(expires_at)
    }

    /// Forgets a value.
    ///
    /// # Errors
    /// [`CacheRefusal::UnknownKey`].
    pub fn delete(&mut self, key: &str, now: Timestamp) -> Result<(), CacheRefusal> {
        self.drop_expired(now);
        self.0.remove(key).map(drop).ok_or(CacheRefusal::UnknownKey)
    }

    /// Takes in what a run kept, beside what other runs kept meanwhile: what ends soonest makes room. What is too
    /// long, which no run gives, is left out.
    pub fn merge(&mut self, key: String, mut record: CacheRecord, now: Timestamp) {
        if key.len() > ACTION_CACHE_KEY_BYTES_MAX || record.value.len() > ACTION_CACHE_VALUE_BYTES_MAX {
            return;
        }
        record.expires_at = record.expires_at.min(now.plus_millis(ACTION_CACHE_MS_MAX));
        self.drop_expired(now);
        if record.expires_at <= now {
            self.0.remove(&key);
            return;
        }
        let own = key.len() + record.value.len();
        loop {
            let (entries, bytes) = self.size_without(&key);
            if entries < ACTION_CACHE_ENTRIES_MAX && bytes + own <= ACTION_CACHE_BYTES_MAX {
                break;
            }
            let others = self.0.iter().filter(|(other, _)| **other != key);
            let Some((soonest, _)) = others.min_by_key(|(_, record)| record.expires_at) else { break };
            let soonest = soonest.clone();
            self.0.remove(&soonest);
        }
        self.0.insert(key, record);
    }

    /// Forgets what has ended.
    pub fn drop_expired(&mut self, now: Timestamp) {
        self.0.retain(|_, record| record.expires_at > now);
    }

    /// Entries and bytes beside those of a key.
    fn size_without(&self, key: &str) -> (usize, usize) {
        let others = self.0.iter().filter(|(other, _)| *other != key);
        others.fold((0, 0), |(entries, bytes), (other, record)| {
            (entries + 1, bytes + other.len() + record.value.len())
        })
    }
}

impl CacheLifetime {
    fn end(self, now: Timestamp) -> Result<Timestamp, CacheRefusal> {
        let whole = |number: f64| {
            // Beyond ±2^63 the cast saturates, and such an end is cut to a day or has been already.
            #[expect(clippy::cast_possible_truncation, reason = "rounded down; what is huge saturates")]
            let whole = number.floor() as i64;
            number.is_finite().then_some(whole).ok_or(CacheRefusal::InvalidExpiry)
        };
        let by_ttl = self.ttl_ms.map(whole).transpose()?.map(|ttl_ms| now.plus_millis(ttl_ms));
        let by_date = self.expires_at_ms.map(whole).transpose()?.map(Timestamp);
        let asked = by_ttl.into_iter().chain(by_date).min();
        let end = asked.unwrap_or_else(|| now.plus_millis(ACTION_CACHE_DEFAULT_MS));
        if end <= now {
            return Err(CacheRefusal::AlreadyExpired);
        }
        Ok(end.min(now.plus_millis(ACTION_CACHE_MS_MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::{ActionCache, CacheLifetime, CacheRecord, CacheRefusal, Timestamp};

    const NOW: Timestamp = Timestamp(1_000_000);
    const ANY: CacheLifetime = CacheLifetime { ttl_ms: None, expires_at_ms: None };

    fn ttl(ttl_ms: f64) -> CacheLifetime {
        CacheLifetime { ttl_ms: Some(ttl_ms), ..ANY }
    }

    fn set(
        cache: &mut ActionCache,
        key: &str,
        bytes: usize,
        lifetime: CacheLifetime,
    ) -> Result<i64, CacheRefusal> {
        cache.set(key, "v".repeat(bytes), lifetime, NOW).map(|end| end.millis_since(NOW))
    }

    #[test]
    fn a_value_lives_as_long_as_it_was_told_and_a_day_at_most() {
        let both = |ttl_ms, expires_at_ms| CacheLifetime {
            ttl_ms: Some(ttl_ms),
            expires_at_ms: Some(expires_at_ms),
        };
        let cases = [
            (ANY, Ok(15 * 60_000)),
            (ttl(1.9), Ok(1)),
            (ttl(0.9), Err(CacheRefusal::AlreadyExpired)),
            (ttl(-5.0), Err(CacheRefusal::AlreadyExpired)),
            (ttl(1e300), Ok(24 * 3_600_000)),
            (ttl(f64::NAN), Err(CacheRefusal::InvalidExpiry)),
            (ttl(f64::INFINITY), Err(CacheRefusal::InvalidExpiry)),
            (both(500.0, 1_000_200.0), Ok(200)),
            (both(100.0, 1_000_200.0), Ok(100)),
            (both(100.0, 1_000_000.0), Err(CacheRefusal::AlreadyExpired)),
        ];
        for (lifetime, expected) in cases {
            assert_eq!(set(&mut ActionCache::default(), "k", 1, lifetime), expected, "{lifetime:?}");
        }
        let mut cache = ActionCache::default();
        set(&mut cache, "k", 1, ttl(10.0)).unwrap();
        assert!(cache.get("k", NOW.plus_millis(9)).is_some());
        assert!(cache.get("k", NOW.plus_millis(10)).is_none());
        assert_eq!(cache.delete("k", NOW.plus_millis(10)), Err(CacheRefusal::UnknownKey));
    }

    #[test]
    fn what_is_too_large_is_refused_and_changes_nothing() {
        let mut cache = ActionCache::default();
        assert_eq!(set(&mut cache, &"k".repeat(65), 1, ANY), Err(CacheRefusal::KeySize));
        assert_eq!(set(&mut cache, &"ü".repeat(33), 1, ANY), Err(CacheRefusal::KeySize));
        assert_eq!(set(&mut cache, "k", 4_097, ANY), Err(CacheRefusal::ValueSize));
        assert_eq!(cache, ActionCache::default());
        set(&mut cache, &"a".repeat(64), 4_096, ANY).unwrap();
        set(&mut cache, "b", 4_031, ANY).unwrap();
        assert_eq!(set(&mut cache, "c", 0, ANY), Err(CacheRefusal::CacheSize), "8,192 bytes are taken");
        set(&mut cache, "b", 4_030, ANY).unwrap();
        set(&mut cache, "c", 0, ANY).unwrap();
    }

    #[test]
    fn a_twenty_first_entry_is_refused_until_another_has_gone() {
        let mut cache = ActionCache::default();
        for n in 0..20 {
            set(&mut cache, &format!("k{n}"), 1, ttl(f64::from(n + 1))).unwrap();
        }
        assert_eq!(set(&mut cache, "more", 1, ANY), Err(CacheRefusal::CacheSize));
        set(&mut cache, "k3", 2, ANY).unwrap();
        cache.set("more", String::new(), ANY, NOW.plus_millis(1)).unwrap();
        cache.delete("k3", NOW).unwrap();
        set(&mut cache, "another", 1, ANY).unwrap();
    }

    #[test]
    fn what_two_runs_kept_at_once_fits_because_the_soonest_to_end_goes() {
        let record =
            |bytes: usize, ms| CacheRecord { value: "v".repeat(bytes), expires_at: NOW.plus_millis(ms) };
        let mut cache = ActionCache::default();
        for n in 0..25 {
            cache.merge(format!("k{n}"), record(1, 100 + n), NOW);
        }
        assert_eq!(cache.0.len(), 20);
        assert!(cache.get("k4", NOW).is_none() && cache.get("k5", NOW).is_some());
        cache.merge("large".to_owned(), record(4_096, 50), NOW);
        cache.merge("large, too".to_owned(), record(4_096, 60), NOW);
        assert!(cache.get("large", NOW).is_none() && cache.get("large, too", NOW).is_some());
        cache.merge("k6".to_owned(), record(1, 0), NOW);
        assert!(cache.get("k6", NOW).is_none(), "what has ended meanwhile replaces what was there");
        let before = cache.clone();
        cache.merge("k".repeat(65), record(1, 10), NOW);
        cache.merge("v".to_owned(), record(4_097, 10), NOW);
        assert_eq!(cache, before);
        cache.merge("k7".to_owned(), record(1, i64::MAX / 2), NOW);
        assert!(cache.get("k7", NOW.plus_millis(24 * 3_600_000)).is_none(), "a day at most");
    }
}
