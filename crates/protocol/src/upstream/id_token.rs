//! The ID token that a provider gives for a code: checked step by step, in the specification's own numbers.
//!
//! Spec: OIDC Core 1.0 §2, §3.1.3.7 and §3.1.3.8; OIDC Back-Channel Logout 1.0 §2.1 (`sid`).

use domain::key::SigningAlgorithm;
use domain::limits::{UPSTREAM_CLOCK_SKEW_SECONDS, UPSTREAM_ID_TOKEN_AGE_SECONDS_MAX};
use domain::secret::same;
use domain::time::Timestamp;
use serde_json::{Map, Value};

use super::{Refused, identifier};
use crate::id_token::at_hash;
use crate::jose::{KeySet, audiences, seconds};

/// What the token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// Who we are there.
    pub client_id: &'a str,
    /// Algorithms that were agreed on.
    pub algorithms: &'a [SigningAlgorithm],
    /// The nonce that was sent with the browser.
    pub nonce: &'a str,
    /// `max_age` of the request, in seconds.
    pub max_age_seconds: Option<i64>,
    /// Since when the user must have proved who they are, where the request asked them to do so anew.
    pub proved_since: Option<Timestamp>,
    /// The access token that came with it.
    pub access_token: Option<&'a str>,
    /// The time now.
    pub now: Timestamp,
}

/// A good token.
#[derive(Debug, Clone, PartialEq)]
pub struct IdToken {
    /// `sub`: 1 to 255 bytes.
    pub subject: String,
    /// `sid`: 1 to 255 bytes.
    pub sid: Option<String>,
    /// `iat`, by the provider's clock, in seconds.
    pub issued_at_s: i64,
    /// `session_expiry`: when the provider wants our session over at the latest.
    pub session_expires_at: Option<Timestamp>,
    /// Every claim.
    pub claims: Map<String, Value>,
}

impl Expect<'_> {
    /// Checks a token.
    ///
    /// # Errors
    /// [`Refused`]; `Refused::Jose(JoseError::UnknownKey)` where newer keys may help.
    pub fn check(&self, keys: &KeySet, token: &str) -> Result<IdToken, Refused> {
        // 1. Encryption was not asked for, so an encrypted token (five parts, RFC 7516 §3.1) is not ours.
        if token.split('.').count() == 5 {
            return Err(Refused::Encrypted);
        }
        // 6. The signature is checked whatever way the token came, and before a word of it is believed.
        // 8. No algorithm with a shared secret exists here, so no secret of ours can be taken for a key.
        let verified = keys.verify(token)?;
        let claims = verified.claims;
        // 7. The algorithm is one that was agreed on.
        if !self.algorithms.contains(&verified.header.alg) {
            return Err(Refused::Algorithm);
        }
        // 2. The issuer is exactly the one that was discovered.
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer) {
            return Err(Refused::Issuer);
        }
        // 3. The audience is us. Nobody else is trusted, so nobody else may be there (and 4., `azp` for several
        // audiences, has nothing left to say).
        if audiences(&claims).as_deref() != Some(&[self.client_id]) {
            return Err(Refused::Audience);
        }
        // 5. Where the token names the client that it was made for, that is us.
        if claims.get("azp").is_some_and(|azp| azp.as_str() != Some(self.client_id)) {
            return Err(Refused::AuthorizedParty);
        }
        // 9. It has not expired.
        let now_s = self.now.as_seconds();
        let expires_at_s = seconds(&claims, "exp")?.ok_or(Refused::Member("exp"))?;
        if now_s >= expires_at_s.saturating_add(UPSTREAM_CLOCK_SKEW_SECONDS) {
            return Err(Refused::Expired);
        }
        // 10. It was made just now.
        let issued_at_s = seconds(&claims, "iat")?.ok_or(Refused::Member("iat"))?;
        let oldest_s = now_s - UPSTREAM_ID_TOKEN_AGE_SECONDS_MAX - UPSTREAM_CLOCK_SKEW_SECONDS;
        if !(oldest_s..=now_s + UPSTREAM_CLOCK_SKEW_SECONDS).contains(&issued_at_s) {
            return Err(Refused::IssuedAt);
        }
        // 11. It repeats the nonce that went with this browser.
        let nonce = claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
        if nonce.is_empty() || !same(nonce.as_bytes(), self.nonce.as_bytes()) {
            return Err(Refused::Nonce);
        }
        // 12. `acr` is asked for as a wish only (§3.1.2.1, `acr_values`): an Action may look at it.
        // 13. The user proved who they are as recently as was asked for.
        self.check_auth_time(&claims)?;
        // §3.1.3.8: where the token names its access token, that is the one which came.
        if let (Some(access_token), Some(hash)) = (self.access_token, claims.get("at_hash"))
            && hash.as_str() != Some(&at_hash(access_token))
        {
            return Err(Refused::AccessTokenHash);
        }
        let session_expires_at = seconds(&claims, "session_expiry")?.map(Timestamp::from_seconds);
        if session_expires_at.is_some_and(|at| at <= self.now) {
            return Err(Refused::SessionOver);
        }
        let subject = identifier(&claims, "sub")?.ok_or(Refused::Member("sub"))?;
        let sid = identifier(&claims, "sid")?;
        Ok(IdToken { subject, sid, issued_at_s, session_expires_at, claims })
    }

    fn check_auth_time(&self, claims: &Map<String, Value>) -> Result<(), Refused> {
        let auth_time_s = seconds(claims, "auth_time")?;
        let earliest_s = |since_s: i64| since_s.saturating_sub(UPSTREAM_CLOCK_SKEW_SECONDS);
        if let Some(max_age) = self.max_age_seconds {
            let auth_time_s = auth_time_s.ok_or(Refused::Member("auth_time"))?;
            if auth_time_s < earliest_s(self.now.as_seconds().saturating_sub(max_age)) {
                return Err(Refused::AuthTime);
            }
        }
        if let (Some(since), Some(auth_time_s)) = (self.proved_since, auth_time_s)
            && auth_time_s < earliest_s(since.as_seconds())
        {
            return Err(Refused::AuthTime);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
