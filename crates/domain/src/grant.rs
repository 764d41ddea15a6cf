//! Which scopes of an API a client may ask for on its own behalf.
//!
//! Auth0: applications › application access to APIs (client grants).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{ClientGrantId, ClientId};
use crate::organization::OrganizationUsage;
use crate::scope::Scopes;
use crate::time::Timestamp;

/// A client grant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientGrant {
    /// The record.
    pub id: ClientGrantId,
    /// Who may ask. Absent: every third-party client that has no grant of its own for the API.
    #[serde(default)]
    pub client_id: Option<ClientId>,
    /// For which API (its identifier).
    pub audience: String,
    /// For which of its scopes.
    pub scopes: Scopes,
    /// What else was said of it; some of it has no effect here.
    #[serde(default)]
    pub kept: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ClientGrant {
    /// The property that says for whom the grant is: for a client itself, or for its users.
    pub const SUBJECT: &str = "subject_type";
    /// The property that says that the grant is good for every organization.
    pub const ANY_ORGANIZATION: &str = "allow_any_organization";

    /// Whether it is about what a client's users may ask for, and not about the client itself.
    pub fn is_for_users(&self) -> bool {
        self.kept.get(Self::SUBJECT).and_then(Value::as_str) == Some("user")
    }

    /// Whether tokens for organizations may be asked for.
    pub fn organization_usage(&self) -> OrganizationUsage {
        OrganizationUsage::of(&self.kept)
    }

    /// Whether it is good for every organization, and not only for those that it was given to.
    pub fn allows_any_organization(&self) -> bool {
        self.kept.get(Self::ANY_ORGANIZATION).and_then(Value::as_bool).unwrap_or_default()
    }
}
