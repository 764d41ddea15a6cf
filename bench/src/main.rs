//! Measures processor time per request of the real server beside a floor measured in the same run.
//!
//! | question | module |
//! | --- | --- |
//! | what is measured, and what its floor is made of | [`work`] |
//! | what Actions add, and what they may | [`actions`] |
//! | what a page of a long log takes | [`logs`] |
//! | what the ends of sessions take | [`ends`] |
//! | the store of a server, filled straight | [`place`] |
//! | the least that the parts cost | [`floor`] |
//! | clients, users and sessions to measure with | [`setup`] |
//! | driving many connections, reading the clock | [`load`] |
//! | one connection | [`wire`] |
//! | the measured process and its processor time | [`process`] |
//! | the tables | [`report`] |
//!
//! How to read the result: `docs/performance.md`.

mod actions;
mod ends;
mod floor;
mod load;
mod logs;
mod place;
mod process;
mod report;
mod setup;
mod wire;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::task::LocalSet;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whatever stops a measurement: there is nobody to tell one failure from another but the reader.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "bench [--write] [--seconds N] [--folder DIR] [--only WORD]
      [--log EVENTS | --ends SESSIONS [--postgres URL]]

  --write        put the tables into docs/performance.md
  --seconds N    measure each row so long (3)
  --folder DIR   where the databases go; its disk is part of what is measured (the system's temporary folder)
  --only WORD    measure only rows whose name contains the word
  --log EVENTS   measure pages of a log with so many events instead, on SQLite
  --ends SESSIONS measure the ends of sessions instead, of so many that ran out at once, on SQLite
  --postgres URL and on this PostgreSQL, in a schema of its own that goes afterwards

VESTIBULE_BIN names the release build of the server; `cargo xtask bench` makes it and sets this.
";

/// What the command line says.
pub(crate) struct Options {
    write: bool,
    /// How long each row is measured.
    pub(crate) time: Duration,
    /// Where data folders are made.
    pub(crate) folder: PathBuf,
    /// Part of the names of the rows to measure.
    pub(crate) only: String,
    /// Events of the log whose pages are measured instead.
    log_events: Option<u64>,
    /// Sessions that run out at once, whose ends are measured instead.
    expired_sessions: Option<u64>,
    /// The PostgreSQL that they are measured on too.
    pub(crate) postgres: Option<String>,
    /// The server.
    pub(crate) program: PathBuf,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            write: false,
            time: Duration::from_secs(3),
            folder: std::env::temp_dir(),
            only: String::new(),
            log_events: None,
            expired_sessions: None,
            postgres: None,
            program: std::env::var_os("VESTIBULE_BIN").map(PathBuf::from).ok_or(USAGE)?,
        };
        while let Some(word) = words.next() {
            match &*word {
                "--write" => options.write = true,
                "--seconds" => {
                    let seconds: u64 = words.next().ok_or(USAGE)?.parse()?;
                    options.time = Duration::from_secs(seconds.clamp(1, 60));
                }
                "--folder" => options.folder = words.next().ok_or(USAGE)?.into(),
                "--log" => options.log_events = Some(words.next().ok_or(USAGE)?.parse()?),
                "--ends" => options.expired_sessions = Some(words.next().ok_or(USAGE)?.parse()?),
                "--postgres" => options.postgres = Some(words.next().ok_or(USAGE)?),
                "--only" => options.only = words.next().ok_or(USAGE)?,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let outcome = if words.peek().is_some_and(|word| word == floor::HTTP_COMMAND) {
        floor::serve_http()
    } else {
        Options::read(words).and_then(|options| run(&options))
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::say(&format!("bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    // One thread makes the load, so that the server has the other processors.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = async {
        match (options.log_events, options.expired_sessions) {
            (Some(events), _) => Result::Ok((report::LOG_TABLES, logs::measure_all(options, events).await?)),
            (_, Some(sessions)) => Ok((report::END_TABLES, ends::measure_all(options, sessions).await?)),
            _ => Ok((report::TABLES, work::measure_all(options).await?)),
        }
    };
    let (place, report) = LocalSet::new().block_on(&runtime, measured)?;
    report::say(&report);
    if options.write { report::write(place, &report) } else { Ok(()) }
}
