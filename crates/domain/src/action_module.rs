//! Code that Actions share: a module's draft, its published versions, and which Actions run which of them.
//!
//! Auth0: customize › Actions › Actions Modules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::ActionSecret;
use crate::id::{ActionId, ModuleId};
use crate::time::Timestamp;

/// What stands before a module's name where an Action requires it.
pub const MODULE_PREFIX: &str = "actions:";

/// What a module is made of; a version freezes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleSource {
    /// CommonJS source.
    pub code: String,
    /// npm packages that it asks for.
    #[serde(default)]
    pub dependencies: Vec<Value>,
    /// Its secrets, which it reads as `actions.secrets.NAME`.
    #[serde(default)]
    pub secrets: Vec<ActionSecret>,
}

/// A module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// The record.
    pub id: ModuleId,
    /// Unique name; it never changes, because Actions require it.
    pub name: String,
    /// What the next version will freeze.
    pub draft: ModuleSource,
    /// The newest version, if any.
    #[serde(default)]
    pub latest_version: Option<ModuleId>,
    /// The number of the newest version, 0 before the first.
    #[serde(default)]
    pub versions: u64,
    /// Whether the draft is the newest version.
    #[serde(default)]
    pub all_changes_published: bool,
    /// Which version each deployed Action runs. It stands here so that a deploy conflicts with a deletion.
    #[serde(default)]
    pub used_by: BTreeMap<ActionId, ModuleUse>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its draft last changed.
    pub updated_at: Timestamp,
}

/// A frozen module. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleVersion {
    /// The record.
    pub id: ModuleId,
    /// Whose version it is.
    pub module_id: ModuleId,
    /// 1 for the first.
    pub number: u64,
    /// What was frozen.
    pub source: ModuleSource,
    /// The JavaScript that runs, where that isn't the source's code as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiled: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// That an Action may require a module, in one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRef {
    /// Which module.
    pub module_id: ModuleId,
    /// Its name.
    pub module_name: String,
    /// Which version.
    pub version_id: ModuleId,
    /// The version's number.
    pub version_number: u64,
}

/// The version of a module that a deployed Action runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleUse {
    /// Which version.
    pub version_id: ModuleId,
    /// Its number.
    pub version_number: u64,
}

/// A module within a deployed Action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrozenModule {
    /// Its name.
    pub name: String,
    /// What was frozen.
    pub source: ModuleSource,
    /// The JavaScript that runs, where that isn't the source's code as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiled: Option<String>,
}
