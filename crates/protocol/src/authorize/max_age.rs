//! Check: `max_age` is a whole number of seconds, zero or more.
//!
//! Spec: OIDC Core 1.0 §3.1.2.1.

use domain::sign_in::AuthorizationRequest;

use super::Asked;
use crate::error::OAuthError;

pub(super) fn check(asked: &Asked<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let Some(text) = asked.params.get("max_age") else { return Ok(()) };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<i64>() {
        Ok(seconds) if is_number => request.max_age_seconds = Some(seconds),
        _ => return Err(OAuthError::invalid("max_age must be a number of seconds, zero or more")),
    }
    Ok(())
}
