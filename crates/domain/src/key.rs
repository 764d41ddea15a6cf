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
    /// The `alg` header value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// Reads an `alg` header value.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Rs256, Self::Es256].into_iter().find(|algorithm| algorithm.as_str() == name)
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
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when its signatures are no longer trusted, if they are not.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
    /// Whether it was made because there was none. Of its algorithm there is one such key, however many nodes start
    /// at once.
    #[serde(default)]
    pub is_first: bool,
}
