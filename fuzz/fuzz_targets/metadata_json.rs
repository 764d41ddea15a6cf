//! Fuzz target: the JSON of a session metadata write.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::metadata_json(data));
