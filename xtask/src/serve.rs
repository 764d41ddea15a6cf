//! `cargo xtask serve`: builds the server and runs it, with `--demo` beside two relying parties.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::children::{Children, Event, Failure};
use crate::{dashboard, workspace};

const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);
/// The first start makes an authority, keys and a tenant; on a slow machine and unoptimised that takes seconds.
const READY_LIMIT: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long one wait for an event is; the loop around it has no end, for a server runs until it is told.
const WATCH: Duration = Duration::from_secs(3600);

#[derive(Debug, PartialEq, Eq)]
struct Wish {
    demo: bool,
    release: bool,
    data: PathBuf,
    server: Vec<String>,
}

/// Builds, starts and watches; ends when the server ends or on Ctrl-C.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let wish = read(arguments)?;
    let root = workspace::root()?;
    let mut children = Children::new()?;
    dashboard::build_where_possible(&mut children, &root)?;
    let mut build = workspace::cargo(&root);
    build.args(["build", "--package", "server", "--bin", "vestibule"]);
    build.args(wish.release.then_some("--release"));
    children.run("build", build, BUILD_LIMIT)?;

    let ready_file = wish.data.join("ready.json");
    std::fs::create_dir_all(&wish.data)
        .map_err(|error| Failure::because("cannot make the data folder", &error))?;
    if ready_file.exists() {
        std::fs::remove_file(&ready_file)
            .map_err(|error| Failure::because("cannot remove the last ready file", &error))?;
    }
    let profile = if wish.release { "release" } else { "debug" };
    let mut server = Command::new(workspace::server_binary(&root, profile));
    server.arg("serve").arg("--data").arg(&wish.data).arg("--ready-file").arg(&ready_file);
    server.args(wish.demo.then_some("--demo")).args(&wish.server);
    // The server reads every VESTIBULE_… variable as a key of its own; this one is for tests.
    server.env_remove("VESTIBULE_BIN");
    children.start("vestibule", server, wish.demo)?;
    if wish.demo {
        if !wait_for(&mut children, &ready_file)? {
            return Ok(());
        }
        start_relying_parties(&mut children, &root, &wish.data)?;
    }
    watch(&mut children)
}

fn read(arguments: &[String]) -> Result<Wish, Failure> {
    let mut wish = Wish { demo: false, release: false, data: PathBuf::from("data"), server: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--demo" => wish.demo = true,
            "--release" => wish.release = true,
            "--data" => {
                let folder = rest.next().ok_or_else(|| Failure::new("--data needs a folder".to_owned()))?;
                wish.data = PathBuf::from(folder);
            }
            "--" => wish.server.extend(rest.by_ref().cloned()),
            other => {
                return Err(Failure::new(format!(
                    "serve does not know {other:?}; arguments for the server itself stand after `--`"
                )));
            }
        }
    }
    Ok(wish)
}

/// Whether the server listens now; false when it was stopped before it did.
fn wait_for(children: &mut Children, ready_file: &Path) -> Result<bool, Failure> {
    let begun = Instant::now();
    while begun.elapsed() < READY_LIMIT {
        if std::fs::metadata(ready_file).is_ok_and(|file| file.len() > 0) {
            return Ok(true);
        }
        match children.next_event(LOOK_AGAIN) {
            None => {}
            Some(Event::Stop) => return Ok(false),
            Some(Event::Ended { .. }) => {
                return Err(Failure::new("the server ended before it listened".to_owned()));
            }
        }
    }
    Err(Failure::new(format!("the server was not ready after {} s", READY_LIMIT.as_secs())))
}

fn start_relying_parties(children: &mut Children, root: &Path, data: &Path) -> Result<(), Failure> {
    let Some(node) = workspace::find_program(&["node"]) else {
        println!(
            "\nThe two relying parties of the demo need Node.js 20 or newer, and there is no `node` on the path.\n\
             The server runs without them; install Node.js and start this again to see sign-out reach both.\n"
        );
        return Ok(());
    };
    let mut command = Command::new(node);
    command.arg(root.join("examples/relying-party/demo.mjs")).arg(data);
    command.env("NODE_EXTRA_CA_CERTS", data.join("ca.pem"));
    children.start("relying parties", command, true)
}

fn watch(children: &mut Children) -> Result<(), Failure> {
    loop {
        match children.next_event(WATCH) {
            None => {}
            Some(Event::Stop) => {
                println!("\nstopping");
                children.end_all();
                return Ok(());
            }
            Some(Event::Ended { name, status }) if name == "vestibule" => {
                children.end_all();
                return match status {
                    Some(status) if status.success() => Ok(()),
                    Some(status) => Err(Failure::new(format!("the server ended ({status})"))),
                    None => Err(Failure::new("the server was lost".to_owned())),
                };
            }
            Some(Event::Ended { name, .. }) => println!("\nThe {name} have ended; the server goes on.\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_stands_after_two_dashes_goes_to_the_server() {
        let wish = read(&words("--demo --data elsewhere -- --listen 127.0.0.1:0 --demo")).unwrap();
        assert_eq!(
            wish,
            Wish {
                demo: true,
                release: false,
                data: PathBuf::from("elsewhere"),
                server: words("--listen 127.0.0.1:0 --demo"),
            }
        );
    }

    #[test]
    fn an_unknown_argument_is_refused() {
        assert!(read(&words("--lisen 1")).is_err());
    }
}
