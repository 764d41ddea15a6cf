//! Fuzz target: the value of an Authorization header.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::basic_header(data));
