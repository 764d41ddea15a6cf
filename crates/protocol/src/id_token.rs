//! The claims of an ID token.
//!
//! Spec: OIDC Core 1.0 §2, §3.1.3.6 and §5.4; OIDC Back-Channel Logout 1.0 §2.1 (`sid`).
//! Auth0: tokens › ID token structure.

use domain::organization::Organization;
use domain::time::Timestamp;
use domain::token::Grant;
use domain::user::User;
use serde_json::{Map, Value, json};

use crate::jose::{base64url, sha256};
use crate::{custom_claims, userinfo};

/// The header's `typ`.
pub const TYP: &str = "JWT";

/// What Auth0 calls a sign-in with a second factor.
const ACR_MULTI_FACTOR: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";

/// What an ID token is made from.
#[derive(Debug, Clone)]
pub struct IdTokenInput<'a> {
    /// The server's issuer, with its trailing slash.
    pub issuer: &'a str,
    /// Who signed in.
    pub user: &'a User,
    /// What they granted, to whom, and in which session.
    pub grant: &'a Grant,
    /// The scopes of this token; those of the grant unless a refresh asked for fewer.
    pub scopes: &'a domain::scope::Scopes,
    /// The organization that they signed in to.
    pub organization: Option<&'a Organization>,
    /// The `nonce` of the authorization request.
    pub nonce: Option<&'a str>,
    /// The access token given beside it, where `at_hash` is wanted.
    pub access_token: Option<&'a str>,
    /// The time now.
    pub now: Timestamp,
    /// How long it is good, in seconds.
    pub ttl_seconds: i64,
}

/// Claims ready to be signed.
#[derive(Debug, Clone, PartialEq)]
pub struct IdTokenClaims {
    /// The claims.
    pub claims: Map<String, Value>,
    /// Custom claims that were dropped because their names are taken.
    pub dropped: Vec<String>,
}

/// Builds the claims.
pub fn claims(input: &IdTokenInput<'_>) -> IdTokenClaims {
    let (grant, now) = (input.grant, input.now.as_seconds());
    let mut claims = Map::new();
    userinfo::add(&mut claims, input.user, input.scopes);
    let dropped = custom_claims::add(&mut claims, &grant.id_token_claims, false);

    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", json!(input.issuer));
    put("sub", json!(grant.user_id.as_str()));
    put("aud", json!(grant.client_id.as_str()));
    put("iat", json!(now));
    put("exp", json!(now.saturating_add(input.ttl_seconds)));
    put("auth_time", json!(grant.authenticated_at.as_seconds()));
    if let Some(sid) = &grant.session_id {
        put("sid", json!(sid.as_str()));
    }
    if let Some(nonce) = input.nonce {
        put("nonce", json!(nonce));
    }
    if let Some(token) = input.access_token {
        put("at_hash", json!(at_hash(token)));
    }
    if grant.methods.iter().any(|method| method.name == "mfa") {
        put("amr", json!(["mfa"]));
        put("acr", json!(ACR_MULTI_FACTOR));
    }
    if let Some(organization) = input.organization {
        put("org_id", json!(organization.id.as_str()));
        put("org_name", json!(organization.name));
    } else if let Some(id) = &grant.organization_id {
        put("org_id", json!(id.as_str()));
    }
    IdTokenClaims { claims, dropped }
}

/// The left half of the access token's SHA-256 (OIDC Core 1.0 §3.1.3.6); both algorithms here use SHA-256.
pub fn at_hash(access_token: &str) -> String {
    base64url(&sha256(access_token.as_bytes())[..16])
}

#[cfg(test)]
mod tests {
    use domain::scope::Scopes;
    use domain::session::AuthenticationMethod;
    use domain::time::Timestamp;
    use domain::token::Grant;
    use serde_json::{Map, Value, json};

    use super::{IdTokenInput, at_hash, claims};
    use crate::userinfo::tests::ada;

    fn grant() -> Grant {
        Grant {
            client_id: "client".into(),
            user_id: "auth0|1".into(),
            session_id: Some("sid".into()),
            organization_id: None,
            scopes: Scopes::parse("openid email"),
            audience: None,
            authenticated_at: Timestamp(990_000),
            methods: Vec::new(),
            id_token_claims: Map::new(),
            access_token_claims: Map::new(),
        }
    }

    fn input<'a>(grant: &'a Grant, user: &'a domain::user::User) -> IdTokenInput<'a> {
        IdTokenInput {
            issuer: "https://id.example/",
            user,
            grant,
            scopes: &grant.scopes,
            organization: None,
            nonce: Some("n"),
            access_token: None,
            now: Timestamp(1_000_500),
            ttl_seconds: 36_000,
        }
    }

    #[test]
    fn an_id_token_says_who_signed_in_when_and_in_which_session() {
        let (mut grant, user) = (grant(), ada());
        grant.id_token_claims.insert("https://x.example/plan".into(), json!("gold"));
        grant.id_token_claims.insert("sid".into(), json!("forged"));
        let built = claims(&input(&grant, &user));
        assert_eq!(built.dropped, ["sid"]);
        assert_eq!(
            Value::Object(built.claims),
            json!({
                "iss": "https://id.example/",
                "sub": "auth0|1",
                "aud": "client",
                "iat": 1000,
                "exp": 37_000,
                "auth_time": 990,
                "sid": "sid",
                "nonce": "n",
                "email": "ada@example.com",
                "email_verified": true,
                "https://x.example/plan": "gold",
            })
        );
    }

    #[test]
    fn a_second_factor_shows_in_amr_and_acr() {
        let (mut grant, user) = (grant(), ada());
        let method =
            AuthenticationMethod { name: "mfa".into(), at: Timestamp(0), factor: Some("otp".into()) };
        grant.methods.push(method);
        grant.organization_id = Some("org_1".into());
        let built = claims(&input(&grant, &user)).claims;
        assert_eq!(built["amr"], json!(["mfa"]));
        assert!(built["acr"].as_str().unwrap().ends_with("multi-factor"));
        assert_eq!(built["org_id"], "org_1");
    }

    #[test]
    fn the_example_hash_of_the_specification_is_reproduced() {
        // OIDC Core 1.0 appendix A.4.
        assert_eq!(at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
