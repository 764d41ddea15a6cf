//! What a script finds around it: CommonJS, console, timers, promises; and how its failures are told.

use std::time::Duration;

use sandbox::post_login::Event;
use sandbox::{ConsoleLevel, Failure, Limits};

use crate::kit::{LIMITS, action, commands, job, message, run, sandbox};

async fn lines(body: &str) -> Vec<String> {
    let outcome = run(body).await;
    assert_eq!(outcome.failure, None, "{body}");
    outcome.console.into_iter().map(|line| line.text).collect()
}

async fn failure_of(code: &str) -> Failure {
    sandbox().run(job(code, Event::default())).await.failure.expect(code)
}

#[tokio::test]
async fn handlers_are_exported_in_any_commonjs_way() {
    for code in [
        "exports.onExecutePostLogin = async (event, api) => { api.access.deny('x') }",
        "module.exports = { onExecutePostLogin(event, api) { api.access.deny('x') } }",
        "module.exports.onExecutePostLogin = function (event, api) { return Promise.resolve(api.access.deny('x')) } // end",
        "undeclared = 1; exports.onExecutePostLogin = (e, api) => ({ then(ok) { api.access.deny('x'); ok() } })",
    ] {
        let outcome = sandbox().run(job(code, Event::default())).await;
        assert_eq!((outcome.failure, outcome.commands.len()), (None, 1), "{code}");
    }
}

#[tokio::test]
async fn code_without_the_handler_says_so() {
    for code in ["", "exports.other = 1", "module.exports = null", "exports.onExecutePostLogin = 5"] {
        assert_eq!(failure_of(code).await, Failure::NoHandler, "{code}");
    }
}

#[tokio::test]
async fn syntax_errors_have_the_actions_own_lines() {
    let sandbox = sandbox();
    let Err(Failure::Syntax(error)) = sandbox.build("const a = 1;\nconst b = ;\n").await else { panic!() };
    assert_eq!((error.line, error.column), (2, 11), "{error}");
    assert!(!error.message.is_empty());
    assert_eq!(sandbox.build("exports.f = async () => { await 1 }").await, Ok(None));
    assert!(sandbox.build("a\0b").await.is_err());
    let outcome = sandbox.run(job("\n\nlet let = 1", Event::default())).await;
    assert!(matches!(outcome.failure, Some(Failure::Syntax(error)) if error.line == 3));
}

#[tokio::test]
async fn checking_does_not_run() {
    assert_eq!(sandbox().build("for (;;) {}").await, Ok(None));
}

#[tokio::test]
async fn an_exception_keeps_its_name_message_and_line() {
    let code = "exports.onExecutePostLogin = async () => {\n  inner();\n};\nfunction inner() {\n  null.x;\n}";
    let Failure::Script { name, message, stack } = failure_of(code).await else { panic!() };
    assert_eq!(name, "TypeError");
    assert!(!message.is_empty());
    assert!(stack.contains("My Action:5:"), "{stack}");
    assert!(stack.contains("My Action:2:"), "{stack}");
    assert!(!stack.contains("vestibule"), "{stack}");
}

#[tokio::test]
async fn whatever_is_thrown_becomes_a_message() {
    for (thrown, text) in [
        ("new Error('plain')", "plain"),
        ("'text'", "text"),
        ("5", "5"),
        ("undefined", "undefined"),
        ("Symbol('s')", "Symbol(s)"),
        ("{ code: 1 }", "{ code: 1 }"),
        ("new (class Mine extends Error {})('mine')", "mine"),
        (
            "{ get message() { throw 1 }, toString() { throw 2 } }",
            "{ message: [Getter], toString: [Function: toString] }",
        ),
    ] {
        assert_eq!(message(&format!("throw {thrown}")).await, text, "{thrown}");
        assert_eq!(message(&format!("await Promise.reject({thrown})")).await, text, "{thrown}");
    }
    let failure = run("throw new Error('the reason')").await.failure.unwrap();
    assert_eq!(failure.to_string(), "the reason");
}

#[tokio::test]
async fn an_exception_at_the_top_level_or_in_a_timer_fails_the_run() {
    assert_eq!(failure_of("throw new Error('top')").await.to_string(), "top");
    assert_eq!(
        message("setTimeout(() => { throw new Error('timer') }, 1); await new Promise(() => {})").await,
        "timer"
    );
}

#[tokio::test]
async fn a_promise_that_nothing_can_settle_fails_at_once() {
    let outcome = run("await new Promise(() => {})").await;
    assert!(outcome.wall_us < 5_000_000);
    assert!(outcome.failure.unwrap().to_string().contains("never settled"));
}

#[tokio::test]
async fn timers_fire_in_order_of_time_and_can_be_cleared() {
    let got = lines(
        "const log = (text) => console.log(text);
        await new Promise((resolve) => {
            setTimeout(log, 20, 'third'); setTimeout(log, 5, 'first'); setTimeout(log, 10, 'second');
            clearTimeout(setTimeout(log, 7, 'never')); clearTimeout(999); clearTimeout(undefined);
            let ticks = 0;
            const interval = setInterval(() => { if (++ticks === 3) { clearInterval(interval); log('ticks') } }, 10);
            setImmediate(log, 'immediate'); queueMicrotask(() => log('microtask'));
            setTimeout(resolve, 60);
        });",
    )
    .await;
    assert_eq!(got[..4], ["microtask", "immediate", "first", "second"]);
    assert_eq!(got.len(), 6);
    assert!(got.contains(&"third".to_owned()) && got.contains(&"ticks".to_owned()));
}

#[tokio::test]
async fn a_pending_timer_does_not_prolong_a_run_that_is_done() {
    let outcome = run("setTimeout(() => {}, 60_000); setInterval(() => {}, 1)").await;
    assert_eq!(outcome.failure, None);
    assert!(outcome.wall_us < 5_000_000);
}

#[tokio::test]
async fn sleeping_costs_wall_clock_and_no_processor_time() {
    let limits = Limits { wall_ms: 100, ..LIMITS };
    let code = action("await new Promise((resolve) => setTimeout(resolve, 60_000))");
    let outcome = sandbox().run(sandbox::Job { limits, ..job(&code, Event::default()) }).await;
    assert_eq!(outcome.failure, Some(Failure::WallClock));
    assert!(outcome.cpu_us < 50_000, "{}", outcome.cpu_us);
}

#[tokio::test]
async fn the_console_formats_like_nodes() {
    let cases = [
        ("'%s is %d%% %j', 'x', 5, { a: 1 }, 'rest'", r#"x is 5% {"a":1} rest"#),
        (
            "{ a: [1, 'two', null, undefined], f() {} }",
            "{ a: [ 1, \"two\", null, undefined ], f: [Function: f] }",
        ),
        ("1n, Symbol('s'), -0, true", "1n Symbol(s) 0 true"),
        ("new Map([['k', 1]]), new Set([2])", "Map { \"k\" => 1 } Set { 2 }"),
        ("(() => { const a = {}; a.self = a; return a })()", "{ self: [Circular] }"),
        ("new Date(0), /x/g", "1970-01-01T00:00:00.000Z /x/g"),
        ("'%'", "%"),
        ("", ""),
    ];
    for (arguments, text) in cases {
        assert_eq!(lines(&format!("console.log({arguments})")).await, [text], "{arguments}");
    }
    let got = lines("console.log(new Error('shown'))").await;
    assert!(got[0].starts_with("Error: shown\n    at "), "{}", got[0]);
}

#[tokio::test]
async fn console_lines_carry_their_level_and_end_at_the_limit() {
    let outcome =
        run("console.error('e'); console.warn('w'); for (;;) { console.log('x'.repeat(1000)) }").await;
    assert_eq!(outcome.console[0].level, ConsoleLevel::Error);
    assert_eq!(outcome.console[1].level, ConsoleLevel::Warn);
    let bytes: usize = outcome.console.iter().map(|line| line.text.len()).sum();
    assert!((60_000..66_000).contains(&bytes), "{bytes}");
    assert!(outcome.console.last().unwrap().text.starts_with("The console is full"));
}

#[tokio::test]
async fn structured_clone_copies_deeply_and_refuses_functions() {
    let got = lines(
        "const a = { d: new Date(5), m: new Map([['k', { x: 1 }]]), s: new Set([1]), n: [1, { y: 2 }] };
        a.self = a;
        const b = structuredClone(a);
        b.n[1].y = 3; b.m.get('k').x = 9;
        console.log(a.n[1].y, a.m.get('k').x, b.self === b, b.d.getTime(), b.s.has(1), b.d !== a.d);
        try { structuredClone({ f() {} }) } catch (e) { console.log(e.name) }",
    )
    .await;
    assert_eq!(got, ["2 1 true 5 true true", "DataCloneError"]);
}

#[tokio::test]
async fn modules_are_refused_by_name_and_the_environment_is_empty() {
    assert_eq!(message("require('axios')").await, "Cannot find module 'axios'");
    assert_eq!(lines("console.log(Object.keys(process.env).length, typeof fetch)").await, ["0 function"]);
    assert!(message("await import('fs')").await.contains("fs"));
}

#[tokio::test]
async fn nothing_survives_from_one_run_to_the_next() {
    let sandbox = sandbox();
    let code = action(
        "if (globalThis.leak || Array.prototype.leak || event.leak) throw new Error('leaked');
        globalThis.leak = Array.prototype.leak = event.leak = 1;",
    );
    for _ in 0..3 {
        assert_eq!(sandbox.run(job(&code, Event::default())).await.failure, None);
    }
}

#[tokio::test]
async fn an_endless_loop_ends_at_the_processor_limit_and_the_worker_lives_on() {
    let sandbox = sandbox();
    let limits = Limits { cpu_ms: 50, ..LIMITS };
    let code = action("for (;;) {}");
    let looping = sandbox.run(sandbox::Job { limits, ..job(&code, Event::default()) });
    let outcome = tokio::time::timeout(Duration::from_secs(5), looping).await.unwrap();
    assert_eq!(outcome.failure, Some(Failure::CpuTime));
    assert!(outcome.cpu_us >= 50_000, "{}", outcome.cpu_us);
    assert_eq!(commands("api.session.deleteMetadata('absent')").await, []);
}

#[tokio::test]
async fn too_much_memory_is_told_as_such() {
    let outcome = run("const all = []; for (;;) all.push(new Array(1000).fill(1))").await;
    assert_eq!(outcome.failure, Some(Failure::Memory));
}
