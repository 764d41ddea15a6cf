//! What a provider tells of a user, taken with care: text of a length, addresses that are addresses.
//!
//! Spec: OIDC Core 1.0 §5.1 (claims) and §5.3.2 (userinfo).

use domain::limits::UPSTREAM_PROFILE_CHARACTERS_MAX;
use domain::secret::same;
use domain::user::is_email;
use serde_json::{Map, Value, json};
use url::Url;

use super::{Refused, object};

/// Characters of a picture's URL.
const URL_CHARACTERS_MAX: usize = 2_048;

/// A profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Address.
    pub email: Option<String>,
    /// Whether the provider says that the user reads mail there.
    pub email_verified: bool,
    /// Full name.
    pub name: Option<String>,
    /// First name.
    pub given_name: Option<String>,
    /// Last name.
    pub family_name: Option<String>,
    /// Casual name; in its absence the name that the user goes by.
    pub nickname: Option<String>,
    /// URL of a picture.
    pub picture: Option<String>,
}

impl Profile {
    /// Takes what can be used from claims; what cannot is left out.
    pub fn of(claims: &Map<String, Value>) -> Self {
        let text = |name: &str| {
            let text = claims.get(name).and_then(Value::as_str).map(str::trim)?;
            let is_legal = !text.is_empty()
                && text.chars().count() <= UPSTREAM_PROFILE_CHARACTERS_MAX
                && !text.chars().any(char::is_control);
            is_legal.then(|| text.to_owned())
        };
        let email = text("email").filter(|email| is_email(email));
        let picture = claims.get("picture").and_then(Value::as_str).filter(|picture| {
            picture.len() <= URL_CHARACTERS_MAX
                && Url::parse(picture).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
        });
        Self {
            // Only the boolean counts: whoever writes it as text may write "false" as text too.
            email_verified: email.is_some() && claims.get("email_verified") == Some(&Value::Bool(true)),
            email,
            name: text("name"),
            given_name: text("given_name"),
            family_name: text("family_name"),
            nickname: text("nickname").or_else(|| text("preferred_username")),
            picture: picture.map(str::to_owned),
        }
    }

    /// As Auth0 writes it (`profileData`).
    pub fn to_map(&self) -> Map<String, Value> {
        let texts = [
            ("email", &self.email),
            ("name", &self.name),
            ("given_name", &self.given_name),
            ("family_name", &self.family_name),
            ("nickname", &self.nickname),
            ("picture", &self.picture),
        ];
        let mut map: Map<String, Value> = texts
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))))
            .collect();
        if self.email.is_some() {
            map.insert("email_verified".to_owned(), json!(self.email_verified));
        }
        map
    }
}

/// Whether the ID token says too little, so that the userinfo endpoint is worth a call.
pub fn is_thin(claims: &Map<String, Value>) -> bool {
    !claims.contains_key("email") || !claims.contains_key("name")
}

/// Adds what the userinfo endpoint answered to the claims of the ID token, which stand where both say something.
///
/// # Errors
/// [`Refused::Member`] where it is about somebody else (§5.3.2: `sub` must be the ID token's).
pub fn add_userinfo(
    claims: &mut Map<String, Value>,
    subject: &str,
    status: u16,
    body: &[u8],
) -> Result<(), Refused> {
    let answer = object(status, body)?;
    let is_about_them =
        answer.get("sub").and_then(Value::as_str).is_some_and(|sub| same(sub.as_bytes(), subject.as_bytes()));
    if !is_about_them {
        return Err(Refused::Member("sub"));
    }
    // An address and the word that it is verified belong together: never one from here and one from there.
    let has_email = claims.contains_key("email");
    for (name, value) in answer {
        if has_email && name == "email_verified" {
            continue;
        }
        claims.entry(name).or_insert(value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Profile, add_userinfo, is_thin};
    use crate::upstream::Refused;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn what_cannot_be_used_is_left_out() {
        let claims = map(json!({
            "email": "not an address", "email_verified": true, "name": " Ada ", "given_name": 1,
            "family_name": "x".repeat(301), "preferred_username": "ada", "picture": "javascript:alert(1)",
        }));
        let profile = Profile::of(&claims);
        let expect = Profile { name: Some("Ada".into()), nickname: Some("ada".into()), ..Profile::default() };
        assert_eq!(profile, expect);
    }

    #[test]
    fn an_address_is_verified_only_by_the_word_true() {
        for (verified, expect) in
            [(json!(true), true), (json!("true"), false), (json!(1), false), (Value::Null, false)]
        {
            let claims = map(json!({"email": "ada@example.com", "email_verified": verified}));
            assert_eq!(Profile::of(&claims).email_verified, expect, "{verified}");
        }
        assert!(!Profile::of(&map(json!({"email_verified": true}))).email_verified);
    }

    #[test]
    fn userinfo_adds_to_the_same_users_claims_and_replaces_none() {
        let mut claims = map(json!({"sub": "1", "email": "a@example.com"}));
        assert!(is_thin(&claims));
        let body = json!({"sub": "1", "email": "b@example.com", "email_verified": true, "name": "Ada"});
        add_userinfo(&mut claims, "1", 200, body.to_string().as_bytes()).unwrap();
        assert_eq!(
            Value::Object(claims.clone()),
            json!({"sub": "1", "email": "a@example.com", "name": "Ada"})
        );
        assert!(!is_thin(&claims));
        for other in [json!({"sub": "2"}), json!({}), json!({"sub": 1})] {
            let refused = add_userinfo(&mut claims, "1", 200, other.to_string().as_bytes());
            assert_eq!(refused, Err(Refused::Member("sub")));
        }
    }
}
