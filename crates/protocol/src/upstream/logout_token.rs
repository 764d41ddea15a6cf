//! The logout token that a provider posts to us: checked step by step, in the specification's own numbers.
//!
//! Spec: OIDC Back-Channel Logout 1.0 §2.4 and §2.6. That a token is not heard twice (step 8) is for whoever can
//! remember: the token's name and end are handed back.

use domain::key::SigningAlgorithm;
use domain::limits::{
    UPSTREAM_CLOCK_SKEW_SECONDS, UPSTREAM_IDENTIFIER_BYTES_MAX, UPSTREAM_LOGOUT_TOKEN_SECONDS_MAX,
};
use domain::time::Timestamp;
use serde_json::Value;

use super::{Refused, identifier};
use crate::jose::{KeySet, audiences, seconds};
use crate::logout_token::EVENT;

/// The types that a header may name. The first is what the specification recommends; many send the second or none.
const TYPES: [&str; 3] = ["logout+jwt", "application/logout+jwt", "jwt"];

/// What the token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// Who we are there.
    pub client_id: &'a str,
    /// Algorithms that were agreed on.
    pub algorithms: &'a [SigningAlgorithm],
    /// The time now.
    pub now: Timestamp,
}

/// A good token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutToken {
    /// What ended.
    pub ended: Ended,
    /// `jti`: the token's name.
    pub id: String,
    /// `iat`, by the provider's clock, in seconds.
    pub issued_at_s: i64,
    /// From when on it is not good any more, clocks that differ allowed for.
    pub forget_at: Timestamp,
}

/// What ended at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// One session (`sid`); with its `sub`, if the token says whose.
    Session {
        /// `sid`.
        sid: String,
        /// `sub`.
        subject: Option<String>,
    },
    /// All sessions of a `sub`.
    Subject(String),
}

impl Expect<'_> {
    /// Checks a token.
    ///
    /// # Errors
    /// [`Refused`]; `Refused::Jose(JoseError::UnknownKey)` where newer keys may help.
    pub fn check(&self, keys: &KeySet, token: &str) -> Result<LogoutToken, Refused> {
        // 1. Encryption was not asked for.
        if token.split('.').count() == 5 {
            return Err(Refused::Encrypted);
        }
        // 2. The signature is good, by a key of the provider's.
        let verified = keys.verify(token)?;
        let claims = verified.claims;
        let typ = verified.header.typ.as_deref();
        if typ.is_some_and(|typ| !TYPES.contains(&typ.to_ascii_lowercase().as_str())) {
            return Err(Refused::Member("typ"));
        }
        // 3. The algorithm is one that was agreed on; `none` is not even known here.
        if !self.algorithms.contains(&verified.header.alg) {
            return Err(Refused::Algorithm);
        }
        // 4. `iss`, `aud`, `iat` and `exp` as in an ID token.
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer) {
            return Err(Refused::Issuer);
        }
        if !audiences(&claims).is_some_and(|all| all.contains(&self.client_id)) {
            return Err(Refused::Audience);
        }
        let now_s = self.now.as_seconds();
        let issued_at_s = seconds(&claims, "iat")?.ok_or(Refused::Member("iat"))?;
        let expires_at_s = seconds(&claims, "exp")?.ok_or(Refused::Member("exp"))?;
        if now_s >= expires_at_s.saturating_add(UPSTREAM_CLOCK_SKEW_SECONDS) {
            return Err(Refused::Expired);
        }
        // For no longer than a name can be remembered.
        let is_possible = issued_at_s <= now_s + UPSTREAM_CLOCK_SKEW_SECONDS
            && expires_at_s.saturating_sub(issued_at_s) <= UPSTREAM_LOGOUT_TOKEN_SECONDS_MAX;
        if !is_possible {
            return Err(Refused::IssuedAt);
        }
        // 5. It says what ended: a session, a subject, or both.
        let (sid, subject) = (identifier(&claims, "sid")?, identifier(&claims, "sub")?);
        let ended = match (sid, subject) {
            (Some(sid), subject) => Ended::Session { sid, subject },
            (None, Some(subject)) => Ended::Subject(subject),
            (None, None) => return Err(Refused::Member("sid")),
        };
        // 6. It is a logout token: the event is there, with a JSON object.
        if !claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object) {
            return Err(Refused::Member("events"));
        }
        // 7. There is no nonce, or an ID token could be passed off as this.
        if claims.contains_key("nonce") {
            return Err(Refused::Nonce);
        }
        // 8. It has a name, by which a second hearing is noticed.
        let id = claims.get("jti").and_then(Value::as_str).unwrap_or_default();
        if !(1..=UPSTREAM_IDENTIFIER_BYTES_MAX).contains(&id.len()) {
            return Err(Refused::Member("jti"));
        }
        let forget_at = Timestamp::from_seconds(expires_at_s.saturating_add(UPSTREAM_CLOCK_SKEW_SECONDS));
        Ok(LogoutToken { ended, id: id.to_owned(), issued_at_s, forget_at })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use domain::key::SigningAlgorithm;
    use domain::time::Timestamp;
    use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
    use serde_json::{Value, json};

    use super::{Ended, Expect, LogoutToken};
    use crate::jose::{JoseError, SigningKey, base64url};
    use crate::logout_token::EVENT;
    use crate::upstream::Refused;

    const NOW_S: i64 = 1_000_000;

    fn key() -> &'static SigningKey {
        static KEY: OnceLock<SigningKey> = OnceLock::new();
        KEY.get_or_init(|| SigningKey::generate(SigningAlgorithm::Es256).unwrap())
    }

    fn claims() -> Value {
        json!({
            "iss": "https://up.example/", "aud": "us", "sub": "ada", "sid": "s1", "jti": "j", "iat": NOW_S,
            "exp": NOW_S + 120, "events": {EVENT: {}},
        })
    }

    fn check(typ: &str, change: impl FnOnce(&mut Value)) -> Result<LogoutToken, Refused> {
        let mut claims = claims();
        change(&mut claims);
        let expect = Expect {
            issuer: "https://up.example/",
            client_id: "us",
            algorithms: &[SigningAlgorithm::Es256],
            now: Timestamp::from_seconds(NOW_S),
        };
        expect.check(&key().key_set(), &key().sign(typ, &claims))
    }

    fn without(name: &str) -> impl FnOnce(&mut Value) {
        move |claims| drop(claims.as_object_mut().unwrap().remove(name))
    }

    #[test]
    fn a_good_token_tells_which_session_ended_or_whose_sessions() {
        for typ in ["logout+jwt", "JWT", "application/logout+jwt"] {
            let token = check(typ, |_| {}).unwrap();
            let ended = Ended::Session { sid: "s1".into(), subject: Some("ada".into()) };
            assert_eq!((token.ended, token.id.as_str()), (ended, "j"));
            assert_eq!(token.forget_at, Timestamp::from_seconds(NOW_S + 180));
        }
        assert_eq!(check("JWT", without("sid")).unwrap().ended, Ended::Subject("ada".into()));
        let ended = Ended::Session { sid: "s1".into(), subject: None };
        assert_eq!(check("JWT", without("sub")).unwrap().ended, ended);
        assert!(check("JWT", |claims| claims["aud"] = json!(["them", "us"])).is_ok());
    }

    #[test]
    fn each_claim_that_is_not_as_it_must_be_is_refused() {
        let cases = [
            ("iss", json!("https://evil.example/"), Refused::Issuer),
            ("aud", json!("them"), Refused::Audience),
            ("aud", json!([]), Refused::Audience),
            ("exp", json!(NOW_S - 60), Refused::Expired),
            ("exp", json!(NOW_S + 86_401), Refused::IssuedAt),
            ("iat", json!(NOW_S + 61), Refused::IssuedAt),
            ("iat", json!(i64::MIN), Refused::IssuedAt),
            ("iat", json!("now"), Refused::Jose(JoseError::Claim("iat"))),
            ("sid", json!(""), Refused::Member("sid")),
            ("sub", json!(1), Refused::Member("sub")),
            ("events", json!({}), Refused::Member("events")),
            ("events", json!([EVENT]), Refused::Member("events")),
            ("events", json!({EVENT: true}), Refused::Member("events")),
            ("nonce", json!("n"), Refused::Nonce),
            ("nonce", Value::Null, Refused::Nonce),
            ("jti", json!(""), Refused::Member("jti")),
            ("jti", json!("x".repeat(256)), Refused::Member("jti")),
        ];
        for (name, value, refused) in cases {
            let got = check("JWT", |claims| claims[name] = value.clone());
            assert_eq!(got.unwrap_err(), refused, "{name} {value}");
        }
        for name in ["iss", "aud", "exp", "iat", "events", "jti"] {
            assert!(check("JWT", without(name)).is_err(), "without {name}");
        }
        let neither = check("JWT", |claims| {
            without("sid")(claims);
            without("sub")(claims);
        });
        assert_eq!(neither.unwrap_err(), Refused::Member("sid"));
        assert_eq!(check("at+jwt", |_| {}).unwrap_err(), Refused::Member("typ"));
    }

    #[test]
    fn an_id_token_is_no_logout_token() {
        let id_token = json!({
            "iss": "https://up.example/", "aud": "us", "sub": "ada", "sid": "s1", "nonce": "n", "iat": NOW_S,
            "exp": NOW_S + 60,
        });
        assert!(check("JWT", |claims| *claims = id_token).is_err());
    }

    #[test]
    fn tokens_that_nobody_or_somebody_else_signed_are_refused() {
        let expect = Expect {
            issuer: "https://up.example/",
            client_id: "us",
            algorithms: &[SigningAlgorithm::Es256],
            now: Timestamp::from_seconds(NOW_S),
        };
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        for alg in ["none", "HS256", "RS512"] {
            let token = format!("{}.{}.", part(&json!({"alg": alg, "kid": key().kid()})), part(&claims()));
            let got = expect.check(&key().key_set(), &token).unwrap_err();
            assert_eq!(got, Refused::Jose(JoseError::UnsupportedAlgorithm), "{alg}");
        }
        let stranger = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let got = expect.check(&key().key_set(), &stranger.sign("logout+jwt", &claims())).unwrap_err();
        assert_eq!(got, Refused::Jose(JoseError::UnknownKey));
        assert_eq!(expect.check(&key().key_set(), "a.b.c.d.e").unwrap_err(), Refused::Encrypted);
        let rsa = Expect { algorithms: &[SigningAlgorithm::Rs256], ..expect };
        assert_eq!(
            rsa.check(&key().key_set(), &key().sign("JWT", &claims())).unwrap_err(),
            Refused::Algorithm
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn any_nonce_of_any_kind_is_refused(text in any::<String>(), number in any::<i64>()) {
            for nonce in [json!(text), json!(number), json!([text]), json!({"n": number})] {
                prop_assert!(check("logout+jwt", |claims| claims["nonce"] = nonce) == Err(Refused::Nonce));
            }
        }
    }
}
