//! The fuzzers' corpora of sources and of messages between host and worker, replayed through the very functions that they call.

use std::path::PathBuf;

use sandbox::fuzzing::{Verdict, ran, reply};
use sandbox::{Command, ConsoleLevel, ConsoleLine, Outcome};

#[path = "../../../../fuzz/src/scripts.rs"]
mod scripts;
#[path = "../../../../fuzz/src/wire.rs"]
mod wire;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut replayed = 0;
    for file in files {
        let path = file.unwrap().path();
        println!("{}", path.display());
        run(&std::fs::read(&path).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", folder.display());
}

#[test]
fn whatever_is_blanked_keeps_its_place() {
    replay("typescript_blank", scripts::typescript_blank);
}

#[test]
fn replies_are_refused_or_ask_for_what_a_script_could() {
    replay("wire_reply", wire::wire_reply);
}

#[test]
fn calls_are_read_or_refused() {
    replay("wire_call", wire::wire_call);
}

#[test]
fn an_honest_outcome_is_believed() {
    let stream = sample();
    let limits = crate::kit::LIMITS;
    let verdict = reply(&stream, false, limits, 1_000);
    assert!(matches!(verdict, Verdict::Ran(outcome) if outcome.commands.len() == 4), "the sample");
    // Byte by byte: every cut and every flipped bit of it.
    for at in 0..stream.len() {
        wire::wire_reply(&[&[0], &stream[..at]].concat());
        let mut flipped = [&[0], &stream[..]].concat();
        for bit in 0..8 {
            flipped[at + 1] ^= 1 << bit;
            wire::wire_reply(&flipped);
            wire::wire_reply(&[&[0], &flipped[5..]].concat());
            flipped[at + 1] ^= 1 << bit;
        }
    }
}

/// An outcome that holds something of everything.
fn sample() -> Vec<u8> {
    let line = ConsoleLine { level: ConsoleLevel::Warn, text: "é\n\"".to_owned() };
    let commands = vec![
        Command::DenyAccess { reason: "no".to_owned() },
        Command::AddScope { scope: "read:a".to_owned() },
        Command::SetIdTokenClaim {
            name: "c".to_owned(),
            value: serde_json::json!({ "a": [1, -2.5e3, null, true] }),
        },
        Command::SetTransactionMetadata { key: "k".to_owned(), value: serde_json::json!("v") },
    ];
    let outcome = Outcome { commands, console: vec![line], cpu_us: 7, wall_us: 9, failure: None };
    ran(&outcome).expect("it is short")
}
