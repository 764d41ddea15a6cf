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
    /// The API's revision with which it came: one that went and came again is another scope.
    #[serde(default)]
    pub since: u64,
}

/// How access tokens are laid out (Auth0: access token profiles).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenDialect {
    /// Auth0's own profile: `typ` `JWT`, `azp`, `gty`.
    #[default]
    AccessToken,
    /// The same with the claim `permissions`.
    AccessTokenAuthz,
    /// RFC 9068: `typ` `at+jwt`, `client_id`, `jti`.
    Rfc9068Profile,
    /// The same with the claim `permissions`.
    Rfc9068ProfileAuthz,
}

impl TokenDialect {
    /// Reads Auth0's name.
    pub fn parse(name: &str) -> Option<Self> {
        let all =
            [Self::AccessToken, Self::AccessTokenAuthz, Self::Rfc9068Profile, Self::Rfc9068ProfileAuthz];
        all.into_iter().find(|dialect| dialect.as_str() == name)
    }

    /// Auth0's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::AccessTokenAuthz => "access_token_authz",
            Self::Rfc9068Profile => "rfc9068_profile",
            Self::Rfc9068ProfileAuthz => "rfc9068_profile_authz",
        }
    }

    /// Whether tokens tell the permissions of who they speak for, where the API enforces them.
    pub const fn has_permissions(self) -> bool {
        matches!(self, Self::AccessTokenAuthz | Self::Rfc9068ProfileAuthz)
    }
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
    /// How often scopes were taken away.
    #[serde(default)]
    pub revision: u64,
    /// Whether a user's token may carry only scopes that the user has as permissions. Absent: what an older release
    /// kept in `kept`.
    #[serde(default)]
    pub enforce_policies: Option<bool>,
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

    /// Whether users may do here only what they have permissions for (Auth0: RBAC settings of an API).
    pub fn enforces_policies(&self) -> bool {
        let kept = || self.kept.get("enforce_policies").and_then(Value::as_bool);
        self.enforce_policies.or_else(kept).unwrap_or(false)
    }

    /// Gives the API these scopes in place of its own. Permissions for those that go count no more, also if
    /// scopes of their names come again.
    pub fn replace_scopes(&mut self, scopes: &[ScopeDefinition]) {
        let has_lost = self.scopes.iter().any(|own| !scopes.iter().any(|new| new.value == own.value));
        self.revision += u64::from(has_lost);
        let since = |new: &ScopeDefinition| {
            let own = self.scopes.iter().find(|own| own.value == new.value);
            own.map_or(self.revision, |own| own.since)
        };
        let scopes = scopes.iter().map(|new| ScopeDefinition { since: since(new), ..new.clone() }).collect();
        self.scopes = scopes;
    }
}
