//! `cargo xtask bench`: the measured server beside its floors, built for release.

use std::time::Duration;

use crate::children::{Children, Failure};
use crate::workspace;

/// A cold release build takes minutes; the measuring itself is bounded by the bench.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// Builds both for release and measures; arguments go to the bench.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let root = workspace::root()?;
    let mut children = Children::new()?;
    let mut build = workspace::cargo(&root);
    build.args(["build", "--release", "--package", "server", "--bin", "vestibule"]);
    children.run("build", build, LIMIT)?;
    let mut bench = workspace::cargo(&root);
    bench.args(["run", "--release", "--package", "bench", "--"]);
    bench.args(arguments.iter().filter(|argument| *argument != "--"));
    bench.env("VESTIBULE_BIN", workspace::server_binary(&root, "release"));
    children.run("bench", bench, LIMIT)
}
