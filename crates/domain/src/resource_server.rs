//! An API that access tokens are made for (RFC 8707: a resource).
//!
//! Auth0: APIs › API settings.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::ResourceServerId;
use crate::key::SigningAlgorithm;
use crate::time::Timestamp;

/// A scope that an API knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeDefinition {
    /// The scope.
    pub value: String,
    /// What it allows.
    #[serde(default)]
    pub description: Option<String>,
}

/// How access tokens are laid out (Auth0: access token profiles).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenDialect {
    /// Auth0's own profile: `typ` `JWT`, `azp`, `gty`.
    #[default]
    AccessToken,
    /// RFC 9068: `typ` `at+jwt`, `client_id`, `jti`.
    Rfc9068Profile,
}

/// An API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceServer {
    /// The record.
    pub id: ResourceServerId,
    /// The `audience` value; unique, never changes.
    pub identifier: String,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Scopes that it knows.
    #[serde(default)]
    pub scopes: Vec<ScopeDefinition>,
    /// Signature of its access tokens.
    pub signing_algorithm: SigningAlgorithm,
    /// Lifetime of its access tokens in seconds.
    pub token_seconds: i64,
    /// Lifetime of its access tokens in seconds when a browser's script asked for them.
    pub token_seconds_for_web: i64,
    /// Whether refresh tokens may be had for it.
    #[serde(default)]
    pub allow_offline_access: bool,
    /// How its access tokens are laid out.
    #[serde(default)]
    pub token_dialect: TokenDialect,
    /// Whether it is the Management API of this server.
    #[serde(default)]
    pub is_system: bool,
    /// Accepted, given back, without effect here.
    #[serde(default)]
    pub kept: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ResourceServer {
    /// Whether the API knows a scope.
    pub fn knows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own.value == scope)
    }
}
