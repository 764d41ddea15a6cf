//! Check: the request comes as plain parameters; request objects are not taken, by value or by reference.
//!
//! Spec: OIDC Core 1.0 §6 and §3.1.2.6, RFC 9101 §5.

use domain::sign_in::AuthorizationRequest;

use super::Asked;
use crate::error::{OAuthError, OAuthErrorCode};

pub(super) fn check(asked: &Asked<'_>, _: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    if asked.params.get("request").is_some() {
        return Err(OAuthError::new(
            OAuthErrorCode::RequestNotSupported,
            "The request parameter is not supported",
        ));
    }
    if asked.params.get("request_uri").is_some() {
        return Err(OAuthError::new(
            OAuthErrorCode::RequestUriNotSupported,
            "The request_uri parameter is not supported",
        ));
    }
    Ok(())
}
