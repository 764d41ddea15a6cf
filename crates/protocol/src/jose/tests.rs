//! Tests of keys, signing and verifying, with the examples of the specifications.

use std::sync::OnceLock;

use domain::key::SigningAlgorithm;
use domain::time::Timestamp;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};

use super::{Expect, JoseError, KeySet, SigningKey, Verified, VerifyingKey, base64url};

// RFC 7638 §3.1.
const THUMBPRINT_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
const THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
// RFC 7515 appendix A.2.
const RS256_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RS256_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
// RFC 7515 appendix A.3.
const ES256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const ES256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const ES256_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn rsa() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(SigningAlgorithm::Rs256).unwrap())
}

fn ec() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(SigningAlgorithm::Es256).unwrap())
}

fn both() -> KeySet {
    KeySet::new(vec![rsa().verifying_key(), ec().verifying_key()])
}

/// A token whose header is `header`, signed as an attacker could: not at all, or with a key of theirs.
fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    format!("{}.{}.{}", part(header), part(claims), base64url(signature))
}

#[test]
fn the_thumbprint_of_the_specification_is_reproduced() {
    let jwk = json!({"kty": "RSA", "n": THUMBPRINT_N, "e": "AQAB", "alg": "RS256"});
    assert_eq!(VerifyingKey::from_jwk(&jwk).unwrap().kid(), THUMBPRINT);
    let named = json!({"kty": "RSA", "n": THUMBPRINT_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    assert_eq!(VerifyingKey::from_jwk(&named).unwrap().kid(), "2011-04-29");
}

#[test]
fn the_examples_of_the_specification_verify_and_each_only_with_its_own_key() {
    let jwks = json!({"keys": [
        {"kty": "RSA", "n": RS256_N, "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": ES256_X, "y": ES256_Y},
        {"kty": "oct", "k": "AAAA"},
    ]});
    let keys = KeySet::from_jwks(&jwks).unwrap();
    assert_eq!(keys.keys.len(), 2, "the shared secret is left out");
    for token in [RS256_TOKEN, ES256_TOKEN] {
        assert_eq!(keys.verify(token).unwrap().claims["iss"], "joe");
        assert_eq!(both().verify(token).unwrap_err(), JoseError::BadSignature);
    }
    assert_eq!(KeySet::default().verify(RS256_TOKEN).unwrap_err(), JoseError::UnknownKey);
}

#[test]
fn a_key_that_is_none_of_ours_is_refused() {
    for jwk in [
        json!({}),
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "RSA", "alg": "HS256", "n": RS256_N, "e": "AQAB"}),
        json!({"kty": "RSA", "use": "enc", "n": RS256_N, "e": "AQAB"}),
        json!({"kty": "RSA", "n": RS256_N, "e": ""}),
        json!({"kty": "EC", "crv": "P-384", "x": ES256_X, "y": ES256_Y}),
        json!({"kty": "EC", "crv": "P-256", "x": ES256_X, "y": ES256_X}),
        json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
    ] {
        assert_eq!(VerifyingKey::from_jwk(&jwk).unwrap_err(), JoseError::KeyRejected, "{jwk}");
    }
    assert!(KeySet::from_jwks(&json!({"keys": 1})).is_err());
}

#[test]
fn a_stored_key_is_the_same_key() {
    for key in [rsa(), ec()] {
        let stored = key.to_pkcs8().unwrap();
        let again = SigningKey::from_pkcs8(key.algorithm(), stored.expose()).unwrap();
        assert_eq!((again.kid(), again.jwk()), (key.kid(), key.jwk()));
        let token = again.sign("JWT", &json!({"a": 1}));
        assert_eq!(key.key_set().verify(&token).unwrap().claims["a"], 1);
        let other = match key.algorithm() {
            SigningAlgorithm::Rs256 => SigningAlgorithm::Es256,
            SigningAlgorithm::Es256 => SigningAlgorithm::Rs256,
        };
        assert_eq!(SigningKey::from_pkcs8(other, stored.expose()).unwrap_err(), JoseError::KeyRejected);
        assert_eq!(SigningKey::from_pkcs8(key.algorithm(), b"").unwrap_err(), JoseError::KeyRejected);
        assert!(!format!("{key:?}").contains(&base64url(stored.expose())));
    }
}

#[test]
fn a_jwk_holds_the_public_members_and_no_other() {
    let names = |jwk: &Value| jwk.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(names(&rsa().jwk()), "alg e kid kty n use");
    assert_eq!(names(&ec().jwk()), "alg crv kid kty use x y");
    assert_eq!(rsa().jwk()["e"], "AQAB");
    let again = KeySet::from_jwks(&both().to_jwks()).unwrap();
    assert_eq!(again.to_jwks(), both().to_jwks());
}

#[test]
fn a_token_names_its_algorithm_its_type_and_its_key() {
    for key in [rsa(), ec()] {
        for typ in ["JWT", "at+jwt", "logout+jwt", "other"] {
            let verified = both().verify(&key.sign(typ, &json!({"sub": "ü"}))).unwrap();
            assert_eq!(verified.header.alg, key.algorithm());
            assert_eq!(verified.header.typ.as_deref(), Some(typ));
            assert_eq!(verified.header.kid.as_deref(), Some(key.kid()));
            assert_eq!(Value::Object(verified.claims), json!({"sub": "ü"}));
        }
    }
}

#[test]
fn a_header_cannot_choose_another_algorithm_or_key() {
    let claims = json!({"sub": "1"});
    let rsa_kid = rsa().kid();
    for (header, expect) in [
        (json!({"alg": "none"}), JoseError::UnsupportedAlgorithm),
        (json!({"alg": "None", "kid": rsa_kid}), JoseError::UnsupportedAlgorithm),
        (json!({"alg": "", "kid": rsa_kid}), JoseError::UnsupportedAlgorithm),
        (json!({"alg": "HS256", "kid": rsa_kid}), JoseError::UnsupportedAlgorithm),
        (json!({"alg": "rs256", "kid": rsa_kid}), JoseError::UnsupportedAlgorithm),
        (json!({"alg": "ES256", "kid": rsa_kid}), JoseError::UnknownKey),
        (json!({"alg": "RS256", "kid": "other"}), JoseError::UnknownKey),
        (json!({"alg": "RS256", "kid": rsa_kid, "jwk": ec().jwk()}), JoseError::BadSignature),
        (
            json!({"alg": "RS256", "kid": rsa_kid, "crit": ["b64"], "b64": false}),
            JoseError::Malformed("header has critical members that are not understood"),
        ),
        (json!({"typ": "JWT"}), JoseError::Malformed("header is not a JOSE header")),
        (json!([]), JoseError::Malformed("header is not a JOSE header")),
    ] {
        let good_length = forged(&header, &claims, &[1; 256]);
        assert_eq!(both().verify(&good_length).unwrap_err(), expect, "{header}");
        let empty = forged(&header, &claims, &[]);
        assert_eq!(both().verify(&empty).unwrap_err(), expect, "{header}");
    }
}

#[test]
fn a_signature_of_one_key_does_not_pass_for_another_of_the_same_kind() {
    let stranger = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let token = stranger.sign("JWT", &json!({}));
    assert_eq!(both().verify(&token).unwrap_err(), JoseError::UnknownKey);
    let (_, rest) = token.split_once('.').unwrap();
    let header = base64url(json!({"alg": "ES256", "kid": ec().kid()}).to_string().as_bytes());
    assert_eq!(both().verify(&format!("{header}.{rest}")).unwrap_err(), JoseError::BadSignature);
}

#[test]
fn text_that_is_no_token_is_refused() {
    let good = ec().sign("JWT", &json!({"a": 1}));
    let list = {
        let text = ec().sign("JWT", &json!([1]));
        both().verify(&text).unwrap_err()
    };
    assert_eq!(list, JoseError::Malformed("claims are not an object"));
    for bad in ["", ".", "..", "a.b", &format!("{good}."), &format!("{good}="), &good.replace('.', "")] {
        assert!(matches!(both().verify(bad), Err(JoseError::Malformed(_))), "{bad}");
    }
    assert!(both().verify(&format!("x.{good}")).is_err());
    assert!(both().verify(&format!(" {good}")).is_err());
    assert_eq!(both().verify(&"a".repeat(160 * 1024 + 1)).unwrap_err(), JoseError::TooLarge);
}

fn expecting(change: impl FnOnce(&mut Expect<'_>), typ: &str, claims: Value) -> Result<(), JoseError> {
    let token: Verified = ec().key_set().verify(&ec().sign(typ, &claims)).unwrap();
    let mut expect = Expect {
        issuer: "https://id.example/",
        audience: Some("api"),
        now: Timestamp(1_000_000),
        leeway_s: 0,
        typ: None,
        ignore_expiry: false,
    };
    change(&mut expect);
    expect.check(&token)
}

#[test]
fn each_broken_expectation_has_its_own_name() {
    let good = || json!({"iss": "https://id.example/", "aud": "api", "exp": 1001});
    let with = |name: &str, value: Value| {
        let mut claims = good();
        claims[name] = value;
        claims
    };
    let plain = |claims: Value| expecting(|_| {}, "JWT", claims);
    assert_eq!(plain(good()), Ok(()));
    assert_eq!(plain(with("aud", json!(["x", "api"]))), Ok(()));
    assert_eq!(plain(with("exp", json!(1001.9))), Ok(()));
    assert_eq!(plain(with("nbf", json!(1000))), Ok(()));
    for (name, value, expect) in [
        ("iss", json!("https://id.example"), JoseError::Issuer),
        ("iss", json!(null), JoseError::Claim("iss")),
        ("aud", json!("apis"), JoseError::Audience),
        ("aud", json!([]), JoseError::Claim("aud")),
        ("aud", json!(["api", 1]), JoseError::Claim("aud")),
        ("exp", json!(1000), JoseError::Expired),
        ("exp", json!(-1), JoseError::Expired),
        ("exp", json!("1001"), JoseError::Claim("exp")),
        ("nbf", json!(1001), JoseError::NotYetValid),
    ] {
        assert_eq!(plain(with(name, value.clone())), Err(expect), "{name} {value}");
    }
    assert_eq!(plain(json!({"iss": "https://id.example/", "aud": "api"})), Err(JoseError::Claim("exp")));
    assert_eq!(expecting(|expect| expect.leeway_s = 1, "JWT", with("exp", json!(1000))), Ok(()));
    assert_eq!(expecting(|expect| expect.ignore_expiry = true, "JWT", with("exp", json!(1))), Ok(()));
    assert_eq!(expecting(|expect| expect.audience = None, "JWT", with("aud", json!("any"))), Ok(()));
    for (typ, is_good) in [("at+jwt", true), ("AT+JWT", true), ("application/at+jwt", true), ("JWT", false)] {
        let got = expecting(|expect| expect.typ = Some(&["at+jwt"]), typ, good());
        assert_eq!(got, if is_good { Ok(()) } else { Err(JoseError::Type) }, "{typ}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_signed_comes_back(name in "\\PC{0,30}", value in any::<String>(), number in any::<i64>()) {
        let mut claims = serde_json::Map::new();
        claims.insert(name, json!([value, number]));
        for key in [rsa(), ec()] {
            let verified = both().verify(&key.sign("JWT", &claims)).unwrap();
            prop_assert_eq!(&verified.claims, &claims);
        }
    }

    #[test]
    fn a_token_with_any_byte_changed_is_refused(at in any::<proptest::sample::Index>(), to in any::<char>()) {
        for key in [rsa(), ec()] {
            let token = key.sign("JWT", &json!({"sub": "auth0|1", "aud": ["a", "b"]}));
            let mut characters: Vec<char> = token.chars().collect();
            let at = at.index(characters.len());
            if characters[at] == to {
                continue;
            }
            characters[at] = to;
            let changed: String = characters.into_iter().collect();
            prop_assert!(both().verify(&changed).is_err(), "position {}", at);
        }
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in any::<String>(), parts in any::<[Vec<u8>; 3]>()) {
        prop_assert!(both().verify(&text).is_err());
        let [header, claims, signature] = parts.map(|part| base64url(&part));
        let joined = [header, claims, signature].join(".");
        prop_assert!(both().verify(&joined).is_err());
    }
}

#[test]
fn every_single_character_of_a_token_counts() {
    let token = ec().sign("JWT", &json!({"sub": "auth0|1"}));
    for at in 0..token.len() {
        let old = &token[at..=at];
        for new in ["A", "B", "_", "."] {
            if new != old {
                let changed = format!("{}{new}{}", &token[..at], &token[at + 1..]);
                assert!(both().verify(&changed).is_err(), "position {at}: {old} to {new}");
            }
        }
    }
}
