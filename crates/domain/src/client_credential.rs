//! What a client can prove itself with instead of a secret: its public keys, and names and thumbprints of certificates.
//!
//! Auth0: applications › application credentials. Not here: how a key is read from text, and how an assertion is
//! checked; both are `protocol`'s.

use serde::{Deserialize, Serialize};

use crate::id::{ClientCredentialId, ClientId};
use crate::time::Timestamp;

/// Algorithms with which clients may sign assertions (RFC 7518 §3.1). Auth0: credential `alg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AssertionAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
}

impl AssertionAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Rs384, Self::Ps256];

    /// The `alg` header value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Ps256 => "PS256",
        }
    }

    /// Reads an `alg` header value.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// What a credential is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum CredentialKind {
    /// An RSA key that verifies assertions.
    PublicKey {
        /// What it is called in headers: the thumbprint (RFC 7638), or what its owner calls it.
        kid: String,
        /// The one algorithm that it verifies.
        algorithm: AssertionAlgorithm,
        /// The modulus as base64url (RFC 7518 §6.3.1.1).
        n: String,
        /// The exponent as base64url.
        e: String,
    },
    /// The subject that a certificate must name, one attribute a line.
    CertSubjectDn {
        /// `C=…`, `ST=…` and so on.
        subject_dn: String,
    },
    /// A certificate, known by the SHA-256 of its DER as base64url.
    X509Cert {
        /// That.
        thumbprint_sha256: String,
    },
}

impl CredentialKind {
    /// `credential_type` on the wire.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::PublicKey { .. } => "public_key",
            Self::CertSubjectDn { .. } => "cert_subject_dn",
            Self::X509Cert { .. } => "x509_cert",
        }
    }

    /// Whether two are the same key, subject or certificate, or go by the same name.
    pub fn collides_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::PublicKey { kid, n, e, .. }, Self::PublicKey { kid: kid2, n: n2, e: e2, .. }) => {
                kid == kid2 || (n, e) == (n2, e2)
            }
            (Self::CertSubjectDn { .. } | Self::X509Cert { .. } | Self::PublicKey { .. }, _) => self == other,
        }
    }
}

/// A credential that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential {
    /// What people call it.
    pub name: Option<String>,
    /// What it is.
    pub kind: CredentialKind,
    /// From when on it proves nothing any more.
    pub expires_at: Option<Timestamp>,
}

/// A credential of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCredential {
    /// Its identifier.
    pub id: ClientCredentialId,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is.
    pub kind: CredentialKind,
    /// From when on it proves nothing any more.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl ClientCredential {
    /// Whether it still proves something at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// How a client proves itself with credentials (RFC 7591 §2, RFC 8705 §2). Auth0: `client_authentication_methods`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialMethod {
    /// An assertion that one of its keys signed.
    PrivateKeyJwt,
    /// A certificate of an authority, by its subject. Kept; nobody can prove anything that way here.
    TlsClientAuth,
    /// A certificate that it signed itself. Kept; nobody can prove anything that way here.
    SelfSignedTlsClientAuth,
}

impl CredentialMethod {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PrivateKeyJwt, Self::TlsClientAuth, Self::SelfSignedTlsClientAuth];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }

    /// Whether a credential of this kind does for it.
    pub const fn takes(self, kind: &CredentialKind) -> bool {
        matches!(
            (self, kind),
            (Self::PrivateKeyJwt, CredentialKind::PublicKey { .. })
                | (Self::TlsClientAuth, CredentialKind::CertSubjectDn { .. })
                | (Self::SelfSignedTlsClientAuth, CredentialKind::X509Cert { .. })
        )
    }
}

/// The method that a client proves itself with, and the credentials that count for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialAuthentication {
    /// The method.
    pub method: CredentialMethod,
    /// Its credentials, in the order in which they were given.
    pub credentials: Vec<ClientCredentialId>,
}

/// An assertion that a client has proved itself with, remembered because it is good once (RFC 7523 §3, `jti`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedAssertion {
    /// Whose it was.
    pub client_id: ClientId,
    /// SHA-256 of its `jti`, hexadecimal.
    pub hash: String,
    /// When it would have run out, and this record with it.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::{AssertionAlgorithm, CredentialKind, CredentialMethod};

    fn key(kid: &str, n: &str, algorithm: AssertionAlgorithm) -> CredentialKind {
        CredentialKind::PublicKey { kid: kid.into(), algorithm, n: n.into(), e: "AQAB".into() }
    }

    #[test]
    fn the_same_key_under_another_name_or_algorithm_collides_and_so_does_the_same_name() {
        let one = key("a", "n1", AssertionAlgorithm::Rs256);
        assert!(one.collides_with(&key("b", "n1", AssertionAlgorithm::Ps256)));
        assert!(one.collides_with(&key("a", "n2", AssertionAlgorithm::Rs256)));
        assert!(!one.collides_with(&key("b", "n2", AssertionAlgorithm::Rs256)));
        let subject = |text: &str| CredentialKind::CertSubjectDn { subject_dn: text.into() };
        assert!(subject("CN=a").collides_with(&subject("CN=a")));
        assert!(!subject("CN=a").collides_with(&subject("CN=b")) && !subject("CN=a").collides_with(&one));
    }

    #[test]
    fn each_kind_does_for_one_method() {
        let certificate = CredentialKind::X509Cert { thumbprint_sha256: "t".into() };
        let subject = CredentialKind::CertSubjectDn { subject_dn: "CN=a".into() };
        let rsa = key("a", "n", AssertionAlgorithm::Rs256);
        for (kind, expect) in [
            (rsa, CredentialMethod::PrivateKeyJwt),
            (subject, CredentialMethod::TlsClientAuth),
            (certificate, CredentialMethod::SelfSignedTlsClientAuth),
        ] {
            let takers: Vec<_> =
                CredentialMethod::ALL.into_iter().filter(|method| method.takes(&kind)).collect();
            assert_eq!(takers, [expect]);
        }
    }
}
