//! `vestibule actions replay`: a draft on the event of a recorded execution, beside what had happened then.

use std::path::PathBuf;

use clap::Args;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::report::{Report, side_by_side};
use super::{CliError, RunChoices};
use crate::cli::remote::{Remote, RemoteChoices};
use crate::cli::{block_on, print};

#[derive(Debug, Args)]
pub(in crate::cli) struct Replay {
    /// The execution, as the log event names it (`details.actions.executions`, `details.execution_id`).
    #[arg(value_name = "EXECUTION_ID")]
    execution: String,
    /// The draft to run.
    #[arg(long = "with", value_name = "FILE")]
    draft: PathBuf,
    /// Which of the execution's Actions it takes the place of; the one that failed or refused when absent.
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    #[command(flatten)]
    remote: RemoteChoices,
    #[command(flatten)]
    run: RunChoices,
}

impl Replay {
    pub(super) fn run(self) -> Result<u8, CliError> {
        let config = self.run.choices.load()?;
        block_on(async {
            let remote = Remote::connect(&self.remote, &config.server.data).await?;
            let execution = self.execution_of(&remote).await?;
            let recorded = self.recorded(&execution)?;
            let trigger = execution["trigger_id"].as_str().unwrap_or_default();
            let name = recorded["action_name"].as_str().unwrap_or_default().to_owned();
            let run = self.run.run(&self.draft, name, trigger, recorded["event"].clone()).await?;
            let (then, now) = (Report::of_record(recorded), Report::of_run(run));
            print(&if self.run.json {
                format!("{:#}\n", json!({ "then": then.value(), "now": now.value() }))
            } else {
                side_by_side(("then", &then), ("now", &now))
            })?;
            Ok(now.exit_code())
        })
    }

    /// The recorded execution.
    async fn execution_of(&self, remote: &Remote) -> Result<Value, CliError> {
        let id = &self.execution;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(CliError::Usage(format!("{id:?} is not an execution's identifier")));
        }
        match remote.get(&format!("actions/executions/{id}")).await? {
            (StatusCode::OK, execution) => Ok(execution),
            (StatusCode::NOT_FOUND, _) => Err(CliError::Usage(format!(
                "{} has no execution {id}; they are kept for ten days",
                remote.url()
            ))),
            (status, answer) => Err(remote.unexpected(status, &answer)),
        }
    }

    /// What the Action did that is meant, with its event.
    fn recorded<'a>(&self, execution: &'a Value) -> Result<&'a Value, CliError> {
        let results = execution["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = match &self.action {
            Some(name) => results
                .iter()
                .find(|result| result["action_name"] == name.as_str())
                .ok_or_else(|| CliError::Usage(format!("the execution has no Action of the name {name}")))?,
            None => results
                .iter()
                .rfind(|result| result["event"].is_object())
                .or(results.last())
                .ok_or_else(|| CliError::Usage("the execution has no results".to_owned()))?,
        };
        if found["event"].is_object() {
            return Ok(found);
        }
        let reason =
            "no event was recorded: the Action went well, or its event was longer than a record may be";
        Err(CliError::Usage(format!("{}: {reason}", found["action_name"].as_str().unwrap_or_default())))
    }
}
