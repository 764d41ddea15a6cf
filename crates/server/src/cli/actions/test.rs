//! `vestibule actions test`: one run of a file on an event of a file.

use std::path::PathBuf;

use clap::Args;
use domain::action::TRIGGER_POST_LOGIN;

use super::report::Report;
use super::{CliError, RunChoices, block_on, read_json};
use crate::cli::print;

#[derive(Debug, Args)]
pub(in crate::cli) struct Test {
    /// The Action: JavaScript or TypeScript.
    #[arg(value_name = "ACTION")]
    file: PathBuf,
    /// A JSON file with the event; `vestibule actions event` prints one to start from.
    #[arg(long, value_name = "FILE")]
    event: PathBuf,
    /// The trigger that the Action is for.
    #[arg(long, value_name = "TRIGGER", default_value = TRIGGER_POST_LOGIN)]
    trigger: String,
    #[command(flatten)]
    run: RunChoices,
}

impl Test {
    pub(super) fn run(self) -> Result<u8, CliError> {
        let event = read_json(&self.event)?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let run = block_on(self.run.run(&self.file, name, &self.trigger, event))?;
        let report = Report::of_run(run);
        print(&if self.run.json { report.json() } else { report.text() })?;
        Ok(report.exit_code())
    }
}
