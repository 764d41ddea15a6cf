//! Which scopes a client gets on its own behalf.
//!
//! Spec: RFC 6749 §4.4. Auth0: client grants.

use domain::grant::ClientGrant;
use domain::scope::Scopes;

use crate::error::{OAuthError, OAuthErrorCode};

/// The scopes of the token: those asked for, which must all be in the client grant, else all of it. `None` for
/// the grant means that the client may not use the API at all.
///
/// # Errors
/// `access_denied`, as Auth0 answers it.
pub fn scopes(
    audience: &str,
    grant: Option<&ClientGrant>,
    asked: Option<&Scopes>,
) -> Result<Scopes, OAuthError> {
    let denied = |text: String| OAuthError::new(OAuthErrorCode::AccessDenied, text);
    let Some(grant) = grant else {
        return Err(denied(format!("Client is not authorized to access \"{audience}\".")));
    };
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else { return Ok(grant.scopes.clone()) };
    let beyond = asked.only(|scope| !grant.scopes.contains(scope));
    if beyond.is_empty() {
        return Ok(asked.clone());
    }
    Err(denied(format!("Client has not been granted scopes: {beyond}")))
}

#[cfg(test)]
mod tests {
    use domain::grant::ClientGrant;
    use domain::scope::Scopes;
    use domain::time::Timestamp;
    use serde_json::Map;

    use super::scopes;

    #[test]
    fn a_client_gets_what_its_grant_holds_and_no_more() {
        let grant = ClientGrant {
            id: "cgr_1".into(),
            client_id: Some("a".into()),
            audience: "https://api".into(),
            scopes: Scopes::parse("read:a read:b"),
            kept: Map::new(),
            created_at: Timestamp(0),
        };
        let check = |grant: Option<&ClientGrant>, asked: Option<&str>, expect: Result<&str, &str>| {
            let asked = asked.map(Scopes::parse);
            let got = scopes("https://api", grant, asked.as_ref());
            let got = got.map(|scopes| scopes.to_string()).map_err(|error| error.to_string());
            assert_eq!(got, expect.map(str::to_owned).map_err(str::to_owned));
        };
        check(Some(&grant), None, Ok("read:a read:b"));
        check(Some(&grant), Some("read:b"), Ok("read:b"));
        check(
            Some(&grant),
            Some("read:b write:a write:b"),
            Err("access_denied: Client has not been granted scopes: write:a write:b"),
        );
        check(None, None, Err("access_denied: Client is not authorized to access \"https://api\"."));
    }
}
