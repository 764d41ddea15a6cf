//! Fuzz target: a form posted to the token, revocation or logout endpoint.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::token_form(data));
