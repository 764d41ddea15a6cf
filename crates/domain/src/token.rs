//! Authorization codes and refresh tokens as they are stored: hashes, never the values themselves.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{ClientId, OrganizationId, RefreshTokenId, SessionId, UserId};
use crate::limits::REFRESH_TOKEN_LEEWAY_USES_MAX;
use crate::metadata::SessionMetadata;
use crate::scope::Scopes;
use crate::session::{AuthenticationMethod, Device};
use crate::time::Timestamp;
use crate::user::User;

/// What a user has granted to a client, carried from the code into each token made from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Who asks.
    pub client_id: ClientId,
    /// On whose behalf.
    pub user_id: UserId,
    /// In which session; absent where no browser took part.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// In which organization, if any.
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
    /// For what.
    pub scopes: Scopes,
    /// For which API (its identifier), if any but `/userinfo`.
    #[serde(default)]
    pub audience: Option<String>,
    /// When the user proved who they are.
    pub authenticated_at: Timestamp,
    /// How.
    #[serde(default)]
    pub methods: Vec<AuthenticationMethod>,
    /// Claims that Actions added to the ID token.
    #[serde(default)]
    pub id_token_claims: Map<String, Value>,
    /// Claims that Actions added to the access token.
    #[serde(default)]
    pub access_token_claims: Map<String, Value>,
}

/// What the first use of a code gave, so that a second use can take it back (RFC 6749 §4.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeUse {
    /// When it was used.
    pub at: Timestamp,
    /// The access token's `jti`.
    pub access_token_jti: String,
    /// When that access token expires.
    pub access_token_expires_at: Timestamp,
    /// The refresh token, where one was given.
    #[serde(default)]
    pub refresh_token_id: Option<RefreshTokenId>,
}

/// An authorization code (RFC 6749 §4.1.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationCode {
    /// SHA-256 of the code, hexadecimal; the record's key.
    pub hash: String,
    /// What it stands for.
    pub grant: Grant,
    /// The redirect URI of the request; the exchange must repeat it.
    pub redirect_uri: String,
    /// The `nonce` of the request.
    #[serde(default)]
    pub nonce: Option<String>,
    /// The S256 challenge of the request (RFC 7636 §4.3).
    #[serde(default)]
    pub code_challenge: Option<String>,
    /// When it stops being good.
    pub expires_at: Timestamp,
    /// Until when it is remembered.
    pub forget_at: Timestamp,
    /// Its use, once it happened.
    #[serde(default)]
    pub used: Option<CodeUse>,
    /// What Actions asked for about the refresh token that the exchange may give.
    #[serde(default)]
    pub refresh_token: RefreshTokenWishes,
}

/// What Actions asked for about a refresh token before it exists (Auth0 Actions: `api.refreshToken`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshTokenWishes {
    /// Its metadata.
    #[serde(default)]
    pub metadata: SessionMetadata,
    /// When it ends, if that is earlier than the client's settings say.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it ends unless used, if that is earlier than the client's settings say.
    #[serde(default)]
    pub idle_expires_at: Option<Timestamp>,
}

/// A refresh token and its successors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The record; it outlives each rotation.
    pub id: RefreshTokenId,
    /// SHA-256 of the token that is good now, hexadecimal.
    pub hash: String,
    /// What it stands for.
    pub grant: Grant,
    /// Whether each use gives a new one.
    pub rotating: bool,
    /// When the first one was given.
    pub created_at: Timestamp,
    /// When it was last used.
    #[serde(default)]
    pub last_exchanged_at: Option<Timestamp>,
    /// When it ends unless used.
    #[serde(default)]
    pub idle_expires_at: Option<Timestamp>,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// First and last sighting.
    #[serde(default)]
    pub device: Device,
    /// The token before the current one, good for the client's leeway.
    #[serde(default)]
    pub previous: Option<RetiredHash>,
    /// Those before it, newest first, while they are within the leeway: several requests of one client may each use the
    /// same token at once. At most [`REFRESH_TOKEN_LEEWAY_USES_MAX`].
    #[serde(default)]
    pub earlier: Vec<RetiredHash>,
    /// The user's epoch when the first one was given: one of an earlier epoch was revoked with all others.
    #[serde(default)]
    pub epoch: u64,
    /// How often it was rotated.
    #[serde(default)]
    pub rotations: u64,
    /// Its metadata, under the rules of a session's.
    #[serde(default)]
    pub metadata: SessionMetadata,
}

/// A token that was rotated away just now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredHash {
    /// SHA-256 of the token, hexadecimal.
    pub hash: String,
    /// When it was rotated away.
    pub at: Timestamp,
}

impl RefreshToken {
    /// Ends it at these times where it would last longer. A token without an end gets one.
    pub fn shorten(&mut self, expires_at: Option<Timestamp>, idle_expires_at: Option<Timestamp>) {
        let earliest = |known: Option<Timestamp>, wanted: Option<Timestamp>| match (known, wanted) {
            (Some(known), Some(wanted)) => Some(known.min(wanted)),
            (known, wanted) => known.or(wanted),
        };
        self.expires_at = earliest(self.expires_at, expires_at);
        self.idle_expires_at = earliest(self.idle_expires_at, idle_expires_at);
    }

    /// Puts a new token in the place of the current one, which with those before it stays good for `leeway_ms`.
    /// Answers the hash of the one that was spent.
    pub fn rotate(&mut self, hash: String, leeway_ms: i64, now: Timestamp) -> String {
        let spent = std::mem::replace(&mut self.hash, hash);
        let previous = self.previous.replace(RetiredHash { hash: spent.clone(), at: now });
        self.earlier.splice(0..0, previous);
        self.earlier.retain(|retired| now.millis_since(retired.at) < leeway_ms);
        self.earlier.truncate(REFRESH_TOKEN_LEEWAY_USES_MAX);
        spent
    }

    /// Whether a hash is that of a token that was rotated away less than `leeway_ms` ago.
    pub fn is_within_leeway(&self, hash: &str, leeway_ms: i64, now: Timestamp) -> bool {
        let retired = self.previous.iter().chain(&self.earlier).find(|retired| retired.hash == hash);
        retired.is_some_and(|retired| now.millis_since(retired.at) < leeway_ms)
    }

    /// Whether the token is still good at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at().is_none_or(|end| now < end)
    }

    /// Whether the token was revoked with all others of its user.
    pub fn is_outdated(&self, user: &User) -> bool {
        self.epoch < user.tokens_epoch
    }

    /// When the token ends if it is not used again, if ever.
    pub fn ends_at(&self) -> Option<Timestamp> {
        match (self.expires_at, self.idle_expires_at) {
            (Some(absolute), Some(idle)) => Some(absolute.min(idle)),
            (absolute, idle) => absolute.or(idle),
        }
    }
}

/// A refresh token that was rotated away, remembered so that its reuse is noticed (RFC 9700 §4.14.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredRefreshToken {
    /// SHA-256 of the token, hexadecimal; the record's key.
    pub hash: String,
    /// The record that it belonged to.
    pub refresh_token_id: RefreshTokenId,
    /// How often the family had been rotated before it.
    #[serde(default)]
    pub rotations: u64,
    /// Until when it is remembered; absent: as long as its record lives without expiry.
    #[serde(default)]
    pub forget_at: Option<Timestamp>,
}

/// An access token that is no longer good although its signature is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedAccessToken {
    /// Its `jti`; the record's key.
    pub jti: String,
    /// When it would have expired, and this record with it.
    pub expires_at: Timestamp,
}
