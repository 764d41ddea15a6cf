//! Fuzz target: the query of an authorization request.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::authorize_query(data));
