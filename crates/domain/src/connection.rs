//! Where users come from.
//!
//! Auth0: authenticate › database connections, and enterprise connections › OpenID Connect.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::ConnectionId;
use crate::time::Timestamp;
use crate::upstream::OidcConnection;

/// The strategy of a connection whose users and passwords are kept here.
pub const STRATEGY_DATABASE: &str = "auth0";
/// The strategy of a connection whose users sign in at another OpenID provider.
pub const STRATEGY_OIDC: &str = "oidc";
/// The name of the database connection that every tenant starts with.
pub const CONNECTION_DEFAULT: &str = "Username-Password-Authentication";

/// A source of users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// The connection.
    pub id: ConnectionId,
    /// Unique name.
    pub name: String,
    /// What kind of source it is: [`STRATEGY_DATABASE`] or [`STRATEGY_OIDC`].
    pub strategy: String,
    /// Small strings that Actions see as `event.connection.metadata`.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Whether people may sign themselves up.
    #[serde(default = "yes")]
    pub signup_enabled: bool,
    /// The provider, where the strategy is [`STRATEGY_OIDC`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcConnection>,
    /// Accepted, given back, without effect here.
    #[serde(default)]
    pub kept: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

const fn yes() -> bool {
    true
}
