//! Fuzz target: whatever another OpenID provider sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::upstream_answer(data));
