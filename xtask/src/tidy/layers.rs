//! Who may depend on whom: the picture in ARCHITECTURE.md, as far as `Cargo.toml` files and single names show it.

use super::{File, Finding};

/// Each crate of ours and those of ours that it may name.
const CRATES: [(&str, &[&str]); 6] = [
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("sandbox", &["domain"]),
    ("store", &["domain"]),
    ("engine", &["domain", "protocol", "sandbox", "store"]),
    ("server", &["domain", "protocol", "engine"]),
];

/// Crates of others that a layer must do without, with the reason.
const FOREIGN: [(&str, &[&str], &str); 4] = [
    (
        "domain",
        &["tokio", "axum", "hyper", "reqwest", "rusqlite", "tokio-postgres", "aws-lc-rs"],
        "domain is pure",
    ),
    ("protocol", &["tokio", "axum", "hyper", "reqwest", "rusqlite", "tokio-postgres"], "protocol is pure"),
    (
        "engine",
        &["axum", "tower", "minijinja", "rusqlite", "tokio-postgres", "rquickjs"],
        "engine serves no HTTP and knows no backend",
    ),
    (
        "server",
        &["rusqlite", "tokio-postgres", "rquickjs"],
        "server reaches storage and scripts through the engine",
    ),
];

/// A name that only some files may use, with the reason.
struct Fence {
    name: &'static str,
    places: &'static [&'static str],
    reason: &'static str,
}

const FENCES: [Fence; 4] = [
    Fence {
        name: "aws_lc_rs",
        places: &[
            "crates/protocol/src/jose",
            // What a forger would do.
            "crates/protocol/src/upstream/id_token/tests.rs",
            "crates/store/src/seal",
            // Random bits, and hashes of forms and pages.
            "crates/store/src/lib.rs",
            "crates/server/src/http/csrf.rs",
            "crates/server/src/pages",
            "crates/engine/",
            "crates/server/src/tls",
            "crates/server/src/local",
            // What scripts may compute, with the scripts' own keys.
            "crates/sandbox/src/vm/platform/",
            "crates/sandbox/src/redirect.rs",
            "crates/sandbox/tests/suite/platform.rs",
            "tests/",
            "bench/",
        ],
        reason: "cryptography stays in few files: protocol/src/jose, store/src/seal.rs, the engine, the server's TLS",
    },
    Fence {
        name: "rquickjs",
        places: &["crates/sandbox/src/vm", "bench/"],
        reason: "only sandbox/src/vm names the script engine",
    },
    Fence {
        name: "rusqlite",
        places: &["crates/store/", "tests/", "bench/"],
        reason: "only the store knows its backends",
    },
    Fence {
        name: "tokio_postgres",
        places: &["crates/store/", "tests/", "bench/"],
        reason: "only the store knows its backends",
    },
];

/// Findings of every layering rule.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    files
        .iter()
        .flat_map(|file| {
            let mut findings = manifest(&file.path, &file.text);
            findings.extend(fences(&file.path, &file.text));
            findings
        })
        .collect()
}

fn manifest(path: &str, text: &str) -> Vec<Finding> {
    let Some(name) = path.strip_prefix("crates/").and_then(|rest| rest.strip_suffix("/Cargo.toml")) else {
        return Vec::new();
    };
    let Some((_, allowed)) = CRATES.iter().find(|(own, _)| *own == name) else {
        return vec![Finding::file(
            path,
            "a crate outside the picture: add it to ARCHITECTURE.md and xtask/src/tidy/layers.rs, or do without",
        )];
    };
    let mut findings = Vec::new();
    for (line, dependency) in dependencies(text) {
        if CRATES.iter().any(|(own, _)| *own == dependency) && !allowed.contains(&dependency) {
            findings.push(Finding::line(path, line, format!("{name} must not depend on {dependency}")));
        }
        for (layer, foreign, reason) in FOREIGN {
            if layer == name && foreign.contains(&dependency) {
                findings.push(Finding::line(
                    path,
                    line,
                    format!("{name} must do without {dependency}: {reason}"),
                ));
            }
        }
    }
    findings
}

/// The names in the dependency tables, tests' ones too, each with its line.
fn dependencies(text: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table.ends_with("dependencies");
            if let Some((head, name)) = table.rsplit_once('.')
                && head.ends_with("dependencies")
            {
                found.push((number, name));
            }
        } else if inside && !line.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if !name.is_empty() {
                found.push((number, name));
            }
        }
    }
    found
}

fn fences(path: &str, text: &str) -> Vec<Finding> {
    if !path.ends_with(".rs") || path.starts_with("xtask/") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for fence in FENCES.iter().filter(|fence| !fence.places.iter().any(|place| path.starts_with(place))) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains(&format!("{}::", fence.name)) {
                findings.push(Finding::line(path, number, format!("{} here: {}", fence.name, fence.reason)));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    fn places(path: &str, text: &str) -> Vec<String> {
        check(&[file(path, text)]).into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn the_three_middle_rooms_do_not_know_each_other() {
        let text = "[package]\nname = \"store\"\n[dependencies]\ndomain.workspace = true\nprotocol.workspace = true\n";
        assert_eq!(places("crates/store/Cargo.toml", text), ["crates/store/Cargo.toml:5"]);
    }

    #[test]
    fn the_server_cannot_reach_around_the_engine_not_even_in_tests() {
        let text = "[dependencies]\nengine.workspace = true\n[dev-dependencies.store]\nworkspace = true\n";
        assert_eq!(places("crates/server/Cargo.toml", text), ["crates/server/Cargo.toml:3"]);
    }

    #[test]
    fn the_domain_does_no_io() {
        assert_eq!(
            places("crates/domain/Cargo.toml", "[dependencies]\nserde = \"1\"\ntokio = \"1\"\n").len(),
            1
        );
    }

    #[test]
    fn tables_that_are_no_dependencies_are_not_read_as_such() {
        assert!(
            places("crates/domain/Cargo.toml", "[features]\nstore = []\n[lints]\nworkspace = true\n")
                .is_empty()
        );
    }

    #[test]
    fn an_unknown_crate_is_noticed() {
        assert_eq!(places("crates/common/Cargo.toml", "").len(), 1);
    }

    #[test]
    fn the_script_engine_is_named_in_one_place_only() {
        let text = "//! x\nuse rquickjs::Context;\n";
        assert_eq!(places("crates/sandbox/src/pool.rs", text), ["crates/sandbox/src/pool.rs:2"]);
        assert!(places("crates/sandbox/src/vm/realm.rs", text).is_empty());
        assert!(places("crates/sandbox/src/pool.rs", "//! not rquickjs::Context\n").is_empty());
    }
}
