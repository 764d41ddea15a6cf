//! A job: the code of one Action, the event that it sees and the limits that hold it. Plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::action_cache::ActionCache;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    credentials_exchange, post_change_password, post_login, post_user_registration, pre_user_registration,
};

/// One run of one Action.
#[derive(Debug, Clone)]
pub struct Job {
    /// The Action's CommonJS source.
    pub code: Arc<str>,
    /// The exported function to call, such as `onExecutePostLogin`.
    pub handler: String,
    /// What the script sees as `event`.
    pub event: Event,
    /// How much the run may use.
    pub limits: Limits,
    /// The Action's name; stands as the file name in stack traces.
    pub action_name: String,
    /// What the script finds in `api.cache`.
    pub cache: CacheView,
}

/// What one run finds in its trigger's cache, and the moment by which that is judged.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CacheView {
    /// The values.
    pub entries: ActionCache,
    /// When the run begins, by the caller's clock.
    pub now: Timestamp,
}

/// What a script sees as `event`, by trigger.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// After a sign-in.
    PostLogin(Box<post_login::Event>),
    /// Before a client gets a token on its own behalf.
    CredentialsExchange(Box<credentials_exchange::Event>),
    /// Before someone becomes a user.
    PreUserRegistration(Box<pre_user_registration::Event>),
    /// After someone became a user.
    PostUserRegistration(Box<post_user_registration::Event>),
    /// After a user's password was changed.
    PostChangePassword(Box<post_change_password::Event>),
}

impl Event {
    /// The metadata of its session; absent where there is no session.
    pub(crate) fn session_metadata(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::PostLogin(event) => event.session.as_ref().map(|session| &session.metadata),
            Self::CredentialsExchange(_)
            | Self::PreUserRegistration(_)
            | Self::PostUserRegistration(_)
            | Self::PostChangePassword(_) => None,
        }
    }
}

impl From<post_login::Event> for Event {
    fn from(event: post_login::Event) -> Self {
        Self::PostLogin(Box::new(event))
    }
}

/// How much one run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processor time in milliseconds; reaching it ends the run with [`Failure::CpuTime`](crate::Failure::CpuTime).
    pub cpu_ms: u64,
    /// Wall clock in milliseconds, from the moment a worker has the job.
    pub wall_ms: u64,
    /// Bytes that the script's heap may hold.
    pub memory_bytes: u64,
    /// Bytes of console text that are kept; later lines are dropped.
    pub console_bytes_max: usize,
}

impl Default for Limits {
    /// One second of processor time, 20 seconds of wall clock (Auth0: Actions, limitations), 64 MiB, 64 KiB of console.
    fn default() -> Self {
        Self {
            cpu_ms: domain::limits::ACTION_CPU_MS_MAX,
            wall_ms: domain::limits::ACTION_TRIGGER_MS_MAX,
            memory_bytes: 64 * 1024 * 1024,
            console_bytes_max: 64 * 1024,
        }
    }
}
