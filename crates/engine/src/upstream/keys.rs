//! Providers' keys in memory: an hour at most, anew when a token names one that is not there, never more often than
//! every half minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::ConnectionId;
use domain::limits::{
    UPSTREAM_KEYS_MS, UPSTREAM_KEYS_STALE_MS_MAX, UPSTREAM_PROVIDERS_MAX, UPSTREAM_REFRESH_MS_MIN,
};
use domain::time::Timestamp;
use domain::upstream::Provider;
use protocol::jose::{JoseError, KeySet};
use protocol::upstream::Refused;

use super::Failure;
use crate::Engine;

/// The memory of one node.
#[derive(Default)]
pub(crate) struct ProviderKeys(Mutex<HashMap<ConnectionId, Known>>);

#[derive(Default)]
struct Known {
    /// From where, with which keys, since when.
    keys: Option<(String, Arc<KeySet>, Timestamp)>,
    /// When the provider was last asked for its keys.
    asked_at: Option<Timestamp>,
    /// When it was last asked for its description.
    described_at: Option<Timestamp>,
}

impl ProviderKeys {
    /// Keys from this place, with their age in milliseconds.
    fn known(&self, id: &ConnectionId, jwks_uri: &str, now: Timestamp) -> Option<(Arc<KeySet>, i64)> {
        let all = self.lock();
        let (from, keys, since) = all.get(id)?.keys.as_ref()?;
        (from == jwks_uri).then(|| (Arc::clone(keys), now.millis_since(*since)))
    }

    fn keep(&self, id: &ConnectionId, jwks_uri: &str, keys: &Arc<KeySet>, now: Timestamp) {
        self.with(id, |known| known.keys = Some((jwks_uri.to_owned(), Arc::clone(keys), now)));
    }

    /// Whether the provider may be asked for newer keys; whoever is told so asks.
    fn may_ask_for_keys(&self, id: &ConnectionId, now: Timestamp) -> bool {
        self.with(id, |known| may_ask(&mut known.asked_at, now))
    }

    /// Whether the provider may be asked for its description; whoever is told so asks.
    pub(super) fn may_ask(&self, id: &ConnectionId, now: Timestamp) -> bool {
        self.with(id, |known| may_ask(&mut known.described_at, now))
    }

    /// The settings changed: nothing that was known counts any more.
    pub(crate) fn forget(&self, id: &ConnectionId) {
        self.lock().remove(id);
    }

    fn with<T>(&self, id: &ConnectionId, change: impl FnOnce(&mut Known) -> T) -> T {
        let mut all = self.lock();
        if all.len() >= UPSTREAM_PROVIDERS_MAX && !all.contains_key(id) {
            all.clear();
        }
        change(all.entry(id.clone()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn may_ask(last: &mut Option<Timestamp>, now: Timestamp) -> bool {
    let is_due = last
        .is_none_or(|last| now.millis_since(last).unsigned_abs() >= UPSTREAM_REFRESH_MS_MIN.unsigned_abs());
    if is_due {
        *last = Some(now);
    }
    is_due
}

impl Engine {
    /// Checks a token with the provider's keys; where it names a key that is not among them, once more with newer
    /// ones, if it is not too soon to ask.
    pub(super) async fn check_with_keys<T>(
        &self,
        id: &ConnectionId,
        provider: &Provider,
        check: impl Fn(&KeySet) -> Result<T, Refused>,
    ) -> Result<T, Failure> {
        let keys = self.provider_keys(id, provider).await?;
        match check(&keys) {
            Err(Refused::Jose(JoseError::UnknownKey))
                if self.inner.provider_keys.may_ask_for_keys(id, self.now()) =>
            {
                let newer = self.fetch_keys(id, provider).await?;
                Ok(check(&newer)?)
            }
            outcome => Ok(outcome?),
        }
    }

    async fn provider_keys(&self, id: &ConnectionId, provider: &Provider) -> Result<Arc<KeySet>, Failure> {
        let cache = &self.inner.provider_keys;
        match cache.known(id, &provider.jwks_uri, self.now()) {
            Some((keys, age_ms)) if (0..UPSTREAM_KEYS_MS).contains(&age_ms) => Ok(keys),
            Some((keys, age_ms)) if age_ms < UPSTREAM_KEYS_STALE_MS_MAX => {
                if !cache.may_ask_for_keys(id, self.now()) {
                    return Ok(keys);
                }
                // A provider that does not answer for a while takes nobody's sign-in away.
                Ok(self.fetch_keys(id, provider).await.unwrap_or(keys))
            }
            _ => self.fetch_keys(id, provider).await,
        }
    }

    async fn fetch_keys(&self, id: &ConnectionId, provider: &Provider) -> Result<Arc<KeySet>, Failure> {
        let answer = self.ask_provider(&provider.jwks_uri).await?;
        let unreadable = || Failure::Refused(Refused::Member("jwks_uri"));
        if answer.status != 200 {
            return Err(unreadable());
        }
        let jwks = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let keys = Arc::new(KeySet::from_jwks(&jwks).map_err(|_| unreadable())?);
        self.inner.provider_keys.keep(id, &provider.jwks_uri, &keys, self.now());
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::id::ConnectionId;
    use domain::limits::{UPSTREAM_PROVIDERS_MAX, UPSTREAM_REFRESH_MS_MIN};
    use domain::time::Timestamp;
    use protocol::jose::KeySet;

    use super::ProviderKeys;

    #[test]
    fn unknown_keys_make_us_ask_only_so_often() {
        let (cache, id) = (ProviderKeys::default(), ConnectionId::from("con_1"));
        let at = Timestamp;
        assert!(cache.may_ask_for_keys(&id, at(0)));
        assert!(!cache.may_ask_for_keys(&id, at(UPSTREAM_REFRESH_MS_MIN - 1)));
        assert!(cache.may_ask_for_keys(&id, at(UPSTREAM_REFRESH_MS_MIN)));
        assert!(cache.may_ask_for_keys(&"con_2".into(), at(0)), "each provider by itself");
        assert!(cache.may_ask(&id, at(0)), "keys and description by themselves");
    }

    #[test]
    fn keys_belong_to_the_place_that_they_came_from_and_the_memory_is_bounded() {
        let (cache, id, now) = (ProviderKeys::default(), ConnectionId::from("con_1"), Timestamp(5));
        cache.keep(&id, "https://a.example/", &Arc::new(KeySet::default()), now);
        assert_eq!(cache.known(&id, "https://a.example/", Timestamp(7)).map(|(_, age)| age), Some(2));
        assert!(cache.known(&id, "https://b.example/", now).is_none());
        for number in 0..=UPSTREAM_PROVIDERS_MAX {
            cache.keep(&format!("con_{number}").as_str().into(), "x", &Arc::new(KeySet::default()), now);
        }
        assert!(cache.lock().len() <= UPSTREAM_PROVIDERS_MAX);
        cache.forget(&id);
        assert!(cache.known(&id, "x", now).is_none());
    }
}
