//! The fuzzer's corpus of sources, replayed through the very function that the fuzzer calls.

#[path = "../../../../fuzz/src/scripts.rs"]
mod scripts;

#[test]
fn whatever_is_blanked_keeps_its_place() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/typescript_blank");
    let mut replayed = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        println!("{}", path.display());
        scripts::typescript_blank(&std::fs::read(&path).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0);
}
