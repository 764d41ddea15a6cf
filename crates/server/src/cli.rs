//! The command line: `serve`, `check-config`, `explain-config`, `actions`, `logs`, and `worker`, which the server
//! starts for itself.

mod actions;
mod logs;
mod remote;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use engine::Ports;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{self, Config, ConfigError, Demo};
use crate::start::{self, StartError};
use crate::{announce, logging};

/// Everything went well.
pub const EXIT_OK: u8 = 0;
/// An Action refused what it ran for.
pub const EXIT_DENIED: u8 = 10;
/// An Action failed.
pub const EXIT_FAILED: u8 = 11;
/// A file or an argument is not what the command takes (`EX_USAGE`); clap answers 2 for what it cannot parse.
pub const EXIT_USAGE: u8 = 64;
/// The server did not start, or does not answer (`EX_UNAVAILABLE`).
pub const EXIT_START: u8 = 69;
/// The configuration is wrong (`EX_CONFIG`).
pub const EXIT_CONFIG: u8 = 78;

/// Bytes of a file or an answer of JSON that are read. Ours: far above any event.
const JSON_BYTES_MAX: usize = 4 * 1024 * 1024;

/// An identity server that speaks Auth0's APIs.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(Serve),
    /// Say whether the configuration is good.
    CheckConfig(Choices),
    /// Print every key, its effective value, and where it came from.
    ExplainConfig(Choices),
    /// Work on Actions: run them here, write their types, run a failed sign-in again.
    #[command(subcommand)]
    Actions(actions::Actions),
    /// Read the event log of a running server.
    #[command(subcommand)]
    Logs(logs::Logs),
    /// Serve Actions to a running server, which starts this itself.
    #[command(hide = true)]
    Worker,
}

/// What every command that reads the configuration takes.
#[derive(Debug, Args)]
struct Choices {
    /// The folder that holds the database, the keys and the certificates [server.data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address and port to listen on; port 0 takes a free one [server.listen].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The host name, with the port, under which the server is reached [server.domain].
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// A configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set one key, such as log.level=debug. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    choices: Choices,
    /// Write {"url","pid"} to this file once the server answers.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Add a user, an Action, and two relying parties to play with.
    #[arg(long)]
    demo: bool,
    /// The port of the first relying party of the demonstration.
    #[arg(long, value_name = "N", default_value_t = 8501)]
    demo_port_one: u16,
    /// The port of the second relying party of the demonstration.
    #[arg(long, value_name = "N", default_value_t = 8502)]
    demo_port_two: u16,
}

/// Why a command failed: the sentence for the operator, and the exit code.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration is wrong.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The server did not start.
    #[error("{0}")]
    Start(#[from] StartError),
    /// A file or an argument is not what the command takes.
    #[error("{0}")]
    Usage(String),
    /// A running server does not answer as it should.
    #[error("{0}")]
    Remote(String),
    /// The system refused something.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

impl CliError {
    /// The process's exit code.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => EXIT_CONFIG,
            Self::Usage(_) => EXIT_USAGE,
            Self::Start(_) | Self::Remote(_) | Self::System(_) => EXIT_START,
        }
    }
}

/// Carries out the command.
///
/// # Errors
/// [`CliError`].
pub fn run(cli: Cli) -> Result<u8, CliError> {
    match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::CheckConfig(choices) => {
            choices.load()?;
            print("The configuration is good.\n")
        }
        Command::ExplainConfig(choices) => print(&explain(&choices.load()?)),
        Command::Actions(actions) => actions.run(),
        Command::Logs(logs) => logs.run(),
        Command::Worker => Ok(u8::try_from(engine::worker_main()).unwrap_or(EXIT_START)),
    }
}

impl Choices {
    fn load(&self) -> Result<Config, ConfigError> {
        let flags = [
            ("server.data", "--data", self.data.as_ref().map(|path| path.display().to_string())),
            ("server.listen", "--listen", self.listen.map(|address| address.to_string())),
            ("server.domain", "--domain", self.domain.clone()),
        ];
        let mut chosen: Vec<_> = flags
            .into_iter()
            .filter_map(|(key, flag, value)| Some((key.to_owned(), value?, flag.to_owned())))
            .collect();
        for text in &self.settings {
            chosen.push(config::pair(text)?);
        }
        Config::load(self.config.as_deref(), config::process_environment(), &chosen)
    }
}

impl Serve {
    fn run(self) -> Result<u8, CliError> {
        let mut config = self.choices.load()?;
        config.demo =
            self.demo.then_some(Demo { port_one: self.demo_port_one, port_two: self.demo_port_two });
        if config.demo.is_some() {
            // The demo's relying parties listen on this machine, without encryption.
            config.logout.allow_insecure_urls = true;
        }
        logging::start(&config.log);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(config, self.ready_file))
    }
}

/// Announce, serve until a signal, drain.
async fn serve(config: Config, ready_file: Option<PathBuf>) -> Result<u8, CliError> {
    // Before anything else, so that a signal during the start is not lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let local_authority = config.tls.enabled && config.tls.certificate_file.is_none();
    let ports = Ports::real(config.logout.egress()).map_err(StartError::from)?;
    let server = start::build(config, ports).await?;
    print(&announce::text(&server, local_authority))?;
    if let Some(path) = &ready_file {
        announce::write_ready_file(path, &server).map_err(StartError::from)?;
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: requests under way may finish");
    server.shutdown().await;
    Ok(EXIT_OK)
}

fn explain(config: &Config) -> String {
    let lines = config.explain();
    let width = lines.iter().map(|line| line.key.len()).max().unwrap_or_default();
    lines.iter().map(|line| format!("{:<width$} = {}  ({})\n", line.key, line.value, line.source)).collect()
}

/// Writes what the operator asked for. A closed pipe is no failure.
fn print(text: &str) -> Result<u8, CliError> {
    unless_closed(write_out(text).map_err(CliError::from))
}

fn write_out(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

/// Whoever read the output may have had enough of it.
fn unless_closed(outcome: Result<(), CliError>) -> Result<u8, CliError> {
    match outcome {
        Err(CliError::System(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(EXIT_OK),
        other => other.map(|()| EXIT_OK),
    }
}

/// A runtime for one command.
fn block_on<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

/// The text of a file, or its first so many bytes.
fn read_text(path: &Path, bytes_max: usize) -> Result<String, CliError> {
    let wrong = |error: std::io::Error| CliError::Usage(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(wrong)?;
    let mut bytes = Vec::new();
    file.take(bytes_max as u64).read_to_end(&mut bytes).map_err(wrong)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_reach_their_keys_and_are_named_as_the_source() {
        let arguments =
            ["vestibule", "explain-config", "--listen", "127.0.0.1:0", "--set", "log.level=debug"];
        let Command::ExplainConfig(choices) = Cli::parse_from(arguments).command else {
            panic!("another command")
        };
        let text = super::explain(&choices.load().unwrap());
        let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains("server.listen = 127.0.0.1:0 (flag --listen)"), "{text}");
        assert!(squeezed.contains("log.level = debug (flag --set log.level)"), "{text}");
        assert!(squeezed.contains("tls.enabled = true (default)"), "{text}");
    }
}
