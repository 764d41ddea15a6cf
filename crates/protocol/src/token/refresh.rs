//! Whether a refresh token may be used, and for which scopes.
//!
//! Spec: RFC 6749 §6, RFC 9700 §4.14.2. Auth0: refresh token rotation.
//! Not here: ending the token's family on [`RefreshRefusal::Reused`]; the engine does it.

use domain::id::ClientId;
use domain::scope::Scopes;
use domain::time::{Timestamp, seconds};
use domain::token::RefreshToken;

use crate::error::{OAuthError, OAuthErrorCode};

/// Which of the record's tokens was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The one that is good now.
    Current,
    /// One before, within the client's leeway: an answer was lost on its way, or several requests were sent at once.
    Previous,
}

/// Why a refresh token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshRefusal {
    /// It was given to another client.
    #[error("the refresh token belongs to another client")]
    WrongClient,
    /// It was rotated away: somebody else may hold a copy, so its family must end.
    #[error("the refresh token was used before")]
    Reused,
    /// It is too old, or was idle for too long.
    #[error("the refresh token expired")]
    Expired,
}

/// Checks one use. `presented_hash` is the SHA-256 of the token, hexadecimal, by which the record was found.
///
/// # Errors
/// A [`RefreshRefusal`], which turns into an [`OAuthError`].
pub fn check(
    token: &RefreshToken,
    presented_hash: &str,
    client_id: &ClientId,
    leeway_seconds: i64,
    now: Timestamp,
) -> Result<Presented, RefreshRefusal> {
    if token.grant.client_id != *client_id {
        return Err(RefreshRefusal::WrongClient);
    }
    if token.ends_at().is_some_and(|end| now >= end) {
        return Err(RefreshRefusal::Expired);
    }
    if token.hash == presented_hash {
        return Ok(Presented::Current);
    }
    if token.is_within_leeway(presented_hash, seconds(leeway_seconds), now) {
        return Ok(Presented::Previous);
    }
    Err(RefreshRefusal::Reused)
}

/// The scopes of the new token: those asked for, which must all have been granted, else all that were granted.
///
/// # Errors
/// `invalid_scope` naming the first scope that was not granted.
pub fn narrow(granted: &Scopes, asked: Option<&Scopes>) -> Result<Scopes, OAuthError> {
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else { return Ok(granted.clone()) };
    match asked.iter().find(|scope| !granted.contains(scope)) {
        None => Ok(asked.clone()),
        Some(scope) => {
            let text = format!("The refresh token was not granted the scope {scope}");
            Err(OAuthError::new(OAuthErrorCode::InvalidScope, text))
        }
    }
}

impl From<RefreshRefusal> for OAuthError {
    fn from(refusal: RefreshRefusal) -> Self {
        unknown().with_debug(refusal.to_string())
    }
}

/// The answer to a refresh token that no record knows; the same as for one that expired or was used before.
pub fn unknown() -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidGrant, "Unknown or invalid refresh token.")
}

#[cfg(test)]
mod tests {
    use domain::metadata::SessionMetadata;
    use domain::scope::Scopes;
    use domain::session::Device;
    use domain::time::Timestamp;
    use domain::token::{Grant, RefreshToken, RetiredHash};
    use serde_json::Map;

    use super::{Presented, RefreshRefusal, check, narrow};

    fn token() -> RefreshToken {
        RefreshToken {
            id: "r".into(),
            hash: "new".into(),
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
            rotating: true,
            created_at: Timestamp(0),
            last_exchanged_at: None,
            idle_expires_at: Some(Timestamp(50_000)),
            expires_at: Some(Timestamp(90_000)),
            device: Device::default(),
            rotations: 0,
            previous: Some(RetiredHash { hash: "old".into(), at: Timestamp(10_000) }),
            earlier: vec![RetiredHash { hash: "older".into(), at: Timestamp(9_000) }],
            epoch: 0,
            metadata: SessionMetadata::default(),
        }
    }

    #[test]
    fn the_token_before_is_good_within_the_leeway_and_a_sign_of_theft_after_it() {
        for (hash, client, leeway, now, expect) in [
            ("new", "a", 0, 49_999, Ok(Presented::Current)),
            ("new", "a", 0, 50_000, Err(RefreshRefusal::Expired)),
            ("new", "b", 0, 0, Err(RefreshRefusal::WrongClient)),
            ("old", "a", 5, 14_999, Ok(Presented::Previous)),
            ("old", "a", 5, 15_000, Err(RefreshRefusal::Reused)),
            ("old", "a", 0, 10_000, Err(RefreshRefusal::Reused)),
            ("older", "a", 5, 13_999, Ok(Presented::Previous)),
            ("older", "a", 5, 14_000, Err(RefreshRefusal::Reused)),
            ("oldest", "a", 60, 10_000, Err(RefreshRefusal::Reused)),
        ] {
            assert_eq!(check(&token(), hash, &client.into(), leeway, Timestamp(now)), expect, "{hash} {now}");
        }
    }

    #[test]
    fn scopes_can_shrink_and_never_grow() {
        let granted = Scopes::parse("openid profile read:a");
        assert_eq!(narrow(&granted, None).unwrap(), granted);
        assert_eq!(narrow(&granted, Some(&Scopes::default())).unwrap(), granted);
        assert_eq!(narrow(&granted, Some(&Scopes::parse("read:a"))).unwrap().to_string(), "read:a");
        let error = narrow(&granted, Some(&Scopes::parse("read:a read:b"))).unwrap_err();
        assert_eq!(error.to_string(), "invalid_scope: The refresh token was not granted the scope read:b");
    }
}
