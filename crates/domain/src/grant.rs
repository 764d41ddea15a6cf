//! Which scopes of an API a client may ask for on its own behalf.
//!
//! Auth0: applications › application access to APIs (client grants).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{ClientGrantId, ClientId};
use crate::scope::Scopes;
use crate::time::Timestamp;

/// A client grant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientGrant {
    /// The record.
    pub id: ClientGrantId,
    /// Who may ask.
    pub client_id: ClientId,
    /// For which API (its identifier).
    pub audience: String,
    /// For which of its scopes.
    pub scopes: Scopes,
    /// Accepted, given back, without effect here.
    #[serde(default)]
    pub kept: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}
