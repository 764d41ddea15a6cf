//! `cargo xtask tidy`: the rules of this code base that the compiler does not check.
//!
//! Each rule is a pure function from a file's path and text to findings, so each has tests of its own.

mod layers;
mod links;
mod shape;
mod words;

use std::fmt;
use std::path::Path;

use crate::children::Failure;
use crate::workspace;

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 8] =
    ["target", "dist", ".build", "node_modules", "artifacts", "data", ".git", "corpus"];
/// Kinds of files that are ours to read.
const KINDS: [&str; 14] =
    ["rs", "tsx", "toml", "md", "mjs", "js", "ts", "json", "html", "css", "sh", "yml", "yaml", "conf"];

/// One thing that a rule objects to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Where: the path from the root, with a line number when there is one.
    place: String,
    /// What is wrong and what to do instead.
    text: String,
}

impl Finding {
    fn file(path: &str, text: impl Into<String>) -> Self {
        Self { place: path.to_owned(), text: text.into() }
    }

    /// `line` counts from zero, as iterators do.
    fn line(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { place: format!("{path}:{}", line + 1), text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.text)
    }
}

/// One file of ours.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root, with `/` between folders.
    path: String,
    /// Its whole text.
    text: String,
}

/// Reads the clone and prints what the rules object to.
pub(crate) fn run() -> Result<(), Failure> {
    let root = workspace::root()?;
    let mut files = Vec::new();
    collect(&root, &root, &mut files).map_err(|error| Failure::because("cannot read the clone", &error))?;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let (findings, advice) = check(&files, &|path| root.join(path).exists());
    for note in &advice {
        println!("advice: {note}");
    }
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("{} files, in order", files.len());
        return Ok(());
    }
    Err(Failure::new(format!("tidy objects to {} things, listed above", findings.len())))
}

/// What must change, and what would better change.
fn check(files: &[File], exists: &dyn Fn(&str) -> bool) -> (Vec<Finding>, Vec<Finding>) {
    let mut findings = layers::check(files);
    let mut advice = Vec::new();
    for file in files {
        findings.extend(words::check(&file.path, &file.text));
        findings.extend(links::check(&file.path, &file.text, exists));
        if file.path.ends_with(".rs") {
            findings.extend(shape::check(&file.path, &file.text));
            advice.extend(shape::advise(&file.path, &file.text));
        }
    }
    findings.extend(shape::orphans(files));
    findings.extend(words::undocumented_dependencies(files));
    (findings, advice)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !SKIPPED.contains(&&*name) && !path.is_symlink() {
                collect(root, &path, files)?;
            }
            continue;
        }
        let kind = path.extension().unwrap_or_default().to_string_lossy();
        if !KINDS.contains(&&*kind) && !path.starts_with(root.join(".ci")) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        files.push(File { path, text });
    }
    Ok(())
}

#[cfg(test)]
pub(crate) fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}
