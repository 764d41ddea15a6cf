//! Whether an authorization code may be exchanged.
//!
//! Spec: RFC 6749 §4.1.2 and §4.1.3, RFC 7636 §4.6.
//! Not here: taking back what a code's first use gave; the engine does it on [`CodeRefusal::Reused`].

use domain::id::ClientId;
use domain::time::Timestamp;
use domain::token::AuthorizationCode;

use crate::error::{OAuthError, OAuthErrorCode};
use crate::pkce::{self, PkceError};

/// Why a code was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    /// It was given to another client.
    #[error("the code belongs to another client")]
    WrongClient,
    /// It was exchanged before: what it gave must be revoked.
    #[error("the code was used before")]
    Reused,
    /// It is too old.
    #[error("the code expired")]
    Expired,
    /// The redirect URI is not the one of the authorization request.
    #[error("the redirect_uri differs from the one of the authorization request")]
    RedirectUri,
    /// The request had a challenge and the exchange has no verifier.
    #[error("the code_verifier is missing")]
    VerifierMissing,
    /// The exchange has a verifier, but the request had no challenge (RFC 9700 §2.1.1: a downgrade).
    #[error("a code_verifier came, but the authorization request had no code_challenge")]
    VerifierUnasked,
    /// The verifier does not belong to the challenge.
    #[error("{0}")]
    Verifier(#[from] PkceError),
}

/// Checks one exchange. The client is checked first, so that a stranger who holds a code learns nothing of its
/// state and cannot make it count as reused.
///
/// A missing `redirect_uri` is taken only where a code challenge binds the code to its request.
///
/// # Errors
/// A [`CodeRefusal`], which turns into an [`OAuthError`].
pub fn check(
    code: &AuthorizationCode,
    redirect_uri: Option<&str>,
    code_verifier: Option<&str>,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<(), CodeRefusal> {
    if code.grant.client_id != *client_id {
        return Err(CodeRefusal::WrongClient);
    }
    if code.used.is_some() {
        return Err(CodeRefusal::Reused);
    }
    if now >= code.expires_at {
        return Err(CodeRefusal::Expired);
    }
    match redirect_uri {
        Some(uri) if uri != code.redirect_uri => return Err(CodeRefusal::RedirectUri),
        None if code.code_challenge.is_none() => return Err(CodeRefusal::RedirectUri),
        _ => {}
    }
    match (code.code_challenge.as_deref(), code_verifier) {
        (Some(challenge), Some(verifier)) => Ok(pkce::verify(verifier, challenge)?),
        (Some(_), None) => Err(CodeRefusal::VerifierMissing),
        (None, Some(_)) => Err(CodeRefusal::VerifierUnasked),
        (None, None) => Ok(()),
    }
}

impl From<CodeRefusal> for OAuthError {
    fn from(refusal: CodeRefusal) -> Self {
        let (code, description) = match refusal {
            CodeRefusal::WrongClient | CodeRefusal::Reused | CodeRefusal::Expired => {
                (OAuthErrorCode::InvalidGrant, "Invalid authorization code")
            }
            CodeRefusal::RedirectUri => {
                (OAuthErrorCode::InvalidGrant, "redirect_uri must be the one of the authorization request")
            }
            CodeRefusal::VerifierMissing => {
                (OAuthErrorCode::InvalidRequest, "Missing required parameter: code_verifier")
            }
            CodeRefusal::VerifierUnasked => (
                OAuthErrorCode::InvalidGrant,
                "code_verifier given, but the authorization request had no code_challenge",
            ),
            CodeRefusal::Verifier(PkceError::Malformed) => (
                OAuthErrorCode::InvalidRequest,
                "code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~",
            ),
            CodeRefusal::Verifier(PkceError::Mismatch) => {
                (OAuthErrorCode::InvalidGrant, "Failed to verify code verifier")
            }
        };
        Self::new(code, description).with_debug(refusal.to_string())
    }
}

/// The answer to a code that was never given, or is long forgotten; the same as for one that expired.
pub fn unknown() -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidGrant, "Invalid authorization code").with_debug("no such code")
}

#[cfg(test)]
mod tests {
    use domain::scope::Scopes;
    use domain::time::Timestamp;
    use domain::token::{AuthorizationCode, CodeUse, Grant};
    use serde_json::Map;

    use super::{CodeRefusal, check};
    use crate::error::OAuthError;
    use crate::pkce::{PkceError, challenge_of};

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const URI: &str = "https://rp.example/cb";

    fn code(with_challenge: bool) -> AuthorizationCode {
        AuthorizationCode {
            hash: "h".into(),
            grant: Grant {
                client_id: "a".into(),
                user_id: "auth0|1".into(),
                session_id: None,
                organization_id: None,
                scopes: Scopes::default(),
                audience: None,
                authenticated_at: Timestamp(0),
                methods: Vec::new(),
                id_token_claims: Map::new(),
                access_token_claims: Map::new(),
            },
            redirect_uri: URI.into(),
            nonce: None,
            code_challenge: with_challenge.then(|| challenge_of(VERIFIER)),
            expires_at: Timestamp(1000),
            forget_at: Timestamp(2000),
            used: None,
            refresh_token: domain::token::RefreshTokenWishes::default(),
        }
    }

    fn expect(
        code: &AuthorizationCode,
        given: (Option<&str>, Option<&str>, &str, i64),
        refusal: Option<CodeRefusal>,
    ) {
        let (uri, verifier, client, now) = given;
        let got = check(code, uri, verifier, &client.into(), Timestamp(now));
        assert_eq!(got.err(), refusal, "{given:?}");
    }

    #[test]
    fn a_code_is_good_once_for_its_client_its_uri_and_its_verifier() {
        let bound = code(true);
        let verifier = Some(VERIFIER);
        expect(&bound, (Some(URI), verifier, "a", 999), None);
        expect(&bound, (None, verifier, "a", 999), None);
        expect(&bound, (Some(URI), verifier, "a", 1000), Some(CodeRefusal::Expired));
        expect(&bound, (Some(URI), verifier, "b", 0), Some(CodeRefusal::WrongClient));
        expect(&bound, (Some("https://rp.example/cb/"), verifier, "a", 0), Some(CodeRefusal::RedirectUri));
        expect(&bound, (Some(URI), None, "a", 0), Some(CodeRefusal::VerifierMissing));
        let other = "x".repeat(43);
        expect(&bound, (Some(URI), Some(&other), "a", 0), Some(PkceError::Mismatch.into()));
        expect(&bound, (Some(URI), Some("x"), "a", 0), Some(PkceError::Malformed.into()));

        let loose = code(false);
        expect(&loose, (Some(URI), None, "a", 0), None);
        expect(&loose, (None, None, "a", 0), Some(CodeRefusal::RedirectUri));
        expect(&loose, (Some(URI), verifier, "a", 0), Some(CodeRefusal::VerifierUnasked));
    }

    #[test]
    fn a_used_code_is_told_apart_only_for_its_own_client() {
        let mut used = code(true);
        used.used = Some(CodeUse {
            at: Timestamp(1),
            access_token_jti: "j".into(),
            access_token_expires_at: Timestamp(2),
            refresh_token_id: None,
        });
        expect(&used, (Some(URI), Some(VERIFIER), "a", 5000), Some(CodeRefusal::Reused));
        expect(&used, (Some(URI), Some(VERIFIER), "b", 0), Some(CodeRefusal::WrongClient));
        let error = OAuthError::from(CodeRefusal::Reused);
        assert_eq!(error.to_string(), "invalid_grant: Invalid authorization code");
    }
}
