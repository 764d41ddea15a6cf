//! Signed tokens: keys, signing, verifying, and what a token must say. The only folder that names the crypto crate.
//!
//! Spec: RFC 7515 (compact form), RFC 7517 and RFC 7638 (keys and their names), RFC 7518 §3.3 to §3.5 (RS256, ES256, and
//! for what clients sign RS384 and PS256), RFC 7519 (claims), RFC 8725 (what goes wrong with them). Not here: encrypted
//! tokens, and any algorithm with a shared secret.

mod compact;
mod der;
mod encode;
mod expect;
mod key;
mod key_set;
pub mod pem;
mod public;
mod rsa;

pub(crate) use compact::Compact;
pub use encode::{base64url, sha256};
pub use expect::Expect;
pub(crate) use expect::{audiences, seconds};
pub use key::SigningKey;
pub use key_set::{Header, KeySet, Verified};
pub use public::VerifyingKey;
pub use rsa::RsaPublicKey;

/// Why a token or a key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// The text is longer than a token may be.
    #[error("the token is too long")]
    TooLarge,
    /// The text is not a token in compact form; says what is wrong with it.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// The header names an algorithm that is not taken here, `none` among them.
    #[error("the algorithm is not supported")]
    UnsupportedAlgorithm,
    /// No key of the set has the token's `kid` and algorithm.
    #[error("the signing key is unknown")]
    UnknownKey,
    /// The signature does not belong to the content.
    #[error("the signature is invalid")]
    BadSignature,
    /// `exp` has passed.
    #[error("the token expired")]
    Expired,
    /// `nbf` lies ahead.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `aud` does not hold the one expected.
    #[error("the audience is another one")]
    Audience,
    /// `iss` is not the one expected.
    #[error("the issuer is another one")]
    Issuer,
    /// `typ` is not one of those expected.
    #[error("the token is of another type")]
    Type,
    /// A claim is missing or has the wrong type.
    #[error("the claim {0} is missing or has the wrong type")]
    Claim(&'static str),
    /// The key's bytes are not a key of the kind they should be.
    #[error("the key is malformed or not supported")]
    KeyRejected,
}

#[cfg(test)]
mod tests;
