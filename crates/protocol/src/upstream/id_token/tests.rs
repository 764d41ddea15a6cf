//! ID tokens of a hostile provider, and of a man in the middle: each one is refused for its own reason.

use std::sync::OnceLock;

use domain::key::SigningAlgorithm;
use domain::time::Timestamp;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use serde_json::{Value, json};

use super::{Expect, IdToken};
use crate::id_token::at_hash;
use crate::jose::{JoseError, KeySet, SigningKey, base64url};
use crate::upstream::Refused;

const NOW_S: i64 = 1_000_000;

fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(SigningAlgorithm::Es256).unwrap())
}

fn claims() -> Value {
    json!({
        "iss": "https://up.example/", "aud": "us", "sub": "ada", "sid": "s1", "nonce": "n", "iat": NOW_S,
        "exp": NOW_S + 60, "auth_time": NOW_S - 100,
    })
}

fn expect() -> Expect<'static> {
    Expect {
        issuer: "https://up.example/",
        client_id: "us",
        algorithms: &[SigningAlgorithm::Rs256, SigningAlgorithm::Es256],
        nonce: "n",
        max_age_seconds: None,
        proved_since: None,
        access_token: None,
        now: Timestamp::from_seconds(NOW_S),
    }
}

fn check_changed(expect: &Expect<'_>, change: impl FnOnce(&mut Value)) -> Result<IdToken, Refused> {
    let mut claims = claims();
    change(&mut claims);
    expect.check(&key().key_set(), &key().sign("JWT", &claims))
}

#[test]
fn a_good_token_tells_who_signed_in_and_in_which_session() {
    let token = check_changed(&expect(), |claims| claims["session_expiry"] = json!(NOW_S + 5)).unwrap();
    assert_eq!((token.subject.as_str(), token.sid.as_deref()), ("ada", Some("s1")));
    assert_eq!(token.issued_at_s, NOW_S);
    assert_eq!(token.session_expires_at, Some(Timestamp::from_seconds(NOW_S + 5)));
    assert!(check_changed(&expect(), |claims| claims["azp"] = json!("us")).is_ok());
    assert!(check_changed(&expect(), |claims| claims["aud"] = json!(["us"])).is_ok());
    assert_eq!(
        check_changed(&expect(), |claims| drop(claims.as_object_mut().unwrap().remove("sid"))).unwrap().sid,
        None
    );
}

#[test]
fn each_claim_that_is_not_as_it_must_be_is_refused() {
    type Case<'a> = (&'a str, Value, Refused);
    let cases: [Case<'_>; 28] = [
        ("iss", json!("https://up.example"), Refused::Issuer),
        ("iss", json!("https://evil.example/"), Refused::Issuer),
        ("iss", Value::Null, Refused::Issuer),
        ("aud", json!("them"), Refused::Audience),
        ("aud", json!(["us", "them"]), Refused::Audience),
        ("aud", json!([]), Refused::Audience),
        ("aud", json!({"us": true}), Refused::Audience),
        ("azp", json!("them"), Refused::AuthorizedParty),
        ("azp", json!(["us"]), Refused::AuthorizedParty),
        ("exp", json!(NOW_S - 60), Refused::Expired),
        ("exp", json!("soon"), Refused::Jose(JoseError::Claim("exp"))),
        ("exp", Value::Null, Refused::Jose(JoseError::Claim("exp"))),
        ("iat", json!(NOW_S + 61), Refused::IssuedAt),
        ("iat", json!(NOW_S - 661), Refused::IssuedAt),
        ("iat", json!(i64::MIN), Refused::IssuedAt),
        ("iat", json!(1e300), Refused::IssuedAt),
        ("nonce", json!("m"), Refused::Nonce),
        ("nonce", json!(""), Refused::Nonce),
        ("nonce", json!(["n"]), Refused::Nonce),
        ("nonce", Value::Null, Refused::Nonce),
        ("auth_time", json!("now"), Refused::Jose(JoseError::Claim("auth_time"))),
        ("session_expiry", json!(NOW_S), Refused::SessionOver),
        ("session_expiry", json!("later"), Refused::Jose(JoseError::Claim("session_expiry"))),
        ("sub", json!(""), Refused::Member("sub")),
        ("sub", json!(7), Refused::Member("sub")),
        ("sub", json!("x".repeat(256)), Refused::Member("sub")),
        ("sid", json!(7), Refused::Member("sid")),
        ("sid", json!("x".repeat(256)), Refused::Member("sid")),
    ];
    for (name, value, refused) in cases {
        let got = check_changed(&expect(), |claims| claims[name] = value.clone());
        assert_eq!(got.unwrap_err(), refused, "{name} {value}");
    }
    for name in ["iss", "aud", "exp", "iat", "nonce", "sub"] {
        let got = check_changed(&expect(), |claims| drop(claims.as_object_mut().unwrap().remove(name)));
        assert!(got.is_err(), "without {name}");
    }
}

#[test]
fn clocks_may_differ_by_a_minute_and_no_more() {
    for (exp, iat, good) in [(-59, 60, true), (-60, 0, false), (60, 61, false), (60, -660, true)] {
        let got = check_changed(&expect(), |claims| {
            claims["exp"] = json!(NOW_S + exp);
            claims["iat"] = json!(NOW_S + iat);
        });
        assert_eq!(got.is_ok(), good, "exp {exp} iat {iat}");
    }
}

#[test]
fn a_proof_must_be_as_fresh_as_was_asked_for() {
    let aged = |seconds| Expect { max_age_seconds: Some(seconds), ..expect() };
    assert!(check_changed(&aged(40), |_| {}).is_ok());
    assert_eq!(check_changed(&aged(39), |_| {}).unwrap_err(), Refused::AuthTime);
    let without = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("auth_time"));
    assert_eq!(check_changed(&aged(1000), without).unwrap_err(), Refused::Member("auth_time"));
    let anew = |seconds| Expect { proved_since: Some(Timestamp::from_seconds(NOW_S - seconds)), ..expect() };
    assert!(check_changed(&anew(40), |_| {}).is_ok());
    assert_eq!(check_changed(&anew(39), |_| {}).unwrap_err(), Refused::AuthTime);
    assert!(check_changed(&anew(0), without).is_ok(), "a provider need not say when");
}

#[test]
fn an_access_token_must_be_the_one_that_the_id_token_names() {
    let with = Expect { access_token: Some("a"), ..expect() };
    assert!(check_changed(&with, |claims| claims["at_hash"] = json!(at_hash("a"))).is_ok());
    assert!(check_changed(&with, |_| {}).is_ok());
    for wrong in [json!(at_hash("b")), json!(1), json!("")] {
        let got = check_changed(&with, |claims| claims["at_hash"] = wrong.clone());
        assert_eq!(got.unwrap_err(), Refused::AccessTokenHash, "{wrong}");
    }
}

/// A token with a header and a signature of somebody's choice.
fn forged(header: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    format!("{}.{}.{}", part(header), part(&claims()), base64url(signature))
}

#[test]
fn tokens_that_nobody_or_somebody_else_signed_are_refused() {
    let kid = key().kid();
    let check = |token: &str| expect().check(&key().key_set(), token).unwrap_err();
    for alg in ["none", "None", "NONE", "HS256", "HS512", "RS512", "PS256", ""] {
        for signature in [&b""[..], b"secret"] {
            let token = forged(&json!({"alg": alg, "kid": kid}), signature);
            assert_eq!(check(&token), Refused::Jose(JoseError::UnsupportedAlgorithm), "{alg}");
        }
    }
    // HS256 keyed with our secret, or with the provider's public key as text: there is no such algorithm here.
    for secret in ["client secret".to_owned(), key().jwk().to_string()] {
        let header = json!({"alg": "HS256", "kid": kid});
        let signed = forged(&header, b"");
        let tag = aws_lc_rs::hmac::sign(
            &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes()),
            signed.trim_end_matches('.').as_bytes(),
        );
        let token = format!("{signed}{}", base64url(tag.as_ref()));
        assert_eq!(check(&token), Refused::Jose(JoseError::UnsupportedAlgorithm));
    }
    assert_eq!(
        check(&forged(&json!({"alg": "ES256", "kid": kid}), &[0; 64])),
        Refused::Jose(JoseError::BadSignature)
    );
    assert_eq!(
        check(&forged(&json!({"alg": "RS256", "kid": kid}), &[0; 256])),
        Refused::Jose(JoseError::UnknownKey)
    );
    let stranger = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    assert_eq!(check(&stranger.sign("JWT", &claims())), Refused::Jose(JoseError::UnknownKey));
    let own_key = json!({"alg": "ES256", "kid": stranger.kid(), "jwk": stranger.jwk()});
    assert_eq!(check(&forged(&own_key, &[1; 64])), Refused::Jose(JoseError::UnknownKey));
    assert_eq!(check("a.b.c.d.e"), Refused::Encrypted);
    assert_eq!(check(&"x".repeat(200_000)), Refused::Jose(JoseError::TooLarge));
}

#[test]
fn only_algorithms_that_were_agreed_on_are_taken() {
    let rsa_only = Expect { algorithms: &[SigningAlgorithm::Rs256], ..expect() };
    assert_eq!(check_changed(&rsa_only, |_| {}).unwrap_err(), Refused::Algorithm);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_other_nonce_audience_issuer_or_client_gets_through(text in any::<String>(), which in 0..4_usize) {
        let (name, good) = [("nonce", "n"), ("aud", "us"), ("iss", "https://up.example/"), ("azp", "us")][which];
        if text != good {
            prop_assert!(check_changed(&expect(), |claims| claims[name] = json!(text)).is_err());
        }
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in any::<String>()) {
        prop_assert!(expect().check(&key().key_set(), &text).is_err());
        prop_assert!(expect().check(&KeySet::default(), &key().sign("JWT", &claims())).is_err());
    }
}
