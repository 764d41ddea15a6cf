//! Fuzz target: the `q` of a list.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::search_query(data));
