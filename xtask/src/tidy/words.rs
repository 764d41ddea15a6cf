//! Words that must not stand in this code base, and words that must.

use super::{File, Finding};

/// Unfinished work belongs into an issue. Each is written in two parts, for this file is read too.
const UNFINISHED: [(&str, &str); 4] = [("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("HA", "CK")];
/// Paths of one machine and names of package hosts: nobody else has them.
const ELSEWHERE: [(&str, &str); 7] = [
    ("/wo", "rk/"),
    ("/tmp/", "vt"),
    ("/ho", "me/"),
    ("/Use", "rs/"),
    ("registry.npm", "js.org"),
    ("static.cra", "tes.io"),
    ("index.cra", "tes.io"),
];

/// Findings in one file.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    if path == "Cargo.lock" {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (first, second) in UNFINISHED {
            let word = format!("{first}{second}");
            if has_word(line, &word) {
                findings.push(Finding::line(
                    path,
                    number,
                    format!("{word}: finish it, or open an issue and say nothing here"),
                ));
            }
        }
        for (first, second) in ELSEWHERE {
            let place = format!("{first}{second}");
            if starts_a_path(line, &place) {
                findings.push(Finding::line(path, number, format!("{place:?} exists on one machine only")));
            }
        }
    }
    if path.ends_with("package-lock.json") && text.contains("\"resolved\"") {
        findings
            .push(Finding::file(path, "the lock names hosts; install with omit-lockfile-registry-resolved"));
    }
    findings
}

/// Shared dependencies of the workspace without a line in docs/dependencies.md.
pub(super) fn undocumented_dependencies(files: &[File]) -> Vec<Finding> {
    let text_of = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let (Some(manifest), Some(document)) = (text_of("Cargo.toml"), text_of("docs/dependencies.md")) else {
        return vec![Finding::file(
            "docs/dependencies.md",
            "is missing: each dependency says there what it is for",
        )];
    };
    let shared = manifest.split("[workspace.dependencies]").nth(1).unwrap_or_default();
    let shared = shared.split("\n[").next().unwrap_or_default();
    shared
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("path ="))
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim()))
        .filter(|name| !has_word(document, name))
        .map(|name| Finding::file("docs/dependencies.md", format!("says nothing about {name}")))
        .collect()
}

/// Whether a word stands alone: neither letters, digits nor `_` or `-` beside it.
fn has_word(text: &str, word: &str) -> bool {
    let joins = |character: char| character.is_alphanumeric() || character == '_' || character == '-';
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

/// Whether a text begins here rather than in the middle of a longer path.
fn starts_a_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !place.starts_with('/') || !before.is_some_and(|one| one.is_alphanumeric() || "._-*)}".contains(one))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn unfinished_work_is_noticed_only_as_a_word() {
        let word = format!("{}{}", "TO", "DO");
        assert_eq!(check("a.rs", &format!("//! A.\n// {word}: later\n"))[0].place, "a.rs:2");
        assert!(check("a.rs", &format!("{word}S and my_{word}")).is_empty());
    }

    #[test]
    fn a_path_of_one_machine_is_noticed_where_it_begins() {
        let place = format!("{}{}", "/wo", "rk/main");
        assert_eq!(check("a.md", &format!("see {place}")).len(), 1);
        assert_eq!(check("a.md", &format!("see \"{place}\"")).len(), 1);
        assert!(check("a.md", &format!("docs{place}")).is_empty());
    }

    #[test]
    fn a_lock_that_names_hosts_is_noticed() {
        assert_eq!(check("tests/node/package-lock.json", "{\"resolved\": \"x\"}").len(), 1);
        assert!(check("tests/node/package-lock.json", "{\"version\": \"1\"}").is_empty());
    }

    #[test]
    fn every_shared_dependency_is_explained() {
        let files = [
            file(
                "Cargo.toml",
                "[workspace.dependencies]\nown = { path = \"x\" }\n# why\nserde = \"1\"\nserde_json = \"1\"\n[profile.dev]\nx = 1\n",
            ),
            file("docs/dependencies.md", "| `serde_json` | bodies |\n"),
        ];
        let missing: Vec<_> =
            undocumented_dependencies(&files).into_iter().map(|finding| finding.text).collect();
        assert_eq!(missing, ["says nothing about serde"]);
    }
}
