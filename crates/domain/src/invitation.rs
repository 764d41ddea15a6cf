//! An invitation to an organization: whoever holds its ticket and signs in with the invited address becomes a member.
//!
//! Auth0: manage users › organizations › invite members.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{ClientId, ConnectionId, InvitationId, OrganizationId, RoleId};
use crate::secret::Sealed;
use crate::time::Timestamp;
use crate::user::{User, comparable_email};

/// An invitation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// The record.
    pub id: InvitationId,
    /// To which organization.
    pub organization_id: OrganizationId,
    /// Who invites.
    pub inviter: String,
    /// The invited address.
    pub email: String,
    /// The application where the invited one begins.
    pub client_id: ClientId,
    /// The only connection by which they may come, if there is one.
    #[serde(default)]
    pub connection_id: Option<ConnectionId>,
    /// Roles that they have as a member.
    #[serde(default)]
    pub roles: Vec<RoleId>,
    /// `user_metadata` of a user who signs up by it.
    #[serde(default)]
    pub user_metadata: Map<String, Value>,
    /// `app_metadata` of a user who signs up by it.
    #[serde(default)]
    pub app_metadata: Map<String, Value>,
    /// Where the application's sign-in begins.
    pub login_uri: String,
    /// What the invited one holds.
    pub ticket: Sealed,
    /// SHA-256 of it, hexadecimal.
    pub ticket_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl Invitation {
    /// Whether it may be accepted at a time.
    pub fn is_good(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Whether an address is the invited one, whatever its case.
    pub fn is_to(&self, email: &str) -> bool {
        comparable_email(email) == comparable_email(&self.email)
    }

    /// Whether a user has the invited address.
    pub fn is_for(&self, user: &User) -> bool {
        user.email.as_deref().is_some_and(|email| self.is_to(email))
    }
}
