//! Tests of the authorization request's checks.

use domain::client::{Client, ClientAuthMethod};
use domain::secret::Sealed;
use domain::sign_in::{AuthorizationRequest, Prompt, ResponseMode};
use domain::time::Timestamp;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};

use super::{Params, Rejection, Rules, check};
use crate::params::decode;

const URI: &str = "https://rp.example/cb";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client() -> Client {
    let mut client = Client::new("a".into(), "A", Sealed(String::new()), Timestamp(0));
    client.callbacks = vec![URI.into()];
    client
}

fn ask_as(client: &Client, query: &str) -> Result<AuthorizationRequest, Rejection> {
    let params = Params::parse(decode(query));
    let found = (params.client_id() == Some(client.id.as_str())).then_some(client);
    check(&params, found, &Rules::default())
}

fn good(more: &str) -> AuthorizationRequest {
    let query = format!("client_id=a&redirect_uri={URI}&response_type=code&{more}");
    ask_as(&client(), &query).unwrap_or_else(|rejection| panic!("{query}: {rejection:?}"))
}

/// Expects an error at the redirect URI.
fn redirected(more: &str, expect: &str) {
    redirected_as(&client(), &format!("response_type=code&{more}"), expect);
}

fn redirected_as(client: &Client, more: &str, expect: &str) {
    let query = format!("client_id=a&redirect_uri={URI}&state=s&{more}");
    match ask_as(client, &query) {
        Err(Rejection::Redirect { redirect_uri, state, error, .. }) => {
            assert_eq!((redirect_uri.as_str(), state.as_deref()), (URI, Some("s")), "{query}");
            assert_eq!(error.to_string(), expect, "{query}");
        }
        other => panic!("{query}: {other:?}"),
    }
}

/// Expects an error on a page.
fn on_a_page(client: &Client, query: &str, expect: &str) {
    match ask_as(client, query) {
        Err(Rejection::Page(error)) => assert_eq!(error.to_string(), expect, "{query}"),
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn a_full_request_is_read_into_its_parts() {
    let request = good(
        "scope=openid+profile&audience=https%3A%2F%2Fapi&state=x%26y&nonce=n&prompt=login+consent&max_age=0\
         &login_hint=ada%40example.com&screen_hint=signup&connection=db&organization=org_1&ui_locales=de+en\
         &acr_values=1+2&response_mode=form_post&ext-color=red&ext-color=blue\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
    );
    assert_eq!(request.redirect_uri, URI);
    assert_eq!(request.scopes.to_string(), "openid profile");
    assert_eq!(request.audience.as_deref(), Some("https://api"));
    assert_eq!(request.state.as_deref(), Some("x&y"));
    assert_eq!(request.nonce.as_deref(), Some("n"));
    assert_eq!(request.prompts, [Prompt::Login, Prompt::Consent]);
    assert_eq!(request.max_age_seconds, Some(0));
    assert_eq!(request.login_hint.as_deref(), Some("ada@example.com"));
    assert_eq!(request.screen_hint.as_deref(), Some("signup"));
    assert_eq!(request.connection.as_deref(), Some("db"));
    assert_eq!(request.organization.as_deref(), Some("org_1"));
    assert_eq!(request.ui_locales, ["de", "en"]);
    assert_eq!(request.acr_values, ["1", "2"]);
    assert_eq!(request.response_mode, ResponseMode::FormPost);
    assert_eq!(request.code_challenge.as_deref(), Some(CHALLENGE));
    let colours = request.query.iter().filter(|(name, _)| name == "ext-color").count();
    assert_eq!(colours, 2, "parameters of nobody's specification are kept as they came");
}

#[test]
fn nothing_is_redirected_before_client_and_redirect_uri_are_verified() {
    let mismatch = "invalid_request: Callback URL mismatch. The provided redirect_uri is not in the list of allowed \
                    callback URLs.";
    let mut several = client();
    several.callbacks.push("https://rp.example/other".into());
    let mut hostile = client();
    hostile.callbacks = vec!["javascript:alert(1)".into()];
    for (client, query, expect) in [
        (&client(), "", "invalid_request: Missing required parameter: client_id"),
        (&client(), "client_id=b&redirect_uri=https://rp.example/cb", "invalid_request: Unknown client"),
        (
            &client(),
            "client_id=a&client_id=a&redirect_uri=https://rp.example/cb",
            "invalid_request: Parameter given more than once: client_id",
        ),
        (
            &client(),
            "client_id=a&redirect_uri=https://rp.example/cb&redirect_uri=https://rp.example/cb",
            "invalid_request: Parameter given more than once: redirect_uri",
        ),
        (&client(), "client_id=a&redirect_uri=https://evil.example/", mismatch),
        (&client(), "client_id=a&redirect_uri=https://rp.example/cb/", mismatch),
        (&client(), "client_id=a&redirect_uri=https://rp.example/cb%3Fx=1", mismatch),
        (&client(), "client_id=a&redirect_uri=https://rp.example/CB", mismatch),
        (&client(), "client_id=a&redirect_uri=https://RP.example/cb", mismatch),
        (&client(), "client_id=a&redirect_uri=https://rp.example:443/cb", mismatch),
        (&client(), "client_id=a&redirect_uri=https://rp.example/cb%23", mismatch),
        (
            &several,
            "client_id=a&response_type=code",
            "invalid_request: Missing required parameter: redirect_uri",
        ),
        (&hostile, "client_id=a&response_type=code", mismatch),
    ] {
        on_a_page(client, query, expect);
    }
}

#[test]
fn a_client_with_one_callback_need_not_repeat_it() {
    let request = ask_as(&client(), "client_id=a&response_type=code").unwrap();
    assert_eq!(request.redirect_uri, URI);
}

#[test]
fn a_native_app_may_pick_its_loopback_port_and_no_other_client_may() {
    let mut native = client();
    native.callbacks = vec!["http://127.0.0.1/cb".into(), "http://[::1]:9/cb".into()];
    let query = |uri: &str| format!("client_id=a&response_type=code&redirect_uri={uri}");
    for (uri, as_native) in [
        ("http://127.0.0.1:50000/cb", true),
        ("http://[::1]:50000/cb", true),
        ("http://[::1]/cb", true),
        ("http://127.0.0.1:50000/other", false),
        ("http://localhost:50000/cb", false),
        ("https://127.0.0.1:50000/cb", false),
        ("http://127.0.0.1:1@evil.example/cb", false),
    ] {
        native.app_type = Some("native".into());
        let got = ask_as(&native, &query(uri));
        assert_eq!(got.is_ok(), as_native, "{uri}");
        if let Ok(request) = got {
            assert_eq!(request.redirect_uri, uri);
        }
        native.app_type = Some("regular_web".into());
        assert!(ask_as(&native, &query(uri)).is_err(), "{uri}");
    }
}

#[test]
fn each_illegal_parameter_is_told_at_the_redirect_uri() {
    for (more, expect) in [
        ("nonce=1&nonce=2", "invalid_request: Parameter given more than once: nonce"),
        ("request=x", "request_not_supported: The request parameter is not supported"),
        ("request_uri=urn:x", "request_uri_not_supported: The request_uri parameter is not supported"),
        ("response_mode=web_message", "invalid_request: response_mode web_message is not supported"),
        ("response_mode=x", "invalid_request: response_mode must be query, fragment or form_post"),
        ("scope=a%22b", "invalid_scope: scope has a character that scopes cannot have"),
        ("scope=%C3%A9", "invalid_scope: scope has a character that scopes cannot have"),
        ("prompt=none+login", "invalid_request: prompt none cannot be combined with another value"),
        ("prompt=create", "invalid_request: prompt must be none, login, consent or select_account"),
        ("max_age=-1", "invalid_request: max_age must be a number of seconds, zero or more"),
        ("max_age=%2B1", "invalid_request: max_age must be a number of seconds, zero or more"),
        ("max_age=1.5", "invalid_request: max_age must be a number of seconds, zero or more"),
        (
            "max_age=99999999999999999999",
            "invalid_request: max_age must be a number of seconds, zero or more",
        ),
        ("code_challenge_method=S256", "invalid_request: Missing required parameter: code_challenge"),
        (
            "code_challenge_method=plain&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "invalid_request: code_challenge_method plain is not supported; use S256",
        ),
        (
            "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "invalid_request: code_challenge_method plain is not supported; use S256",
        ),
        (
            "code_challenge=x&code_challenge_method=S512",
            "invalid_request: code_challenge_method must be S256",
        ),
        (
            "code_challenge=short&code_challenge_method=S256",
            "invalid_request: code_challenge must be 43 characters of base64url",
        ),
    ] {
        redirected(more, expect);
    }
    let long = "n".repeat(1025);
    redirected(&format!("nonce={long}"), "invalid_request: nonce must be at most 1024 bytes long");
    let crowd: String = (0..501).map(|n| format!("s{n}+")).collect();
    redirected(&format!("scope={crowd}"), "invalid_scope: More than 500 scopes");
}

#[test]
fn only_code_is_given_and_only_to_clients_that_may_have_it() {
    let missing = "invalid_request: Missing required parameter: response_type";
    let unsupported =
        "unsupported_response_type: Unsupported response type. Only response_type=code is supported";
    redirected_as(&client(), "", missing);
    for response_type in ["token", "id_token", "code+id_token", "none", "CODE", "code+code"] {
        redirected_as(&client(), &format!("response_type={response_type}"), unsupported);
    }
    let mut client = client();
    client.grant_types = vec!["client_credentials".into()];
    let expect = "unauthorized_client: Grant type 'authorization_code' not allowed for the client.";
    redirected_as(&client, "response_type=code", expect);
}

#[test]
fn a_public_client_must_send_a_challenge() {
    let mut public = client();
    public.auth_method = Some(ClientAuthMethod::None);
    let missing = "invalid_request: Missing required parameter: code_challenge";
    redirected_as(&public, "response_type=code", missing);
    let query =
        format!("client_id=a&response_type=code&code_challenge={CHALLENGE}&code_challenge_method=S256");
    assert!(ask_as(&public, &query).is_ok());

    let params = Params::parse(decode("client_id=a&response_type=code"));
    let strict = Rules { pkce_for_all_clients: true };
    let Err(Rejection::Redirect { error, .. }) = check(&params, Some(&client()), &strict) else { panic!() };
    assert_eq!(error.to_string(), missing);
}

#[test]
fn an_error_travels_as_the_answer_would_have() {
    for (more, expect) in [
        ("response_type=x", ResponseMode::Query),
        ("response_type=token", ResponseMode::Fragment),
        ("response_type=code+id_token", ResponseMode::Fragment),
        ("response_type=x&response_mode=form_post", ResponseMode::FormPost),
        ("response_type=code&response_mode=web_message", ResponseMode::Query),
    ] {
        let query = format!("client_id=a&redirect_uri={URI}&{more}");
        let Err(Rejection::Redirect { response_mode, .. }) = ask_as(&client(), &query) else {
            panic!("{more}")
        };
        assert_eq!(response_mode, expect, "{more}");
    }
}

#[test]
fn a_state_that_repeats_or_is_too_long_is_not_given_back() {
    for more in ["state=1&state=2".to_owned(), format!("state={}", "s".repeat(8193))] {
        let query = format!("client_id=a&redirect_uri={URI}&response_type=code&{more}");
        let Err(Rejection::Redirect { state, error, .. }) = ask_as(&client(), &query) else { panic!() };
        assert_eq!((state, error.code.as_str()), (None, "invalid_request"));
    }
}

fn parameter() -> impl Strategy<Value = (String, String)> {
    let names = [
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "state",
        "scope",
        "prompt",
        "max_age",
        "code_challenge",
        "code_challenge_method",
        "request",
        "nonce",
        "x",
    ];
    let uris = [
        URI,
        "https://evil.example/",
        "https://rp.example/cb@evil.example",
        "https://rp.example/cb#x",
        "//evil",
        "http://127.0.0.1:1/",
        "http://127.0.0.1:1@evil.example/",
        "javascript:x",
        "a",
        "code",
        "S256",
        CHALLENGE,
    ];
    let value = prop_oneof![
        proptest::sample::select(uris.to_vec()).prop_map(str::to_owned),
        any::<String>(),
        Just(String::new()),
    ];
    (proptest::sample::select(names.to_vec()).prop_map(str::to_owned), value)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_parameters_whatever_lead_to_an_unregistered_uri(
        mut pairs in proptest::collection::vec(parameter(), 0..12),
        is_named in any::<bool>(),
        native in any::<bool>(),
    ) {
        if is_named {
            pairs.retain(|(name, _)| name != "client_id");
            pairs.push(("client_id".into(), "a".into()));
        }
        let mut client = client();
        client.callbacks.push("http://127.0.0.1/".into());
        client.app_type = native.then(|| "native".to_owned());
        let params = Params::parse(pairs);
        let target = match check(&params, Some(&client), &Rules::default()) {
            Ok(request) => Some(request.redirect_uri),
            Err(Rejection::Redirect { redirect_uri, .. }) => Some(redirect_uri),
            Err(Rejection::Page(_)) => None,
        };
        if let Some(uri) = target {
            let is_own = client.callbacks.contains(&uri) || (native && uri == "http://127.0.0.1:1/");
            prop_assert!(is_own, "{}", uri);
            prop_assert!(params.client_id() == Some("a"));
        }
    }

    #[test]
    fn any_query_is_answered(query in any::<String>()) {
        let _ = ask_as(&client(), &query);
        let _ = ask_as(&client(), &format!("client_id=a&{query}"));
    }
}
