//! `vestibule logs …`: the event log of a running server, read through its Management API.

use std::collections::VecDeque;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::StatusCode;
use serde_json::Value;

use super::remote::{Remote, RemoteChoices};
use super::{Choices, CliError, block_on, unless_closed, write_out};

/// The wait between two looks when following, in milliseconds.
const LOOK_MS: u64 = 1_000;
/// Events of one page, the most that the API gives.
const PAGE_EVENTS: usize = 100;
/// Pages that are looked through for the first lines: as far as the API's paging reaches.
const PAGES_MAX: usize = 10;
/// Looks in a row that may fail, such as during a restart of the server, before following ends.
const FAILURES_MAX: usize = 30;

#[derive(Debug, Subcommand)]
pub(super) enum Logs {
    /// Print the newest events, oldest first; with --follow, go on with what happens.
    Tail(Tail),
}

#[derive(Debug, Args)]
pub(super) struct Tail {
    /// Go on until interrupted.
    #[arg(long, short)]
    follow: bool,
    /// So many events to begin with, of the newest thousand.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    lines: usize,
    /// Only events with this value, such as type=fp or user_id=auth0|123; may be repeated, and all must hold.
    #[arg(long = "only", value_name = "FIELD=VALUE", value_parser = Wanted::parse)]
    only: Vec<Wanted>,
    /// Print each event as a line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: RemoteChoices,
    #[command(flatten)]
    choices: Choices,
}

/// A field and the text that it must hold.
#[derive(Debug, Clone)]
struct Wanted {
    field: String,
    value: String,
}

impl Wanted {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((field, value)) if !field.is_empty() => {
                Ok(Self { field: field.to_owned(), value: value.to_owned() })
            }
            _ => Err("expected FIELD=VALUE".to_owned()),
        }
    }
}

impl Logs {
    pub(super) fn run(self) -> Result<u8, CliError> {
        match self {
            Self::Tail(tail) => tail.run(),
        }
    }
}

impl Tail {
    fn run(self) -> Result<u8, CliError> {
        unless_closed(block_on(self.print_all()))
    }

    async fn print_all(&self) -> Result<(), CliError> {
        let config = self.choices.load()?;
        let mut remote = Remote::connect(&self.remote, &config.server.data).await?;
        let mut last = self.begin(&remote).await?;
        if !self.follow {
            return Ok(());
        }
        let mut failures = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
            match self.go_on(&remote, &mut last).await {
                Ok(()) => failures = 0,
                Err(CliError::Remote(reason)) if failures < FAILURES_MAX => {
                    if failures == 0 {
                        eprintln!("{reason}; trying again");
                    }
                    failures += 1;
                    // The token may have run out, or the server be another one by now.
                    if let Ok(again) = Remote::connect(&self.remote, &config.server.data).await {
                        remote = again;
                    }
                }
                // What is wrong on this side does not pass.
                Err(error) => return Err(error),
            }
        }
    }

    /// Prints the newest events that are wanted; answers the newest of all.
    async fn begin(&self, remote: &Remote) -> Result<Option<String>, CliError> {
        let mut found = VecDeque::new();
        let mut newest = None;
        for page in 0..PAGES_MAX {
            let events = read(remote, &format!("logs?per_page={PAGE_EVENTS}&page={page}")).await?;
            newest = newest.or_else(|| events.first().map(id_of));
            let full = events.len() == PAGE_EVENTS;
            for event in events.into_iter().filter(|event| self.wants(event)) {
                // A page may repeat what the one before ended with, since new events push the others on.
                if found.len() < self.lines && !found.contains(&event) {
                    found.push_front(event);
                }
            }
            if found.len() >= self.lines || !full {
                break;
            }
        }
        for event in &found {
            self.show(event)?;
        }
        Ok(newest)
    }

    /// Prints what came after the last event, and moves on.
    async fn go_on(&self, remote: &Remote, last: &mut Option<String>) -> Result<(), CliError> {
        loop {
            let Some(from) = last.clone() else {
                *last = self.begin(remote).await?;
                return Ok(());
            };
            let events = read(remote, &format!("logs?from={from}&take={PAGE_EVENTS}")).await?;
            for event in &events {
                if self.wants(event) {
                    self.show(event)?;
                }
                *last = Some(id_of(event));
            }
            if events.len() < PAGE_EVENTS {
                return Ok(());
            }
        }
    }

    fn wants(&self, event: &Value) -> bool {
        self.only.iter().all(|wanted| match &event[&wanted.field] {
            Value::String(text) => *text == wanted.value,
            Value::Bool(flag) => wanted.value.parse() == Ok(*flag),
            _ => false,
        })
    }

    fn show(&self, event: &Value) -> Result<(), CliError> {
        let line = if self.json { event.to_string() } else { line(event) };
        Ok(write_out(&format!("{line}\n"))?)
    }
}

async fn read(remote: &Remote, path: &str) -> Result<Vec<Value>, CliError> {
    match remote.get(path).await? {
        (StatusCode::OK, Value::Array(events)) => Ok(events),
        (status, answer) => Err(remote.unexpected(status, &answer)),
    }
}

fn id_of(event: &Value) -> String {
    event["log_id"].as_str().unwrap_or_default().to_owned()
}

/// An event for people: when, what, who, from where. What others wrote cannot move the cursor or colour the terminal.
fn line(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let mut line = format!("{} {:<8} {}", text("date"), text("type"), text("description"));
    for name in ["user_name", "user_id", "client_name", "client_id", "session_id", "ip"] {
        if !text(name).is_empty() {
            line.push_str(&format!(" {name}={}", text(name)));
        }
    }
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::line;

    #[test]
    fn a_line_tells_who_and_cannot_play_with_the_terminal() {
        let event = json!({
            "date": "2026-01-02T03:04:05.678Z", "type": "fp", "description": "Wrong\u{1b}[2Jpassword\n",
            "user_name": "ann", "ip": "192.0.2.1",
        });
        assert_eq!(
            line(&event),
            "2026-01-02T03:04:05.678Z fp       Wrong\u{fffd}[2Jpassword\u{fffd} user_name=ann ip=192.0.2.1"
        );
    }
}
