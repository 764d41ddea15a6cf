//! The assertion by which a client proves itself: a token that it made and signed with its private key.
//!
//! Spec: RFC 7523 §2.2 and §3, RFC 7521 §4.2, OIDC Core 1.0 §9 (`private_key_jwt`). Auth0: authenticate with private key
//! JWT. Not here: that an assertion is good once, for which somebody has to remember it.

use domain::client::Client;
use domain::client_credential::{AssertionAlgorithm, ClientCredential, CredentialKind, CredentialMethod};
use domain::limits::{
    CLIENT_ASSERTION_BYTES_MAX, CLIENT_ASSERTION_CLOCK_SKEW_SECONDS, CLIENT_ASSERTION_ID_CHARACTERS_MAX,
    CLIENT_ASSERTION_SECONDS_MAX,
};
use domain::time::Timestamp;
use serde_json::{Map, Value};

use crate::discovery::token_endpoint;
use crate::jose::{Compact, JoseError, RsaPublicKey, audiences, seconds};

/// The one `client_assertion_type` that is taken (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Why an assertion was refused. For the log: the client is told no more than that it did not prove itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is longer than an assertion may be.
    #[error("the assertion is longer than {CLIENT_ASSERTION_BYTES_MAX} bytes")]
    TooLong,
    /// The token itself is not good.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// The client proves itself otherwise.
    #[error("the client is not set up for private_key_jwt")]
    Method,
    /// No credential that counts has this `kid` and this algorithm.
    #[error("no enabled credential that has not expired has this kid and algorithm")]
    Credential,
    /// `iss` and `sub` are not both the client.
    #[error("iss and sub must both be the client_id")]
    Party,
    /// `aud` holds something other than the issuer and the token endpoint.
    #[error("aud must be the issuer or the token endpoint, and nothing else")]
    Audience,
    /// `exp` has passed.
    #[error("the assertion expired")]
    Expired,
    /// It is good for too long.
    #[error("the assertion is good for more than {CLIENT_ASSERTION_SECONDS_MAX} seconds")]
    Lifetime,
    /// `iat` or `nbf` lies ahead.
    #[error("iat or nbf lies ahead")]
    Early,
    /// `jti` is missing or too long.
    #[error("jti must be 1 to {CLIENT_ASSERTION_ID_CHARACTERS_MAX} characters")]
    Id,
}

/// A good assertion. It counts once: whoever takes it remembers it, or refuses it if it is remembered already.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Assertion {
    /// Its `jti`.
    pub id: String,
    /// Until when it has to be remembered.
    pub forget_at: Timestamp,
}

/// Who an assertion says that it is from (RFC 7521 §4.2.1: its subject is the client). Nothing is proved by it.
///
/// # Errors
/// [`Refused`] where the text is no token or names nobody.
pub fn claimed_client(assertion: &str) -> Result<String, Refused> {
    let claims = take_apart(assertion)?.unproved_claims()?;
    match claims.get("sub").and_then(Value::as_str) {
        Some(subject) if !subject.is_empty() => Ok(subject.to_owned()),
        _ => Err(Refused::Party),
    }
}

/// What an assertion must fit.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// The server, with the slash at its end.
    pub issuer: &'a str,
    /// The time now.
    pub now: Timestamp,
}

impl Expect<'_> {
    /// Checks the assertion of a client.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, client: &Client, assertion: &str) -> Result<Assertion, Refused> {
        let token = take_apart(assertion)?;
        // The algorithm is a property of the credential: the header only chooses among them.
        let algorithm =
            AssertionAlgorithm::parse(&token.header.alg).ok_or(JoseError::UnsupportedAlgorithm)?;
        let signature = token.signature()?;
        let mut verified = Err(Refused::Credential);
        for key in self.candidates(client, algorithm, token.header.kid.as_deref())? {
            verified = key.verify(algorithm, token.signed(), &signature).map_err(Refused::from);
            if verified.is_ok() {
                break;
            }
        }
        verified?;
        self.check_claims(client, &token.unproved_claims()?)
    }

    /// Enabled keys that have not expired, of this algorithm, and of this name where one is named: a few at most.
    fn candidates(
        &self,
        client: &Client,
        algorithm: AssertionAlgorithm,
        kid: Option<&str>,
    ) -> Result<Vec<RsaPublicKey>, Refused> {
        let method = client.authentication.as_ref();
        let method = method.filter(|method| method.method == CredentialMethod::PrivateKeyJwt);
        let enabled = &method.ok_or(Refused::Method)?.credentials;
        let live = |credential: &&ClientCredential| credential.is_live(self.now);
        let found = enabled.iter().filter_map(|id| client.credential(id)).filter(live);
        let fitting = found.filter_map(|credential| match &credential.kind {
            CredentialKind::PublicKey { kid: own, algorithm: known, n, e }
                if *known == algorithm && kid.is_none_or(|kid| kid == own) =>
            {
                Some(RsaPublicKey::from_members(n, e))
            }
            CredentialKind::PublicKey { .. }
            | CredentialKind::CertSubjectDn { .. }
            | CredentialKind::X509Cert { .. } => None,
        });
        fitting.map(|key| key.map_err(Refused::from)).collect()
    }

    /// RFC 7523 §3, in its order.
    fn check_claims(&self, client: &Client, claims: &Map<String, Value>) -> Result<Assertion, Refused> {
        let is_client = |name: &str| claims.get(name).and_then(Value::as_str) == Some(client.id.as_str());
        if !is_client("iss") || !is_client("sub") {
            return Err(Refused::Party);
        }
        // An assertion that is meant for others too could be used here by them.
        let token_endpoint = token_endpoint(self.issuer);
        let audiences = audiences(claims).ok_or(Refused::Audience)?;
        if !audiences.iter().all(|audience| *audience == self.issuer || *audience == token_endpoint) {
            return Err(Refused::Audience);
        }
        let now_s = self.now.as_seconds();
        let expires_at_s = seconds(claims, "exp")?.ok_or(JoseError::Claim("exp"))?;
        if now_s >= expires_at_s {
            return Err(Refused::Expired);
        }
        let ahead_s = now_s.saturating_add(CLIENT_ASSERTION_CLOCK_SKEW_SECONDS);
        let (issued_at_s, not_before_s) = (seconds(claims, "iat")?, seconds(claims, "nbf")?);
        if [issued_at_s, not_before_s].into_iter().flatten().any(|from| from > ahead_s) {
            return Err(Refused::Early);
        }
        let from_s = issued_at_s.unwrap_or(ahead_s).min(ahead_s);
        if expires_at_s.saturating_sub(from_s) > CLIENT_ASSERTION_SECONDS_MAX {
            return Err(Refused::Lifetime);
        }
        let id = claims.get("jti").and_then(Value::as_str).unwrap_or_default();
        if !(1..=CLIENT_ASSERTION_ID_CHARACTERS_MAX).contains(&id.chars().count()) {
            return Err(Refused::Id);
        }
        // A node whose clock is behind must still find it.
        let forget_at_s = expires_at_s.saturating_add(CLIENT_ASSERTION_CLOCK_SKEW_SECONDS);
        Ok(Assertion { id: id.to_owned(), forget_at: Timestamp::from_seconds(forget_at_s) })
    }
}

fn take_apart(assertion: &str) -> Result<Compact<'_>, Refused> {
    if assertion.len() > CLIENT_ASSERTION_BYTES_MAX {
        return Err(Refused::TooLong);
    }
    Ok(Compact::of(assertion)?)
}

#[cfg(test)]
mod tests;
