//! Tests of clients' assertions.

use std::sync::OnceLock;

use domain::client::Client;
use domain::client_credential::{
    AssertionAlgorithm, ClientCredential, CredentialAuthentication, CredentialKind, CredentialMethod,
};
use domain::key::SigningAlgorithm;
use domain::secret::Sealed;
use domain::time::Timestamp;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use serde_json::{Value, json};

use super::{Expect, Refused, claimed_client};
use crate::jose::{JoseError, SigningKey, base64url};

const ISSUER: &str = "https://id.example/";
const NOW_S: i64 = 1_800_000_000;
const EXPECT: Expect<'_> = Expect { issuer: ISSUER, now: Timestamp(NOW_S * 1000) };

fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(SigningAlgorithm::Rs256).unwrap())
}

fn stranger() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(SigningAlgorithm::Rs256).unwrap())
}

fn credential(id: &str, key: &SigningKey) -> ClientCredential {
    let jwk = key.jwk();
    let text = |name: &str| jwk[name].as_str().unwrap().to_owned();
    let kind = CredentialKind::PublicKey {
        kid: key.kid().to_owned(),
        algorithm: AssertionAlgorithm::Rs256,
        n: text("n"),
        e: text("e"),
    };
    let at = Timestamp(0);
    ClientCredential { id: id.into(), name: None, kind, expires_at: None, created_at: at, updated_at: at }
}

fn client() -> Client {
    let mut client = Client::new("robot".into(), "Robot", Sealed(String::new()), Timestamp(0));
    client.credentials = vec![credential("cred_1", key())];
    let credentials = vec!["cred_1".into()];
    client.authentication =
        Some(CredentialAuthentication { method: CredentialMethod::PrivateKeyJwt, credentials });
    client
}

fn claims() -> Value {
    json!({ "iss": "robot", "sub": "robot", "aud": ISSUER, "iat": NOW_S, "exp": NOW_S + 60, "jti": "once" })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn check(claims: &Value) -> Result<(), Refused> {
    let checked = EXPECT.check(&client(), &key().sign("JWT", claims));
    checked.map(|assertion| assert!(!assertion.id.is_empty()))
}

#[test]
fn a_good_assertion_is_taken_and_remembered_until_it_has_run_out() {
    let made = EXPECT.check(&client(), &key().sign("JWT", &claims())).unwrap();
    assert_eq!((made.id.as_str(), made.forget_at.as_seconds()), ("once", NOW_S + 70));
    for good in [
        with("aud", json!("https://id.example/oauth/token")),
        with("aud", json!([ISSUER, "https://id.example/oauth/token"])),
        with("iat", json!(NOW_S + 10)),
        with("nbf", json!(NOW_S + 10)),
        with("exp", json!(NOW_S + 300)),
        without("iat"),
        with("jti", json!("é".repeat(64))),
        with("more", json!({ "of": "it" })),
    ] {
        assert_eq!(check(&good), Ok(()), "{good}");
    }
    let mut late = without("iat");
    late["exp"] = json!(NOW_S + 310);
    assert_eq!(check(&late), Ok(()));
}

#[test]
fn each_claim_that_is_wrong_has_its_own_name() {
    for (bad, expect) in [
        (with("iss", json!("other")), Refused::Party),
        (with("sub", json!("other")), Refused::Party),
        (without("iss"), Refused::Party),
        (with("sub", json!(["robot"])), Refused::Party),
        (without("aud"), Refused::Audience),
        (with("aud", json!("https://id.example")), Refused::Audience),
        (with("aud", json!("https://id.example/oauth/token/")), Refused::Audience),
        (with("aud", json!([ISSUER, "https://other.example/"])), Refused::Audience),
        (with("aud", json!([])), Refused::Audience),
        (with("aud", json!([ISSUER, 1])), Refused::Audience),
        (with("exp", json!(NOW_S)), Refused::Expired),
        (with("exp", json!(NOW_S + 301)), Refused::Lifetime),
        (with("exp", json!(i64::MAX)), Refused::Lifetime),
        (without("exp"), Refused::Jose(JoseError::Claim("exp"))),
        (with("exp", json!("soon")), Refused::Jose(JoseError::Claim("exp"))),
        (with("iat", json!(NOW_S - 241)), Refused::Lifetime),
        (with("iat", json!(i64::MIN)), Refused::Lifetime),
        (with("iat", json!(NOW_S + 11)), Refused::Early),
        (with("nbf", json!(NOW_S + 11)), Refused::Early),
        (without("jti"), Refused::Id),
        (with("jti", json!("")), Refused::Id),
        (with("jti", json!("é".repeat(65))), Refused::Id),
        (with("jti", json!(1)), Refused::Id),
    ] {
        assert_eq!(check(&bad), Err(expect), "{bad}");
    }
    let mut late = without("iat");
    late["exp"] = json!(NOW_S + 311);
    assert_eq!(check(&late), Err(Refused::Lifetime));
}

#[test]
fn only_enabled_live_credentials_of_the_client_count() {
    let refused =
        |client: &Client, key: &SigningKey| EXPECT.check(client, &key.sign("JWT", &claims())).unwrap_err();
    assert_eq!(refused(&client(), stranger()), Refused::Credential);
    let mut two = client();
    two.credentials.push(credential("cred_2", stranger()));
    assert_eq!(refused(&two, stranger()), Refused::Credential, "there, but not enabled");
    two.authentication.as_mut().unwrap().credentials.push("cred_2".into());
    assert!(EXPECT.check(&two, &stranger().sign("JWT", &claims())).is_ok());
    assert!(EXPECT.check(&two, &key().sign("JWT", &claims())).is_ok());
    two.credentials[1].expires_at = Some(EXPECT.now);
    assert_eq!(refused(&two, stranger()), Refused::Credential, "expired");
    two.credentials[1].expires_at = Some(EXPECT.now.plus_millis(1));
    assert!(EXPECT.check(&two, &stranger().sign("JWT", &claims())).is_ok());
    for method in [CredentialMethod::TlsClientAuth, CredentialMethod::SelfSignedTlsClientAuth] {
        let mut other = client();
        other.authentication.as_mut().unwrap().method = method;
        assert_eq!(refused(&other, key()), Refused::Method);
    }
    let mut none = client();
    none.authentication = None;
    assert_eq!(refused(&none, key()), Refused::Method);
}

#[test]
fn a_header_cannot_choose_another_key_or_algorithm() {
    let token = key().sign("JWT", &claims());
    let rest = token.split_once('.').unwrap().1;
    let with_header = |header: Value| format!("{}.{rest}", base64url(header.to_string().as_bytes()));
    for (header, expect) in [
        (json!({ "alg": "none" }), Refused::Jose(JoseError::UnsupportedAlgorithm)),
        (json!({ "alg": "HS256" }), Refused::Jose(JoseError::UnsupportedAlgorithm)),
        (json!({ "alg": "ES256" }), Refused::Jose(JoseError::UnsupportedAlgorithm)),
        (json!({ "alg": "RS384", "kid": key().kid() }), Refused::Credential),
        (json!({ "alg": "PS256" }), Refused::Credential),
        (json!({ "alg": "RS256", "kid": "other" }), Refused::Credential),
        (json!({ "alg": "RS256" }), Refused::Jose(JoseError::BadSignature)),
        (
            json!({ "alg": "RS256", "crit": ["exp"] }),
            Refused::Jose(JoseError::Malformed("header has critical members that are not understood")),
        ),
    ] {
        assert_eq!(EXPECT.check(&client(), &with_header(header.clone())), Err(expect), "{header}");
    }
    let forged = stranger().sign("JWT", &claims());
    let renamed = json!({ "alg": "RS256", "typ": "JWT", "kid": key().kid() }).to_string();
    let forged = format!("{}.{}", base64url(renamed.as_bytes()), forged.split_once('.').unwrap().1);
    assert_eq!(EXPECT.check(&client(), &forged), Err(Refused::Jose(JoseError::BadSignature)));
    let long = key().sign("JWT", &with("more", json!("x".repeat(4096))));
    assert_eq!(EXPECT.check(&client(), &long), Err(Refused::TooLong));
}

#[test]
fn an_assertion_tells_who_it_claims_to_be_from() {
    assert_eq!(claimed_client(&key().sign("JWT", &claims())).as_deref(), Ok("robot"));
    assert_eq!(claimed_client(&stranger().sign("JWT", &with("sub", json!("ann")))).as_deref(), Ok("ann"));
    for bad in [without("sub"), with("sub", json!("")), with("sub", json!(1))] {
        assert_eq!(claimed_client(&key().sign("JWT", &bad)), Err(Refused::Party));
    }
    assert!(matches!(claimed_client("x"), Err(Refused::Jose(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_taken_that_the_key_did_not_sign(text in any::<String>(), parts in any::<[Vec<u8>; 3]>()) {
        prop_assert!(EXPECT.check(&client(), &text).is_err());
        let joined = parts.map(|part| base64url(&part)).join(".");
        prop_assert!(EXPECT.check(&client(), &joined).is_err());
        let _ = (claimed_client(&text), claimed_client(&joined));
    }

    #[test]
    fn an_assertion_with_any_character_changed_is_refused(at in any::<proptest::sample::Index>(), to in any::<char>()) {
        let token = key().sign("JWT", &claims());
        let mut characters: Vec<char> = token.chars().collect();
        let at = at.index(characters.len());
        if characters[at] != to {
            characters[at] = to;
            prop_assert!(EXPECT.check(&client(), &characters.into_iter().collect::<String>()).is_err());
        }
    }
}
