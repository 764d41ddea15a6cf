//! Fuzz target: the key or certificate of a client's credential.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::credential_pem(data));
