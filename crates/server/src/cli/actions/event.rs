//! `vestibule actions event`: an event to start from.

use clap::Args;
use domain::action::TRIGGER_POST_LOGIN;
use engine::actions::local;

use super::CliError;
use crate::cli::print;

#[derive(Debug, Args)]
pub(in crate::cli) struct PrintEvent {
    /// The trigger.
    #[arg(value_name = "TRIGGER", default_value = TRIGGER_POST_LOGIN)]
    trigger: String,
}

impl PrintEvent {
    pub(super) fn run(self) -> Result<u8, CliError> {
        let event = local::sample_event(&self.trigger).map_err(|error| CliError::Usage(error.to_string()))?;
        print(&format!("{event:#}\n"))
    }
}
