//! `vestibule actions …`: local work on Actions.

mod event;
mod replay;
mod report;
mod test;
mod types;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use domain::limits::ACTION_CODE_BYTES_MAX;
use engine::Error;
use engine::actions::local::{self, LocalAction, LocalRun};
use serde_json::Value;

use self::event::PrintEvent;
use self::replay::Replay;
use self::test::Test;
use self::types::WriteTypes;
use super::{Choices, CliError, JSON_BYTES_MAX, block_on, read_text};
use crate::start::{self, StartError};

#[derive(Debug, Subcommand)]
pub(super) enum Actions {
    /// Run an Action on an event and show what it asks for. Exit code 0: it went well; 10: it refused; 11: it failed.
    Test(Test),
    /// Write the types of `event` and `api`, for editors and for TypeScript.
    Types(WriteTypes),
    /// Print an event to start from.
    Event(PrintEvent),
    /// Run a draft on what a failed or refused Action of a running server had seen. Exit codes as for `test`.
    Replay(Replay),
}

/// What every run of a file takes.
#[derive(Debug, Args)]
struct RunChoices {
    /// A JSON file with the Action's secrets, as an object of texts.
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// The exported function to call, if it is not the trigger's usual one.
    #[arg(long, value_name = "NAME")]
    handler: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    choices: Choices,
}

impl Actions {
    pub(super) fn run(self) -> Result<u8, CliError> {
        match self {
            Self::Test(test) => test.run(),
            Self::Types(types) => types.run(),
            Self::Event(event) => event.run(),
            Self::Replay(replay) => replay.run(),
        }
    }
}

impl RunChoices {
    /// Runs the file under the name that stack traces are to show.
    async fn run(
        &self,
        file: &Path,
        name: String,
        trigger: &str,
        event: Value,
    ) -> Result<LocalRun, CliError> {
        let config = self.choices.load()?;
        let sandbox = start::sandbox_choice(&config, 1)?;
        let action = LocalAction {
            // One byte more, so that what is too long is refused and not cut.
            code: read_text(file, ACTION_CODE_BYTES_MAX + 1)?,
            name,
            trigger: trigger.to_owned(),
            handler: self.handler.clone(),
            event,
            secrets: self.read_secrets()?,
        };
        local::run(&sandbox, config.actions.allow_private_addresses, action).await.map_err(
            |error| match error {
                Error::Invalid { message, .. } => CliError::Usage(message),
                other => StartError::from(other).into(),
            },
        )
    }

    fn read_secrets(&self) -> Result<BTreeMap<String, String>, CliError> {
        let Some(path) = &self.secrets else { return Ok(BTreeMap::new()) };
        serde_json::from_value(read_json(path)?)
            .map_err(|error| CliError::Usage(format!("{}: not an object of texts: {error}", path.display())))
    }
}

fn read_json(path: &Path) -> Result<Value, CliError> {
    serde_json::from_str(&read_text(path, JSON_BYTES_MAX)?)
        .map_err(|error| CliError::Usage(format!("{}: not JSON: {error}", path.display())))
}
