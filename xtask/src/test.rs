//! `cargo xtask test`: every check, in the order in which they fail soonest, with what each one took.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::children::{Children, Failure};
use crate::postgres::Postgres;
use crate::{dashboard, install, licences, postgres, tidy, workspace};

/// The longest any one step may take; a cold build on two cores stays well below.
const STEP_LIMIT: Duration = Duration::from_secs(25 * 60);
/// The longest a Node suite's single test may take, in milliseconds.
const NODE_TEST_MS_MAX: u32 = 120_000;
const STEPS: [&str; 9] =
    ["fmt", "tidy", "licences", "dashboard", "clippy", "build", "rust", "node-sqlite", "node-postgres"];

/// What to run.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    Everything,
    Step(String),
    RustTests(String),
}

impl Choice {
    fn read(arguments: &[String]) -> Result<Self, Failure> {
        match arguments {
            [] => Ok(Self::Everything),
            [word] if STEPS.contains(&word.as_str()) => Ok(Self::Step(word.clone())),
            [word] if !word.starts_with('-') => Ok(Self::RustTests(word.clone())),
            _ => Err(Failure::new(format!(
                "test takes one filter at most: a step ({}) or a part of a name",
                STEPS.join(", ")
            ))),
        }
    }

    /// Whether a step runs. The server's binary is built for whoever starts it.
    fn has(&self, step: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Step(chosen) => {
                chosen == step
                    || (step == "build" && needs_binary(chosen))
                    || (step == "dashboard" && chosen.starts_with("node-"))
            }
            Self::RustTests(_) => step == "build" || step == "rust",
        }
    }

    fn needs_postgres(&self) -> bool {
        self.has("rust") || self.has("node-postgres")
    }
}

fn needs_binary(step: &str) -> bool {
    matches!(step, "rust" | "node-sqlite" | "node-postgres")
}

/// Runs the chosen checks; the summary is printed whatever happens.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let choice = Choice::read(arguments)?;
    let root = workspace::root()?;
    // Declared first, so dropped last: PostgreSQL's folder goes after its process.
    let mut database: Option<Postgres> = None;
    let mut run = Run { children: Children::new()?, root, done: Vec::new() };
    let outcome = run.all(&choice, &mut database);
    run.children.end_all();
    run.print_summary(outcome.is_ok());
    outcome
}

struct Run {
    children: Children,
    root: PathBuf,
    done: Vec<(String, Duration, bool)>,
}

impl Run {
    fn all(&mut self, choice: &Choice, database: &mut Option<Postgres>) -> Result<(), Failure> {
        if choice.has("fmt") {
            self.cargo("fmt", &["fmt", "--all", "--check"])?;
        }
        if choice.has("tidy") {
            self.step("tidy", |_| tidy::run())?;
        }
        if choice.has("licences") {
            self.step("licences", |_| licences::run())?;
        }
        if choice.has("dashboard") {
            self.step("dashboard", |run| dashboard::build(&mut run.children, &run.root))?;
        }
        if choice.has("clippy") {
            self.cargo(
                "clippy",
                &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"],
            )?;
        }
        if choice.has("build") {
            self.cargo("build", &["build", "--quiet", "--package", "server", "--bin", "vestibule"])?;
        }
        if choice.needs_postgres() {
            self.step("start PostgreSQL", |run| {
                let programs = install::postgres(&mut run.children)?;
                *database = Some(postgres::start(&mut run.children, &programs)?);
                Ok(())
            })?;
        }
        let url = database.as_ref().map(|database| database.url.clone());
        if choice.has("rust") {
            self.rust_tests(choice, url.as_deref())?;
        }
        if choice.has("node-sqlite") || choice.has("node-postgres") {
            self.node_suites(choice, url.as_deref())?;
        }
        Ok(())
    }

    fn rust_tests(&mut self, choice: &Choice, database: Option<&str>) -> Result<(), Failure> {
        self.step("rust", |run| {
            let mut command = workspace::cargo(&run.root);
            command.args(["test", "--workspace", "--quiet"]);
            if let Choice::RustTests(filter) = choice {
                command.arg(filter);
            }
            run.surroundings(&mut command, database);
            run.children.run("cargo test", command, STEP_LIMIT)
        })
    }

    fn node_suites(&mut self, choice: &Choice, database: Option<&str>) -> Result<(), Failure> {
        let folder = self.root.join("tests/node");
        let mut found = None;
        self.step("prepare Node.js, Chromium and Apache", |run| {
            let node = install::node()?;
            install::npm_packages(&mut run.children, &folder)?;
            found = Some((node, install::chromium(&mut run.children)?, install::apache(&mut run.children)?));
            Ok(())
        })?;
        let Some((node, chromium, apache)) = found else { return Ok(()) };
        for store in ["sqlite", "postgres"] {
            let name = format!("node-{store}");
            if !choice.has(&name) {
                continue;
            }
            self.step(&name, |run| {
                let mut command = Command::new(&node);
                command.arg("--test").arg(format!("--test-timeout={NODE_TEST_MS_MAX}"));
                command.args(["--test-concurrency=2", "--test-reporter=spec"]);
                command.args(suites(&folder)?).current_dir(&folder);
                command.env("VESTIBULE_TEST_STORE", store).env("CHROMIUM", &chromium);
                command.env("APACHE", &apache.program).env("APACHE_MODULES", &apache.modules);
                run.surroundings(&mut command, database);
                run.children.run("node --test", command, STEP_LIMIT)
            })?;
        }
        Ok(())
    }

    fn surroundings(&self, command: &mut Command, database: Option<&str>) {
        command.env("VESTIBULE_BIN", workspace::server_binary(&self.root, "debug"));
        if let Some(url) = database {
            command.env("VESTIBULE_TEST_POSTGRES", url);
        }
    }

    fn cargo(&mut self, name: &str, arguments: &[&str]) -> Result<(), Failure> {
        self.step(name, |run| {
            let mut command = workspace::cargo(&run.root);
            command.args(arguments);
            run.children.run(name, command, STEP_LIMIT)
        })
    }

    fn step(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        println!("\n── {name} {}", "─".repeat(70_usize.saturating_sub(name.len())));
        let begun = Instant::now();
        let outcome = work(self);
        self.done.push((name.to_owned(), begun.elapsed(), outcome.is_ok()));
        outcome
    }

    fn print_summary(&self, passed: bool) {
        println!("\n── summary {}", "─".repeat(63));
        for (name, took, ok) in &self.done {
            println!("{:<32} {:>8.1} s   {}", name, took.as_secs_f64(), if *ok { "ok" } else { "FAILED" });
        }
        let total: Duration = self.done.iter().map(|(_, took, _)| *took).sum();
        let verdict = if self.children.is_stopped() {
            "stopped"
        } else if passed {
            "ok"
        } else {
            "FAILED"
        };
        println!("{:<32} {:>8.1} s   {verdict}", "all", total.as_secs_f64());
    }
}

/// Every suite, by name, so that the order is the same everywhere.
fn suites(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| Failure::because("no Node suites", &error))?;
    let mut suites: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    suites.sort();
    if suites.is_empty() {
        return Err(Failure::new(format!("no *.test.mjs in {}", folder.display())));
    }
    Ok(suites)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(word: &str) -> Choice {
        Choice::read(&[word.to_owned()]).unwrap()
    }

    #[test]
    fn without_a_filter_every_step_runs() {
        let all = Choice::read(&[]).unwrap();
        assert!(STEPS.iter().all(|step| all.has(step)));
        assert!(all.needs_postgres());
    }

    #[test]
    fn the_name_of_a_step_runs_that_step_and_what_it_needs() {
        let runs: Vec<_> = STEPS.into_iter().filter(|step| choice("node-sqlite").has(step)).collect();
        assert_eq!(runs, ["dashboard", "build", "node-sqlite"]);
        assert!(!choice("node-sqlite").needs_postgres());
        let runs: Vec<_> = STEPS.into_iter().filter(|step| choice("fmt").has(step)).collect();
        assert_eq!(runs, ["fmt"]);
    }

    #[test]
    fn any_other_word_filters_the_rust_tests() {
        let filter = choice("metadata");
        assert_eq!(filter, Choice::RustTests("metadata".to_owned()));
        assert!(filter.has("rust") && !filter.has("clippy"));
    }

    #[test]
    fn two_filters_are_refused() {
        assert!(Choice::read(&["a".to_owned(), "b".to_owned()]).is_err());
    }
}
