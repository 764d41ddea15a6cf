//! `api.cache` as this node keeps it: in memory, by trigger, each bounded by the rules of `domain::action_cache`.
//!
//! Nothing rests on what is here: another node has its own, and a restart begins with none (docs/adr/0016).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::action_cache::{ActionCache, CacheRecord};
use domain::time::Timestamp;
use sandbox::{CacheView, Command, Outcome};

/// The caches of all triggers: as many as there are triggers, so it is bounded as they are.
#[derive(Debug, Default)]
pub(crate) struct ActionCaches(Mutex<HashMap<&'static str, ActionCache>>);

impl ActionCaches {
    /// What the next Action of a trigger finds.
    pub(crate) fn view(&self, trigger: &'static str, now: Timestamp) -> CacheView {
        let mut caches = self.lock();
        let Some(cache) = caches.get_mut(trigger) else {
            return CacheView { entries: ActionCache::default(), now };
        };
        cache.drop_expired(now);
        CacheView { entries: cache.clone(), now }
    }

    /// Takes what an Action kept and forgot, as soon as it has ended. Of one that failed nothing counts.
    pub(crate) fn take(&self, trigger: &'static str, outcome: &Outcome, now: Timestamp) {
        let mut commands = outcome.commands.iter().filter(|command| is_about_cache(command)).peekable();
        if outcome.failure.is_some() || commands.peek().is_none() {
            return;
        }
        let mut caches = self.lock();
        let cache = caches.entry(trigger).or_default();
        for command in commands {
            match command {
                Command::SetCache { key, value, expires_at_ms } => {
                    let record = CacheRecord { value: value.clone(), expires_at: Timestamp(*expires_at_ms) };
                    cache.merge(key.clone(), record, now);
                }
                // Another run may have forgotten it before.
                Command::DeleteCache { key } => drop(cache.delete(key, now)),
                _ => {}
            }
        }
    }

    /// A panic elsewhere leaves each cache whole, so a poisoned lock is no reason to stop.
    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, ActionCache>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn is_about_cache(command: &Command) -> bool {
    matches!(command, Command::SetCache { .. } | Command::DeleteCache { .. })
}

/// A command as the record of a run keeps it: a cached value may be a token, and is nobody's to read there.
pub(super) fn without_cached_value(command: &Command) -> Command {
    match command.clone() {
        Command::SetCache { key, expires_at_ms, .. } => {
            Command::SetCache { key, value: "*****".to_owned(), expires_at_ms }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use sandbox::{Command, Failure, Outcome};

    use super::{ActionCaches, Timestamp};

    const NOW: Timestamp = Timestamp(1_000_000);

    fn outcome(keys: &[&str], failure: Option<Failure>) -> Outcome {
        let set = |key: &&str| Command::SetCache {
            key: (*key).to_owned(),
            value: "v".to_owned(),
            expires_at_ms: NOW.as_millis() + 60_000,
        };
        Outcome { commands: keys.iter().map(set).collect(), failure, ..Outcome::default() }
    }

    fn keys(caches: &ActionCaches, trigger: &'static str, now: Timestamp) -> Vec<&'static str> {
        let entries = caches.view(trigger, now).entries;
        ["a", "b"].into_iter().filter(|key| entries.get(key, now).is_some()).collect()
    }

    #[test]
    fn each_trigger_has_its_own_values_until_they_end() {
        let caches = ActionCaches::default();
        caches.take("post-login", &outcome(&["a"], None), NOW);
        caches.take("pre-user-registration", &outcome(&["b"], None), NOW);
        assert_eq!(keys(&caches, "post-login", NOW), ["a"]);
        assert_eq!(keys(&caches, "pre-user-registration", NOW), ["b"]);
        assert!(keys(&caches, "credentials-exchange", NOW).is_empty());
        assert_eq!(keys(&caches, "post-login", NOW.plus_millis(59_999)), ["a"]);
        assert!(keys(&caches, "post-login", NOW.plus_millis(60_000)).is_empty());
    }

    #[test]
    fn values_are_forgotten_in_the_order_of_the_commands() {
        let caches = ActionCaches::default();
        let mut outcome = outcome(&["a", "b"], None);
        outcome.commands.push(Command::DeleteCache { key: "a".to_owned() });
        caches.take("post-login", &outcome, NOW);
        assert_eq!(keys(&caches, "post-login", NOW), ["b"]);
    }

    #[test]
    fn a_failed_action_keeps_and_forgets_nothing() {
        let caches = ActionCaches::default();
        caches.take("post-login", &outcome(&["a"], Some(Failure::CpuTime)), NOW);
        assert!(keys(&caches, "post-login", NOW).is_empty());
    }
}
