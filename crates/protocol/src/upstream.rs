//! The other side of OpenID Connect: we are the client, and judge what another provider sends.
//!
//! | specification | module |
//! | --- | --- |
//! | OIDC Discovery 1.0 §3, §4.3 (what it says of itself) | [`discovery`] |
//! | OIDC Core 1.0 §3.1.2.1; RFC 6749 §4.1.2; RFC 9207 (its authorization endpoint) | [`authorization`] |
//! | RFC 6749 §2.3.1, §4.1.3, §4.1.4, §5 (its token endpoint) | [`exchange`] |
//! | OIDC Core 1.0 §3.1.3.7 (its ID token) | [`id_token`] |
//! | OIDC Core 1.0 §5.1, §5.3.2 (claims about the user) | [`profile`] |
//! | OIDC Back-Channel Logout 1.0 §2.6 (its logout token) | [`logout_token`] |

pub mod authorization;
pub mod discovery;
pub mod exchange;
pub mod id_token;
pub mod logout_token;
pub mod profile;

use domain::limits::UPSTREAM_IDENTIFIER_BYTES_MAX;
use serde_json::{Map, Value};

use crate::jose::JoseError;

/// Why something that a provider sent does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The token's form, key or signature is not good.
    #[error("{0}")]
    Jose(#[from] JoseError),
    /// The token is encrypted, which was not asked for.
    #[error("the token is encrypted")]
    Encrypted,
    /// Signed with an algorithm that was not agreed on.
    #[error("the token is signed with an algorithm that was not agreed on")]
    Algorithm,
    /// `iss` is another provider's.
    #[error("the issuer is another one")]
    Issuer,
    /// `aud` is not us, or not us alone.
    #[error("the token is not for us alone")]
    Audience,
    /// `azp` is another client.
    #[error("the token was made for another client")]
    AuthorizedParty,
    /// `exp` has passed.
    #[error("the token expired")]
    Expired,
    /// `iat` lies ahead of us, or too far behind.
    #[error("the token was made at a time that cannot be")]
    IssuedAt,
    /// `nonce` is not the one that was sent, or is there where it must not be.
    #[error("the nonce is not the right one")]
    Nonce,
    /// The user's proof is older than was asked for.
    #[error("the user did not prove who they are as recently as was asked for")]
    AuthTime,
    /// `at_hash` does not belong to the access token.
    #[error("the access token is not the one that the ID token was made with")]
    AccessTokenHash,
    /// `session_expiry` has passed.
    #[error("the session at the provider is over")]
    SessionOver,
    /// A claim or member is missing, or is not what it must be.
    #[error("{0} is missing or is not what it must be")]
    Member(&'static str),
    /// The answer's status says that it failed; with its `error`, where it has one.
    #[error("the provider refused: {0}")]
    Answer(String),
    /// The answer is not JSON.
    #[error("the answer is not a JSON object")]
    NotJson,
}

/// A JSON object, from an answer with a good status.
fn object(status: u16, body: &[u8]) -> Result<Map<String, Value>, Refused> {
    let parsed = serde_json::from_slice::<Map<String, Value>>(body);
    if !(200..300).contains(&status) {
        let code = parsed.ok().and_then(|object| object.get("error")?.as_str().map(legible));
        return Err(Refused::Answer(code.unwrap_or_else(|| format!("status {status}"))));
    }
    parsed.map_err(|_| Refused::NotJson)
}

/// Somebody else's text, as it may stand in an answer or a log of ours: short, and of the characters that RFC 6749
/// §4.1.2.1 allows in a description.
pub fn legible(text: &str) -> String {
    let legal = |character: &char| matches!(character, ' '..='~') && !matches!(character, '"' | '\\');
    text.chars().filter(legal).take(300).collect()
}

/// A `sub` or `sid`: text of a legal length.
fn identifier(claims: &Map<String, Value>, name: &'static str) -> Result<Option<String>, Refused> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if (1..=UPSTREAM_IDENTIFIER_BYTES_MAX).contains(&text.len()) => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(Refused::Member(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Refused, legible, object};

    #[test]
    fn what_others_write_is_shortened_and_cleaned() {
        assert_eq!(legible("a \"b\"\r\nc\\ü<"), "a bc<");
        assert_eq!(legible(&"x".repeat(1000)).len(), 300);
    }

    #[test]
    fn an_answer_counts_with_a_good_status_only() {
        assert_eq!(object(200, b"{\"a\":1}").unwrap()["a"], 1);
        assert_eq!(object(200, b"[]"), Err(Refused::NotJson));
        assert_eq!(
            object(400, b"{\"error\":\"invalid_grant\"}"),
            Err(Refused::Answer("invalid_grant".into()))
        );
        assert_eq!(object(302, b""), Err(Refused::Answer("status 302".into())));
    }
}
