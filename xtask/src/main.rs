//! The project's own tool: `cargo xtask serve`, `test`, `ci`, `prepare`, `dashboard`, `bench`, `tidy`,
//! `licences`.
//!
//! One file per command. What a developer runs here is what continuous integration runs.

mod bench;
mod children;
mod dashboard;
mod install;
mod licences;
mod postgres;
mod serve;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use children::Failure;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  serve [--demo] [--release] [--data DIR] [-- SERVER ARGUMENTS]
                   builds the server and runs it; --demo adds a user, an Action and two relying parties
  test [FILTER]    installs what is missing, then runs every check; FILTER is the name of one step
                   (fmt, tidy, licences, dashboard, clippy, build, rust, node-sqlite, node-postgres), or a part of the
                   names of the Rust tests to run
  prepare          only installs what `test` needs and finds missing
  dashboard        builds the dashboard, if its sources changed; `serve` and `test` do so too
  ci               the same as `test`: what continuous integration calls
  bench [-- ARGUMENTS]
                   builds for release and measures the server beside its floors
  tidy             checks the code's own rules: layering, file heads, sizes, links
  licences         checks every dependency's licence against deny.toml
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let outcome = match command {
        "serve" => serve::run(rest),
        "test" | "ci" => test::run(rest),
        "prepare" => install::run(),
        "dashboard" => dashboard::run(),
        "bench" => bench::run(rest),
        "tidy" => tidy::run(),
        "licences" => licences::run(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(Failure::new(format!("there is no command {other:?}\n\n{USAGE}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask: {failure}");
            ExitCode::FAILURE
        }
    }
}
