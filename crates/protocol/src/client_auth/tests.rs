//! Tests of reading and checking a client's credentials.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::client::{Client, ClientAuthMethod};
use domain::client_credential::{CredentialAuthentication, CredentialMethod};
use domain::secret::Sealed;
use domain::time::Timestamp;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use super::{ClientCredentials, read, verify};
use crate::client_assertion::{ASSERTION_TYPE, Expect};
use crate::jose::base64url;
use crate::params::decode;

const EXPECT: Expect<'_> = Expect { issuer: "https://id.example/", now: Timestamp(0) };

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

fn client(method: Option<ClientAuthMethod>) -> Client {
    let mut client = Client::new("a".into(), "A", Sealed(String::new()), Timestamp(0));
    client.auth_method = method;
    client
}

type Read = Result<(&'static str, Option<&'static str>, ClientAuthMethod), &'static str>;

fn check(header: Option<&str>, form: &str, expect: Read) {
    let got = read(header, &decode(form));
    let got = got.as_ref().map(|given| {
        (given.client_id.as_str(), given.secret.as_ref().map(|secret| secret.expose().as_str()), given.method)
    });
    assert_eq!(got.map_err(|error| error.code.as_str()), expect, "{header:?} {form}");
}

#[test]
fn credentials_come_from_the_header_or_from_the_body_and_never_from_both() {
    use ClientAuthMethod::{ClientSecretBasic, ClientSecretPost, None as Public};
    check(None, "client_id=a", Ok(("a", None, Public)));
    check(None, "client_id=a&client_secret=s", Ok(("a", Some("s"), ClientSecretPost)));
    check(Some(&basic("a:s")), "", Ok(("a", Some("s"), ClientSecretBasic)));
    check(Some(&basic("a:s:t")), "", Ok(("a", Some("s:t"), ClientSecretBasic)));
    check(Some(&basic("a:")), "", Ok(("a", None, ClientSecretBasic)));
    check(Some(&basic("a:s")), "client_id=a", Ok(("a", Some("s"), ClientSecretBasic)));
    check(Some(&basic("a%3Ab:s%2Bt+u")), "", Ok(("a:b", Some("s+t u"), ClientSecretBasic)));
    check(Some(&basic("a:s").replace("Basic", "bAsIc")), "", Ok(("a", Some("s"), ClientSecretBasic)));

    check(None, "", Err("invalid_request"));
    check(None, "client_id=a&client_id=b", Err("invalid_request"));
    check(None, "client_id=a&client_assertion=x", Err("invalid_request"));
    check(Some(&basic("a:s")), "client_secret=s", Err("invalid_request"));
    check(Some(&basic("a:s")), "client_id=b", Err("invalid_request"));
    for bad in ["", "Basic", "Basic ", "Basic !", "Bearer x", &basic("a"), &basic(":s")] {
        check(Some(bad), "client_id=a", Err("invalid_client"));
    }
    check(Some("Basic /w=="), "", Err("invalid_client"));
}

#[test]
fn a_client_with_a_secret_may_send_it_either_way_and_a_public_one_must_not() {
    use ClientAuthMethod::{ClientSecretBasic, ClientSecretPost, None as Public};
    for (registered, used, secret, is_good) in [
        (None, ClientSecretPost, Some("s"), true),
        (None, ClientSecretBasic, Some("s"), true),
        (None, ClientSecretBasic, Some("t"), false),
        (None, Public, None, false),
        (Some(ClientSecretPost), ClientSecretPost, Some("s"), true),
        (Some(ClientSecretPost), ClientSecretBasic, Some("s"), true),
        (Some(ClientSecretPost), ClientSecretBasic, Some("t"), false),
        (Some(ClientSecretBasic), ClientSecretBasic, Some("s"), true),
        (Some(ClientSecretBasic), ClientSecretPost, Some("s"), true),
        (Some(ClientSecretBasic), ClientSecretPost, Some("t"), false),
        (Some(ClientSecretBasic), ClientSecretBasic, None, false),
        (Some(Public), Public, None, true),
        (Some(Public), ClientSecretPost, Some("s"), false),
    ] {
        let given = ClientCredentials::new("a", secret.map(str::to_owned), used);
        let got = verify(&client(registered), "s", &given, &EXPECT);
        assert_eq!(got.is_ok(), is_good, "{registered:?} {used:?} {secret:?}");
        if let Err(error) = got {
            assert_eq!(error.to_string(), "invalid_client: Client authentication failed");
            assert!(error.debug.is_some());
        }
    }
    let other = ClientCredentials::new("b", Some("s".into()), ClientSecretPost);
    assert!(verify(&client(None), "s", &other, &EXPECT).is_err());
}

#[test]
fn an_empty_stored_secret_matches_nothing() {
    let given = ClientCredentials::new("a", Some(String::new()), ClientAuthMethod::ClientSecretPost);
    assert!(verify(&client(None), "", &given, &EXPECT).is_err());
}

#[test]
fn a_secret_that_a_client_forgot_to_encode_is_still_its_secret() {
    for secret in ["s+t", "100%", "a%41b", "x=y&z"] {
        let given = read(Some(&basic(&format!("a:{secret}"))), &[]).unwrap();
        assert!(verify(&client(None), secret, &given, &EXPECT).is_ok(), "{secret}");
    }
}

#[test]
fn credentials_do_not_print_their_secret() {
    let given = read(Some(&basic("a:hunter2+x")), &[]).unwrap();
    assert!(!format!("{given:?}").contains("hunter2"));
    let given = ClientCredentials::asserted("a", "hunter2");
    assert!(!format!("{given:?}").contains("hunter2"));
}

#[test]
fn an_assertion_names_its_client_and_goes_alone() {
    let token = format!("{}.{}.AA", base64url(br#"{"alg":"RS256"}"#), base64url(br#"{"sub":"a"}"#));
    let form = |more: &str| format!("client_assertion={token}&client_assertion_type={ASSERTION_TYPE}{more}");
    for more in ["", "&client_id=a"] {
        let given = read(None, &decode(&form(more))).unwrap();
        assert_eq!((&*given.client_id, &given.secret), ("a", &None), "{more}");
        assert_eq!(given.assertion.unwrap().expose(), &token);
    }
    check(None, &form("&client_id=b"), Err("invalid_request"));
    check(None, &form("&client_secret=s"), Err("invalid_request"));
    check(Some(&basic("a:s")), &form(""), Err("invalid_request"));
    check(None, &format!("client_assertion={token}"), Err("invalid_request"));
    let other = form("").replace("jwt-bearer", "saml2-bearer");
    check(None, &other, Err("invalid_client"));
    check(None, &form("").replace(&token, "a.b.c"), Err("invalid_client"));
    check(None, &form("").replace(&token, &format!("{token}{}", "A".repeat(4096))), Err("invalid_client"));
}

#[test]
fn a_client_that_is_set_up_for_a_key_is_not_believed_for_its_secret_nor_for_nothing() {
    for method in CredentialMethod::ALL {
        let mut client = client(None);
        client.authentication = Some(CredentialAuthentication { method, credentials: Vec::new() });
        for (secret, used) in [
            (Some("s".to_owned()), ClientAuthMethod::ClientSecretPost),
            (Some("s".to_owned()), ClientAuthMethod::ClientSecretBasic),
            (None, ClientAuthMethod::None),
        ] {
            let given = ClientCredentials::new("a", secret, used);
            let error = verify(&client, "s", &given, &EXPECT).unwrap_err();
            assert_eq!(error.to_string(), "invalid_client: Client authentication failed");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_id_and_secret_survive_the_header(id in "\\PC{1,20}", secret in "\\PC{1,20}") {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let given = read(Some(&basic(&format!("{}:{}", encode(&id), encode(&secret)))), &[]).unwrap();
        prop_assert_eq!(&given.client_id, &id);
        prop_assert_eq!(given.secret, Some(domain::secret::Secret::new(secret)));
    }

    #[test]
    fn any_header_is_read_or_refused(header in any::<String>(), bytes in any::<Vec<u8>>()) {
        let _ = read(Some(&header), &[]);
        let given = read(Some(&format!("Basic {}", STANDARD.encode(bytes))), &[]);
        prop_assert!(given.is_err() || !given.unwrap().client_id.is_empty());
    }
}
