//! Tests of reading and checking a client's credentials.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::client::{Client, ClientAuthMethod};
use domain::secret::Sealed;
use domain::time::Timestamp;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use super::{ClientCredentials, read, verify};
use crate::params::decode;

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
    check(None, "client_id=a&client_assertion=x", Err("invalid_client"));
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
        let got = verify(&client(registered), "s", &given);
        assert_eq!(got.is_ok(), is_good, "{registered:?} {used:?} {secret:?}");
        if let Err(error) = got {
            assert_eq!(error.to_string(), "invalid_client: Client authentication failed");
            assert!(error.debug.is_some());
        }
    }
    let other = ClientCredentials::new("b", Some("s".into()), ClientSecretPost);
    assert!(verify(&client(None), "s", &other).is_err());
}

#[test]
fn an_empty_stored_secret_matches_nothing() {
    let given = ClientCredentials::new("a", Some(String::new()), ClientAuthMethod::ClientSecretPost);
    assert!(verify(&client(None), "", &given).is_err());
}

#[test]
fn a_secret_that_a_client_forgot_to_encode_is_still_its_secret() {
    for secret in ["s+t", "100%", "a%41b", "x=y&z"] {
        let given = read(Some(&basic(&format!("a:{secret}"))), &[]).unwrap();
        assert!(verify(&client(None), secret, &given).is_ok(), "{secret}");
    }
}

#[test]
fn credentials_do_not_print_their_secret() {
    let given = read(Some(&basic("a:hunter2+x")), &[]).unwrap();
    assert!(!format!("{given:?}").contains("hunter2"));
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
