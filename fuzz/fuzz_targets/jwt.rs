//! Fuzz target: a token in compact form.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::jwt(data));
