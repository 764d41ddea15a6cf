//! Claims about the user, by scope; the body of `/userinfo`, and a part of the ID token.
//!
//! Spec: OIDC Core 1.0 §5.1, §5.3 and §5.4. Auth0: scopes › OpenID Connect scopes (`updated_at` is ISO 8601 text there,
//! where the specification has a number; its SDKs read text).

use domain::scope::Scopes;
use domain::user::User;
use serde_json::{Map, Value, json};

/// Claims about the user that the scopes let the client see. What is not known is left out.
pub fn claims(user: &User, scopes: &Scopes) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(user.id.as_str()));
    add(&mut claims, user, scopes);
    claims
}

/// Adds what the scopes `profile`, `email` and `phone` stand for.
pub(crate) fn add(claims: &mut Map<String, Value>, user: &User, scopes: &Scopes) {
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            claims.insert(name.to_owned(), value);
        }
    };
    let text = |value: &Option<String>| value.as_deref().filter(|text| !text.is_empty()).map(Value::from);
    if scopes.contains("profile") {
        put("name", text(&user.name));
        put("given_name", text(&user.given_name));
        put("family_name", text(&user.family_name));
        put("nickname", text(&user.nickname));
        put("preferred_username", text(&user.username));
        put("picture", text(&user.picture));
        put("updated_at", Some(json!(user.updated_at.to_string())));
    }
    if scopes.contains("email") && user.email.is_some() {
        put("email", text(&user.email));
        put("email_verified", Some(json!(user.email_verified)));
    }
    if scopes.contains("phone") && user.phone_number.is_some() {
        put("phone_number", text(&user.phone_number));
        put("phone_number_verified", Some(json!(user.phone_verified)));
    }
}

/// Claims that can appear here, for the metadata document.
pub const CLAIMS: [&str; 12] = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "nickname",
    "preferred_username",
    "picture",
    "updated_at",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
];

#[cfg(test)]
pub(crate) mod tests {
    use domain::scope::Scopes;
    use domain::time::Timestamp;
    use domain::user::User;
    use serde_json::{Map, Value, json};

    use super::{CLAIMS, claims};

    pub(crate) fn ada() -> User {
        User {
            id: "auth0|1".into(),
            email: Some("ada@example.com".into()),
            email_verified: true,
            username: None,
            phone_number: None,
            phone_verified: false,
            name: Some("Ada Lovelace".into()),
            given_name: None,
            family_name: None,
            nickname: Some("ada".into()),
            picture: None,
            blocked: false,
            identities: Vec::new(),
            user_metadata: Map::new(),
            app_metadata: Map::new(),
            password_hash: Some("$argon2id$secret".into()),
            created_at: Timestamp(0),
            updated_at: Timestamp(1_600_000_000_007),
            last_password_reset: None,
            last_login: None,
            last_ip: None,
            logins_count: 0,
            sessions_epoch: 0,
            tokens_epoch: 0,
            farewell: None,
            blocks_lifted_at: None,
        }
    }

    fn check(user: &User, scopes: &str, expect: Value) {
        let got = claims(user, &Scopes::parse(scopes));
        assert!(got.keys().all(|name| CLAIMS.contains(&name.as_str())));
        assert_eq!(Value::Object(got), expect, "{scopes}");
    }

    #[test]
    fn each_scope_shows_its_own_claims_and_unknown_ones_are_left_out() {
        let mut user = ada();
        check(&user, "openid", json!({"sub": "auth0|1"}));
        check(&user, "openid phone", json!({"sub": "auth0|1"}));
        check(
            &user,
            "openid profile email",
            json!({
                "sub": "auth0|1",
                "name": "Ada Lovelace",
                "nickname": "ada",
                "updated_at": "2020-09-13T12:26:40.007Z",
                "email": "ada@example.com",
                "email_verified": true,
            }),
        );
        user.phone_number = Some("+441234".into());
        check(
            &user,
            "phone",
            json!({"sub": "auth0|1", "phone_number": "+441234", "phone_number_verified": false}),
        );
    }
}
