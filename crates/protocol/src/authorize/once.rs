//! Check: no parameter that has a meaning here repeats, and `state` and `nonce` have a bearable size.
//!
//! Spec: RFC 6749 §3.1, OIDC Core 1.0 §3.1.2.1.

use domain::limits::{NONCE_BYTES_MAX, STATE_BYTES_MAX};
use domain::sign_in::AuthorizationRequest;

use super::Asked;
use crate::error::OAuthError;

const NAMES: [&str; 23] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "response_mode",
    "nonce",
    "display",
    "prompt",
    "max_age",
    "ui_locales",
    "id_token_hint",
    "login_hint",
    "screen_hint",
    "acr_values",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "audience",
    "connection",
    "organization",
    "invitation",
];

pub(super) fn check(asked: &Asked<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    asked.params.check_once(&NAMES)?;
    let length = |name: &str| asked.params.get(name).map_or(0, str::len);
    if length("state") > STATE_BYTES_MAX {
        return Err(OAuthError::invalid(format!("state must be at most {STATE_BYTES_MAX} bytes long")));
    }
    if length("nonce") > NONCE_BYTES_MAX {
        return Err(OAuthError::invalid(format!("nonce must be at most {NONCE_BYTES_MAX} bytes long")));
    }
    request.nonce = asked.params.get("nonce").map(str::to_owned);
    Ok(())
}
