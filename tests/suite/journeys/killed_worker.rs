//! A worker that is killed in the middle of a sign-in's Action fails that sign-in and no other.

use std::time::Duration;

use serde_json::json;
use suite::program::Program;
use suite::store::Place;
use suite::{App, Browser, User, wait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the application of a sign-in whose worker died is told.
const DIED: &str = "The Action ended unexpectedly.";

async fn user(program: &Program, email: &str) -> User {
    let password = suite::server::PASSWORD;
    let body =
        json!({ "connection": "Username-Password-Authentication", "email": email, "password": password });
    let made = program.api.post("users", &body).await.expect(201).json();
    let id = made["user_id"].as_str().unwrap().to_owned();
    User { id, email: email.to_owned(), password: password.to_owned() }
}

/// Answers a fetch, once it has been asked: a client that is answered sooner gives up.
async fn answer(mut stream: TcpStream) {
    let _asked = stream.read(&mut [0; 1024]).await;
    let _gone = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
}

/// Sends a signal until the process is gone: a first SIGSEGV that no access to memory caused only resets its handler.
async fn kill(process: u32, signal: &str) {
    wait::until("the worker is gone", async || {
        let status =
            std::process::Command::new("kill").arg(signal).arg(process.to_string()).status().unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let is_dead = stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'));
        (!status.success() || is_dead).then_some(())
    })
    .await;
}

async fn a_worker_killed_in_mid_run_fails_that_sign_in_only(place: &Place) {
    let settings = ["sandbox.workers=2", "actions.allow_private_addresses=true"];
    let program = Program::start_with(place, 0, &settings).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client =
        json!({ "name": "Shop", "app_type": "regular_web", "callbacks": ["https://shop.test/callback"] });
    let app = App::of(&program.wire, &program.api.post("clients", &client).await.expect(201).json());
    let slow = [user(&program, "slow-ann@example.com").await, user(&program, "slow-bob@example.com").await];
    let quick = user(&program, "cid@example.com").await;
    let body = format!(
        "if (event.user.email.startsWith('slow')) await fetch('http://{address}/');
         api.idToken.setCustomClaim('https://a.test/ran', true);"
    );
    program.api.on_post_login(&body).await;

    for (round, signal) in (1..).zip(["-KILL", "-SEGV", "-ABRT"]) {
        let sign_in =
            async |user: &User| Browser::new(&program.wire).sign_in_at(&app.request().url(), user).await;
        let meanwhile = async {
            let held = [listener.accept().await.unwrap().0, listener.accept().await.unwrap().0];
            // Both workers are in the middle of a run now.
            let workers = program.workers();
            assert_eq!(workers.len(), 2);
            kill(workers[0], signal).await;
            for _ in 0..2 {
                let signed_in = app.sign_in(&Browser::new(&program.wire), &quick).await;
                assert_eq!(signed_in.claims["https://a.test/ran"], true);
            }
            for stream in held {
                answer(stream).await;
            }
        };
        let (ann, bob, ()) = tokio::join!(sign_in(&slow[0]), sign_in(&slow[1]), meanwhile);
        let (failed, done) = if ann.params.contains_key("error") { (ann, bob) } else { (bob, ann) };
        failed.expect_error("access_denied", DIED);
        assert!(app.redeem(&done).await.claims["https://a.test/ran"] == true, "{signal}");
        assert_eq!(program.api.logs("actions_execution_failed").await.len(), round, "{signal}");
    }

    // Whose worker died signs in the next time.
    let again = async {
        app.sign_in(&Browser::new(&program.wire), &slow[0]).await;
        app.sign_in(&Browser::new(&program.wire), &slow[1]).await;
    };
    let answering = async {
        for _ in 0..2 {
            answer(listener.accept().await.unwrap().0).await;
        }
    };
    tokio::join!(again, answering);
    program.kill().await;
}

mod sqlite {
    #[test]
    fn a_worker_killed_in_mid_run_fails_that_sign_in_only() {
        suite::store::run_in(suite::Store::Sqlite, super::a_worker_killed_in_mid_run_fails_that_sign_in_only);
    }
}

mod postgres {
    #[test]
    fn a_worker_killed_in_mid_run_fails_that_sign_in_only() {
        suite::store::run_in(
            suite::Store::Postgres,
            super::a_worker_killed_in_mid_run_fails_that_sign_in_only,
        );
    }
}
