//! Every file that a page mentions exists.

use super::Finding;

/// Folders at the root whose files pages mention by path.
const FOLDERS: [&str; 8] = ["crates/", "docs/", "tests/", "xtask/", "examples/", "bench/", ".ci/", "spec/"];
/// Characters of patterns and placeholders, which name no single file.
const PATTERN: [char; 8] = ['*', '<', '>', '{', '}', '…', '$', '['];

/// Findings in one page; `exists` answers for a path from the root.
pub(super) fn check(path: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    if !path.ends_with(".md") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        for target in link_targets(line) {
            let full = resolve(path, target);
            if !exists(&full) {
                findings.push(Finding::line(path, number, format!("links to {target}, which is not there")));
            }
        }
        for mention in line.split('`').skip(1).step_by(2) {
            if is_path(mention) && !exists(mention.trim_end_matches('/')) {
                findings.push(Finding::line(path, number, format!("mentions {mention}, which is not there")));
            }
        }
    }
    findings
}

/// The targets of `[text](target)` that are files of ours.
fn link_targets(line: &str) -> Vec<&str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains(':') && !target.contains(PATTERN))
        .collect()
}

fn is_path(mention: &str) -> bool {
    FOLDERS.iter().any(|folder| mention.starts_with(folder) && mention.len() > folder.len())
        && !mention.contains(PATTERN)
        && !mention.contains([' ', ':', '('])
}

/// A target as seen from the root: relative to the page's folder, or from the root when it starts with `/`.
fn resolve(page: &str, target: &str) -> String {
    let folder =
        if target.starts_with('/') { "" } else { page.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(page: &str, text: &str) -> Vec<String> {
        let exists = |path: &str| ["docs/one.md", "README.md", "crates/domain/src/lib.rs"].contains(&path);
        check(page, text, &exists).into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn links_are_followed_from_the_page_they_stand_on() {
        assert!(texts("README.md", "[one](docs/one.md#part) and [two](https://example.com/x)").is_empty());
        assert!(texts("docs/one.md", "[home](../README.md)").is_empty());
        assert_eq!(texts("docs/one.md", "[lost](lost.md)"), ["links to lost.md, which is not there"]);
    }

    #[test]
    fn paths_in_code_spans_exist_too() {
        assert!(
            texts("README.md", "see `crates/domain/src/lib.rs` and `crates/*/src` and `docs/<name>.md`")
                .is_empty()
        );
        assert_eq!(
            texts("README.md", "see `crates/domain/gone.rs`"),
            ["mentions crates/domain/gone.rs, which is not there"]
        );
    }

    #[test]
    fn examples_in_fences_are_not_read() {
        assert!(texts("README.md", "```\n[x](gone.md)\n```\n").is_empty());
    }

    #[test]
    fn other_files_are_not_pages() {
        assert!(texts("a.rs", "[x](gone.md)").is_empty());
    }
}
