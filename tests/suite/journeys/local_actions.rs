//! Work on Actions by the command line: a file run on an event, types for an editor, a failed sign-in run again.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use suite::program::Program;
use suite::store::Place;
use suite::{App, Browser, User};

const GOOD: &str = "/// <reference path=\"./types/post-login.d.ts\" />\n\
    export const onExecutePostLogin = async (event: PostLoginEvent, api: PostLoginApi) => {\n\
    \x20 const tier = (event.user.app_metadata as { tier?: { name: string } }).tier?.name ?? 'none';\n\
    \x20 console.log('tier', tier);\n\
    \x20 api.session.setMetadata('tier', tier);\n\
    };\n";
const BAD: &str = "exports.onExecutePostLogin = async (event, api) => {\n\
    \x20 api.session.setMetadata('tier', event.user.app_metadata.tier.name);\n\
    };\n";

/// Exit code and what was printed on both.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    /// Words with single spaces between them, so that columns need not be counted.
    fn says(&self, text: &str) -> bool {
        let out: Vec<&str> = self.out.split_whitespace().collect();
        out.join(" ").contains(text)
    }

    #[track_caller]
    fn expect(self, code: i32, says: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        for text in says {
            assert!(self.says(text) || self.err.contains(text), "{text}\n{}\n{}", self.out, self.err);
        }
        self
    }
}

/// Runs `vestibule actions …` in a folder.
async fn actions(folder: &Path, arguments: &[&str], token: Option<&str>) -> Ended {
    let mut command = tokio::process::Command::new(suite::server::program());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VESTIBULE_"))
    {
        command.env_remove(name);
    }
    if let Some(token) = token {
        command.env("VESTIBULE_TOKEN", token);
    }
    command.current_dir(folder).arg("actions").args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ended { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}

async fn a_file_is_run_with_an_exit_code_for_each_outcome(place: &Place) {
    let folder = &place.folder;
    write(folder, "good.ts", GOOD);
    let event = actions_event(folder).await;
    write(folder, "event.json", &event);
    actions(folder, &["test", "good.ts", "--event", "event.json"], None).await.expect(
        0,
        &["Outcome ok", "set_session_metadata key=\"tier\"", "log: tier none", "+ tier = \"none\""],
    );

    write(
        folder,
        "deny.js",
        "exports.onExecutePostLogin = async (e, api) => api.access.deny(e.secrets.WHY);",
    );
    write(folder, "secrets.json", r#"{ "WHY": "closed" }"#);
    let arguments = ["test", "deny.js", "--event", "event.json", "--secrets", "secrets.json", "--json"];
    let denied = actions(folder, &arguments, None).await.expect(10, &[]);
    let told: Value = serde_json::from_str(&denied.out).unwrap();
    assert_eq!((&told["outcome"], &told["reason"]), (&json!("denied"), &json!("closed")), "{told}");
    assert_eq!(told["session_metadata"]["before"], json!({ "sign_ins": "1" }));
    assert_eq!(told["session_metadata"]["after"], json!({ "sign_ins": "1" }));

    write(folder, "bad.js", BAD);
    actions(folder, &["test", "bad.js", "--event", "event.json"], None)
        .await
        .expect(11, &["failed: TypeError", "bad.js:2:", "unchanged"]);
    write(folder, "loop.js", "exports.onExecutePostLogin = async () => { for (;;); };");
    actions(folder, &["test", "loop.js", "--event", "event.json"], None)
        .await
        .expect(11, &["exceeded its processor time limit"]);
    write(folder, "wrong.ts", "let x: number = 1;\nenum E {}");
    actions(folder, &["test", "wrong.ts", "--event", "event.json"], None)
        .await
        .expect(11, &["SyntaxError", "line 2, column 1"]);

    let loopback = "exports.onExecutePostLogin = async () => { await fetch('http://127.0.0.1:9/'); };";
    write(folder, "fetch.js", loopback);
    let fetch = ["test", "fetch.js", "--event", "event.json"];
    actions(folder, &fetch, None).await.expect(11, &["must not be reached"]);
    let open = [&fetch[..], &["--set", "actions.allow_private_addresses=true"]].concat();
    let refused = actions(folder, &open, None).await.expect(11, &["fetch failed"]);
    assert!(!refused.says("must not be reached"), "{}", refused.out);

    write(
        folder,
        "hello.js",
        "exports.onExecuteCredentialsExchange = async (e) => { console.log(e.client.name); };",
    );
    let other = ["test", "hello.js", "--event", "event.json", "--trigger", "credentials-exchange"];
    actions(folder, &other, None).await.expect(0, &["log: Shop"]);
    write(folder, "back.js", "exports.onContinuePostLogin = async (e) => { console.log(e.client.name); };");
    let named = ["test", "back.js", "--event", "event.json", "--handler", "onContinuePostLogin"];
    actions(folder, &named, None).await.expect(0, &["log: Shop"]);
    let elsewhere =
        ["test", "hello.js", "--event", "event.json", "--handler", "onExecuteCredentialsExchange"];
    actions(folder, &elsewhere, None).await.expect(64, &["is not one of this trigger"]);

    for (arguments, code, says) in [
        (&["test", "good.ts"][..], 2, "--event"),
        (&["test", "none.js", "--event", "event.json"], 64, "none.js"),
        (&["test", "good.ts", "--event", "good.ts"], 64, "not JSON"),
        (
            &["test", "good.ts", "--event", "event.json", "--trigger", "post-tea"],
            64,
            "post-tea is no trigger",
        ),
        (&["test", "good.ts", "--event", "event.json", "--secrets", "event.json"], 64, "object of texts"),
        (&["event", "post-tea"], 64, "post-tea is no trigger"),
        (&["replay", "e1", "--with", "good.ts"], 64, "--data"),
        (&["replay", "e1", "--with", "good.ts", "--url", "http://127.0.0.1:9"], 64, "VESTIBULE_TOKEN"),
    ] {
        actions(folder, arguments, None).await.expect(code, &[says]);
    }
    let unheard = ["replay", "e1", "--with", "good.ts", "--url", "http://127.0.0.1:9"];
    actions(folder, &unheard, Some("t")).await.expect(69, &["127.0.0.1:9"]);
}

async fn actions_event(folder: &Path) -> String {
    let printed = actions(folder, &["event"], None).await.expect(0, &[]);
    let event: Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(event["user"]["email"], "ann@example.com");
    printed.out
}

async fn types_are_written_for_every_trigger(place: &Place) {
    std::fs::create_dir_all(&place.folder).unwrap();
    actions(&place.folder, &["types"], None).await.expect(0, &["post-login.d.ts", "<reference path"]);
    for (name, holds) in [
        ("platform.d.ts", "declare function fetch"),
        ("post-login.d.ts", "interface PostLoginEvent"),
        ("credentials-exchange.d.ts", "interface CredentialsExchangeEvent"),
        ("pre-user-registration.d.ts", "interface PreUserRegistrationEvent"),
    ] {
        let text = std::fs::read_to_string(place.folder.join("types").join(name)).unwrap();
        assert!(text.contains(holds), "{name}");
    }
}

async fn a_failed_sign_in_is_run_again_with_a_draft(place: &Place) {
    let program = Program::start(place, 0).await;
    let (wire, folder) = (program.wire.clone(), &place.folder);
    let client =
        json!({ "name": "Shop", "app_type": "regular_web", "callbacks": ["https://shop.test/callback"] });
    let app = App::of(&wire, &program.api.post("clients", &client).await.expect(201).json());
    let (email, password) = ("ann@example.com", suite::server::PASSWORD);
    let body =
        json!({ "connection": "Username-Password-Authentication", "email": email, "password": password });
    let made = program.api.post("users", &body).await.expect(201).json();
    let id = made["user_id"].as_str().unwrap().to_owned();
    let user = User { id, email: email.to_owned(), password: password.to_owned() };
    program.api.bind(&[("Tier", BAD)]).await;
    let callback = Browser::new(&wire).sign_in_at(&app.request().url(), &user).await;
    assert_eq!(callback.get("error"), "access_denied");
    let event = program.api.only_log("actions_execution_failed").await;
    let execution = event["details"]["execution_id"].as_str().unwrap().to_owned();

    write(folder, "good.ts", GOOD);
    write(folder, "bad.js", BAD);
    let replay = ["replay", &execution, "--with", "good.ts"];
    let by_folder = [&replay[..], &["--data", "data"]].concat();
    actions(folder, &by_folder, None).await.expect(
        0,
        &["then now", "Outcome failed: TypeError", "Tier:2:", "log: tier none", "+ tier = \"none\""],
    );
    let again = ["replay", &execution, "--with", "bad.js", "--data", "data", "--action", "Tier", "--json"];
    let again = actions(folder, &again, None).await.expect(11, &[]);
    let told: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(told["then"]["error"], told["now"]["error"], "the same error at the same place: {told}");

    let token = program.api.token().await;
    write(folder, "token", &format!("{token}\n"));
    let by_url = [&replay[..], &["--url", &wire.url, "--token-file", "token"]].concat();
    actions(folder, &by_url, None).await.expect(0, &["Outcome failed: TypeError"]);
    let by_variable = [&replay[..], &["--url", &wire.url]].concat();
    actions(folder, &by_variable, Some(&token)).await.expect(0, &["Outcome failed: TypeError"]);
    actions(folder, &by_variable, Some("forged")).await.expect(69, &["401"]);
    let unknown = ["replay", "e1", "--with", "good.ts", "--data", "data"];
    actions(folder, &unknown, None).await.expect(64, &["has no execution e1"]);
    let nobody = [&by_folder[..], &["--action", "Tea"]].concat();
    actions(folder, &nobody, None).await.expect(64, &["Tea"]);
    program.kill().await;
}

macro_rules! in_a_place {
    ($store:ident: $($name:ident),*) => {
        $(#[test]
        fn $name() {
            suite::store::run_in(suite::Store::$store, super::$name);
        })*
    };
}

mod sqlite {
    in_a_place!(Sqlite: a_failed_sign_in_is_run_again_with_a_draft, a_file_is_run_with_an_exit_code_for_each_outcome, types_are_written_for_every_trigger);
}

mod postgres {
    in_a_place!(Postgres: a_failed_sign_in_is_run_again_with_a_draft);
}
