//! Reads what only steers the pages: whom the client expects, which page comes first, in which language.
//!
//! Spec: OIDC Core 1.0 §3.1.2.1. Auth0: `/authorize` (`screen_hint`, `connection`, `organization`, `invitation`).

use domain::sign_in::AuthorizationRequest;

use super::Asked;
use crate::error::OAuthError;

pub(super) fn check(asked: &Asked<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let text = |name: &str| asked.params.get(name).map(str::to_owned);
    let list = |name: &str| -> Vec<String> {
        let words = asked.params.get(name).unwrap_or_default();
        words.split_ascii_whitespace().map(str::to_owned).collect()
    };
    request.login_hint = text("login_hint");
    request.screen_hint = text("screen_hint");
    request.connection = text("connection");
    request.organization = text("organization");
    request.invitation = text("invitation");
    request.ui_locales = list("ui_locales");
    request.acr_values = list("acr_values");
    Ok(())
}
