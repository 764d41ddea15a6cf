//! What one run has asked for so far: commands and console lines, each list bounded. Knows no script engine.

use std::collections::BTreeMap;
use std::time::Instant;

use domain::action_cache::{CacheLifetime, CacheRecord, CacheRefusal};
use domain::metadata::SessionMetadata;
use domain::time::Timestamp;
use serde_json::{Value, json};

use crate::distrust::{COMMANDS_MAX, CONSOLE_LINE_BYTES};
use crate::job::CacheView;
use crate::outcome::{Command, ConsoleLevel, ConsoleLine, CookieMode};

/// Bytes of names and values in the commands of one run. Ours: a token's claims end at 100 KiB, metadata at 32 KiB.
const COMMANDS_BYTES_MAX: usize = 1024 * 1024;

/// Collects what a script asks for.
#[derive(Debug, Default)]
pub(super) struct Effects {
    commands: Vec<Command>,
    command_bytes: usize,
    console: Vec<ConsoleLine>,
    console_bytes_left: usize,
    console_is_full: bool,
    session_metadata: Option<SessionMetadata>,
    cache: CacheView,
    begun: Option<Instant>,
}

impl Effects {
    /// Nothing asked for yet.
    ///
    /// # Errors
    /// The text of the rule that the session's own metadata breaks.
    pub(super) fn new(
        session_metadata: Option<&BTreeMap<String, String>>,
        console_bytes_max: usize,
    ) -> Result<Self, String> {
        let session_metadata = session_metadata
            .map(|entries| SessionMetadata::replace_with(entries.clone()))
            .transpose()
            .map_err(|error| error.to_string())?;
        Ok(Self { session_metadata, console_bytes_left: console_bytes_max, ..Self::default() })
    }

    /// What the script finds in its cache; the clock of the cache runs on from here, unless it stands.
    pub(super) fn with_cache(self, cache: CacheView, stands: bool) -> Self {
        Self { cache, begun: (!stands).then(Instant::now), ..self }
    }

    /// The commands and console lines.
    pub(super) fn into_parts(self) -> (Vec<Command>, Vec<ConsoleLine>) {
        (self.commands, self.console)
    }

    /// Whether there is a session to set metadata on.
    pub(super) fn has_session(&self) -> bool {
        self.session_metadata.is_some()
    }

    /// The session's metadata as the script should see it now, as JSON.
    pub(super) fn session_metadata_json(&self) -> String {
        let entries = self.session_metadata.as_ref().map(SessionMetadata::entries);
        serde_json::to_string(&entries).unwrap_or_else(|_| "{}".to_owned())
    }

    /// Sets one entry of the session's metadata, or says which rule forbids it and changes nothing.
    pub(super) fn set_session_metadata(&mut self, key: String, value: String) -> Result<(), String> {
        let Some(metadata) = &mut self.session_metadata else { return Ok(()) };
        let mut next = metadata.clone();
        next.set(&key, &value).map_err(|error| format!("Invalid metadata: {error}"))?;
        let size = key.len() + value.len();
        self.push(Command::SetSessionMetadata { key, value }, size)?;
        self.session_metadata = Some(next);
        Ok(())
    }

    /// Removes one entry; without a session or without that key there is nothing to do.
    pub(super) fn delete_session_metadata(&mut self, key: String) -> Result<(), String> {
        let Some(metadata) = &mut self.session_metadata else { return Ok(()) };
        if metadata.get(&key).is_none() {
            return Ok(());
        }
        metadata.delete(&key);
        let size = key.len();
        self.push(Command::DeleteSessionMetadata { key }, size)
    }

    /// Removes all entries; without a session there is nothing to do.
    pub(super) fn evict_session_metadata(&mut self) -> Result<(), String> {
        let Some(metadata) = &mut self.session_metadata else { return Ok(()) };
        metadata.evict();
        self.push(Command::EvictSessionMetadata, 0)
    }

    /// Any other command: `kind` names it, `name` and `text` are its parts. Values come as JSON.
    pub(super) fn command(&mut self, kind: &str, name: String, text: String) -> Result<(), String> {
        let size = name.len() + text.len();
        let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
        let command = match kind {
            "setCookieMode" if text == "persistent" => {
                Command::SetSessionCookieMode { mode: CookieMode::Persistent }
            }
            "setCookieMode" => Command::SetSessionCookieMode { mode: CookieMode::NonPersistent },
            "deny" => Command::DenyAccess { reason: text },
            "denyWithCode" => Command::DenyAccessWithCode { code: name, reason: text },
            "denyRegistration" => Command::DenyRegistration { reason: name, user_message: text },
            "setRefreshTokenMetadata" => Command::SetRefreshTokenMetadata { key: name, value: text },
            "deleteRefreshTokenMetadata" => Command::DeleteRefreshTokenMetadata { key: name },
            "evictRefreshTokenMetadata" => Command::EvictRefreshTokenMetadata,
            "setRefreshTokenExpiresAt" => Command::SetRefreshTokenExpiresAt { at_ms: milliseconds(&text)? },
            "setRefreshTokenIdleExpiresAt" => {
                Command::SetRefreshTokenIdleExpiresAt { at_ms: milliseconds(&text)? }
            }
            "revokeRefreshToken" => Command::RevokeRefreshToken { reason: text },
            "setIdTokenClaim" => Command::SetIdTokenClaim { name, value: json(&text)? },
            "setAccessTokenClaim" => Command::SetAccessTokenClaim { name, value: json(&text)? },
            "addScope" => Command::AddScope { scope: text },
            "removeScope" => Command::RemoveScope { scope: text },
            "setUserMetadata" => Command::SetUserMetadata { name, value: json(&text)? },
            "setAppMetadata" => Command::SetAppMetadata { name, value: json(&text)? },
            "setTransactionMetadata" => Command::SetTransactionMetadata { key: name, value: json(&text)? },
            "sendUserTo" => Command::SendUserTo { url: text },
            "recordMethod" => Command::RecordAuthenticationMethod { name: text },
            "setPrimaryUser" => Command::SetPrimaryUser { user_id: text },
            "validationError" => Command::ValidationError { code: name, message: text },
            other => return Err(format!("Unknown command {other}")),
        };
        self.push(command, size)
    }

    /// A cached value with its end, as JSON; absent if there is none.
    pub(super) fn cached(&self, key: &str) -> Option<String> {
        self.cache.entries.get(key, self.now()).map(|record| record_json(record).to_string())
    }

    /// Caches a value. Answers what `api.cache.set` does, as JSON.
    pub(super) fn set_cache(&mut self, key: String, value: String, lifetime: CacheLifetime) -> String {
        let size = key.len() + value.len();
        if !self.has_room(size) {
            return refused(CacheRefusal::TooManyCommands);
        }
        let now = self.now();
        let expires_at = match self.cache.entries.set(&key, value.clone(), lifetime, now) {
            Ok(expires_at) => expires_at,
            Err(refusal) => return refused(refusal),
        };
        let record = CacheRecord { value, expires_at };
        let answer = json!({ "type": "success", "record": record_json(&record) }).to_string();
        let expires_at_ms = expires_at.as_millis();
        self.append(Command::SetCache { key, value: record.value, expires_at_ms }, size);
        answer
    }

    /// Forgets a cached value. Answers what `api.cache.delete` does, as JSON.
    pub(super) fn delete_cache(&mut self, key: String) -> String {
        if !self.has_room(key.len()) {
            return refused(CacheRefusal::TooManyCommands);
        }
        let now = self.now();
        if let Err(refusal) = self.cache.entries.delete(&key, now) {
            return refused(refusal);
        }
        let size = key.len();
        self.append(Command::DeleteCache { key }, size);
        json!({ "type": "success" }).to_string()
    }

    /// The moment by the host's clock, which the machine's need not agree with.
    fn now(&self) -> Timestamp {
        let passed_ms = self.begun.map_or(0, |begun| begun.elapsed().as_millis());
        self.cache.now.plus_millis(i64::try_from(passed_ms).unwrap_or(i64::MAX))
    }

    /// The session shall end at a time, in milliseconds since 1970: in any case, or if idle.
    pub(super) fn set_session_expiry(&mut self, idle: bool, at_ms: i64) -> Result<(), String> {
        let command = match idle {
            true => Command::SetSessionIdleExpiresAt { at_ms },
            false => Command::SetSessionExpiresAt { at_ms },
        };
        self.push(command, 0)
    }

    /// The session shall end with this transaction.
    pub(super) fn revoke_session(
        &mut self,
        reason: String,
        preserve_refresh_tokens: bool,
    ) -> Result<(), String> {
        let size = reason.len();
        self.push(Command::RevokeSession { reason, preserve_refresh_tokens }, size)
    }

    fn push(&mut self, command: Command, size: usize) -> Result<(), String> {
        if self.commands.len() >= COMMANDS_MAX {
            return Err(format!("An Action may call at most {COMMANDS_MAX} methods that change something."));
        }
        if self.command_bytes + size > COMMANDS_BYTES_MAX {
            return Err("An Action may write at most 1 MiB in all.".to_owned());
        }
        self.append(command, size);
        Ok(())
    }

    fn has_room(&self, size: usize) -> bool {
        self.commands.len() < COMMANDS_MAX && self.command_bytes + size <= COMMANDS_BYTES_MAX
    }

    fn append(&mut self, command: Command, size: usize) {
        self.command_bytes += size;
        self.commands.push(command);
    }

    /// Keeps one console line if it fits; the first that doesn't is replaced by a note, and the rest are dropped.
    /// Answers whether there is room left, so that the script needn't be made to format for nothing.
    pub(super) fn console(&mut self, level: ConsoleLevel, text: String) -> bool {
        if self.console_is_full {
            return false;
        }
        let size = text.len() + CONSOLE_LINE_BYTES;
        if size > self.console_bytes_left {
            self.console_is_full = true;
            let text = "The console is full: this line and all later ones were dropped.".to_owned();
            self.console.push(ConsoleLine { level: ConsoleLevel::Warn, text });
            return false;
        }
        self.console_bytes_left -= size;
        self.console.push(ConsoleLine { level, text });
        true
    }
}

fn record_json(record: &CacheRecord) -> Value {
    json!({ "value": record.value, "expires_at": record.expires_at.as_millis() })
}

fn refused(refusal: CacheRefusal) -> String {
    json!({ "type": "error", "code": refusal.code() }).to_string()
}

/// A whole number of milliseconds as JavaScript writes it. Beyond ±2^53 the cast saturates, and such a time is never.
fn milliseconds(text: &str) -> Result<i64, String> {
    let number: f64 = text.parse().map_err(|_| "The time must be a number.".to_owned())?;
    Ok(number as i64)
}

/// Why a whole map of metadata, given as keys and values in turn, is not legal.
pub(super) fn metadata_refusal(flat: &[String]) -> Option<String> {
    let (pairs, _) = flat.as_chunks::<2>();
    let entries = pairs.iter().map(|[key, value]| (key.clone(), value.clone())).collect();
    SessionMetadata::replace_with(entries).err().map(|error| format!("Invalid metadata: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{COMMANDS_BYTES_MAX, COMMANDS_MAX, ConsoleLevel, Effects};
    use crate::outcome::Command;

    fn with_session() -> Effects {
        Effects::new(Some(&BTreeMap::new()), 100).unwrap()
    }

    #[test]
    fn a_refused_entry_is_no_command_and_leaves_the_map() {
        let mut effects = with_session();
        let refusal = effects.set_session_metadata("bad key".to_owned(), "v".to_owned()).unwrap_err();
        assert!(refusal.starts_with("Invalid metadata: Metadata keys may only include"), "{refusal}");
        assert_eq!(effects.session_metadata_json(), "{}");
        effects.set_session_metadata("k".to_owned(), "v".to_owned()).unwrap();
        assert_eq!(effects.session_metadata_json(), r#"{"k":"v"}"#);
        assert_eq!(effects.into_parts().0.len(), 1);
    }

    #[test]
    fn deleting_an_absent_key_is_no_command() {
        let mut effects = with_session();
        effects.delete_session_metadata("k".to_owned()).unwrap();
        assert!(effects.into_parts().0.is_empty());
    }

    #[test]
    fn commands_are_bounded_in_number_and_size() {
        let mut effects = with_session();
        for _ in 0..COMMANDS_MAX {
            effects.command("deny", String::new(), "no".to_owned()).unwrap();
        }
        assert!(effects.command("deny", String::new(), "no".to_owned()).is_err());
        let mut effects = with_session();
        assert!(effects.command("deny", String::new(), "x".repeat(COMMANDS_BYTES_MAX + 1)).is_err());
        effects.command("deny", String::new(), "no".to_owned()).unwrap();
        assert_eq!(effects.into_parts().0, [Command::DenyAccess { reason: "no".to_owned() }]);
    }

    #[test]
    fn empty_console_lines_fill_it_too() {
        let mut effects = with_session();
        for _ in 0..1_000 {
            effects.console(ConsoleLevel::Log, String::new());
        }
        let (_, lines) = effects.into_parts();
        assert_eq!(lines.len(), 7);
        assert!(lines[6].text.starts_with("The console is full"));
    }
}
