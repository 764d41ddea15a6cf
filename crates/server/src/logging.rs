//! Diagnostics on standard error, as text or JSON lines.

use std::io::IsTerminal;

use tracing_subscriber::filter::EnvFilter;

use crate::config::{Format, Log};

/// Starts writing diagnostics. A second call in one process has no effect, so tests may start many servers.
pub fn start(config: &Log) {
    let level = config.level.name();
    // Other people's crates are chatty below warnings, unless everything is asked for.
    let filter = match level {
        "trace" => EnvFilter::new("trace"),
        _ => EnvFilter::new(format!(
            "warn,server={level},engine={level},store={level},sandbox={level},vestibule={level}"
        )),
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match config.format {
        Format::Text => lines.try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("diagnostics were started before");
    }
}
