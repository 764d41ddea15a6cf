//! Private keys: making, reading, and signing a token in compact form.
//!
//! Spec: RFC 7515 §5.1, RFC 7518 §3.3 and §3.4, RFC 5958 (how keys are stored).
//!
//! A key is parsed once and its headers are encoded once; signing then costs one buffer for the claims, one for
//! the token, and the signature itself. Randomness, where the algorithm needs it, is the crypto library's own.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use domain::key::SigningAlgorithm;
use domain::secret::Secret;
use serde::Serialize;
use serde_json::{Value, json};

use super::encode::{base64url, push_base64url};
use super::pem::rsa_public_key;
use super::public::VerifyingKey;
use super::{JoseError, KeySet};

/// Types of the tokens that are made here; their headers are encoded when a key is loaded.
const TYPES: [&str; 3] = ["JWT", "at+jwt", "logout+jwt"];
/// Bytes of the longest signature: RSA with the largest key that is accepted.
const SIGNATURE_BYTES_MAX: usize = 1024;

/// A private key with everything that signing needs, parsed once.
pub struct SigningKey {
    pair: Pair,
    public: VerifyingKey,
    /// Encoded headers, each with its trailing dot, in the order of [`TYPES`].
    headers: [String; TYPES.len()],
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({} {})", self.algorithm().as_str(), self.kid())
    }
}

impl SigningKey {
    /// Makes a key: RSA with 2048 bits, or P-256. RSA takes some hundred milliseconds of processor time.
    ///
    /// # Errors
    /// [`JoseError::KeyRejected`] where the crypto library fails.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, JoseError> {
        Self::new(match algorithm {
            SigningAlgorithm::Rs256 => Pair::Rsa(Box::new(
                RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| JoseError::KeyRejected)?,
            )),
            SigningAlgorithm::Es256 => Pair::P256(Box::new(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                    .map_err(|_| JoseError::KeyRejected)?,
            )),
        })
    }

    /// Reads a PKCS#8 key.
    ///
    /// # Errors
    /// [`JoseError::KeyRejected`] where the bytes are not a key for this algorithm.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, JoseError> {
        Self::new(match algorithm {
            SigningAlgorithm::Rs256 => {
                Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| JoseError::KeyRejected)?))
            }
            SigningAlgorithm::Es256 => Pair::P256(Box::new(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .map_err(|_| JoseError::KeyRejected)?,
            )),
        })
    }

    fn new(pair: Pair) -> Result<Self, JoseError> {
        let public = match &pair {
            Pair::Rsa(rsa) => VerifyingKey::rsa(&rsa_public_key(rsa.public_key().as_ref())?)?,
            Pair::P256(ec) => VerifyingKey::p256_point(ec.public_key().as_ref())?,
        };
        let headers = TYPES.map(|typ| header(typ, &public));
        Ok(Self { pair, public, headers })
    }

    /// The key as PKCS#8 bytes, to be sealed and stored.
    ///
    /// # Errors
    /// [`JoseError::KeyRejected`] where the crypto library fails.
    pub fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, JoseError> {
        match &self.pair {
            Pair::Rsa(rsa) => {
                let der: Pkcs8V1Der<'_> = rsa.as_der().map_err(|_| JoseError::KeyRejected)?;
                Ok(Secret::new(der.as_ref().to_vec()))
            }
            Pair::P256(ec) => {
                let der = ec.to_pkcs8v1().map_err(|_| JoseError::KeyRejected)?;
                Ok(Secret::new(der.as_ref().to_vec()))
            }
        }
    }

    /// What it signs with.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.public.algorithm()
    }

    /// Its name in headers: the thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    /// Its public form: `kty`, `use`, `alg`, `kid`, and `n`, `e` or `crv`, `x`, `y`.
    pub fn jwk(&self) -> Value {
        self.public.jwk().clone()
    }

    /// The key that verifies its signatures.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.public.clone()
    }

    /// A set of this key alone.
    pub fn key_set(&self) -> KeySet {
        KeySet::new(vec![self.verifying_key()])
    }

    /// Signs claims into a token in compact form with the header members `alg`, `typ` and `kid`.
    ///
    /// # Panics
    /// Where the claims cannot be JSON (a map whose keys are not text) or the crypto library fails on a key that it
    /// has accepted: both are bugs, not conditions.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> String {
        let payload = serde_json::to_vec(claims).expect("claims are JSON");
        let made_now;
        let header = match TYPES.iter().position(|known| *known == typ) {
            Some(index) => &self.headers[index],
            None => {
                made_now = header(typ, &self.public);
                &made_now
            }
        };
        let (mut buffer, length) = ([0; SIGNATURE_BYTES_MAX], self.signature_bytes());
        let encoded = |bytes: usize| bytes.div_ceil(3) * 4;
        let mut token = String::with_capacity(header.len() + encoded(payload.len()) + 1 + encoded(length));
        token.push_str(header);
        push_base64url(&mut token, &payload);
        self.sign_bytes(token.as_bytes(), &mut buffer[..length]);
        token.push('.');
        push_base64url(&mut token, &buffer[..length]);
        token
    }

    fn signature_bytes(&self) -> usize {
        match &self.pair {
            Pair::Rsa(rsa) => rsa.public_modulus_len(),
            Pair::P256(_) => 64,
        }
    }

    fn sign_bytes(&self, message: &[u8], signature: &mut [u8]) {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(rsa) => {
                rsa.sign(&RSA_PKCS1_SHA256, &random, message, signature).expect("an accepted RSA key signs")
            }
            Pair::P256(ec) => {
                let made = ec.sign(&random, message).expect("an accepted P-256 key signs");
                signature.copy_from_slice(made.as_ref());
            }
        }
    }
}

fn header(typ: &str, key: &VerifyingKey) -> String {
    let header = json!({"alg": key.algorithm().as_str(), "typ": typ, "kid": key.kid()});
    base64url(header.to_string().as_bytes()) + "."
}
