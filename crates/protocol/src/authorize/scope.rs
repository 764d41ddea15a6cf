//! Check: each scope is made of legal characters, and there are not too many. Reads `audience` beside it.
//!
//! Spec: RFC 6749 §3.3. Whether a scope exists is for the engine, which knows the API.

use domain::sign_in::AuthorizationRequest;

use super::Asked;
use crate::error::OAuthError;
use crate::token::scope;

pub(super) fn check(asked: &Asked<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    if let Some(text) = asked.params.get("scope") {
        request.scopes = scope::parse(text)?;
    }
    request.audience = asked.params.get("audience").map(str::to_owned);
    Ok(())
}
