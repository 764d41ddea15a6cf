//! Fuzz target: what a worker says to its host.
#![no_main]

#[expect(dead_code, reason = "the other target's half")]
#[path = "../src/wire.rs"]
mod wire;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wire::wire_reply(data));
