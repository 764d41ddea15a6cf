//! What a run in Node.js has asked for so far, kept by the host, and the questions through which it is told.
//!
//! The rules and bounds are those of the other kind of worker, because they are the same code ([`Effects`]).

use std::collections::BTreeMap;

use domain::action_cache::CacheLifetime;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::effects::{Effects, metadata_refusal};
use crate::job::CacheView;
use crate::outcome::{Command, ConsoleLevel, ConsoleLine};
use crate::redirect::{decode, encode, redirect_url};

/// Questions of one run. Ours: above what the bounds of commands and console leave room for.
const QUESTIONS_MAX: u32 = 10_000;

/// What may be asked: the functions that the realm's `host` has. An answer of null is `undefined` there, and an object is
/// a refusal that is thrown.
pub(crate) const QUESTIONS: &[&str] = &[
    "cached",
    "command",
    "console",
    "decodeToken",
    "deleteCache",
    "deleteSessionMetadata",
    "encodeToken",
    "evictSessionMetadata",
    "expireSession",
    "hasSession",
    "metadataRefusal",
    "redirectUrl",
    "revokeSession",
    "sessionMetadata",
    "setCache",
    "setSessionMetadata",
];

/// A call of one of `host`'s functions.
#[derive(Debug, Deserialize)]
pub(super) struct Question {
    function: String,
    arguments: Value,
}

/// The effects of one run.
#[derive(Debug)]
pub(super) struct Ledger {
    effects: Effects,
    asked: u32,
}

impl Ledger {
    /// An empty one.
    ///
    /// # Errors
    /// The text of the rule that the session's own metadata breaks.
    pub(super) fn new(
        session_metadata: Option<&BTreeMap<String, String>>,
        cache: CacheView,
        console_bytes_max: usize,
    ) -> Result<Self, String> {
        let effects = Effects::new(session_metadata, console_bytes_max)?;
        Ok(Self { effects: effects.with_cache(cache, false), asked: 0 })
    }

    /// The commands and console lines.
    pub(super) fn into_parts(self) -> (Vec<Command>, Vec<ConsoleLine>) {
        self.effects.into_parts()
    }

    /// Does what is asked, if the rules allow it, and answers.
    ///
    /// # Errors
    /// For a question that our own script would not ask: the process is not to be trusted with another.
    pub(super) fn answer(&mut self, question: Question) -> Result<Value, String> {
        self.asked += 1;
        if self.asked > QUESTIONS_MAX {
            return Err("more questions than a run may ask".to_owned());
        }
        let effects = &mut self.effects;
        let Question { function, arguments } = question;
        let refusal = |result: Result<(), String>| as_json(&result.err());
        match function.as_str() {
            "hasSession" => as_json(&effects.has_session()),
            "sessionMetadata" => as_json(&effects.session_metadata_json()),
            "setSessionMetadata" => {
                let (key, value) = read(arguments)?;
                refusal(effects.set_session_metadata(key, value))
            }
            "deleteSessionMetadata" => {
                let (key,) = read(arguments)?;
                refusal(effects.delete_session_metadata(key))
            }
            "evictSessionMetadata" => refusal(effects.evict_session_metadata()),
            "metadataRefusal" => {
                let (flat,): (Vec<String>,) = read(arguments)?;
                as_json(&metadata_refusal(&flat))
            }
            "command" => {
                let (kind, name, text): (String, String, String) = read(arguments)?;
                refusal(effects.command(&kind, name, text))
            }
            "cached" => {
                let (key,): (String,) = read(arguments)?;
                as_json(&effects.cached(&key))
            }
            "setCache" => {
                let (key, value, ttl_ms, expires_at_ms) = read(arguments)?;
                as_json(&effects.set_cache(key, value, CacheLifetime { ttl_ms, expires_at_ms }))
            }
            "deleteCache" => {
                let (key,) = read(arguments)?;
                as_json(&effects.delete_cache(key))
            }
            "redirectUrl" => {
                let (url, query): (String, Vec<String>) = read(arguments)?;
                or_refusal(redirect_url(&url, &query))
            }
            "encodeToken" => {
                let (secret, claims): (String, String) = read(arguments)?;
                as_json(&encode(&secret, &claims))
            }
            "decodeToken" => {
                let (secret, token): (String, String) = read(arguments)?;
                or_refusal(decode(&secret, &token).map_err(str::to_owned))
            }
            "expireSession" => {
                let (idle, at_ms): (bool, f64) = read(arguments)?;
                refusal(effects.set_session_expiry(idle, at_ms as i64))
            }
            "revokeSession" => {
                let (reason, preserve) = read(arguments)?;
                refusal(effects.revoke_session(reason, preserve))
            }
            "console" => {
                let (level, text): (ConsoleLevel, String) = read(arguments)?;
                as_json(&effects.console(level, text))
            }
            other => Err(format!("no such function: {other}")),
        }
    }
}

fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, String> {
    serde_json::from_value(arguments).map_err(|error| error.to_string())
}

/// The answer, or what is thrown in its place.
fn or_refusal(result: Result<String, String>) -> Result<Value, String> {
    match result {
        Ok(answer) => as_json(&answer),
        Err(refusal) => Ok(json!({ "refusal": refusal })),
    }
}

fn as_json<T: Serialize>(value: &T) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, CacheView, Ledger, QUESTIONS, QUESTIONS_MAX, Question, Value, json};

    fn ask(ledger: &mut Ledger, function: &str, arguments: Value) -> Result<Value, String> {
        ledger.answer(Question { function: function.to_owned(), arguments })
    }

    #[test]
    fn every_function_is_known_and_no_other() {
        let mut ledger = Ledger::new(Some(&BTreeMap::new()), CacheView::default(), 100).unwrap();
        for function in QUESTIONS {
            let unknown = ask(&mut ledger, function, json!([])).is_err_and(|text| text.contains("no such"));
            assert!(!unknown, "{function}");
        }
        assert!(ask(&mut ledger, "exec", json!([])).unwrap_err().contains("no such function"));
    }

    #[test]
    fn a_refusal_is_an_answer_and_nonsense_is_an_error() {
        let mut ledger = Ledger::new(Some(&BTreeMap::new()), CacheView::default(), 100).unwrap();
        let refusal = ask(&mut ledger, "setSessionMetadata", json!(["bad key", "v"])).unwrap();
        assert!(refusal.as_str().unwrap().starts_with("Invalid metadata"), "{refusal}");
        assert_eq!(ask(&mut ledger, "setSessionMetadata", json!(["k", "v"])), Ok(Value::Null));
        assert_eq!(ask(&mut ledger, "sessionMetadata", json!([])), Ok(json!(r#"{"k":"v"}"#)));
        assert!(ask(&mut ledger, "setSessionMetadata", json!([1, 2])).is_err());
        assert_eq!(ledger.into_parts().0.len(), 1);
    }

    #[test]
    fn what_is_thrown_comes_as_an_object_and_what_is_answered_as_a_text() {
        let mut ledger = Ledger::new(None, CacheView::default(), 100).unwrap();
        let url = ask(&mut ledger, "redirectUrl", json!(["https://a.example", ["b", "c"]])).unwrap();
        assert_eq!(url, "https://a.example/?b=c");
        assert!(ask(&mut ledger, "redirectUrl", json!(["nowhere", []])).unwrap()["refusal"].is_string());
        let token = ask(&mut ledger, "encodeToken", json!(["shh", "{}"])).unwrap();
        assert_eq!(ask(&mut ledger, "decodeToken", json!(["shh", token])), Ok(json!("{}")));
        assert!(ask(&mut ledger, "decodeToken", json!(["other", token])).unwrap()["refusal"].is_string());
    }

    #[test]
    fn questions_are_bounded() {
        let mut ledger = Ledger::new(None, CacheView::default(), 100).unwrap();
        for _ in 0..QUESTIONS_MAX {
            ask(&mut ledger, "hasSession", json!([])).unwrap();
        }
        assert!(ask(&mut ledger, "hasSession", json!([])).is_err());
    }
}
