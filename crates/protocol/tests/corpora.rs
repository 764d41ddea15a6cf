//! The fuzzers' corpora, replayed as ordinary tests through the very functions that the fuzzers call.

use std::path::PathBuf;

#[path = "../../../fuzz/src/lib.rs"]
mod fuzz;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut replayed = 0;
    for file in files {
        let path = file.expect("the folder can be read").path();
        println!("{}", path.display());
        run(&std::fs::read(&path).expect("the file can be read"));
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", folder.display());
}

#[test]
fn authorization_queries_never_lead_to_an_unregistered_uri() {
    replay("authorize_query", fuzz::authorize_query);
}

#[test]
fn only_a_signed_token_is_accepted() {
    replay("jwt", fuzz::jwt);
}

#[test]
fn basic_headers_are_read_or_refused() {
    replay("basic_header", fuzz::basic_header);
}

#[test]
fn keys_and_certificates_are_read_or_refused() {
    replay("credential_pem", fuzz::credential_pem);
}

#[test]
fn token_forms_are_read_or_refused() {
    replay("token_form", fuzz::token_form);
}

#[test]
fn accepted_metadata_keeps_every_rule() {
    replay("metadata_json", fuzz::metadata_json);
}

#[test]
fn what_a_hostile_provider_sends_is_read_or_refused() {
    replay("upstream_answer", fuzz::upstream_answer);
}

#[test]
fn the_opposite_of_a_query_is_understood_as_its_opposite() {
    replay("search_query", fuzz::search_query);
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let fuzz = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let names = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(fuzz.join(folder)).unwrap();
        let stems =
            entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned());
        let mut stems: Vec<_> = stems.collect();
        stems.sort();
        stems
    };
    let replayed = [
        "authorize_query",
        "basic_header",
        "credential_pem",
        "jwt",
        "metadata_json",
        "search_query",
        "token_form",
        "upstream_answer",
    ];
    // These are replayed where the sandbox may be used: crates/sandbox/tests/suite/corpora.rs.
    let mut all = [&replayed[..], &["typescript_blank", "wire_call", "wire_reply"]].concat();
    all.sort_unstable();
    assert_eq!(names("corpus"), all);
    assert_eq!(names("fuzz_targets"), all);
}
