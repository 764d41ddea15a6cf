//! What a Rust file looks like: its first line, its length, its name, its place in the module tree.

use std::collections::BTreeSet;

use super::{File, Finding};

const LINES_MAX: usize = 700;
const LINES_ADVISED: usize = 500;
/// Names that say nothing about what is inside.
const DRAWERS: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "misc", "manager", "service"];

/// What must change in one file.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let first = text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
    if first.trim_start_matches("//!").trim().is_empty() || !first.starts_with("//!") {
        findings.push(Finding::line(
            path,
            0,
            "a file starts with `//!` and one sentence that says its subject",
        ));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        findings.push(Finding::file(
            path,
            format!("{lines} lines; split it by subject, {LINES_MAX} is the most"),
        ));
    }
    let stem = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    if DRAWERS.contains(&stem) {
        findings.push(Finding::file(path, format!("{stem:?} says nothing: name the file for its subject")));
    }
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("#[ignore") {
            findings.push(Finding::line(
                path,
                number,
                "no ignored tests: assert what is true today, with a note",
            ));
        }
    }
    findings
}

/// What would better change in one file.
pub(super) fn advise(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (lines > LINES_ADVISED && lines <= LINES_MAX).then(|| {
        Finding::file(path, format!("{lines} lines; more than {LINES_ADVISED} is hard to hold in mind"))
    })
}

/// Files that no `mod` names, so that no compiler reads them.
pub(super) fn orphans(files: &[File]) -> Vec<Finding> {
    let named: BTreeSet<&str> = files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .flat_map(|file| file.text.lines())
        .filter_map(|line| {
            let line = line.trim().strip_suffix(';')?;
            let (visibility, name) = line.rsplit_once("mod ")?;
            (visibility.is_empty() || visibility.starts_with("pub")).then_some(name)
        })
        .collect();
    files
        .iter()
        .filter(|file| file.path.ends_with(".rs") && !is_root(&file.path))
        .filter(|file| {
            let stem = file.path.trim_end_matches(".rs").trim_end_matches("/mod").rsplit('/').next();
            stem.is_none_or(|stem| !named.contains(stem))
        })
        .map(|file| Finding::file(&file.path, "no `mod` names this file: it is never compiled"))
        .collect()
}

/// Whether cargo finds a file by itself: library and binary roots, tests, examples, benches, fuzz targets.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let parent = parts.len().checked_sub(2).and_then(|index| parts.get(index)).copied().unwrap_or_default();
    let name = parts.last().copied().unwrap_or_default();
    matches!(name, "main.rs" | "lib.rs" | "build.rs")
        || matches!(parent, "bin" | "tests" | "examples" | "benches" | "fuzz_targets")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    fn check_text(text: &str) -> usize {
        check("crates/domain/src/x.rs", text).len()
    }

    #[test]
    fn a_file_says_its_subject_in_its_first_line() {
        assert_eq!(check_text("//! One subject.\n"), 0);
        assert_eq!(check_text("//!\nfn a() {}\n"), 1);
        assert_eq!(check_text("fn a() {}\n"), 1);
        assert_eq!(check_text(""), 1);
        assert_eq!(check_text("// Not a module's doc.\n"), 1);
    }

    #[test]
    fn length_is_advice_first_and_then_a_rule() {
        let long = |lines: usize| format!("//! Long.\n{}", "\n".repeat(lines - 1));
        for (lines, findings, advice) in [(500, 0, false), (501, 0, true), (700, 0, true), (701, 1, false)] {
            assert_eq!(check_text(&long(lines)), findings, "{lines}");
            assert_eq!(advise("x.rs", &long(lines)).is_some(), advice, "{lines}");
        }
    }

    #[test]
    fn a_drawer_is_no_name() {
        assert_eq!(check("crates/engine/src/utils.rs", "//! Things.\n").len(), 1);
        assert_eq!(check("crates/engine/src/utilities_of_life.rs", "//! Things.\n").len(), 0);
    }

    #[test]
    fn an_ignored_test_is_noticed() {
        assert_eq!(check_text("//! X.\n#[ignore]\nfn a() {}\n"), 1);
    }

    #[test]
    fn a_file_that_no_module_names_is_noticed() {
        let files = [
            file("crates/a/src/lib.rs", "//! A.\nmod used;\npub(crate) mod shown;\n// mod lost;\n"),
            file("crates/a/src/used.rs", "//! U.\n"),
            file("crates/a/src/shown.rs", "//! S.\n"),
            file("crates/a/src/lost.rs", "//! L.\n"),
            file("crates/a/tests/contract.rs", "//! C.\n"),
        ];
        let lost: Vec<_> = orphans(&files).into_iter().map(|finding| finding.place).collect();
        assert_eq!(lost, ["crates/a/src/lost.rs"]);
    }
}
