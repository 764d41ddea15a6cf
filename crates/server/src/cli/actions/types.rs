//! `vestibule actions types`: the `.d.ts` files, written where an editor finds them.

use std::path::PathBuf;

use clap::Args;
use engine::actions::local::TYPE_FILES;

use super::CliError;
use crate::cli::print;

#[derive(Debug, Args)]
pub(in crate::cli) struct WriteTypes {
    /// The folder to write to.
    #[arg(value_name = "DIR", default_value = "types")]
    folder: PathBuf,
}

impl WriteTypes {
    pub(super) fn run(self) -> Result<u8, CliError> {
        let shown = self.folder.display();
        let wrong = |error: std::io::Error| CliError::Usage(format!("{shown}: {error}"));
        std::fs::create_dir_all(&self.folder).map_err(wrong)?;
        for (name, text) in TYPE_FILES {
            std::fs::write(self.folder.join(name), text).map_err(wrong)?;
        }
        let names: Vec<&str> = TYPE_FILES.iter().map(|(name, _)| *name).collect();
        print(&format!(
            "Wrote {} to {shown}.\n\n\
             In an Action, JavaScript or TypeScript, name the trigger's file in the first line:\n\n  \
             /// <reference path=\"./{shown}/post-login.d.ts\" />\n\n\
             In JavaScript, say what the handler is:\n\n  \
             /** @type {{PostLoginHandler}} */\n  \
             exports.onExecutePostLogin = async (event, api) => {{ … }};\n\n\
             In TypeScript:\n\n  \
             export const onExecutePostLogin = async (event: PostLoginEvent, api: PostLoginApi) => {{ … }};\n\n\
             With a tsconfig.json, {{ \"compilerOptions\": {{ \"lib\": [\"es2023\"], \"types\": [] }} }} fits what a server has.\n",
            names.join(", ")
        ))
    }
}
