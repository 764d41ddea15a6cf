//! A signing key as it is stored.

use serde::{Deserialize, Serialize};

use crate::id::KeyId;
use crate::secret::Sealed;
use crate::time::Timestamp;

/// Signature algorithms that tokens are made with (RFC 7518 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048-bit keys.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

impl SigningAlgorithm {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Rs256, Self::Es256];

    /// The `alg` header value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// Reads an `alg` header value.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// What a key is for at this time. Auth0: each tenant has one key of each kind, and previous ones until they are revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Published, so that whoever keeps a copy of the key set knows it before it signs.
    Next,
    /// It signs.
    #[default]
    Current,
    /// It signed; what it signed still counts until it is revoked.
    Previous,
}

impl KeyRole {
    /// The role's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
        }
    }
}

/// A private signing key, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyRecord {
    /// The `kid`.
    pub id: KeyId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// PKCS#8 bytes (RFC 5958), sealed.
    pub private: Sealed,
    /// What it is for.
    #[serde(default)]
    pub role: KeyRole,
    /// Its certificate (RFC 5280), signed by itself: DER as base64. Absent only where an earlier version made the key.
    #[serde(default)]
    pub certificate: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it signs, if it ever did. Absent too where an earlier version made the key: since it was made.
    #[serde(default)]
    pub current_since: Option<Timestamp>,
    /// Until when it signed.
    #[serde(default)]
    pub current_until: Option<Timestamp>,
    /// Since when its signatures are no longer trusted, if they are not.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
}
