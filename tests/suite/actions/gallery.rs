//! Runs every Action of `examples/actions` against its outcome file, through the endpoint that tests a draft.
//!
//! An Action `name.js` has its cases in `name.cases.json`; `examples/actions/README.md` says what stands there. Each case
//! is compared as a whole: commands, console, error, and what was requested of others. The store plays no part in this,
//! so it is SQLite only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domain::time::Timestamp;
use serde_json::{Map, Value, json};
use suite::neighbour::{EXCHANGE_KEYS, is_like};
use suite::{Neighbour, Server, Store};

/// So many Actions the gallery holds at least.
const ACTIONS_MIN: usize = 60;
/// What scripts' clocks show where a case says nothing: a Monday.
const NOW: &str = "2026-03-02T10:00:00.000Z";
const FILE_KEYS: &[&str] = &["trigger", "secrets", "cases"];
const CASE_KEYS: &[&str] = &["name", "handler", "now", "event", "secrets", "cache", "fetch", "expect"];
const EXPECT_KEYS: &[&str] = &["commands", "console", "error"];
/// Commands that keep someone out.
const REFUSALS: &[&str] = &[
    "deny_access",
    "deny_access_with_code",
    "deny_registration",
    "validation_error",
    "revoke_session",
    "revoke_refresh_token",
];
/// How a script asks for one of them.
const REFUSING_CALLS: &[&str] = &[".deny(", "validation.error(", ".revoke("];

/// An Action with its cases.
struct Example {
    name: String,
    source: String,
    trigger: String,
    secrets: Map<String, Value>,
    cases: Vec<Value>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/actions")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Stems of the files with this ending.
fn stems(ending: &str) -> BTreeSet<String> {
    let files =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    files.filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).collect()
}

fn examples() -> Vec<Example> {
    let (names, cases) = (stems(".js"), stems(".cases.json"));
    let alone: Vec<&String> = names.symmetric_difference(&cases).collect();
    assert!(alone.is_empty(), "Actions without cases, or cases without an Action: {alone:?}");
    let load = |name: String| {
        let path = folder().join(format!("{name}.cases.json"));
        let file = read_json(&path);
        only(&file, FILE_KEYS, &path.display().to_string());
        let cases = file["cases"].as_array().cloned().unwrap_or_default();
        assert!(!cases.is_empty(), "{} has no cases", path.display());
        Example {
            source: read(&folder().join(format!("{name}.js"))),
            trigger: file["trigger"].as_str().expect("a trigger").to_owned(),
            secrets: file["secrets"].as_object().cloned().unwrap_or_default(),
            cases,
            name,
        }
    };
    names.into_iter().map(load).collect()
}

/// A misspelt key would make a case weaker than it looks.
fn only(value: &Value, keys: &[&str], place: &str) {
    for key in value.as_object().unwrap_or_else(|| panic!("{place}: an object is expected")).keys() {
        assert!(keys.contains(&key.as_str()), "{place}: unknown key {key:?}");
    }
}

/// JSON Merge Patch (RFC 7396): null removes.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return target.clone_from(patch) };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// Puts the neighbour's address in the place of `{neighbour}`, and milliseconds in the place of dates.
fn filled(value: &Value, neighbour: &str) -> Value {
    match value {
        Value::String(text) => text.replace("{neighbour}", neighbour).into(),
        Value::Array(list) => list.iter().map(|one| filled(one, neighbour)).collect(),
        Value::Object(map) => {
            let entry = |(key, one): (&String, &Value)| {
                let at = one.as_str().filter(|_| key.ends_with("_ms")).and_then(Timestamp::parse);
                (key.clone(), at.map_or_else(|| filled(one, neighbour), |at| at.as_millis().into()))
            };
            Value::Object(map.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

fn listed(secrets: &Map<String, Value>, neighbour: &str) -> Value {
    secrets.iter().map(|(name, value)| json!({ "name": name, "value": filled(value, neighbour) })).collect()
}

/// Runs one case; answers what differs.
async fn differences(
    server: &Server,
    neighbour: &Neighbour,
    id: &str,
    event: Value,
    case: &Value,
) -> Vec<String> {
    let url = &neighbour.url;
    let fetch = filled(case.get("fetch").unwrap_or(&json!([])), url).as_array().unwrap().clone();
    neighbour.expect(fetch);
    let mut body =
        json!({ "payload": { "event": filled(&event, url) }, "now": case.get("now").unwrap_or(&json!(NOW)) });
    for key in ["handler", "cache"] {
        if let Some(value) = case.get(key) {
            body[key] = value.clone();
        }
    }
    let reply = server.api().post(&format!("actions/actions/{id}/test"), &body).await;
    let mut found = neighbour.complaints();
    if reply.status != 200 {
        found.push(format!("the test was refused: {}", reply.text));
        return found;
    }
    let run = &reply.json()["payload"];
    let expect = filled(&case["expect"], url);
    let mut compare = |what: &str, none: Value, got: &Value| {
        let wanted = expect.get(what).unwrap_or(&none);
        if !is_like(wanted, got) {
            found.push(format!("{what}: expected\n  {wanted}\nand got\n  {got}"));
        }
    };
    compare("error", Value::Null, &run["error"]["message"]);
    compare("commands", json!([]), &run["commands"]);
    compare("console", json!([]), &run["console"]);
    found
}

/// Runs the cases of one Action; answers what differs.
async fn failures(
    server: &Server,
    neighbour: &Neighbour,
    events: &BTreeMap<String, Value>,
    example: &Example,
) -> Vec<String> {
    let code = json!({
        "name": example.name,
        "supported_triggers": [{ "id": example.trigger }],
        "code": example.source,
        "runtime": "node22",
        "secrets": listed(&example.secrets, &neighbour.url),
    });
    let made = server.api().post("actions/actions", &code).await.expect(201).json();
    let id = made["id"].as_str().expect("text");
    let base = events.get(&example.trigger).unwrap_or_else(|| panic!("no event of {}", example.trigger));
    let mut all = Vec::new();
    for case in &example.cases {
        if let Some(secrets) = case.get("secrets") {
            let mut merged = Value::Object(example.secrets.clone());
            merge(&mut merged, secrets);
            let change = json!({ "secrets": listed(merged.as_object().unwrap(), &neighbour.url) });
            server.api().patch(&format!("actions/actions/{id}"), &change).await.expect(200);
        }
        let mut event = base.clone();
        merge(&mut event, case.get("event").unwrap_or(&json!({})));
        let found = differences(server, neighbour, id, event, case).await;
        let place = format!("{}.js, case {}", example.name, case["name"]);
        all.extend(found.into_iter().map(|text| format!("{place}\n{text}")));
    }
    all
}

/// The events that cases start from, by trigger.
fn events() -> BTreeMap<String, Value> {
    let files = fs::read_dir(folder().join("events")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read_json(&path))).collect()
}

#[test]
fn every_action_of_the_gallery_does_what_its_cases_say() {
    suite::store::run(
        Store::Sqlite,
        &[("actions.allow_private_addresses", "true")],
        async |server: &mut Server| {
            let (neighbour, events) = (Neighbour::listen().await, events());
            let mut all = Vec::new();
            for example in examples() {
                all.extend(failures(server, &neighbour, &events, &example).await);
            }
            assert!(all.is_empty(), "{} differences:\n\n{}\n", all.len(), all.join("\n\n"));
        },
    );
}

#[test]
fn the_gallery_is_whole_and_each_action_shows_both_of_its_faces() {
    let examples = examples();
    assert!(examples.len() >= ACTIONS_MIN, "{} Actions", examples.len());
    let readme = read(&folder().join("README.md"));
    for Example { name, source, cases, .. } in &examples {
        let mut names = BTreeSet::new();
        let (mut passes, mut refuses) = (false, false);
        for case in cases {
            let place = format!("{name}.cases.json, {}", case["name"]);
            only(case, CASE_KEYS, &place);
            only(&case["expect"], EXPECT_KEYS, &place);
            for exchange in case.get("fetch").and_then(Value::as_array).into_iter().flatten() {
                only(exchange, EXCHANGE_KEYS, &place);
            }
            assert!(names.insert(case["name"].as_str().expect("a name")), "{place}: twice");
            let commands = case["expect"]["commands"].as_array().cloned().unwrap_or_default();
            let is_refused =
                commands.iter().any(|one| REFUSALS.contains(&one["command"].as_str().unwrap_or_default()));
            let has_failed = case["expect"].get("error").is_some();
            refuses |= is_refused;
            passes |= !is_refused && !has_failed;
        }
        assert!(passes, "{name}: no case in which all is well");
        let can_refuse = REFUSING_CALLS.iter().any(|call| source.contains(call));
        assert!(refuses || !can_refuse, "{name}: can refuse, and no case shows it");
        for handler in ["onContinuePostLogin"].iter().filter(|handler| source.contains(*handler)) {
            assert!(cases.iter().any(|case| case["handler"] == **handler), "{name}: no case of {handler}");
        }
        assert!(readme.contains(&format!("({name}.js)")), "README.md says nothing of {name}");
    }
}
