//! Actions in Node.js, with packages from a folder that these tests make.

mod hostile;
mod network;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sandbox::fetch::{Fetch, FetchError, FetchFuture, FetchRequest};
use sandbox::node::{NodeProgram, NodeSandbox, NodeSettings};
use sandbox::{Command, ConsoleLevel, Failure, Job, Limits, Outcome, WorkerCommand};

use crate::kit::{action, event_with_session, job};

/// Limits that a busy machine keeps for anything harmless.
const LIMITS: Limits =
    Limits { cpu_ms: 5_000, wall_ms: 20_000, memory_bytes: 64 * 1024 * 1024, console_bytes_max: 64 * 1024 };

/// A packages folder of a test's own, removed with it.
struct Folder(PathBuf);

impl Folder {
    /// With the packages `plain` (CommonJS), `modern` (an ECMAScript module) and `@scoped/deep`, which needs `plain`.
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("vestibule-packages-{}-{number}", std::process::id()));
        let folder = Self(path);
        folder.write("package.json", r#"{"name":"packages","private":true}"#);
        let package = |name: &str, kind: &str| {
            format!(r#"{{"name":"{name}","version":"1.2.3","main":"index.js","type":"{kind}"}}"#)
        };
        folder.write("node_modules/plain/package.json", &package("plain", "commonjs"));
        folder.write(
            "node_modules/plain/index.js",
            "exports.twice = (n) => 2 * n;\nexports.fail = () => { throw new RangeError('from inside') };",
        );
        folder.write("node_modules/modern/package.json", &package("modern", "module"));
        folder.write("node_modules/modern/index.js", "export const thrice = (n) => 3 * n;");
        folder.write("node_modules/@scoped/deep/package.json", &package("@scoped/deep", "commonjs"));
        folder.write(
            "node_modules/@scoped/deep/index.js",
            "const { twice } = require('plain'); exports.fourfold = (n) => twice(twice(n));",
        );
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// No way out.
struct Nowhere;

impl Fetch for Nowhere {
    fn fetch(&self, _: FetchRequest, _: std::time::Duration) -> FetchFuture<'_> {
        Box::pin(async { Err(FetchError::Refused("there is no network here".to_owned())) })
    }
}

async fn pool(workers_max: usize, fetch: Arc<dyn Fetch>) -> NodeSandbox {
    let settings = NodeSettings {
        worker: WorkerCommand {
            program: PathBuf::from(env!("CARGO_BIN_EXE_sandbox-worker")),
            args: vec!["node".to_owned()],
        },
        program: NodeProgram::find(Path::new("node")).await.unwrap(),
        workers_max,
        queue_max: 16,
    };
    NodeSandbox::start(settings, fetch)
}

fn node_job(body: &str) -> Job {
    Job { limits: LIMITS, ..job(&action(body), event_with_session(&[("old", "1")])) }
}

async fn run(body: &str) -> Outcome {
    let folder = Folder::new();
    pool(1, Arc::new(Nowhere)).await.run(node_job(body), &folder.0).await
}

/// The console lines of a body that must end well.
async fn lines(body: &str) -> Vec<String> {
    let outcome = run(body).await;
    assert_eq!(outcome.failure, None, "{body}");
    outcome.console.into_iter().map(|line| line.text).collect()
}

/// Name, message and stack of what a body must throw.
async fn thrown(body: &str) -> (String, String, String) {
    match run(body).await.failure {
        Some(Failure::Script { name, message, stack }) => (name, message, stack),
        other => panic!("{body}: {other:?}"),
    }
}

#[tokio::test]
async fn packages_are_required_and_imported() {
    let got = lines(
        "const { twice } = require('plain');
        const { thrice } = require('modern');
        const { fourfold } = await import('@scoped/deep');
        console.log(twice(21), thrice(14), fourfold(10), require('plain/package.json').version);
        try { require('absent') } catch (e) { console.log(e.code) }",
    )
    .await;
    assert_eq!(got, ["42 42 40 1.2.3", "MODULE_NOT_FOUND"]);
}

#[tokio::test]
async fn the_api_is_the_one_of_every_action() {
    let outcome = run("api.session.setMetadata('new', '2');
        console.log(event.session.metadata);
        try { api.session.setMetadata('bad key', 'x') } catch (e) { console.warn(e.message.slice(0, 45)) }
        api.session.deleteMetadata('old');
        api.refreshToken.setMetadata('device', 'phone');
        api.session.setExpiresAt(1790000000000);
        api.session.setCookieMode('persistent');
        api.idToken.setCustomClaim('https://x/a', { b: [1, null] }).accessToken.addScope('read:x');
        api.user.setAppMetadata('seen', true);
        api.access.deny('no');")
    .await;
    assert_eq!(outcome.failure, None);
    let text = |name: &str| name.to_owned();
    assert_eq!(
        outcome.commands,
        [
            Command::SetSessionMetadata { key: text("new"), value: text("2") },
            Command::DeleteSessionMetadata { key: text("old") },
            Command::SetRefreshTokenMetadata { key: text("device"), value: text("phone") },
            Command::SetSessionExpiresAt { at_ms: 1_790_000_000_000 },
            Command::SetSessionCookieMode { mode: sandbox::CookieMode::Persistent },
            Command::SetIdTokenClaim {
                name: text("https://x/a"),
                value: serde_json::json!({ "b": [1, null] })
            },
            Command::AddScope { scope: text("read:x") },
            Command::SetAppMetadata { name: text("seen"), value: serde_json::json!(true) },
            Command::DenyAccess { reason: text("no") },
        ]
    );
    assert_eq!(outcome.console[0].text, "{ new: '2', old: '1' }");
    assert_eq!(outcome.console[1].level, ConsoleLevel::Warn);
    assert_eq!(outcome.console[1].text, "Failed to set session metadata: Invalid metad");
    assert!(outcome.cpu_us > 0 && outcome.wall_us > 0);
}

#[tokio::test]
async fn what_is_thrown_tells_the_actions_own_lines_and_no_paths() {
    let (name, message, stack) = thrown("\nrequire('plain').fail();").await;
    assert_eq!((&*name, &*message), ("RangeError", "from inside"));
    assert!(stack.contains("My Action:3:"), "{stack}");
    assert!(stack.contains("node_modules/plain/index.js:2:"), "{stack}");
    assert!(!stack.contains("vestibule") && !stack.contains("node:internal"), "{stack}");
    let (_, message, _) = thrown("throw { code: 7 }").await;
    assert_eq!(message, "{ code: 7 }");
    let (_, message, _) =
        thrown("setTimeout(() => { throw new Error('later') }); await new Promise(() => {})").await;
    assert_eq!(message, "later");
    let (_, message, _) = thrown("await new Promise(() => {})").await;
    assert!(message.contains("never settled"), "{message}");
    let (_, message, _) = thrown("process.exit(0)").await;
    assert_eq!(message, "process.exit is not available to Actions.");
}

#[tokio::test]
async fn mistakes_of_syntax_have_line_and_column() {
    let folder = Folder::new();
    let pool = pool(1, Arc::new(Nowhere)).await;
    let error = pool.check_syntax("let a;\n  foo bar", &folder.0).await.unwrap_err();
    assert_eq!((error.line, error.column, &*error.message), (2, 7, "Unexpected identifier 'bar'"));
    assert_eq!(
        pool.check_syntax("exports.a = async () => { for await (const x of []) {} };", &folder.0).await,
        Ok(())
    );
    let outcome = pool.run(Job { code: "}".into(), ..node_job("") }, &folder.0).await;
    assert!(
        matches!(outcome.failure, Some(Failure::Syntax(ref error)) if error.line == 1),
        "{:?}",
        outcome.failure
    );
    let outcome = pool.run(Job { code: "exports.other = 1".into(), ..node_job("") }, &folder.0).await;
    assert_eq!(outcome.failure, Some(Failure::NoHandler));
}

#[tokio::test]
async fn a_script_finds_node_and_nothing_of_ours_or_the_servers() {
    let got = lines(
        "console.log(JSON.stringify(process.env), process.argv.length, process.execArgv.length);
        console.log(typeof fs, typeof exports.x, typeof globalThis.require, typeof globalThis.module, typeof path);
        console.log(typeof crypto.subtle.digest, typeof Buffer, typeof structuredClone, typeof WebSocket);
        console.log(new Intl.DateTimeFormat('de-DE', { timeZone: 'Europe/Berlin', dateStyle: 'long' }).format(0));
        console.log(require('crypto').createHash('sha256').update('x').digest('hex').slice(0, 8));
        console.error('%s=%d', 'a', 1); process.stdout.write('written\\n'); console.table;
        const used = await new Promise((ok, no) => require('zlib').gzip('x', (e, r) => e ? no(e) : ok(r.length)));
        console.log(used > 0, await require('timers/promises').setTimeout(1, 'late'));",
    )
    .await;
    assert_eq!(
        got,
        [
            "{} 1 0",
            "undefined undefined undefined undefined undefined",
            "function function function undefined",
            "1. Januar 1970",
            "2d711642",
            "a=1",
            "written",
            "true late",
        ]
    );
}

#[tokio::test]
async fn one_run_leaves_nothing_to_the_next() {
    let folder = Folder::new();
    let pool = pool(1, Arc::new(Nowhere)).await;
    let body = "const plain = require('plain');
        console.log(typeof globalThis.left, typeof plain.left, process.left);
        globalThis.left = plain.left = process.left = event.session;";
    for _ in 0..3 {
        let outcome = pool.run(node_job(body), &folder.0).await;
        assert_eq!(outcome.failure, None);
        assert_eq!(outcome.console[0].text, "undefined undefined undefined");
    }
}

#[tokio::test]
async fn after_shutting_down_nothing_runs() {
    let folder = Folder::new();
    let pool = pool(1, Arc::new(Nowhere)).await;
    assert_eq!(pool.run(node_job(""), &folder.0).await.failure, None);
    pool.shut_down().await;
    assert!(matches!(pool.run(node_job(""), &folder.0).await.failure, Some(Failure::Unavailable { .. })));
}

#[tokio::test]
async fn modules_that_actions_share_are_required_and_say_which_are_not_there() {
    let module = sandbox::Module {
        name: "greeter".to_owned(),
        code: "let calls = 0; exports.greet = (name) => `${actions.secrets.word} ${name} ${require('plain').twice(++calls)}`;"
            .into(),
        secrets: std::collections::BTreeMap::from([("word".to_owned(), "hello".to_owned())]).into(),
    };
    let code = action(
        "const { greet } = require('actions:greeter');
        console.log(greet('ann'), require('actions:greeter').greet('ann'));
        try { require('actions:other'); } catch (error) { console.log(error.code, error.message); }",
    );
    let folder = Folder::new();
    let job = Job { modules: vec![module], limits: LIMITS, ..job(&code, event_with_session(&[])) };
    let outcome = pool(1, Arc::new(Nowhere)).await.run(job, &folder.0).await;
    assert_eq!(outcome.failure, None);
    let lines: Vec<_> = outcome.console.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines[0], "hello ann 2 hello ann 4");
    assert!(lines[1].starts_with("MODULE_NOT_FOUND Cannot find module 'actions:other'"), "{lines:?}");
}

#[tokio::test]
async fn a_script_sends_the_browser_away_with_a_token_and_keeps_values_in_the_cache() {
    let outcome = run("const token = api.redirect.encodeToken({ secret: 'shh', payload: { a: 1 } });
        api.redirect.sendUserTo('https://page.example/x', { query: { token: token.split('.').length } });
        try { api.redirect.sendUserTo('nowhere'); } catch (error) { console.log(error.message); }
        console.log(api.cache.set('k', 'v').type, api.cache.get('k').value);")
    .await;
    assert_eq!(outcome.failure, None);
    let lines: Vec<_> = outcome.console.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["`nowhere` is not an absolute http or https URL.", "success v"]);
    let url = "https://page.example/x?token=3".to_owned();
    assert_eq!(outcome.commands[0], Command::SendUserTo { url });
    assert!(
        matches!(&outcome.commands[1], Command::SetCache { key, .. } if key == "k"),
        "{:?}",
        outcome.commands
    );
}
