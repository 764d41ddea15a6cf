//! What must hold for any source of a script; apart from the library, because only tests of the sandbox may use it.

use sandbox::typescript::javascript_of;

/// A source: read or refused without a panic; every line keeps its number, and every character its column but where
/// modules are.
pub fn typescript_blank(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else { return };
    // The parser recurses; a worker that dies of it is what the sandbox's tests are about.
    if source.len() > 2_000 {
        return;
    }
    let Ok(script) = javascript_of(source) else { return };
    let breaks = |text: &str| text.matches('\n').count();
    let is_module = source.contains("import") || source.contains("export");
    if is_module {
        assert!(breaks(&script) >= breaks(source), "{source:?}\n{script:?}");
    } else {
        assert_eq!(script.chars().count(), source.chars().count(), "{source:?}\n{script:?}");
        for (ours, theirs) in script.chars().zip(source.chars()) {
            assert!(ours == theirs || " ;()".contains(ours), "{source:?}\n{script:?}");
        }
    }
}
