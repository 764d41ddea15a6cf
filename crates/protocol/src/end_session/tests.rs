//! Tests of RP-initiated logout's decisions.

use domain::client::Client;
use domain::key::SigningAlgorithm;
use domain::secret::Sealed;
use domain::time::Timestamp;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use serde_json::{Value, json};

use super::{Decision, Facts, Hint, Request, decide};
use crate::jose::SigningKey;
use crate::params::decode;

const BYE: &str = "https://rp.example/bye";

fn client() -> Client {
    let mut client = Client::new("a".into(), "A", Sealed(String::new()), Timestamp(0));
    client.allowed_logout_urls = vec![BYE.into()];
    client
}

/// `hint` is the audience and `sid` of the verified ID token; `session` is the browser's.
fn decided(query: &str, hint: Option<(&str, &str)>, session: Option<&str>, prompt: bool) -> Decision {
    let request = Request::parse(decode(query)).unwrap();
    let hint = hint.map(|(audience, sid)| Hint {
        audiences: vec![audience.into()],
        sub: Some("auth0|1".into()),
        sid: Some(sid.into()),
    });
    let client = client();
    let session = session.map(Into::into);
    let tenant = ["https://tenant.example/".to_owned()];
    let facts = Facts {
        hint: hint.as_ref(),
        client: (request.client_id(hint.as_ref()) == Some("a")).then_some(&client),
        session_id: session.as_ref(),
        tenant_logout_urls: &tenant,
        prompt_enabled: prompt,
    };
    decide(&request, &facts)
}

fn to(uri: &str) -> Option<String> {
    Some(uri.to_owned())
}

#[test]
fn a_hint_of_this_session_ends_it_at_once() {
    let redirect = to("https://rp.example/bye?state=s");
    let query = format!("post_logout_redirect_uri={BYE}&state=s");
    let got = decided(&query, Some(("a", "sid")), Some("sid"), true);
    assert_eq!(got, Decision::End { redirect });
    let got = decided("client_id=a&logout_hint=sid", None, Some("sid"), true);
    assert_eq!(got, Decision::End { redirect: None });
}

#[test]
fn the_user_is_asked_where_nothing_proves_which_session_is_meant() {
    let query = format!("client_id=a&post_logout_redirect_uri={BYE}");
    for (query, hint) in [
        ("", None),
        (query.as_str(), None),
        (query.as_str(), Some(("a", "other"))),
        ("client_id=a&logout_hint=other", None),
    ] {
        let asked = decided(query, hint, Some("sid"), true);
        assert!(matches!(asked, Decision::Confirm { .. }), "{query} {hint:?}: {asked:?}");
        let unasked = decided(query, hint, Some("sid"), false);
        assert!(matches!(unasked, Decision::End { .. }), "{query} {hint:?}: {unasked:?}");
        let nobody = decided(query, hint, None, true);
        assert!(matches!(nobody, Decision::End { .. }), "no session: nothing to ask about");
    }
}

#[test]
fn contradictions_and_foreign_urls_end_nothing() {
    let not_allowed = "The post_logout_redirect_uri parameter is not in the list of allowed logout URLs.";
    for (query, hint, expect) in [
        ("client_id=b", None, "Unknown client"),
        ("", Some(("b", "sid")), "Unknown client"),
        ("client_id=a", Some(("b", "sid")), "id_token_hint was given to another client"),
        (
            "client_id=a&logout_hint=other",
            Some(("a", "sid")),
            "logout_hint and id_token_hint are about different sessions",
        ),
        ("client_id=a&post_logout_redirect_uri=https://evil.example/", None, not_allowed),
        ("client_id=a&post_logout_redirect_uri=https://rp.example/bye/", None, not_allowed),
        ("client_id=a&post_logout_redirect_uri=https://rp.example/bye%3Fx", None, not_allowed),
        ("client_id=a&post_logout_redirect_uri=https://tenant.example/", None, not_allowed),
        ("post_logout_redirect_uri=https://rp.example/bye", None, not_allowed),
    ] {
        let Decision::Error(error) = decided(query, hint, Some("sid"), false) else { panic!("{query}") };
        assert_eq!(error.description, expect, "{query}");
    }
}

#[test]
fn without_a_client_the_tenants_urls_count() {
    let got = decided("post_logout_redirect_uri=https://tenant.example/", None, Some("sid"), true);
    assert_eq!(got, Decision::Confirm { redirect: to("https://tenant.example/") });
}

#[test]
fn federated_counts_by_being_there() {
    for (query, expect) in
        [("", false), ("federated", true), ("federated=", true), ("federated=false", false)]
    {
        assert_eq!(Request::parse(decode(query)).unwrap().federated, expect, "{query}");
    }
    assert!(Request::parse(decode("state=1&state=2")).is_err());
}

#[test]
fn an_expired_id_token_is_a_hint_and_any_other_token_is_not() {
    let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let read = |typ: &str, claims: Value| {
        let token = key.sign(typ, &claims);
        Hint::read(&key.key_set(), &token, "https://id.example/", Timestamp(9_000_000))
    };
    let good = json!({"iss": "https://id.example/", "aud": "a", "sub": "auth0|1", "sid": "s", "exp": 1});
    let hint = read("JWT", good.clone()).unwrap();
    assert_eq!((hint.audiences, hint.sid.as_deref()), (vec!["a".to_owned()], Some("s")));
    let mut access = good.clone();
    access["azp"] = json!("a");
    let mut foreign = good.clone();
    foreign["iss"] = json!("https://other.example/");
    for (typ, claims) in [("at+jwt", good), ("JWT", access), ("JWT", foreign), ("JWT", json!({}))] {
        let error = read(typ, claims.clone()).unwrap_err();
        assert_eq!(error.description, "id_token_hint is not an ID token of this server", "{claims}");
    }
    assert!(Hint::read(&key.key_set(), "x", "https://id.example/", Timestamp(0)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_browser_never_goes_to_an_unregistered_url(uri in any::<String>(), state in any::<String>(), prompt in any::<bool>()) {
        let pairs = vec![
            ("client_id".to_owned(), "a".to_owned()),
            ("post_logout_redirect_uri".to_owned(), uri),
            ("state".to_owned(), state),
        ];
        let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        match decided(&query, None, Some("sid"), prompt) {
            Decision::Confirm { redirect } | Decision::End { redirect } => {
                prop_assert!(redirect.is_none_or(|uri| uri == BYE || uri.starts_with("https://rp.example/bye?state=")));
            }
            Decision::Error(_) => {}
        }
    }
}
