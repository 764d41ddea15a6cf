//! Fuzz target: a source that may be TypeScript.
#![no_main]

// Not in the library, which the tests of a crate without the sandbox include.
#[path = "../src/scripts.rs"]
mod scripts;

libfuzzer_sys::fuzz_target!(|data: &[u8]| scripts::typescript_blank(data));
