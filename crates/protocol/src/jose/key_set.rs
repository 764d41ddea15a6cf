//! A set of public keys, and verifying a token against it.
//!
//! Spec: RFC 7515 §5.2, RFC 7517 §5, RFC 8725 §2.1, §3.1 and §3.8.
//!
//! The algorithm is a property of the key: a header that names another one is refused before any signature is
//! looked at, so neither `none` nor a confusion of algorithms can get through.

use domain::key::SigningAlgorithm;
use domain::limits::JWT_KEYS_TRIED_MAX;
use serde_json::{Map, Value, json};

use super::JoseError;
use super::compact::Compact;
use super::public::VerifyingKey;

/// Public keys, the newest first.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    /// The keys.
    pub keys: Vec<VerifyingKey>,
}

/// What a verified token's header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `typ`.
    pub typ: Option<String>,
    /// `alg`.
    pub alg: SigningAlgorithm,
    /// `kid`.
    pub kid: Option<String>,
}

/// A token whose signature is good. What it claims is yet to be checked: [`super::Expect`].
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Its header.
    pub header: Header,
    /// Its claims.
    pub claims: Map<String, Value>,
}

impl KeySet {
    /// A set of these keys.
    pub fn new(keys: Vec<VerifyingKey>) -> Self {
        Self { keys }
    }

    /// Reads a JWK Set; keys of kinds that are not used here are left out (RFC 7517 §5).
    ///
    /// # Errors
    /// [`JoseError::KeyRejected`] where there is no list of keys.
    pub fn from_jwks(jwks: &Value) -> Result<Self, JoseError> {
        let list = jwks.get("keys").and_then(Value::as_array).ok_or(JoseError::KeyRejected)?;
        Ok(Self { keys: list.iter().filter_map(|jwk| VerifyingKey::from_jwk(jwk).ok()).collect() })
    }

    /// The JWK Set.
    pub fn to_jwks(&self) -> Value {
        json!({"keys": self.keys.iter().map(VerifyingKey::jwk).collect::<Vec<_>>()})
    }

    /// Verifies the signature of a token in compact form.
    ///
    /// # Errors
    /// [`JoseError::TooLarge`], [`JoseError::Malformed`], [`JoseError::UnsupportedAlgorithm`],
    /// [`JoseError::UnknownKey`] or [`JoseError::BadSignature`].
    pub fn verify(&self, jwt: &str) -> Result<Verified, JoseError> {
        let token = Compact::of(jwt)?;
        let alg = SigningAlgorithm::parse(&token.header.alg).ok_or(JoseError::UnsupportedAlgorithm)?;
        let header = Header { typ: token.header.typ.clone(), alg, kid: token.header.kid.clone() };
        let signature = token.signature()?;
        let mut result = Err(JoseError::UnknownKey);
        for key in self.candidates(&header).take(JWT_KEYS_TRIED_MAX) {
            result = key.verify(token.signed(), &signature);
            if result.is_ok() {
                break;
            }
        }
        result?;
        Ok(Verified { header, claims: token.unproved_claims()? })
    }

    /// Keys that the header can mean: of its algorithm, and with its `kid` where it has one.
    fn candidates<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a VerifyingKey> {
        self.keys.iter().filter(|key| {
            key.algorithm() == header.alg && header.kid.as_deref().is_none_or(|kid| kid == key.kid())
        })
    }
}
