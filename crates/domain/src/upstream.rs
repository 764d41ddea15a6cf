//! Another OpenID provider that users come from: what is set about it, and what is remembered of a sign-in there.
//!
//! Auth0: authenticate › enterprise connections › OpenID Connect. What the provider's answers must be is in
//! `protocol::upstream`.

use serde::{Deserialize, Serialize};

use crate::client::ClientAuthMethod;
use crate::id::{ConnectionId, SignInId};
use crate::key::SigningAlgorithm;
use crate::secret::Sealed;
use crate::time::Timestamp;

/// Whom a newcomer's identity may be joined to. Auth0 has no such rule; the default is what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountLinking {
    /// Nobody: each identity makes a user of its own.
    #[default]
    None,
    /// The one user whose verified address is the verified address that the provider tells.
    VerifiedEmail,
}

impl AccountLinking {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::VerifiedEmail => "verified_email",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::None, Self::VerifiedEmail].into_iter().find(|rule| rule.as_str() == name)
    }
}

/// When the profile that the provider tells replaces the user's (Auth0: `set_user_root_attributes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileUpdate {
    /// With each sign-in.
    #[default]
    OnEachLogin,
    /// When the user is made.
    OnFirstLogin,
    /// Never, not even then.
    NeverOnLogin,
}

impl ProfileUpdate {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnEachLogin => "on_each_login",
            Self::OnFirstLogin => "on_first_login",
            Self::NeverOnLogin => "never_on_login",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::OnEachLogin, Self::OnFirstLogin, Self::NeverOnLogin]
            .into_iter()
            .find(|rule| rule.as_str() == name)
    }
}

/// Where a provider is and what it can do (OIDC Discovery 1.0 §3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// `iss` of its tokens, exactly.
    pub issuer: String,
    /// Where browsers go.
    pub authorization_endpoint: String,
    /// Where codes become tokens.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where more about the user is.
    #[serde(default)]
    pub userinfo_endpoint: Option<String>,
    /// Where browsers sign out.
    #[serde(default)]
    pub end_session_endpoint: Option<String>,
    /// Whether each of its answers names its issuer (RFC 9207 §3).
    #[serde(default)]
    pub names_itself: bool,
    /// Ways to authenticate at the token endpoint; empty: it does not say.
    #[serde(default)]
    pub auth_methods: Vec<String>,
}

/// What is set about a connection of the strategy `oidc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcConnection {
    /// Who we are there.
    pub client_id: String,
    /// Our secret there; absent for a public client.
    #[serde(default)]
    pub client_secret: Option<Sealed>,
    /// How we send it.
    pub auth_method: ClientAuthMethod,
    /// Where the provider describes itself, where it does.
    #[serde(default)]
    pub discovery_url: Option<String>,
    /// The provider; what was set by hand stands in place of what it says of itself.
    pub provider: Provider,
    /// When it was last asked.
    pub discovered_at: Timestamp,
    /// What we ask for, `openid` among it.
    pub scope: String,
    /// Whether a code is bound to us by PKCE (RFC 7636), always with S256.
    pub pkce: bool,
    /// Algorithms that its ID tokens may be signed with.
    pub algorithms: Vec<SigningAlgorithm>,
    /// Whom a newcomer's identity may be joined to.
    #[serde(default)]
    pub account_linking: AccountLinking,
    /// When its profile replaces the user's.
    #[serde(default)]
    pub profile_update: ProfileUpdate,
}

/// From which sign-in at which provider a session of ours came: by this a logout there finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamSession {
    /// The connection.
    pub connection_id: ConnectionId,
    /// The provider's `iss`.
    pub issuer: String,
    /// Its `sub`.
    pub subject: String,
    /// Its `sid`, where it has one.
    #[serde(default)]
    pub sid: Option<String>,
    /// When it made the ID token, by its own clock, in seconds.
    pub issued_at_s: i64,
    /// When it wants the session over at the latest (`session_expiry`).
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A browser that is at the provider for us. Used once: who takes it, deletes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamAttempt {
    /// The record; `state` of the authorization request.
    pub id: SignInId,
    /// The sign-in that it belongs to.
    pub sign_in_id: SignInId,
    /// SHA-256 of the secret in the browser's cookie, hexadecimal: only this browser may go on.
    pub browser_hash: String,
    /// At which provider.
    pub connection_id: ConnectionId,
    /// What its ID token must repeat.
    pub nonce: String,
    /// The code verifier, sealed.
    #[serde(default)]
    pub code_verifier: Option<Sealed>,
    /// When the browser was sent there.
    pub created_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
}

/// That a provider ended a session, or all sessions of a subject: a sign-in with an older ID token makes none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamEnd {
    /// The connection.
    pub connection_id: ConnectionId,
    /// SHA-256 of what ended, as [`UpstreamEnd`]'s users write it.
    pub hash: String,
    /// ID tokens made up to this second, by the provider's clock, no longer count.
    pub up_to_s: i64,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}

/// A logout token that was acted on: a second one of its name is a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardLogout {
    /// The connection.
    pub connection_id: ConnectionId,
    /// SHA-256 of its `jti`, hexadecimal.
    pub hash: String,
    /// When it would no longer be good anyway.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::{AccountLinking, ProfileUpdate};

    #[test]
    fn rules_read_back() {
        for rule in [AccountLinking::None, AccountLinking::VerifiedEmail] {
            assert_eq!(AccountLinking::parse(rule.as_str()), Some(rule));
        }
        for rule in [ProfileUpdate::OnEachLogin, ProfileUpdate::OnFirstLogin, ProfileUpdate::NeverOnLogin] {
            assert_eq!(ProfileUpdate::parse(rule.as_str()), Some(rule));
        }
        assert_eq!(AccountLinking::parse("email"), None);
    }
}
