//! Modules that Actions share: `require('actions:NAME')`.

use std::collections::BTreeMap;
use std::sync::Arc;

use sandbox::{Event, Failure, Job, Limits, Module, Outcome, credentials_exchange, post_login};

use crate::kit::{LIMITS, action, job, sandbox};

fn module(name: &str, code: &str) -> Module {
    let secrets = BTreeMap::from([("KEY".to_owned(), format!("{name}'s key"))]);
    Module { name: name.to_owned(), code: Arc::from(code), secrets: secrets.into() }
}

fn job_with(code: &str, modules: &[Module]) -> Job {
    Job { modules: modules.to_vec(), ..job(code, post_login::Event::default()) }
}

async fn run(code: &str, modules: &[Module]) -> Outcome {
    sandbox().run(job_with(code, modules)).await
}

fn lines(outcome: &Outcome) -> Vec<&str> {
    assert_eq!(outcome.failure, None);
    outcome.console.iter().map(|line| line.text.as_str()).collect()
}

fn failure(outcome: Outcome) -> (String, String) {
    match outcome.failure {
        Some(Failure::Script { message, stack, .. }) => (message, stack),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_module_gives_its_exports_and_reads_its_own_secrets() {
    let code = action("const { key } = require('actions:Key Ring'); console.log(key(), typeof actions);");
    let ring = module("Key Ring", "module.exports = { key: () => actions.secrets.KEY };");
    let other = module("other", "throw new Error('nobody asked for me')");
    assert_eq!(lines(&run(&code, &[ring, other]).await), ["Key Ring's key undefined"]);
}

#[tokio::test]
async fn a_module_is_evaluated_once_in_a_run_and_anew_in_the_next() {
    let code = format!(
        "const first = require('actions:counter');\n{}",
        action("console.log(require('actions:counter') === first, ++first.count);")
    );
    let counter = module("counter", "console.log('evaluated'); exports.count = 0;");
    let sandbox = sandbox();
    for _ in 0..3 {
        let outcome = sandbox.run(job_with(&code, std::slice::from_ref(&counter))).await;
        assert_eq!(lines(&outcome), ["evaluated", "true 1"]);
    }
}

#[tokio::test]
async fn modules_serve_every_trigger_and_find_the_platform_around_them() {
    let code = "exports.onExecuteCredentialsExchange = async () => console.log(require('actions:m'));";
    let source = "module.exports = [require('node:url').URL === URL, __filename, typeof event].join()";
    let event = Event::CredentialsExchange(Box::default());
    let handler = credentials_exchange::HANDLER.to_owned();
    let outcome = sandbox().run(Job { handler, event, ..job_with(code, &[module("m", source)]) }).await;
    assert_eq!(lines(&outcome), ["true,actions:m,undefined"]);
}

#[tokio::test]
async fn a_module_that_is_not_there_is_named() {
    let code = action("try { require('actions:gone') } catch (e) { console.log(e.code, e.message) }");
    let outcome = run(&code, &[module("m", "")]).await;
    let expected = "MODULE_NOT_FOUND Cannot find module 'actions:gone': it is not among the modules of this version \
                    of the Action";
    assert_eq!(lines(&outcome), [expected]);
}

#[tokio::test]
async fn a_module_can_require_neither_another_nor_itself() {
    for name in ["a", "b"] {
        let a = module("a", &format!("exports.b = require('actions:{name}')"));
        let (message, stack) = failure(run(&action("require('actions:a')"), &[a, module("b", "")]).await);
        assert_eq!(
            message,
            format!("Cannot find module 'actions:{name}': a module cannot require other modules")
        );
        assert!(stack.contains("actions:a:1:"), "{stack}");
    }
}

#[tokio::test]
async fn a_modules_exception_names_its_file_and_its_own_lines() {
    let code = action("require('actions:tools').fail()");
    let tools = module("tools", "exports.fail = () => {\n  inner();\n};\nfunction inner() {\n  null.x;\n}");
    let (_, stack) = failure(run(&code, &[tools]).await);
    for frame in ["actions:tools:5:", "actions:tools:2:", "My Action:2:"] {
        assert!(stack.contains(frame), "{frame}: {stack}");
    }
    assert!(!stack.contains("vestibule"), "{stack}");
}

#[tokio::test]
async fn a_module_that_threw_is_evaluated_again_by_the_next_require() {
    let body =
        "for (let i = 0; i < 2; i++) try { require('actions:m') } catch (e) { console.log(e.message) }";
    let m = module("m", "globalThis.tries = (globalThis.tries ?? 0) + 1; throw new Error('try ' + tries);");
    assert_eq!(lines(&run(&action(body), &[m]).await), ["try 1", "try 2"]);
}

#[tokio::test]
async fn a_module_may_declare_a_variable_named_actions() {
    let code = action("console.log(require('actions:m'))");
    let m = module("m", "const actions = 'its own'; module.exports = actions;");
    assert_eq!(lines(&run(&code, &[m]).await), ["its own"]);
}

#[tokio::test]
async fn an_action_and_a_module_of_the_same_name_and_source_stay_apart() {
    let source = "exports.onExecutePostLogin = async () => console.log(typeof actions)";
    let twin = Job { action_name: "actions:twin".to_owned(), ..job_with(source, &[module("twin", source)]) };
    let user = action("await require('actions:twin').onExecutePostLogin()");
    let sandbox = sandbox();
    assert_eq!(lines(&sandbox.run(twin.clone()).await), ["undefined"]);
    assert_eq!(lines(&sandbox.run(job_with(&user, &twin.modules)).await), ["object"]);
    assert_eq!(lines(&sandbox.run(twin).await), ["undefined"]);
}

#[tokio::test]
async fn what_a_module_costs_counts_for_the_run() {
    let endless = job_with(&action("require('actions:loop')"), &[module("loop", "for (;;) {}")]);
    let limits = Limits { cpu_ms: 200, ..LIMITS };
    let outcome = sandbox().run(Job { limits, ..endless }).await;
    assert_eq!(outcome.failure, Some(Failure::CpuTime));
    let hungry = module("hungry", "const all = []; for (;;) all.push(new Array(1e5).fill(0));");
    let outcome = run(&action("require('actions:hungry')"), &[hungry]).await;
    assert_eq!(outcome.failure, Some(Failure::Memory));
}
