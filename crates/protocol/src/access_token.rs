//! The claims of an access token, in Auth0's own layout or in that of RFC 9068.
//!
//! Spec: RFC 9068 §2, RFC 6749 §3.3. Auth0: tokens › access token profiles.
//!
//! Both layouts carry a `jti`, also where Auth0's has none: a token that is revoked needs a name. A token for no API
//! is a JWT for `/userinfo` here, where Auth0's is opaque.

use domain::id::{ClientId, OrganizationId, SessionId, UserId};
use domain::resource_server::TokenDialect;
use domain::scope::Scopes;
use domain::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::custom_claims;

/// For whom a token speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A user.
    User(&'a UserId),
    /// The client itself: `<client_id>@clients`.
    Client,
}

/// The grant that a token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// A code.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// The client on its own behalf.
    ClientCredentials,
}

impl GrantKind {
    /// The `gty` claim of Auth0's layout; a code has none.
    pub const fn gty(self) -> Option<&'static str> {
        match self {
            Self::AuthorizationCode => None,
            Self::RefreshToken => Some("refresh_token"),
            Self::ClientCredentials => Some("client-credentials"),
        }
    }
}

/// What an access token is made from.
#[derive(Debug, Clone)]
pub struct AccessTokenInput<'a> {
    /// The server's issuer, with its trailing slash.
    pub issuer: &'a str,
    /// The API's identifier; `None`: only `/userinfo`.
    pub audience: Option<&'a str>,
    /// For whom it speaks.
    pub subject: Subject<'a>,
    /// Who carries it.
    pub client_id: &'a ClientId,
    /// What it allows.
    pub scopes: &'a Scopes,
    /// What the subject may do at an API that asks for it; told where the layout has a place for it.
    pub permissions: Option<Vec<String>>,
    /// The organization that the user signed in to.
    pub organization_id: Option<&'a OrganizationId>,
    /// The session that it is bound to: with it the token ends, where who takes it asks.
    pub session_id: Option<&'a SessionId>,
    /// Where it comes from.
    pub kind: GrantKind,
    /// Claims that Actions added.
    pub custom_claims: &'a Map<String, Value>,
    /// Whether the API is one of the server's own, which take only namespaced custom claims.
    pub is_system_api: bool,
    /// How it is laid out.
    pub dialect: TokenDialect,
    /// When the user proved who they are, where one did.
    pub authenticated_at: Option<Timestamp>,
    /// Its name, unique.
    pub jti: &'a str,
    /// The time now.
    pub now: Timestamp,
    /// How long it is good, in seconds.
    pub ttl_seconds: i64,
}

/// Claims ready to be signed.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessTokenClaims {
    /// The header's `typ`.
    pub typ: &'static str,
    /// The claims.
    pub claims: Map<String, Value>,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Custom claims that were dropped because their names are taken or not namespaced.
    pub dropped: Vec<String>,
}

/// The audience of `/userinfo`.
pub fn userinfo_audience(issuer: &str) -> String {
    format!("{issuer}userinfo")
}

/// Builds the claims.
pub fn claims(input: &AccessTokenInput<'_>) -> AccessTokenClaims {
    let now = input.now.as_seconds();
    let expires_at = now.saturating_add(input.ttl_seconds);
    let mut claims = Map::new();
    let dropped = custom_claims::add(&mut claims, input.custom_claims, input.is_system_api);

    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", json!(input.issuer));
    put("sub", json!(subject(input)));
    put("aud", audience(input));
    put("iat", json!(now));
    put("exp", json!(expires_at));
    put("jti", json!(input.jti));
    if !input.scopes.is_empty() {
        put("scope", json!(input.scopes.to_string()));
    }
    if let Some(id) = input.organization_id {
        put("org_id", json!(id.as_str()));
    }
    if let Some(id) = input.session_id {
        put("sid", json!(id.as_str()));
    }
    if let Some(permissions) = input.permissions.as_ref().filter(|_| input.dialect.has_permissions()) {
        put("permissions", json!(permissions));
    }
    let typ = match input.dialect {
        TokenDialect::AccessToken | TokenDialect::AccessTokenAuthz => {
            put("azp", json!(input.client_id.as_str()));
            if let Some(gty) = input.kind.gty() {
                put("gty", json!(gty));
            }
            "JWT"
        }
        TokenDialect::Rfc9068Profile | TokenDialect::Rfc9068ProfileAuthz => {
            put("client_id", json!(input.client_id.as_str()));
            if let Some(at) = input.authenticated_at {
                put("auth_time", json!(at.as_seconds()));
            }
            "at+jwt"
        }
    };
    AccessTokenClaims { typ, claims, expires_at: Timestamp::from_seconds(expires_at), dropped }
}

fn subject(input: &AccessTokenInput<'_>) -> String {
    match input.subject {
        Subject::User(id) => id.as_str().to_owned(),
        Subject::Client => format!("{}@clients", input.client_id),
    }
}

/// The API, and `/userinfo` beside it where the user's identity was asked for too.
fn audience(input: &AccessTokenInput<'_>) -> Value {
    let userinfo = userinfo_audience(input.issuer);
    match input.audience {
        None => json!(userinfo),
        Some(api) if api != userinfo && input.scopes.contains("openid") => json!([api, userinfo]),
        Some(api) => json!(api),
    }
}

#[cfg(test)]
mod tests {
    use domain::resource_server::TokenDialect;
    use domain::scope::Scopes;
    use domain::time::Timestamp;
    use serde_json::{Map, Value, json};

    use super::{AccessTokenInput, GrantKind, Subject, claims};

    fn check(
        change: impl FnOnce(&mut AccessTokenInput<'_>),
        scopes: &str,
        custom: Value,
        typ: &str,
        expect: Value,
    ) {
        let (client_id, user_id) = ("client".into(), "auth0|1".into());
        let (scopes, custom) = (Scopes::parse(scopes), custom.as_object().cloned().unwrap());
        let mut input = AccessTokenInput {
            issuer: "https://id.example/",
            audience: Some("https://api.example"),
            subject: Subject::User(&user_id),
            client_id: &client_id,
            scopes: &scopes,
            permissions: None,
            organization_id: None,
            session_id: None,
            kind: GrantKind::AuthorizationCode,
            custom_claims: &custom,
            is_system_api: false,
            dialect: TokenDialect::AccessToken,
            authenticated_at: Some(Timestamp(990_000)),
            jti: "j",
            now: Timestamp(1_000_999),
            ttl_seconds: 100,
        };
        change(&mut input);
        let built = claims(&input);
        assert_eq!(built.typ, typ);
        assert_eq!(built.expires_at, Timestamp(1_100_000));
        let mut whole = Map::from_iter([
            ("iss".to_owned(), json!("https://id.example/")),
            ("iat".to_owned(), json!(1000)),
            ("exp".to_owned(), json!(1100)),
            ("jti".to_owned(), json!("j")),
        ]);
        whole.extend(expect.as_object().cloned().unwrap());
        assert_eq!(built.claims, whole);
    }

    #[test]
    fn a_users_token_names_the_api_and_userinfo_where_identity_was_asked_for() {
        check(
            |_| {},
            "openid read:a",
            json!({"https://x.example/plan": "gold", "sub": "forged", "scope": "admin"}),
            "JWT",
            json!({
                "sub": "auth0|1",
                "aud": ["https://api.example", "https://id.example/userinfo"],
                "azp": "client",
                "scope": "openid read:a",
                "https://x.example/plan": "gold",
            }),
        );
        check(
            |input| input.audience = None,
            "openid",
            json!({}),
            "JWT",
            json!({"sub": "auth0|1", "aud": "https://id.example/userinfo", "azp": "client", "scope": "openid"}),
        );
    }

    #[test]
    fn a_clients_own_token_says_so() {
        check(
            |input| {
                input.subject = Subject::Client;
                input.kind = GrantKind::ClientCredentials;
                input.is_system_api = true;
            },
            "",
            json!({"plan": "gold"}),
            "JWT",
            json!({
                "sub": "client@clients",
                "aud": "https://api.example",
                "azp": "client",
                "gty": "client-credentials",
            }),
        );
    }

    #[test]
    fn the_standard_layout_has_client_id_and_another_type() {
        check(
            |input| {
                input.dialect = TokenDialect::Rfc9068Profile;
                input.kind = GrantKind::RefreshToken;
            },
            "read:a",
            json!({}),
            "at+jwt",
            json!({
                "sub": "auth0|1",
                "aud": "https://api.example",
                "client_id": "client",
                "scope": "read:a",
                "auth_time": 990,
            }),
        );
    }
}
