//! A server that is killed does, when it is started again, what it still owes: logouts to deliver, Actions to run.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use suite::program::Program;
use suite::store::Place;
use suite::{App, Behaviour, Browser, RelyingParty, User, Webhook, wait};

async fn a_killed_server_delivers_after_its_restart(place: &Place) {
    let program = Program::start(place, 0).await;
    let (wire, port) = (program.wire.clone(), program.port());
    let party = RelyingParty::listen(&wire).await;
    party.answer_always(Behaviour::Status(503));

    let client = json!({
        "name": "Shop", "app_type": "regular_web", "callbacks": ["https://shop.test/callback"],
        "allowed_logout_urls": ["https://shop.test/bye"], "oidc_logout": party.settings("all", &[], true),
    });
    let app = App::of(&wire, &program.api.post("clients", &client).await.expect(201).json());
    let (email, password) = ("ann@example.com", suite::server::PASSWORD);
    let body =
        json!({ "connection": "Username-Password-Authentication", "email": email, "password": password });
    let made = program.api.post("users", &body).await.expect(201).json();
    let id = made["user_id"].as_str().unwrap().to_owned();
    let user = User { id, email: email.to_owned(), password: password.to_owned() };
    program.api.on_post_login(r#"api.session.setMetadata("device", event.request.user_agent);"#).await;

    let browser = Browser::new(&wire);
    let signed_in = app.sign_in(&browser, &user).await;
    assert_eq!(program.api.session_metadata(&signed_in.sid).await, json!({ "device": "Suite/1.0" }));
    program.api.delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
    party.raw(1).await;
    // Killed between the answer and its commit it would deliver too, but only when its lease has run out.
    wait::until("the failure is kept", async || {
        program.api.logs("oidc_backchannel_logout_failed").await.pop()
    })
    .await;
    program.kill().await;

    let tried = party.count();
    party.answer_always(Behaviour::Status(204));
    let program = Program::start(place, port).await;
    let token = party.token(&app, tried + 1).await;
    assert_eq!(token.sid.as_deref(), Some(&*signed_in.sid));
    assert_eq!(token.claims["session_metadata"], json!({ "device": "Suite/1.0" }));
    wait::until("the log tells", async || program.api.logs("oidc_backchannel_logout_succeeded").await.pop())
        .await;
    program.api.expect_no_session(&signed_in.sid).await;
    program.kill().await;
}

/// Users made before the server dies.
const USERS: usize = 5;

async fn a_killed_server_runs_queued_actions_after_its_restart(place: &Place) {
    let program = Program::start(place, 0).await;
    let hook = Webhook::hanging().await;
    let handler = "onExecutePostUserRegistration";
    let body = hook.post("event.user.email");
    crate::actions::bind_with(&program.api, "post-user-registration", handler, &body).await;
    let port = program.port();
    let user = json!({
        "connection": "Username-Password-Authentication", "password": suite::server::PASSWORD,
    });
    // Of two workers one is for queued Actions, so that all but the first have not begun when the server dies.
    for n in 0..USERS {
        let mut user = user.clone();
        user["email"] = json!(format!("{n}@example.com"));
        program.api.post("users", &user).await.expect(201);
    }
    hook.nth(1).await;
    program.kill().await;

    assert_eq!(hook.received().len(), 1);
    hook.answer_all();
    let program = Program::start(place, port).await;
    hook.nth(USERS).await;
    let told: BTreeSet<String> = hook.received().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), USERS);
    assert_eq!(program.api.logs("actions_execution_failed").await, Vec::<Value>::new());
    program.kill().await;
}

mod sqlite {
    #[test]
    fn a_killed_server_delivers_after_its_restart() {
        suite::store::run_in(suite::Store::Sqlite, super::a_killed_server_delivers_after_its_restart);
    }

    #[test]
    fn a_killed_server_runs_queued_actions_after_its_restart() {
        suite::store::run_in(
            suite::Store::Sqlite,
            super::a_killed_server_runs_queued_actions_after_its_restart,
        );
    }
}

mod postgres {
    #[test]
    fn a_killed_server_delivers_after_its_restart() {
        suite::store::run_in(suite::Store::Postgres, super::a_killed_server_delivers_after_its_restart);
    }

    #[test]
    fn a_killed_server_runs_queued_actions_after_its_restart() {
        suite::store::run_in(
            suite::Store::Postgres,
            super::a_killed_server_runs_queued_actions_after_its_restart,
        );
    }
}
