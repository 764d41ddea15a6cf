//! Holds every event of the log to its description in `docs/events.schema.json`, whenever a server under test stops
//! and whenever a test reads some.
//!
//! `VESTIBULE_TENANT_LOG_SCHEMA` may name a file with Auth0's own tenant log schema (an OpenAPI document with one schema
//! for each code); then each event is held to that too. It is not part of this project.

use std::collections::HashMap;
use std::sync::OnceLock;

use domain::event::EventKind;
use domain::id::LogId;
use engine::Engine;
use jsonschema::Validator;
use serde_json::Value;

const OURS: &str = include_str!("../../docs/events.schema.json");
/// Where Auth0's schema may be.
const THEIRS: &str = "VESTIBULE_TENANT_LOG_SCHEMA";
/// Codes that Auth0's schema does not have.
const OURS_ALONE: [EventKind; 4] = [
    EventKind::SessionRevoked,
    EventKind::SessionExpired,
    EventKind::LogStreamFailing,
    EventKind::LogStreamSuspended,
];
/// Events read at once.
const STEP: usize = 100;
/// Errors told of one event.
const ERRORS_MAX: usize = 5;

/// Reads the whole log and holds each event to its schema.
///
/// # Panics
/// When one does not fit, or the log can't be read.
pub async fn check_all(engine: &Engine) {
    let mut from: Option<LogId> = None;
    loop {
        let events = engine.logs_after(from.as_ref(), STEP).await.expect("the log is read");
        for event in &events {
            expect_described(&engine.log_body(event));
        }
        match events.last() {
            Some(last) => from = Some(last.id.clone()),
            None => return,
        }
    }
}

/// Holds one event, as the Management API gives it, to its schema.
///
/// # Panics
/// When it does not fit.
pub fn expect_described(event: &Value) {
    let wrong = errors_of(event);
    assert!(wrong.is_empty(), "docs/events.schema.json does not describe this event: {wrong:#?}");
}

/// What is wrong with an event as the Management API gives it.
///
/// # Panics
/// When a schema is none.
pub fn errors_of(event: &Value) -> Vec<String> {
    let mut wrong = errors("ours", ours(), event);
    let code = event["type"].as_str().unwrap_or_default();
    if let Some(theirs) = theirs()
        && !OURS_ALONE.iter().any(|kind| kind.code() == code)
    {
        match theirs.get(code) {
            Some(schema) => wrong.extend(errors("Auth0's", schema, event)),
            None => wrong.push(format!("Auth0 has no event {code}")),
        }
    }
    if !wrong.is_empty() {
        wrong.push(event.to_string());
    }
    wrong
}

fn errors(whose: &str, schema: &Validator, event: &Value) -> Vec<String> {
    let told = |error: jsonschema::ValidationError<'_>| format!("{whose}: {} {error}", error.instance_path());
    schema.iter_errors(event).take(ERRORS_MAX).map(told).collect()
}

fn compiled(schema: &Value) -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).expect("a JSON Schema")
}

fn ours() -> &'static Validator {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| compiled(&serde_json::from_str(OURS).expect("JSON")))
}

fn theirs() -> Option<&'static HashMap<String, Validator>> {
    static SCHEMAS: OnceLock<Option<HashMap<String, Validator>>> = OnceLock::new();
    let read = || {
        let path = std::env::var_os(THEIRS)?;
        let text = std::fs::read_to_string(&path).expect("Auth0's schema is read");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let schemas = document["components"]["schemas"].as_object().expect("schemas by code");
        let ours = EventKind::ALL.iter().filter_map(|kind| schemas.get_key_value(kind.code()));
        Some(ours.map(|(code, schema)| (code.clone(), compiled(schema))).collect())
    };
    SCHEMAS.get_or_init(read).as_ref()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::event::EventKind;
    use serde_json::{Value, json};

    use super::{OURS, errors_of};

    fn event() -> Value {
        json!({
            "date": "2026-09-21T13:20:00.000Z", "type": "session_expired", "description": "", "isMobile": false,
            "log_id": "9".repeat(56), "_id": "9".repeat(56), "client_name": "", "hostname": "", "strategy": "",
            "strategy_type": "", "tenant_name": "main", "environment_name": "localhost", "user_id": "auth0|1",
            "session_id": "s", "details": { "session_id": "s", "initiator": "session-expired" },
        })
    }

    #[test]
    fn an_event_that_is_not_as_described_is_found() {
        assert_eq!(errors_of(&event()), Vec::<String>::new());
        for (pointer, value) in [
            ("/type", json!("nonsense")),
            ("/date", json!("yesterday")),
            ("/log_id", json!("1")),
            ("/details/initiator", json!(1)),
            ("/strategy_type", Value::Null),
        ] {
            let mut wrong = event();
            *wrong.pointer_mut(pointer).unwrap() = value;
            assert!(!errors_of(&wrong).is_empty(), "{pointer}");
        }
        for (name, value) in [("ip", json!("here")), ("more", json!(1))] {
            let mut wrong = event();
            wrong[name] = value;
            assert!(!errors_of(&wrong).is_empty(), "{name}");
        }
        let mut wrong = event();
        wrong["details"]["more"] = json!(1);
        assert!(!errors_of(&wrong).is_empty(), "details are closed");
        wrong = event();
        wrong.as_object_mut().unwrap().remove("user_id");
        assert!(!errors_of(&wrong).is_empty(), "a member that its kind needs");
    }

    #[test]
    fn every_code_is_described_once() {
        let schema: Value = serde_json::from_str(OURS).unwrap();
        let names = |value: &Value| -> Vec<String> {
            value["enum"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let codes: BTreeSet<String> = EventKind::ALL.iter().map(|kind| kind.code().to_owned()).collect();
        let listed = names(&schema["properties"]["type"]);
        assert_eq!((listed.len(), listed.into_iter().collect::<BTreeSet<_>>()), (codes.len(), codes.clone()));
        let rules = schema["allOf"].as_array().unwrap();
        let described: Vec<String> =
            rules.iter().flat_map(|rule| names(&rule["if"]["properties"]["type"])).collect();
        assert_eq!((described.len(), described.into_iter().collect::<BTreeSet<_>>()), (codes.len(), codes));
        for rule in rules {
            let name = rule["then"]["properties"]["details"]["$ref"].as_str().unwrap();
            let details = schema.pointer(&name[1..]).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(details["additionalProperties"], false, "{name}");
        }
    }
}
