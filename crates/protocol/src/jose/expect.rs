//! What a verified token must say to be accepted.
//!
//! Spec: RFC 7519 §4.1, RFC 8725 §3.8, §3.9 and §3.11.

use domain::time::Timestamp;
use serde_json::{Map, Value};

use super::{JoseError, Verified};

/// Expectations on a token's claims and type.
#[derive(Debug, Clone)]
pub struct Expect<'a> {
    /// `iss`, exactly.
    pub issuer: &'a str,
    /// What `aud` must be, or hold; `None`: any, but it must be there.
    pub audience: Option<&'a str>,
    /// The time now.
    pub now: Timestamp,
    /// By how many seconds clocks may differ.
    pub leeway_s: i64,
    /// Types of which the header's `typ` must be one; `None`: any.
    pub typ: Option<&'a [&'a str]>,
    /// Whether `exp` may have passed, as in an `id_token_hint`.
    pub ignore_expiry: bool,
}

impl Expect<'_> {
    /// Checks a token whose signature is verified.
    ///
    /// # Errors
    /// [`JoseError::Type`], [`JoseError::Issuer`], [`JoseError::Audience`], [`JoseError::Expired`],
    /// [`JoseError::NotYetValid`] or [`JoseError::Claim`], in this order.
    pub fn check(&self, token: &Verified) -> Result<(), JoseError> {
        if let Some(types) = self.typ {
            let typ = token.header.typ.as_deref().unwrap_or_default();
            if !types.iter().any(|expected| is_same_type(typ, expected)) {
                return Err(JoseError::Type);
            }
        }
        let claims = &token.claims;
        match claims.get("iss").and_then(Value::as_str) {
            None => return Err(JoseError::Claim("iss")),
            Some(issuer) if issuer != self.issuer => return Err(JoseError::Issuer),
            Some(_) => {}
        }
        let audiences = audiences(claims).ok_or(JoseError::Claim("aud"))?;
        if self.audience.is_some_and(|expected| !audiences.contains(&expected)) {
            return Err(JoseError::Audience);
        }
        self.check_times(claims)
    }

    fn check_times(&self, claims: &Map<String, Value>) -> Result<(), JoseError> {
        let now = self.now.as_seconds();
        let expires_at = seconds(claims, "exp")?.ok_or(JoseError::Claim("exp"))?;
        if !self.ignore_expiry && now >= expires_at.saturating_add(self.leeway_s) {
            return Err(JoseError::Expired);
        }
        let not_before = seconds(claims, "nbf")?;
        if not_before.is_some_and(|from| now < from.saturating_sub(self.leeway_s)) {
            return Err(JoseError::NotYetValid);
        }
        Ok(())
    }
}

/// `aud` as a list; `None` where it is missing, empty or of another type.
pub(crate) fn audiences(claims: &Map<String, Value>) -> Option<Vec<&str>> {
    match claims.get("aud")? {
        Value::String(one) => Some(vec![one]),
        Value::Array(list) if !list.is_empty() => list.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// A NumericDate in whole seconds (RFC 7519 §2). A fraction is cut off.
pub(crate) fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, JoseError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float outside the range saturates, which is right for dates"
    )]
    let from_float =
        || value.as_f64().filter(|number| number.is_finite()).map(|number| number.floor() as i64);
    value.as_i64().or_else(from_float).map(Some).ok_or(JoseError::Claim(name))
}

/// Media types compare without case, and `application/` may be left out (RFC 7515 §4.1.9).
fn is_same_type(left: &str, right: &str) -> bool {
    let short = |typ: &str| typ.to_ascii_lowercase().trim_start_matches("application/").to_owned();
    short(left) == short(right)
}
