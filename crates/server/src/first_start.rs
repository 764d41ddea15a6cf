//! The first start: what an empty store is given, and what the operator is told of it.

use engine::{Engine, Error};

use crate::config::Demo;
use crate::data_folder::DataFolder;

/// What the announcement tells beyond the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Lines such as whom to sign in as.
    pub lines: Vec<String>,
}

/// Gives an empty store its tenant and its first administrator (`admin.json`), and with `--demo` the demonstration
/// (`demo.json`). A store that has them is left as it is.
///
/// # Errors
/// Whatever the store answers.
pub async fn prepare(_engine: &Engine, _folder: &DataFolder, _demo: Option<Demo>) -> Result<Prepared, Error> {
    Ok(Prepared::default())
}
