//! Fuzz target: what the host says to a worker.
#![no_main]

#[expect(dead_code, reason = "the other target's half")]
#[path = "../src/wire.rs"]
mod wire;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wire::wire_call(data));
