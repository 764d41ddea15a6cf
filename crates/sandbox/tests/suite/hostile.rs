//! Scripts that try to hang, exhaust or escape, each with the end that it must come to within its limit plus 100 ms,
//! while well-behaved Actions on the same pool keep being answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sandbox::post_login::Event;
use sandbox::{Failure, Job, Limits, Outcome, Sandbox};

use crate::kit::{action, event_with_session, job, settings};

const LIMITS: Limits =
    Limits { cpu_ms: 250, wall_ms: 400, memory_bytes: 16 * 1024 * 1024, console_bytes_max: 16 * 1024 };
/// What the host may take beyond a script's limit.
const GRACE: Duration = Duration::from_millis(100);
/// The longest that a well-behaved run may take meanwhile, in the queue and on a worker, on two busy cores.
const BYSTANDER_MAX: Duration = Duration::from_millis(500);

/// How a hostile script must end. Where two are named, it depends on which limit is met first.
#[derive(Debug, Clone, Copy)]
enum End {
    /// A limit of time: processor or wall clock, noticed by the interpreter or by the kernel.
    Time,
    /// The limit of memory.
    Memory,
    /// Either of those.
    TimeOrMemory,
    /// An exception that the script could have caught, whose message holds this.
    Throws(&'static str),
    /// An exception or a limit: a failure in any case.
    Fails,
    /// Nothing bad happened, so nothing failed.
    Harmless,
}
use End::{Fails, Harmless, Memory, Throws, Time, TimeOrMemory};

/// Each a handler's body.
const SCRIPTS: &[(&str, End, &str)] = &[
    ("endless loop", Time, "for (;;) {}"),
    ("endless loop that catches", Time, "for (;;) { try { for (;;) {} } catch {} finally { continue } }"),
    ("endless loop in a getter", Time, "({ get x() { for (;;) {} } }).x"),
    ("endless recursion that catches", Time, "const f = () => { try { f() } catch { f() } }; f()"),
    ("deep recursion", Throws("call stack"), "const f = () => 1 + f(); f()"),
    ("deep recursion through native calls", Throws("call stack"), "const f = () => [1].map(f); f()"),
    ("deep recursion through toString", Fails, "const a = { toString() { return a + '' } }; a + ''"),
    ("join of a huge array", TimeOrMemory, "Array(2**31).join('x')"),
    ("join of a huge array of nothing", TimeOrMemory, "Array(2**32 - 1).join('')"),
    ("long indexOf", Time, "const s = 'a'.repeat(4e6); const t = 'a'.repeat(2e6) + 'b'; for (;;) s.indexOf(t)"),
    ("long lastIndexOf", Time, "const s = 'a'.repeat(4e6); for (;;) s.lastIndexOf('b' + 'a'.repeat(2e6))"),
    ("long indexOf of a sparse array", Time, "const a = []; a[2**32 - 2] = 1; a.indexOf(2)"),
    ("sort of a sparse array", TimeOrMemory, "const a = []; a.length = 2**32 - 1; a.sort()"),
    ("reverse of a sparse array", TimeOrMemory, "const a = [1]; a.length = 2**32 - 1; a.reverse()"),
    ("copyWithin of an array-like", Time, "Array.prototype.copyWithin.call({ length: 2**53 - 1 }, 0, 1)"),
    ("includes in an array-like", Time, "Array.prototype.includes.call({ length: 2**53 - 1 }, 1)"),
    ("fill of a huge array", TimeOrMemory, "new Array(2**32 - 1).fill(0)"),
    ("BigInt to string", Time, "const n = 2n ** 1000000n; for (;;) n.toString()"),
    ("BigInt power", Fails, "let n = 3n; for (;;) n = n ** 3n"),
    ("BigInt product", Throws("BigInt is too large"), "let n = (1n << 1000000n) + 1n; for (;;) n *= n"),
    ("regular expression that explodes", Time, "/^(a+)+$/.test('a'.repeat(50) + 'b')"),
    ("regular expression with backreferences", Time, "/^(a*)*\\1*(a*)*$/.test('a'.repeat(60) + 'b')"),
    ("regular expression that replaces for ever", Time, "const s = 'ab'.repeat(1e5); for (;;) s.replace(/(a|ab)*c/g, '')"),
    ("regular expression of many groups", Fails, "new RegExp('('.repeat(200000) + ')'.repeat(200000))"),
    ("allocation in a loop", Memory, "const a = []; for (;;) a.push(new Array(1000).fill(a))"),
    ("allocation in a loop that catches", TimeOrMemory, "const a = []; for (;;) try { a.push(new Array(1000).fill(0)) } catch {}"),
    ("string that doubles", Fails, "let s = 'x'; for (;;) s += s"),
    ("string that doubles and catches", Time, "let s = 'x'; for (;;) try { s += s; s.length } catch { s = 'x' }"),
    ("string repeat", Fails, "'x'.repeat(2**30 - 2)"),
    ("string padEnd", Fails, "'x'.padEnd(2**30 - 2, 'yz')"),
    ("replaceAll that grows", Fails, "let s = 'aa'; for (;;) s = s.replaceAll('a', 'aaaa')"),
    ("Array.from of a huge length", TimeOrMemory, "Array.from({ length: 1e9 })"),
    ("spread of an endless iterator", TimeOrMemory, "[...(function* () { for (;;) yield 1 })()]"),
    ("sort comparator that lies and loops", Time, "[1, 2, 3].sort(() => { for (;;) {} })"),
    ("huge typed array", Fails, "new Float64Array(2**28)"),
    ("many typed arrays", Memory, "const a = []; for (;;) a.push(new Uint8Array(1e6))"),
    ("resizable buffer", Fails, "new ArrayBuffer(8, { maxByteLength: 2**33 }).resize(2**32)"),
    ("fill of typed arrays for ever", Time, "const a = new Uint8Array(8e6); for (;;) a.fill(1)"),
    ("promise that never settles", Throws("never settled"), "await new Promise(() => {})"),
    ("promise that waits for a far timer", Time, "await new Promise((ok) => setTimeout(ok, 1e9))"),
    ("microtask flood", Fails, "const f = () => Promise.resolve().then(f); await f()"),
    ("microtask flood without memory", Time, "const f = () => queueMicrotask(f); f(); await new Promise(() => {})"),
    ("timer flood", TimeOrMemory, "const f = () => { setTimeout(f); setTimeout(f) }; f(); await new Promise(() => {})"),
    ("interval for ever", Time, "setInterval(() => {}, 1); await new Promise(() => {})"),
    ("thenable that loops", Time, "await { then(ok) { ok(this) } }"),
    ("thenable that loops inside", Time, "await { then() { for (;;) {} } }"),
    ("async generator for ever", Time, "const g = async function* () { for (;;) yield 1 }; for await (const x of g()) {}"),
    ("async recursion", Throws("call stack"), "const f = async () => { await f() }; await f()"),
    ("console flood", Time, "for (;;) console.log('x'.repeat(5000))"),
    ("console of a huge object", Time, "const a = { b: {} }; for (let n = 0; n < 1e4; n++) a['k' + n] = a.b; for (;;) console.log(a)"),
    ("console of a getter bomb", Harmless, "console.log({ get a() { for (;;) {} } })"),
    ("console of a proxy bomb", Time, "console.log(new Proxy({}, { ownKeys() { for (;;) {} } }))"),
    ("prototype poisoning", Harmless, "Object.prototype.then = (ok) => ok(1); Array.prototype.push = null"),
    ("poisoned promise", Fails, "Promise.prototype.then = () => { for (;;) {} }; Promise.prototype.constructor = null; await Promise.resolve(1); throw 1"),
    ("proxy that traps everything", Time, "const p = new Proxy({}, { get() { return p }, has() { for (;;) {} } }); 'x' in p"),
    ("proxy chain", Fails, "let p = {}; for (let n = 0; n < 1e5; n++) p = new Proxy(p, {}); p.x"),
    ("JSON bomb", TimeOrMemory, "let o = {}; for (let n = 0; n < 40; n++) o = { a: o, b: o }; JSON.stringify(o)"),
    ("JSON of deep nesting", Fails, "JSON.parse('['.repeat(1e6))"),
    ("JSON with a toJSON that loops", Time, "JSON.stringify({ toJSON() { for (;;) {} } })"),
    ("claim that is a bomb", TimeOrMemory, "let o = {}; for (let n = 0; n < 40; n++) o = { a: o, b: o }; api.idToken.setCustomClaim('x', o)"),
    ("claim that is too long", Throws("at most 1 MiB"), "api.idToken.setCustomClaim('x', 'y'.repeat(2e6))"),
    ("generator that never ends", Time, "const g = (function* () { for (;;) yield 1 })(); for (const x of g) {}"),
    ("WeakRef flood", TimeOrMemory, "const a = []; for (;;) a.push(new WeakRef({}))"),
    ("finalizer that loops", Time, "const r = new FinalizationRegistry(() => { for (;;) {} }); r.register({}, 1)"),
    ("Symbol.toPrimitive that loops", Time, "+{ [Symbol.toPrimitive]() { for (;;) {} } }"),
    ("Atomics.wait", Fails, "Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)"),
    ("eval that loops", Time, "eval('for (;;) {}')"),
    ("eval of a huge source", TimeOrMemory, "eval('[' + '1,'.repeat(4e6) + ']')"),
    ("eval of deep nesting", Fails, "eval('('.repeat(1e6))"),
    ("Function constructor that loops", Time, "new Function('for (;;) {}')()"),
    ("Function constructors for ever", TimeOrMemory, "const a = []; for (let n = 0; ; n++) a.push(new Function('return ' + n))"),
    ("import", Fails, "await import('node:fs')"),
    ("constructor.constructor", Throws("process is not there"), "const p = event.constructor.constructor('return this')().process;
        if (p.binding || p.mainModule || p.exit || Object.keys(p.env).length) return; throw new Error('process is not there')"),
    ("escape through the api's constructor", Throws("require"), "api.session.setMetadata.constructor('return require')()('fs')"),
    ("escape through a caller", Fails, "(function f() { return f.caller.caller.arguments[0] })()"),
    ("escape through prepareStackTrace", Fails, "Error.prepareStackTrace = (e, frames) => { for (const f of frames) f.getFunction()(); return frames };
        const s = new Error().stack; throw new Error(typeof s)"),
    ("escape through a dynamic import of a worker", Fails, "new Worker('x')"),
    ("error whose message loops", Time, "throw { get message() { for (;;) {} } }"),
    ("error whose stack loops", Time, "const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { for (;;) {} } }); throw e"),
    ("error whose name is huge", Fails, "const e = new Error('x'); e.name = 'n'.repeat(4e6); e.message = 'm'.repeat(4e6); throw e"),
    ("error that is a proxy", Fails, "throw new Proxy({}, { get() { throw new Error('trap') }, getPrototypeOf() { throw 1 } })"),
    ("label of a million properties", TimeOrMemory, "const o = {}; for (let n = 0; ; n++) o['k' + n] = n"),
    ("for-in over a huge object", Time, "const o = new Uint8Array(1e6); for (;;) for (const k in o) {}"),
    ("Map flood", TimeOrMemory, "const m = new Map(); for (let n = 0; ; n++) m.set(n, m)"),
    ("structuredClone of itself for ever", TimeOrMemory, "let a = [1]; for (;;) a = [a, structuredClone(a)]"),
    ("normalize for ever", TimeOrMemory, "const s = '\\u0958'.repeat(1e6); for (;;) s.normalize('NFD').normalize('NFC')"),
    ("localeCompare for ever", Time, "const s = 'x'.repeat(1e6); for (;;) s.localeCompare(s + 'y')"),
    ("date parsing for ever", Time, "for (;;) Date.parse('x'.repeat(1000))"),
    ("arguments by the million", Fails, "Math.max.apply(null, new Array(2**24))"),
    ("fetch flood", Throws("at most 10 requests"), "await Promise.all(Array.from({ length: 1000 }, () => fetch('https://a.example/')))"),
    ("fetch flood that catches", Time, "for (;;) try { await fetch('https://a.example/') } catch {}"),
    ("fetch without a network", Throws("fetch failed"), "await fetch('http://169.254.169.254/latest/meta-data/')"),
    ("fetch with a body that is a bomb", Fails, "await fetch('https://a.example', { method: 'POST', body: 'x'.repeat(2**26) })"),
    ("fetch with a URL that is a bomb", Fails, "await fetch({ toString() { for (;;) {} } })"),
    ("fetch of poisoned built-ins", Fails, "Array.prototype.push = Map.prototype.get = Promise.prototype.then = () => { throw 1 }; await fetch('https://a.example/'); throw 1"),
    ("giant Buffer", Throws("out of range"), "Buffer.alloc(2**33)"),
    ("Buffer beyond the heap", Memory, "Buffer.alloc(2**25)"),
    ("Buffers for ever", Memory, "const a = []; for (;;) a.push(Buffer.alloc(1e6))"),
    ("Buffer of a huge text", Fails, "const a = []; for (;;) a.push(Buffer.from('x'.repeat(4e6)).toString('hex'))"),
    ("URL of a million dots", Fails, "let u = 'https://' + 'a.'.repeat(1e6) + 'b'; new URL(u); for (;;) new URL('/../'.repeat(1e5), u)"),
    ("URL parameters for ever", TimeOrMemory, "const p = new URLSearchParams(); for (;;) p.append('a', 'b'.repeat(1000))"),
    ("URL setters for ever", Time, "const u = new URL('https://a.example'); for (;;) u.searchParams.set('a', 'b'.repeat(1e5))"),
    ("digests for ever", Time, "const h = require('crypto'); const b = Buffer.alloc(2e5); for (;;) h.createHash('sha512').update(b).digest()"),
    ("key that is a bomb", Throws("no RSA key"), "require('crypto').createPrivateKey('-----BEGIN PRIVATE KEY-----\\n' + 'MIIE'.repeat(1e5) + '\\n-----END PRIVATE KEY-----')"),
    ("JWK with a huge modulus", Throws("too long"), "await crypto.subtle.importKey('jwk', { kty: 'RSA', n: 'x'.repeat(1e6), e: 'AQAB' }, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['verify'])"),
    ("randomness by the gigabyte", Throws("out of range"), "require('crypto').randomBytes(2**31)"),
    ("randomness for ever", Time, "for (;;) require('crypto').randomBytes(1024 * 1024)"),
    ("dates for ever", Time, "for (;;) new Date().toLocaleString('en-US', { timeZone: 'Europe/Berlin' })"),
    ("zone of a huge name", Throws("Invalid time zone"), "new Date().toLocaleString('en-US', { timeZone: 'x'.repeat(1000) })"),
    ("emitter that calls itself", Throws("call stack"), "const e = new (require('events'))(); e.on('a', () => e.emit('a')); e.emit('a')"),
    ("deep equality of itself", Harmless, "const a = {}; a.a = a; const b = {}; b.a = b; require('assert').deepStrictEqual(a, b)"),
    ("deep equality of a deep list", Fails, "let a = [], b = []; for (let n = 0; n < 1e5; n++) { a = [a]; b = [b] } require('assert').deepStrictEqual(a, b)"),
    ("escape through the natives of a module", Fails, "const call = Function.prototype.call; Function.prototype.call = Function.prototype.apply = function () { throw this };
        require('crypto').createHash('sha256').update('x').digest(); new URL('x').constructor.constructor('return process')().exit()"),
];

/// Whole sources, for what must happen before or outside the handler.
const SOURCES: &[(&str, End, &str)] = &[
    ("endless loop at the top level", Time, "for (;;) {}"),
    (
        "handler behind a getter that loops",
        Time,
        "Object.defineProperty(exports, 'onExecutePostLogin', { get() { for (;;) {} } })",
    ),
    (
        "handler that is an endless generator",
        Harmless,
        "exports.onExecutePostLogin = function* () { for (;;) yield }",
    ),
    ("exports that is a proxy", Time, "module.exports = new Proxy({}, { get() { for (;;) {} } })"),
    ("source that closes its wrapper", Fails, "}); for (;;) {} (function () {"),
];

fn is_as_expected(end: End, failure: Option<&Failure>) -> bool {
    let time = matches!(failure, Some(Failure::CpuTime | Failure::WallClock));
    let memory = matches!(failure, Some(Failure::Memory));
    match end {
        Time => time,
        Memory => memory,
        TimeOrMemory => time || memory,
        Throws(part) => matches!(failure, Some(Failure::Script { message, .. }) if message.contains(part)),
        Fails => failure.is_some() && !matches!(failure, Some(Failure::Busy | Failure::Unavailable { .. })),
        Harmless => failure.is_none(),
    }
}

/// One well-behaved run after the other until told to stop; answers how many there were, and the slowest.
async fn bystand(sandbox: Sandbox, stop: Arc<AtomicBool>) -> (u32, Duration) {
    let code = action("api.session.setMetadata('seen', String(event.stats.logins_count))");
    let (mut count, mut worst) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        let outcome = sandbox.run(job(&code, event_with_session(&[]))).await;
        assert_eq!((outcome.failure, outcome.commands.len()), (None, 1));
        worst = worst.max(started.elapsed());
        count += 1;
        tokio::task::yield_now().await;
    }
    (count, worst)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_scripts_end_within_their_limit_while_others_are_answered() {
    let sandbox = Sandbox::start(settings(2, 16));
    let stop = Arc::new(AtomicBool::new(false));
    let bystander = tokio::spawn(bystand(sandbox.clone(), Arc::clone(&stop)));
    let bodies = SCRIPTS.iter().map(|&(name, end, body)| (name, end, action(body)));
    let sources = SOURCES.iter().map(|&(name, end, source)| (name, end, source.to_owned()));
    let mut wrong = Vec::new();
    for (name, end, code) in bodies.chain(sources) {
        let hostile = Job { limits: LIMITS, ..job(&code, Event::default()) };
        let started = Instant::now();
        let outcome: Outcome = sandbox.run(hostile).await;
        let took = started.elapsed();
        let late = took > Duration::from_millis(LIMITS.wall_ms) + GRACE;

        if late || !is_as_expected(end, outcome.failure.as_ref()) {
            wrong.push(format!("{name}: {took:?}, {:?}, not {end:?}", outcome.failure));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let (count, worst) = bystander.await.unwrap();
    println!("{count} well-behaved runs meanwhile, the slowest took {worst:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(worst < BYSTANDER_MAX, "a well-behaved run took {worst:?}");
    assert!(count > 100, "only {count} well-behaved runs");
}

#[test]
fn the_table_holds_forty_scripts_at_least() {
    let mut names: Vec<_> = SCRIPTS.iter().chain(SOURCES).map(|(name, ..)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SCRIPTS.len() + SOURCES.len());
    assert!(names.len() >= 40);
}
