//! Check: `prompt` holds known values, and `none` stands alone.
//!
//! Spec: OIDC Core 1.0 §3.1.2.1.

use domain::sign_in::{AuthorizationRequest, Prompt};

use super::Asked;
use crate::error::OAuthError;

pub(super) fn check(asked: &Asked<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let mut prompts = Vec::new();
    for name in asked.params.get("prompt").unwrap_or_default().split_ascii_whitespace() {
        let Some(prompt) = Prompt::parse(name) else {
            return Err(OAuthError::invalid("prompt must be none, login, consent or select_account")
                .with_debug(format!("prompt {name:?}")));
        };
        if !prompts.contains(&prompt) {
            prompts.push(prompt);
        }
    }
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(OAuthError::invalid("prompt none cannot be combined with another value"));
    }
    request.prompts = prompts;
    Ok(())
}
