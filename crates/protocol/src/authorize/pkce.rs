//! Check: a public client sends an S256 code challenge, and whoever sends one sends a legal one.
//!
//! Spec: RFC 7636 §4.2, §4.3 and §4.4.1, RFC 9700 §2.1.1.

use domain::sign_in::AuthorizationRequest;

use super::Asked;
use crate::error::OAuthError;
use crate::pkce::is_legal_challenge;

pub(super) fn check(asked: &Asked<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let challenge = asked.params.get("code_challenge");
    let method = asked.params.get("code_challenge_method");
    match (challenge, method) {
        (None, None) if asked.client.is_public() || asked.rules.pkce_for_all_clients => {
            Err(OAuthError::missing("code_challenge"))
        }
        (None, None) => Ok(()),
        (None, Some(_)) => Err(OAuthError::missing("code_challenge")),
        (Some(_), Some("S256")) if challenge.is_some_and(|text| !is_legal_challenge(text)) => {
            Err(OAuthError::invalid("code_challenge must be 43 characters of base64url"))
        }
        (Some(challenge), Some("S256")) => {
            request.code_challenge = Some(challenge.to_owned());
            Ok(())
        }
        // Without a method the specification means `plain`, which protects from nobody who can read the request.
        (Some(_), None | Some("plain")) => {
            Err(OAuthError::invalid("code_challenge_method plain is not supported; use S256"))
        }
        (Some(_), Some(_)) => Err(OAuthError::invalid("code_challenge_method must be S256")),
    }
}
