//! A tenant's script: its draft, its versions, its secrets, and where it is bound.
//!
//! Auth0: customize › Actions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action_module::{FrozenModule, ModuleRef};
use crate::id::ActionId;
use crate::secret::Sealed;
use crate::time::Timestamp;

/// The trigger that runs after a sign-in.
pub const TRIGGER_POST_LOGIN: &str = "post-login";
/// The trigger that runs before a client gets a token on its own behalf.
pub const TRIGGER_CREDENTIALS_EXCHANGE: &str = "credentials-exchange";
/// The trigger that runs before someone becomes a user.
pub const TRIGGER_PRE_USER_REGISTRATION: &str = "pre-user-registration";
/// The trigger that runs after someone became a user; nobody waits for it.
pub const TRIGGER_POST_USER_REGISTRATION: &str = "post-user-registration";
/// The trigger that runs after a user's password was changed; nobody waits for it.
pub const TRIGGER_POST_CHANGE_PASSWORD: &str = "post-change-password";

/// A moment at which Actions run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub id: &'static str,
    /// The newest version of its contract, the one that is kept.
    pub version: &'static str,
}

/// Every trigger there is.
pub const TRIGGERS: &[Trigger] = &[
    Trigger { id: TRIGGER_POST_LOGIN, version: "v3" },
    Trigger { id: TRIGGER_CREDENTIALS_EXCHANGE, version: "v2" },
    Trigger { id: TRIGGER_PRE_USER_REGISTRATION, version: "v2" },
    Trigger { id: TRIGGER_POST_USER_REGISTRATION, version: "v2" },
    Trigger { id: TRIGGER_POST_CHANGE_PASSWORD, version: "v2" },
];

impl Trigger {
    /// The trigger of this name.
    pub fn find(id: &str) -> Option<&'static Self> {
        TRIGGERS.iter().find(|trigger| trigger.id == id)
    }
}

/// A write-only value that a script reads as `event.secrets.NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionSecret {
    /// The name.
    pub name: String,
    /// The value, sealed.
    pub value: Sealed,
    /// When it was set.
    pub updated_at: Timestamp,
}

/// What a script is made of; a version freezes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionSource {
    /// A CommonJS script, or TypeScript; as its author wrote it.
    pub code: String,
    /// `node22` and the like: accepted, given back.
    pub runtime: String,
    /// npm packages that the script asks for.
    #[serde(default)]
    pub dependencies: Vec<Value>,
    /// Its secrets.
    #[serde(default)]
    pub secrets: Vec<ActionSecret>,
    /// The modules that it may require, each in one version.
    #[serde(default)]
    pub modules: Vec<ModuleRef>,
}

/// A script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The record.
    pub id: ActionId,
    /// Unique name.
    pub name: String,
    /// Where it may be bound: trigger name and version.
    pub trigger: String,
    /// The trigger's version, `v3`.
    pub trigger_version: String,
    /// What the next deploy will freeze.
    pub draft: ActionSource,
    /// The version that runs, if any.
    #[serde(default)]
    pub deployed_version: Option<ActionId>,
    /// The number of the newest version, 0 before the first deploy.
    #[serde(default)]
    pub versions: u64,
    /// Whether the draft is what runs.
    #[serde(default)]
    pub all_changes_deployed: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its draft last changed.
    pub updated_at: Timestamp,
}

/// A frozen script. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionVersion {
    /// The record.
    pub id: ActionId,
    /// Whose version it is.
    pub action_id: ActionId,
    /// The Action's name when it was frozen; stack traces name it.
    pub action_name: String,
    /// 1 for the first deploy.
    pub number: u64,
    /// What was frozen.
    pub source: ActionSource,
    /// The modules of the source as they were: what runs is whole, whatever becomes of them afterwards.
    #[serde(default)]
    pub modules: Vec<FrozenModule>,
    /// The JavaScript that runs, where that isn't the source itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiled: Option<String>,
    /// The npm packages that its dependencies came to; absent where it has none.
    #[serde(default)]
    pub packages: Option<Packages>,
    /// When.
    pub created_at: Timestamp,
}

/// A set of npm packages, named to the byte: what one machine installed, each other one installs the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packages {
    /// Names the set by its contents: a hash over the place, version and integrity of each package.
    pub id: String,
    /// The packages that the Action itself asked for, with their exact versions.
    pub versions: BTreeMap<String, String>,
    /// npm's lock of all packages, as JSON without addresses.
    pub lock: String,
}

impl ActionVersion {
    /// The JavaScript that runs.
    pub fn script(&self) -> &str {
        self.compiled.as_deref().unwrap_or(&self.source.code)
    }
}

/// All Actions and modules of the tenant taken together: one record that each newcomer changes, so that of two that
/// compete for the last place one conflicts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionLibrary {
    /// How many came so far.
    pub newcomers: u64,
}

/// That an Action runs at a trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The binding.
    pub id: ActionId,
    /// Which Action.
    pub action_id: ActionId,
    /// Which of its versions runs: the deployed one. A deploy changes it in the same commit, so that a sign-in finds
    /// all it must run without reading the Actions themselves.
    pub version_id: ActionId,
    /// What the flow's page calls it.
    pub display_name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// All bindings of one trigger in the order in which they run: one record, so that a change is one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerBindings {
    /// The trigger; the record's key.
    pub trigger: String,
    /// What runs, in order.
    #[serde(default)]
    pub bindings: Vec<Binding>,
}

/// What one Action did in one run of a trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionResult {
    /// The Action's name.
    pub action_name: String,
    /// Which Action.
    pub action_id: ActionId,
    /// Which version of it.
    pub version_id: ActionId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was over.
    pub ended_at: Timestamp,
    /// What went wrong: an identifier and a message.
    #[serde(default)]
    pub error: Option<(String, String)>,
    /// The name of the exception that ended it, such as `TypeError`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_name: Option<String>,
    /// Its stack, one frame a line, with the lines of the Action's own source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// Processor time in microseconds.
    #[serde(default)]
    pub cpu_us: u64,
    /// Wall clock in microseconds.
    #[serde(default)]
    pub wall_us: u64,
    /// Console lines, `level: text`.
    #[serde(default)]
    pub console: Vec<String>,
    /// The commands it gave, by name and arguments.
    #[serde(default)]
    pub commands: Vec<Value>,
    /// What an Action that failed or refused had seen as `event`, without secrets, so that it can be run again. Absent
    /// where it went well, and where it would be longer than
    /// [`ACTION_EVENT_BYTES_MAX`](crate::limits::ACTION_EVENT_BYTES_MAX).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Value>,
}

/// One run of a trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// The record; log events name it.
    pub id: ActionId,
    /// The trigger.
    pub trigger: String,
    /// One result for each Action that ran, in order.
    pub results: Vec<ExecutionResult>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}
