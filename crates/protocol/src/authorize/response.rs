//! Checks: the response type is `code`, the client may use it, and the response mode is one that is given here.
//!
//! Spec: RFC 6749 §3.1.1, OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode.

use domain::sign_in::{AuthorizationRequest, ResponseMode};

use super::Asked;
use crate::error::{OAuthError, OAuthErrorCode};

pub(super) fn check_type(asked: &Asked<'_>, _: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let response_type = asked.params.require("response_type")?;
    if response_type != "code" {
        return Err(OAuthError::new(
            OAuthErrorCode::UnsupportedResponseType,
            "Unsupported response type. Only response_type=code is supported",
        )
        .with_debug(format!("response_type {response_type:?}")));
    }
    if !asked.client.may_use("authorization_code") {
        return Err(OAuthError::new(
            OAuthErrorCode::UnauthorizedClient,
            "Grant type 'authorization_code' not allowed for the client.",
        ));
    }
    Ok(())
}

/// [`super::answer::mode`] has set the mode already; here an illegal name is refused.
pub(super) fn check_mode(asked: &Asked<'_>, _: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    match asked.params.get("response_mode") {
        None => Ok(()),
        Some(mode) if ResponseMode::parse(mode).is_some() => Ok(()),
        Some("web_message") => Err(OAuthError::invalid("response_mode web_message is not supported")),
        Some(_) => Err(OAuthError::invalid("response_mode must be query, fragment or form_post")),
    }
}
