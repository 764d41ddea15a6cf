//! Reading a `scope` parameter.
//!
//! Spec: RFC 6749 §3.3.

use domain::limits::SCOPES_MAX;
use domain::scope::Scopes;

use crate::error::{OAuthError, OAuthErrorCode};

/// Reads the space-separated form.
///
/// # Errors
/// `invalid_scope` where a character is illegal or there are more than [`SCOPES_MAX`] scopes.
pub fn parse(text: &str) -> Result<Scopes, OAuthError> {
    let refused = |text: String| OAuthError::new(OAuthErrorCode::InvalidScope, text);
    let legal = |byte: u8| matches!(byte, b' ' | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if !text.bytes().all(legal) {
        return Err(refused("scope has a character that scopes cannot have".to_owned()));
    }
    if text.split_ascii_whitespace().take(SCOPES_MAX + 1).count() > SCOPES_MAX {
        return Err(refused(format!("More than {SCOPES_MAX} scopes")));
    }
    Ok(Scopes::parse(text))
}
