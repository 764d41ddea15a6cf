//! `vestibule logs tail`: the log of a running server, on a terminal.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use suite::program::Program;
use suite::store::Place;
use tokio::io::{AsyncBufReadExt, BufReader};

/// How long a line may take to appear.
const LINE_WITHIN: Duration = Duration::from_secs(20);

async fn make_client(program: &Program, name: &str) {
    program.api.post("clients", &json!({ "name": name })).await.expect(201);
}

async fn the_newest_events_are_printed_and_followed(place: &Place) {
    let program = Program::start(place, 0).await;
    for name in ["One", "Two", "Three"] {
        make_client(&program, name).await;
    }
    let run = program
        .command(place, &["logs", "tail", "--lines", "2", "--only", "type=sapi"])
        .output()
        .await
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stderr), "");
    let printed = String::from_utf8(run.stdout).unwrap();
    let newest: Vec<Value> = program.api.logs("sapi").await;
    let expected: Vec<&str> = newest[..2].iter().rev().map(|event| event["date"].as_str().unwrap()).collect();
    let dates: Vec<&str> = printed.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(dates, expected, "oldest first: {printed}");
    assert!(
        printed.lines().all(|line| line.contains(" sapi ") && line.contains("Create a Client")),
        "{printed}"
    );

    let mut command =
        program.command(place, &["logs", "tail", "--follow", "--json", "-n", "1", "--only", "type=sapi"]);
    let mut tail = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = async || -> Value {
        let line = tokio::time::timeout(LINE_WITHIN, lines.next_line()).await.expect("a line in time");
        serde_json::from_str(&line.unwrap().expect("a line")).unwrap()
    };
    assert_eq!(next().await["log_id"], newest[0]["log_id"]);
    for name in ["Four", "Five"] {
        make_client(&program, name).await;
        assert_eq!(next().await["details"]["request"]["body"]["name"], name);
    }
    drop(lines);
    make_client(&program, "Six").await;
    let ended = tokio::time::timeout(LINE_WITHIN, tail.wait()).await.expect("nobody reads any more: it ends");
    assert!(ended.unwrap().success());

    let refused = program.command(place, &["logs", "tail", "--only", "type"]).output().await.unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("FIELD=VALUE"));
    program.kill().await;
}

#[test]
fn sqlite_the_newest_events_are_printed_and_followed() {
    suite::store::run_in(suite::Store::Sqlite, the_newest_events_are_printed_and_followed);
}

#[test]
fn postgres_the_newest_events_are_printed_and_followed() {
    suite::store::run_in(suite::Store::Postgres, the_newest_events_are_printed_and_followed);
}
