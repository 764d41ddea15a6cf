//! Scripts in Node.js that try to reach something, to stay, or to take too much.

use std::sync::Arc;
use std::time::Duration;

use sandbox::{Failure, Job, Limits, Outcome};

use super::{Folder, LIMITS, Nowhere, lines, node_job, pool};

/// Runs two attempts at each thing: by the front door, and around what our own script changed.
const ATTEMPTS: &[(&str, &str)] = &[
    ("read a file", "require('fs').readFileSync('/etc/passwd')"),
    ("read the server's memory", "require('fs').readFileSync('/proc/1/environ')"),
    ("read its own surroundings", "require('fs').readFileSync('/proc/self/environ')"),
    ("list a folder", "require('fs').readdirSync('/')"),
    ("write a file", "require('fs').writeFileSync('/tmp/vestibule-never', 'x')"),
    ("write to its packages", "require('fs').writeFileSync('node_modules/plain/index.js', 'x')"),
    ("delete a package", "require('fs').rmSync('node_modules/plain/index.js')"),
    ("make a folder", "require('fs').mkdirSync('/tmp/vestibule-never')"),
    ("start a program", "require('child_process').execFileSync('/bin/true')"),
    (
        "start a program by another door",
        "new (require('child_process').ChildProcess)().spawn({ file: '/bin/true', args: ['true'], envPairs: [], stdio: [] }) === 0 || fail()",
    ),
    ("start a thread", "new (require('worker_threads').Worker)('0', { eval: true })"),
    ("listen", "require('net').createServer().listen(0)"),
    (
        "listen by another door",
        "await wait(new (require('net').Server)(), (it) => Object.getPrototypeOf(Object.getPrototypeOf(it)) && it._listen2 ? it._listen2('127.0.0.1', 0, 4) : fail())",
    ),
    ("connect", "require('net').connect(80, '127.0.0.1')"),
    ("connect with tls", "require('tls').connect(443, '127.0.0.1')"),
    ("resolve a name", "require('dns').lookup('example.com', () => {})"),
    ("send a datagram", "require('dgram').createSocket('udp4')"),
    ("use internals", "process.binding('tcp_wrap')"),
    ("load a native library", "process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6')"),
    (
        "require a native library",
        "require.extensions['.node']({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6')",
    ),
    ("signal another process", "process.kill(1, 0)"),
    ("open a debugger", "require('inspector').open(0); require('inspector').url() ?? fail()"),
    ("become someone else", "process.setuid(12345)"),
];

#[tokio::test]
async fn nothing_outside_is_reached() {
    let folder = Folder::new();
    let pool = pool(2, Arc::new(Nowhere)).await;
    for (what, attempt) in ATTEMPTS {
        let body = format!(
            "const fail = () => {{ throw new Error('refused') }};
            const wait = (it, start) => new Promise((ok, no) => {{ it.on('error', no); it.on('listening', ok); start(it); }});
            try {{ {attempt}; }} catch (e) {{ console.log(e.code ?? e.message); return; }}
            console.log('IT WORKED');"
        );
        let outcome = pool.run(node_job(&body), &folder.0).await;
        let line = outcome.console.first().map(|line| line.text.as_str());
        assert!(line.is_some_and(|line| line != "IT WORKED"), "{what}: {line:?} {:?}", outcome.failure);
    }
    assert!(std::fs::read_to_string(folder.0.join("node_modules/plain/index.js")).unwrap().contains("twice"));
}

#[tokio::test]
async fn what_reaches_out_is_refused_by_name() {
    let got = lines(
        "for (const [module, method] of [['net', 'connect'], ['tls', 'connect'], ['dns', 'lookup'], ['child_process', 'spawn'],
            ['node:dgram', 'createSocket'], ['worker_threads', 'Worker'], ['http', 'createServer'], ['http2', 'connect']]) {
            try { new (require(module)[method])('x') } catch (e) { console.log(e.message) }
        }
        const { connect } = await import('node:net'); try { connect(1) } catch (e) { console.log(e.message) }",
    )
    .await;
    assert_eq!(got[0], "net.connect is not available to Actions.");
    assert_eq!(got[4], "dgram.createSocket is not available to Actions.");
    assert_eq!(got.len(), 9, "{got:?}");
    assert!(got.iter().all(|line| line.ends_with("is not available to Actions.")), "{got:?}");
}

async fn limited(limits: Limits, body: &str) -> Outcome {
    let folder = Folder::new();
    pool(1, Arc::new(Nowhere)).await.run(Job { limits, ..node_job(body) }, &folder.0).await
}

#[tokio::test]
async fn limits_end_a_run_and_what_it_did_before_is_told() {
    let limits = Limits { cpu_ms: 1_000, ..LIMITS };
    let outcome = limited(limits, "console.log('before'); for (;;) {}").await;
    assert_eq!(outcome.failure, Some(Failure::CpuTime));
    assert_eq!(outcome.console[0].text, "before");
    let limits = Limits { wall_ms: 3_000, ..LIMITS };
    let outcome =
        limited(limits, "api.access.deny('x'); await new Promise((ok) => setTimeout(ok, 1e6))").await;
    assert_eq!((outcome.failure, outcome.commands.len()), (Some(Failure::WallClock), 1));
    let heap = "const all = []; for (;;) all.push(new Array(1000).fill(all))";
    assert_eq!(limited(LIMITS, heap).await.failure, Some(Failure::Memory));
    let buffers = "const all = []; for (;;) all.push(Buffer.alloc(1e7, 1))";
    let failure = limited(LIMITS, buffers).await.failure;
    assert!(matches!(failure, Some(Failure::Memory | Failure::Script { .. })), "{failure:?}");
    let limits = Limits { console_bytes_max: 1_000, ..LIMITS };
    let outcome = limited(limits, "for (let n = 0; n < 1e5; n++) console.log('x'.repeat(100))").await;
    assert_eq!(outcome.failure, None);
    assert!(outcome.console.len() < 12 && outcome.console.last().unwrap().text.contains("full"));
}

#[tokio::test]
async fn a_crash_costs_its_own_run_only() {
    let folder = Folder::new();
    let pool = pool(1, Arc::new(Nowhere)).await;
    for body in [
        "require('fs').closeSync(0)",
        "require('fs').writeSync(0, Buffer.from([255, 255, 255, 255]))",
        "require('fs').writeSync(1, Buffer.from([2, 0, 0, 0, 123, 125])); await new Promise((ok) => setTimeout(ok, 1e6))",
        "process.removeAllListeners('uncaughtException'); setTimeout(() => { throw 1 }); await new Promise(() => {})",
    ] {
        let outcome = pool.run(node_job(body), &folder.0).await;
        assert!(outcome.failure.is_some(), "{body}");
        assert_eq!(pool.run(node_job("require('plain')"), &folder.0).await.failure, None, "after {body}");
    }
}

#[tokio::test]
async fn what_a_script_says_for_its_process_is_bounded_by_the_host() {
    let forged = "const fs = require('fs');
        const send = (d, m) => { const b = Buffer.from(JSON.stringify(m)); const l = Buffer.alloc(4); l.writeUInt32LE(b.length); fs.writeSync(d, Buffer.concat([l, b])); };
        send(0, { Ran: { commands: [{ command: 'deny_access', reason: 'forged' }], console: [{ level: 'log', text: 'forged' }],
            cpu_us: 1, wall_us: 1, failure: { kind: 'script', name: '', message: 'x'.repeat(1e5), stack: '' } } });
        await new Promise(() => {});";
    let folder = Folder::new();
    let outcome = pool(1, Arc::new(Nowhere)).await.run(node_job(forged), &folder.0).await;
    assert!(outcome.commands.is_empty() && outcome.console.is_empty());
    let Some(Failure::Script { message, .. }) = outcome.failure else { panic!("{:?}", outcome.failure) };
    assert_eq!(message.len(), 8 * 1024);
}

#[tokio::test]
async fn a_dropped_run_frees_its_place() {
    let folder = Folder::new();
    let pool = pool(1, Arc::new(Nowhere)).await;
    let endless = pool.run(node_job("await new Promise((ok) => setTimeout(ok, 1e6))"), &folder.0);
    assert!(tokio::time::timeout(Duration::from_millis(200), endless).await.is_err());
    assert_eq!(pool.run(node_job(""), &folder.0).await.failure, None);
}
