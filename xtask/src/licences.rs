//! `cargo xtask licences`: every dependency's licence is one that `deny.toml` allows.
//!
//! `cargo deny` reads the same file and knows more (advisories, sources); this asks nothing but cargo itself.

use std::collections::BTreeSet;

use crate::children::Failure;
use crate::workspace;

/// Compares the licences of everything that is built with the list.
pub(crate) fn run() -> Result<(), Failure> {
    let root = workspace::root()?;
    let deny = std::fs::read_to_string(root.join("deny.toml"))
        .map_err(|error| Failure::because("cannot read deny.toml", &error))?;
    let allowed = allowed(&deny);
    let output = workspace::cargo(&root)
        .args(["tree", "--workspace", "--edges", "normal,build,dev", "--prefix", "none", "--locked"])
        .args(["--format", "{p}|{l}"])
        .output()
        .map_err(|error| Failure::because("cargo tree", &error))?;
    if !output.status.success() {
        return Err(Failure::new(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut refused = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let Some((package, licence)) = line.trim_end_matches(" (*)").split_once('|') else { continue };
        seen.insert(package.to_owned());
        if !is_allowed(licence, &allowed) {
            refused.insert(format!("{package}: {licence:?}"));
        }
    }
    if refused.is_empty() {
        println!("{} packages, all under licences that deny.toml allows", seen.len());
        return Ok(());
    }
    let list: Vec<_> = refused.into_iter().collect();
    Err(Failure::new(format!("licences that deny.toml does not allow:\n  {}", list.join("\n  "))))
}

/// The strings of `allow = […]` under `[licenses]`.
fn allowed(deny: &str) -> BTreeSet<String> {
    let section = deny.split("[licenses]").nth(1).unwrap_or_default();
    let list = section.split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
    list.lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// Reads an SPDX expression: `OR` needs one side, `AND` needs both; `/` is an old way to write `OR`.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (verdict, rest) = any_of(&words, allowed);
    verdict && rest.is_empty()
}

fn any_of<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    let (mut verdict, mut rest) = all_of(words, allowed);
    while let ["OR", after @ ..] = rest {
        let (other, left) = all_of(after, allowed);
        (verdict, rest) = (verdict || other, left);
    }
    (verdict, rest)
}

fn all_of<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    let (mut verdict, mut rest) = one(words, allowed);
    while let ["AND", after @ ..] = rest {
        let (other, left) = one(after, allowed);
        (verdict, rest) = (verdict && other, left);
    }
    (verdict, rest)
}

fn one<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inner @ ..] => match any_of(inner, allowed) {
            (verdict, [")", rest @ ..]) => (verdict, rest),
            (_, rest) => (false, rest),
        },
        [name, "WITH", exception, rest @ ..] => (allowed.contains(&format!("{name} WITH {exception}")), rest),
        [name, rest @ ..] => (allowed.contains(*name), rest),
        [] => (false, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[advisories]\nx = 1\n[licenses]\n# why\nallow = [\n  \"MIT\", # ours\n  \"ISC\",\n  \"Apache-2.0 WITH LLVM-exception\",\n]\n[bans]\nallow = [\"GPL-3.0\"]\n";

    #[test]
    fn the_list_is_read_from_its_own_section() {
        let names: Vec<_> = allowed(DENY).into_iter().collect();
        assert_eq!(names, ["Apache-2.0 WITH LLVM-exception", "ISC", "MIT"]);
    }

    #[test]
    fn expressions_are_read_as_spdx_reads_them() {
        let list = allowed(DENY);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0 AND MIT", false),
            ("MIT/GPL-3.0", true),
            ("(MIT OR GPL-3.0) AND ISC", true),
            ("(MIT OR GPL-3.0) AND BSD", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
            ("Apache-2.0", false),
            ("", false),
            ("(MIT", false),
        ] {
            assert_eq!(is_allowed(expression, &list), expected, "{expression}");
        }
    }
}
