//! A sign-in whose Action sent the browser away: everything that is needed to go on when it comes back.
//!
//! Auth0: Actions › redirect with Actions. It holds no secret: not those of Actions, and no cookie's value.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{ActionId, SessionId, SignInId, UserId};
use crate::session::Session;
use crate::sign_in::SignIn;
use crate::time::Timestamp;

/// How the session of the sign-in comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PausedOrigin {
    /// It is new.
    New,
    /// The browser's session, with the password proved again.
    Renewed,
    /// The browser's session, as it is.
    Reused,
    /// It is new, for another user, in place of the browser's session `from`.
    Switched {
        /// The session that it takes the place of.
        from: SessionId,
        /// Whether a password was proved in this sign-in.
        proved: bool,
    },
}

/// A sign-in that waits for its browser to come back. Used once: who takes it, deletes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PausedSignIn {
    /// The record; `state` in the URL that the browser was sent to.
    pub id: SignInId,
    /// What was asked for, and by which browser. Its own record is gone.
    pub sign_in: SignIn,
    /// Who signs in.
    pub user_id: UserId,
    /// The user's epoch when they were looked up: what was proved before a later one no longer counts.
    pub user_epoch: u64,
    /// The session without what Actions asked for.
    pub session: Session,
    /// How it comes about.
    pub origin: PausedOrigin,
    /// The Action that sent the browser away.
    pub action_id: ActionId,
    /// Actions that have run, that one among them.
    pub done: Vec<ActionId>,
    /// What they asked for, as the engine writes it.
    pub effects: Value,
    /// The records of the runs so far, one for each time that the browser was sent away.
    #[serde(default)]
    pub executions: Vec<ActionId>,
    /// When it is given up.
    pub expires_at: Timestamp,
}
