//! Public keys: from and to JWK, their thumbprint, and verifying one signature.
//!
//! Spec: RFC 7517 §4, RFC 7518 §6.2 and §6.3, RFC 7638 §3.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use domain::key::SigningAlgorithm;
use serde_json::{Value, json};

use super::JoseError;
use super::encode::{base64url, from_base64url, sha256};
use super::rsa::RsaPublicKey;

/// Bytes of one coordinate on P-256.
const COORDINATE_BYTES: usize = 32;
/// First byte of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

/// A public key that signatures are verified with, parsed once.
#[derive(Debug, Clone)]
pub struct VerifyingKey {
    algorithm: SigningAlgorithm,
    kid: String,
    jwk: Value,
    parsed: ParsedPublicKey,
}

impl VerifyingKey {
    /// Reads a JWK. A missing `kid` is replaced by the thumbprint; a missing `alg` follows from the key type.
    ///
    /// # Errors
    /// [`JoseError::KeyRejected`].
    pub fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| from_base64url(member(name).unwrap_or_default());
        let is_for_signing = member("use").is_none_or(|value| value == "sig");
        let algorithm = match (member("kty"), member("alg")) {
            (Some("RSA"), None | Some("RS256")) => SigningAlgorithm::Rs256,
            (Some("EC"), None | Some("ES256")) => SigningAlgorithm::Es256,
            _ => return Err(JoseError::KeyRejected),
        };
        let mut key = match algorithm {
            SigningAlgorithm::Rs256 => Self::rsa(&RsaPublicKey::new(&bytes("n")?, &bytes("e")?)?)?,
            SigningAlgorithm::Es256 if member("crv") == Some("P-256") => {
                Self::p256(&bytes("x")?, &bytes("y")?)?
            }
            SigningAlgorithm::Es256 => return Err(JoseError::KeyRejected),
        };
        if !is_for_signing {
            return Err(JoseError::KeyRejected);
        }
        if let Some(kid) = member("kid") {
            kid.clone_into(&mut key.kid);
            key.jwk["kid"] = json!(kid);
        }
        Ok(key)
    }

    /// An RSA key for RS256.
    pub(super) fn rsa(key: &RsaPublicKey) -> Result<Self, JoseError> {
        let parsed = key
            .components()
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| JoseError::KeyRejected)?;
        let kid = key.thumbprint();
        let jwk = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": key.n(), "e": key.e()});
        Ok(Self { algorithm: SigningAlgorithm::Rs256, kid, jwk, parsed })
    }

    /// A key on P-256 from its coordinates.
    pub(super) fn p256(x: &[u8], y: &[u8]) -> Result<Self, JoseError> {
        if x.len() != COORDINATE_BYTES || y.len() != COORDINATE_BYTES {
            return Err(JoseError::KeyRejected);
        }
        let point = [&[UNCOMPRESSED], x, y].concat();
        let parsed =
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| JoseError::KeyRejected)?;
        let (x, y) = (base64url(x), base64url(y));
        let kid = thumbprint(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
        let jwk =
            json!({"kty": "EC", "use": "sig", "alg": "ES256", "kid": kid, "crv": "P-256", "x": x, "y": y});
        Ok(Self { algorithm: SigningAlgorithm::Es256, kid, jwk, parsed })
    }

    /// A key on P-256 from its uncompressed point.
    pub(super) fn p256_point(point: &[u8]) -> Result<Self, JoseError> {
        match point.split_first() {
            Some((&UNCOMPRESSED, xy)) if xy.len() == 2 * COORDINATE_BYTES => {
                let (x, y) = xy.split_at(COORDINATE_BYTES);
                Self::p256(x, y)
            }
            _ => Err(JoseError::KeyRejected),
        }
    }

    /// What it verifies.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// Its name in headers.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its public form, as it stands in a key set.
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// Whether the signature belongs to the message.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        self.parsed.verify_sig(message, signature).map_err(|_| JoseError::BadSignature)
    }
}

/// The digest of the required members, sorted and without white space (RFC 7638 §3).
fn thumbprint(canonical: &str) -> String {
    base64url(&sha256(canonical.as_bytes()))
}
