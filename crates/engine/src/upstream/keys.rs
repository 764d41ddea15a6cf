//! Providers' keys in memory: an hour at most, anew when a token names one that is not there, never more often than
//! every half minute. Anybody can post a token, so no token makes us ask at will: not of a provider that fails either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::ConnectionId;
use domain::limits::{
    UPSTREAM_KEYS_MS, UPSTREAM_KEYS_STALE_MS_MAX, UPSTREAM_PROVIDERS_MAX, UPSTREAM_REFRESH_MS_MIN,
    UPSTREAM_RETRY_MS_MIN,
};
use domain::time::Timestamp;
use domain::upstream::Provider;
use protocol::jose::{JoseError, KeySet};
use protocol::upstream::Refused;
use tokio::sync::Semaphore;

use super::Failure;
use crate::Engine;
use crate::ports::OutboundError;

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
    /// When it last had no keys for us although we had none.
    failed_at: Option<Timestamp>,
    /// Whose turn it is to ask for the first keys.
    turn: Option<Arc<Semaphore>>,
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

    /// Whether a provider that had no keys for us may be asked once more.
    fn may_retry(&self, id: &ConnectionId, now: Timestamp) -> bool {
        self.with(id, |known| is_due(known.failed_at, now, UPSTREAM_RETRY_MS_MIN))
    }

    fn failed(&self, id: &ConnectionId, now: Timestamp) {
        self.with(id, |known| known.failed_at = Some(now));
    }

    /// One caller at a time.
    fn turn(&self, id: &ConnectionId) -> Arc<Semaphore> {
        self.with(id, |known| Arc::clone(known.turn.get_or_insert_with(|| Arc::new(Semaphore::new(1)))))
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
    let is_due = is_due(*last, now, UPSTREAM_REFRESH_MS_MIN);
    if is_due {
        *last = Some(now);
    }
    is_due
}

/// Whether so much time lies between two moments, whichever way the clock went.
fn is_due(last: Option<Timestamp>, now: Timestamp, ms_min: i64) -> bool {
    last.is_none_or(|last| now.millis_since(last).unsigned_abs() >= ms_min.unsigned_abs())
}

impl Engine {
    /// Checks a token with the provider's keys; where it names a key that is not among them, once more with newer
    /// ones. Where it is too soon to ask for those, nobody can say whether the token is good ([`Failure::TooSoon`]):
    /// otherwise a forged token would make us refuse a good one that comes after it.
    pub(super) async fn check_with_keys<T>(
        &self,
        id: &ConnectionId,
        provider: &Provider,
        check: impl Fn(&KeySet) -> Result<T, Refused>,
    ) -> Result<T, Failure> {
        let keys = self.provider_keys(id, provider).await?;
        match check(&keys) {
            Err(Refused::Jose(JoseError::UnknownKey)) => {
                if !self.inner.provider_keys.may_ask_for_keys(id, self.now()) {
                    return Err(Failure::TooSoon);
                }
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
            _ => self.first_keys(id, provider).await,
        }
    }

    /// Keys of a provider of which none are known: one caller asks, the others wait for what comes. A provider that had
    /// none is left alone for a while.
    async fn first_keys(&self, id: &ConnectionId, provider: &Provider) -> Result<Arc<KeySet>, Failure> {
        let cache = &self.inner.provider_keys;
        let turn = cache.turn(id);
        let _turn = turn.acquire().await;
        match cache.known(id, &provider.jwks_uri, self.now()) {
            Some((keys, age_ms)) if age_ms < UPSTREAM_KEYS_STALE_MS_MAX => return Ok(keys),
            _ if !cache.may_retry(id, self.now()) => return Err(Failure::TooSoon),
            _ => {}
        }
        let fetched = self.fetch_keys(id, provider).await;
        if fetched.is_err() {
            cache.failed(id, self.now());
        }
        fetched
    }

    /// An answer that is no set of keys counts like none: it is the provider's trouble, and says nothing of a token.
    async fn fetch_keys(&self, id: &ConnectionId, provider: &Provider) -> Result<Arc<KeySet>, Failure> {
        let answer = self.ask_provider(&provider.jwks_uri).await?;
        let no_keys =
            |status: u16| OutboundError::Failed(format!("no set of keys came, with status {status}"));
        let jwks = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200);
        let keys =
            jwks.and_then(|jwks| KeySet::from_jwks(&jwks).ok()).ok_or_else(|| no_keys(answer.status))?;
        let keys = Arc::new(keys);
        self.inner.provider_keys.keep(id, &provider.jwks_uri, &keys, self.now());
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::id::ConnectionId;
    use domain::limits::{UPSTREAM_PROVIDERS_MAX, UPSTREAM_REFRESH_MS_MIN, UPSTREAM_RETRY_MS_MIN};
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
    fn a_provider_without_keys_is_left_alone_for_a_while() {
        let (cache, id) = (ProviderKeys::default(), ConnectionId::from("con_1"));
        assert!(cache.may_retry(&id, Timestamp(0)));
        cache.failed(&id, Timestamp(0));
        assert!(!cache.may_retry(&id, Timestamp(UPSTREAM_RETRY_MS_MIN - 1)));
        assert!(cache.may_retry(&id, Timestamp(UPSTREAM_RETRY_MS_MIN)));
        assert!(cache.may_retry(&"con_2".into(), Timestamp(0)), "each provider by itself");
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
