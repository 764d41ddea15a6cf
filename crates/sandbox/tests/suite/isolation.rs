//! Nothing of one run is left for the next on the same worker: a run leaves marks wherever a script can write, and
//! the next one walks everything that a script can reach and finds none.

use std::sync::Arc;
use std::time::Duration;

use sandbox::fetch::{Fetch, FetchFuture, FetchRequest};
use sandbox::post_login::Event;
use sandbox::{Command, Job, Sandbox};

use crate::kit::{action, event_with_session, job, settings};

/// Part of every mark. It stands in no source but the first run's.
const MARK: &str = "canary-7f3a9c";

/// Leaves marks: in globals, on prototypes and built-ins, in registries, modules, caches, timers, promises, buffers,
/// and in what the surroundings keep for themselves.
const LEAVE: &str = r"
const mark = event.secrets.mark;
globalThis.left = mark; globalThis[Symbol.for(mark)] = mark; undeclared = mark;
for (const owner of [Object, Array, Function, String, Number, Boolean, Symbol, BigInt, Date, RegExp, Map, Set,
  WeakMap, WeakSet, Promise, Error, TypeError, ArrayBuffer, Uint8Array, DataView, Proxy, URL, URLSearchParams, Headers,
  Request, Response, TextEncoder, TextDecoder, AbortController, Event, Buffer, Intl.DateTimeFormat]) {
  owner.left = mark;
  if (owner.prototype) owner.prototype.left = mark;
}
for (const owner of [Math, JSON, Reflect, Atomics, console, process, process.env, crypto, crypto.subtle, Intl]) owner.left = mark;
for (const name of ['assert', 'buffer', 'crypto', 'events', 'querystring', 'url', 'util']) require(name)[mark] = mark;
Object.getPrototypeOf(async function () {}).left = mark;
Object.getPrototypeOf(function* () {}).left = mark;
Object.getPrototypeOf([][Symbol.iterator]()).left = mark;
/(.*)/.exec(mark);
Error.prepareStackTrace = (error, stack) => mark + stack;
console.log(mark); console.error({ mark });
structuredClone({ mark }); atob(btoa(mark));
const pages = []; for (let n = 0; n < 64; n++) pages.push(Buffer.alloc(65536, mark));
require('events').defaultMaxListeners = 77;
setTimeout(() => { globalThis.fired = mark; api.access.deny(mark) }, 1);
setInterval(() => { globalThis.fired = mark }, 1);
queueMicrotask(() => { globalThis.queued = mark });
new Promise(() => {}).then(() => mark);
fetch('https://a.example/' + mark).catch(() => { globalThis.fetched = mark });
const registry = new FinalizationRegistry((held) => { globalThis.finalized = held }); registry.register({}, mark);
api.session.setMetadata('mark', mark); api.transaction.setMetadata('mark', mark);
event.left = mark; api.left = mark; api.access.left = mark; exports.left = mark; module.left = mark; require.left = mark;
";

/// Walks everything that can be reached, and reports where the mark was found, how much was seen, and which landmarks were missed.
const LOOK: &str = r"
const part = ['canary', '7f3a9c'].join('-');
const seen = new Set(), found = [], queue = [];
const look = (path, text) => { if (text.includes(part)) found.push(path) };
const add = (path, value) => {
  if (typeof value === 'string') return look(path, value);
  if (typeof value === 'symbol') return look(path, String(value));
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return;
  seen.add(value); queue.push([path, value]);
};
const names = ['setTimeout', 'fetch', 'Headers', 'Request', 'Response', 'URL', 'Buffer', 'crypto', 'Intl', 'console',
  'AbortController', 'Event', 'EventTarget', 'TextEncoder', 'TextDecoder', 'DOMException', 'structuredClone', 'atob'];
for (const name of names) globalThis[name];
add('globalThis', globalThis); add('event', event); add('api', api); add('exports', exports); add('module', module);
add('require', require); add('this', this); add('arguments', arguments); add('error', new Error('x'));
for (const name of ['assert', 'buffer', 'crypto', 'events', 'querystring', 'url', 'util']) add(name, require(name));
add('async', async function () {}); add('generator', function* () {}); add('asyncGenerator', async function* () {});
add('iterator', [][Symbol.iterator]()); add('regexp', /x/.exec('x')); add('promise', Promise.resolve());
while (queue.length > 0) {
  const [path, value] = queue.pop();
  if (path.length > 300) continue;
  add(path + '.__proto__', Object.getPrototypeOf(value));
  for (const key of Reflect.ownKeys(value)) {
    const at = path + '.' + String(key);
    add(at + '(key)', key);
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property === undefined) continue;
    for (const side of ['value', 'get', 'set']) if (side in property) add(at, property[side]);
    if (property.get) { try { add(at + '()', Reflect.apply(property.get, value, [])) } catch {} }
  }
  if (value instanceof Map) for (const [key, item] of value) { add(path + '<key>', key); add(path + '<item>', item) }
  if (value instanceof Set) for (const item of value) add(path + '<item>', item);
  if (ArrayBuffer.isView(value)) look(path, Buffer.from(value.buffer).toString('latin1'));
  if (typeof value === 'function') look(path, Function.prototype.toString.call(value));
}
for (let n = 0; n < 64; n++) {
  look('fresh memory', Buffer.allocUnsafe(65536).toString('latin1'));
  look('fresh buffer', Buffer.from(new ArrayBuffer(65536)).toString('latin1'));
}
for (const legacy of ['$1', '$_', 'input', 'lastMatch', 'leftContext']) look('RegExp.' + legacy, String(RegExp[legacy]));
if (Symbol.for('x') !== Symbol.for('x') || typeof undeclared !== 'undefined') found.push('undeclared');
if (Error.prepareStackTrace !== undefined) found.push('prepareStackTrace');
await new Promise((ok) => setTimeout(ok, 30));
for (const name of ['fired', 'queued', 'fetched', 'finalized', 'left']) if (name in globalThis) found.push(name);
api.idToken.setCustomClaim('found', found);
api.idToken.setCustomClaim('seen', seen.size);
Error.prepareStackTrace = (error, sites) => { for (const site of sites) add('frame', site.getFunction?.()) };
new Error('x').stack;
while (queue.length > 0) { const [, value] = queue.pop(); look('frame', String(value)) }
const landmarks = [Array, Buffer, fetch, Headers, api.session.setMetadata, require('crypto').createHash, crypto.subtle,
  console.log, setTimeout, Object.getPrototypeOf(async function () {}), event.request];
api.idToken.setCustomClaim('missed', landmarks.filter((landmark) => !seen.has(landmark)).map(String));
";

/// Never answers.
struct Silent;

impl Fetch for Silent {
    fn fetch(&self, _request: FetchRequest, _timeout: Duration) -> FetchFuture<'_> {
        Box::pin(std::future::pending())
    }
}

fn leave(name: &str) -> Job {
    let mut event = event_with_session(&[("old", "1")]);
    event.secrets = std::collections::BTreeMap::from([("mark".to_owned(), MARK.to_owned())]).into();
    Job { action_name: name.to_owned(), ..job(&action(LEAVE), event) }
}

fn claim(commands: &[Command], wanted: &str) -> serde_json::Value {
    let of = |command: &Command| match command {
        Command::SetIdTokenClaim { name, value } if name == wanted => Some(value.clone()),
        _ => None,
    };
    commands.iter().find_map(of).unwrap_or_else(|| panic!("no claim {wanted}"))
}

async fn look(sandbox: &Sandbox, code: &str, name: &str) -> (serde_json::Value, u64) {
    let outcome = sandbox.run(Job { action_name: name.to_owned(), ..job(code, Event::default()) }).await;
    assert_eq!(outcome.failure, None);
    assert!(!format!("{:?}", outcome.commands).contains("Deny"), "a timer of the run before fired");
    assert_eq!(claim(&outcome.commands, "missed"), serde_json::json!([]));
    (claim(&outcome.commands, "found"), claim(&outcome.commands, "seen").as_u64().unwrap())
}

#[tokio::test]
async fn nothing_that_a_run_left_anywhere_is_found_by_the_next() {
    let sandbox = Sandbox::start_with_fetch(settings(1, 4), Arc::new(Silent));
    let code = action(LOOK).replace("async (event, api) =>", "async function (event, api)");
    for round in 0..3 {
        let left = sandbox.run(leave("First")).await;
        assert_eq!(left.failure, None, "round {round}");
        assert!(left.commands.iter().any(|command| matches!(command, Command::SetSessionMetadata { .. })));
        let (found, seen) = look(&sandbox, &code, "Second").await;
        assert_eq!(found, serde_json::json!([]), "round {round}");
        assert!(seen > 1_000, "only {seen} objects");
    }
}

#[tokio::test]
async fn the_walk_finds_a_mark_that_is_there() {
    let sandbox = Sandbox::start_with_fetch(settings(1, 4), Arc::new(Silent));
    let marks = [
        "globalThis.left = mark",
        "Array.prototype.left = mark",
        "require('util').left = mark",
        "api.session.left = mark",
        "Object.getPrototypeOf(async function () {}).left = mark",
        "globalThis.deep = new Map([[1, { a: [mark] }]])",
        "globalThis.bytes = Buffer.from(mark)",
        "Object.defineProperty(Date, 'x', { get: () => mark })",
    ];
    for mark in marks {
        let body = format!("const mark = '{MARK}'; {mark};\n{LOOK}");
        let code = action(&body).replace("async (event, api) =>", "async function (event, api)");
        let (found, _) = look(&sandbox, &code, "Both").await;
        assert!(!found.as_array().unwrap().is_empty(), "{mark}");
    }
}

#[tokio::test]
async fn two_actions_of_one_name_or_one_source_are_not_mistaken_for_each_other() {
    let sandbox = Sandbox::start(settings(1, 4));
    let denied = async |code: &str, name: &str| {
        let job = Job { action_name: name.to_owned(), ..job(&action(code), Event::default()) };
        sandbox.run(job).await
    };
    for _ in 0..2 {
        for reason in ["one", "two"] {
            let outcome = denied(&format!("api.access.deny('{reason}')"), "Same name").await;
            assert_eq!(outcome.commands, [Command::DenyAccess { reason: reason.to_owned() }]);
        }
        for name in ["Name one", "Name two"] {
            let Some(sandbox::Failure::Script { stack, .. }) =
                denied("throw new Error('x')", name).await.failure
            else {
                panic!("the Action throws")
            };
            assert!(stack.contains(name), "{stack}");
        }
    }
}
