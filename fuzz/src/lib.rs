//! What must hold for any bytes from outside: one function per fuzz target, each panicking where it does not.
//!
//! The fuzzer calls them with bytes of its own; the ordinary tests call them with the committed corpora.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::client::Client;
use domain::key::SigningAlgorithm;
use domain::limits::{
    SESSION_METADATA_ENTRIES_MAX, SESSION_METADATA_KEY_UNITS_MAX, SESSION_METADATA_VALUE_UNITS_MAX,
};
use domain::metadata::SessionMetadata;
use domain::query::{Field, Query, Syntax};
use domain::secret::Sealed;
use domain::sign_in::ResponseMode;
use domain::time::Timestamp;
use domain::user::is_email;
use protocol::authorize::{self, Params, Rejection, Rules};
use protocol::jose::pem::{UploadedCertificate, UploadedKey};
use protocol::jose::{Expect, JoseError, KeySet, RsaPublicKey};
use protocol::respond::{error_parameters, redirect_location};
use protocol::revocation::RevocationRequest;
use protocol::token::TokenRequest;
use protocol::upstream::{self, authorization, discovery, exchange, profile};
use protocol::{client_auth, end_session, params};

/// A redirect URI of the client that the targets know; the client's identifier is `a`.
const CALLBACK: &str = "https://rp.example/cb";

/// A query of `/authorize`: whatever it says, the browser is only ever sent to the registered URI.
pub fn authorize_query(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else { return };
    let mut client = Client::new("a".into(), "A", Sealed(String::new()), Timestamp(0));
    client.callbacks = vec![CALLBACK.to_owned()];
    let params = Params::parse(params::decode(query));
    match authorize::check(&params, Some(&client), &Rules::default()) {
        Ok(request) => {
            assert_eq!(request.redirect_uri, CALLBACK);
            assert_eq!(params.client_id(), Some("a"));
        }
        Err(Rejection::Redirect { redirect_uri, response_mode, state, error }) => {
            assert_eq!(redirect_uri, CALLBACK);
            assert_eq!(params.client_id(), Some("a"));
            let answer = error_parameters(&error, state.as_deref());
            let location = redirect_location(&redirect_uri, response_mode, &answer);
            let rest = location.strip_prefix(CALLBACK).expect("the answer goes to the callback");
            match response_mode {
                ResponseMode::Query => assert!(rest.starts_with("?error=")),
                ResponseMode::Fragment => assert!(rest.starts_with("#error=")),
                ResponseMode::FormPost => assert_eq!(rest, ""),
            }
        }
        Err(Rejection::Page(_)) => {}
    }
}

/// The key and the token of RFC 7515 appendix A.3: the one token that anybody outside can present.
const JWKS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
const TOKEN: &str = include_str!("../corpus/jwt/rfc7515-a3");

/// A token: only the one that the key's owner signed is accepted, and its claims are checked without a panic.
pub fn jwt(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let jwks = serde_json::from_str(JWKS).expect("the key set is JSON");
    let keys = KeySet::from_jwks(&jwks).expect("the key set has keys");
    let Ok(token) = keys.verify(text) else { return };
    assert_eq!(text, TOKEN, "a token that nobody signed is accepted");
    let expect = Expect {
        issuer: "joe",
        audience: None,
        now: Timestamp(0),
        leeway_s: 0,
        typ: None,
        ignore_expiry: false,
    };
    assert_eq!(expect.check(&token), Err(JoseError::Claim("aud")));
}

/// An `Authorization` header: credentials always name a client and never print their secret.
pub fn basic_header(data: &[u8]) {
    let Ok(header) = std::str::from_utf8(data) else { return };
    let Ok(given) = client_auth::read(Some(header), &[]) else { return };
    assert!(!given.client_id.is_empty());
    let Some(secret) = &given.secret else { return };
    let shown = format!("{given:?}");
    let is_long = secret.expose().len() > 40;
    assert!(!is_long || given.client_id.contains(secret.expose()) || !shown.contains(secret.expose()));
}

/// The text of a client's credential: a key that is read can be stored and is the same again, and a certificate of such a
/// key tells the same date either way.
pub fn credential_pem(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let key = UploadedKey::from_pem(text);
    let certificate = UploadedCertificate::from_pem(text);
    if let Ok(UploadedKey { key, certificate_ends_at }) = &key {
        assert_eq!(RsaPublicKey::from_members(&key.n(), &key.e()).as_ref(), Ok(key));
        assert!(!text.contains("PRIVATE KEY-----") && text.contains("-----BEGIN "));
        if let Ok(certificate) = &certificate {
            assert_eq!(*certificate_ends_at, Some(certificate.ends_at));
        }
    }
    if let Ok(certificate) = certificate {
        assert_eq!(certificate.thumbprint_sha256.len(), 43);
    }
}

/// A form of the token, revocation or logout endpoint: read or refused, and scopes survive being written.
pub fn token_form(data: &[u8]) {
    let Ok(form) = std::str::from_utf8(data) else { return };
    let pairs = params::decode(form);
    let scopes = match TokenRequest::parse(&pairs) {
        Ok(TokenRequest::RefreshToken { scope, .. } | TokenRequest::ClientCredentials { scope, .. }) => scope,
        Ok(TokenRequest::AuthorizationCode { code, .. }) => {
            assert!(!code.is_empty());
            None
        }
        Err(_) => None,
    };
    if let Some(scopes) = scopes {
        let again = protocol::token::scope::parse(&scopes.to_string());
        assert_eq!(again.as_ref(), Ok(&scopes));
    }
    if let Ok(request) = RevocationRequest::parse(&pairs) {
        assert!(!request.token.is_empty());
    }
    let _ = client_auth::read(None, &pairs);
    let _ = end_session::Request::parse(pairs.clone());
    let _ = end_session::v2::Request::parse(pairs);
}

/// The JSON of a metadata write: what is accepted keeps every rule and reads back as it was.
pub fn metadata_json(data: &[u8]) {
    let Ok(entries) = serde_json::from_slice::<BTreeMap<String, String>>(data) else { return };
    let Ok(metadata) = SessionMetadata::replace_with(entries.clone()) else { return };
    assert_eq!(metadata.entries(), &entries);
    assert!(entries.len() <= SESSION_METADATA_ENTRIES_MAX);
    for (key, value) in &entries {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        assert!(!key.is_empty() && key.bytes().all(legal) && key.len() <= SESSION_METADATA_KEY_UNITS_MAX);
        assert!(value.encode_utf16().count() <= SESSION_METADATA_VALUE_UNITS_MAX && !value.contains('\0'));
    }
    let mut one_by_one = SessionMetadata::default();
    for (key, value) in &entries {
        one_by_one.set(key, value).expect("what is legal together is legal one by one");
    }
    assert_eq!(one_by_one, metadata);
}

/// The one whose answers [`upstream_answer`] reads.
const PROVIDER: &str = "https://up.example/";

/// Bytes of another OpenID provider, read as each thing that it may send: what is taken has what it must have, and no
/// token is taken, because none that its keys signed is for us.
pub fn upstream_answer(data: &[u8]) {
    let description = discovery::read(200, data, &discovery::url_of(PROVIDER), Some(PROVIDER));
    if let Ok(provider) = &description {
        assert_eq!(provider.issuer, PROVIDER);
        assert!(
            ![&provider.authorization_endpoint, &provider.token_endpoint, &provider.jwks_uri]
                .contains(&&String::new())
        );
    }
    if let Ok(tokens) = exchange::read(200, data) {
        let id_token = tokens.id_token.expose();
        assert!(!id_token.is_empty());
        upstream_token(id_token);
    }
    if let Ok(claims) = serde_json::from_slice(data) {
        let profile = profile::Profile::of(&claims);
        assert!(profile.email.as_deref().is_none_or(is_email));
        assert!(profile.email.is_some() || !profile.email_verified);
        assert!(profile.picture.is_none_or(|picture| picture.starts_with("http")));
        let mut known = serde_json::Map::from_iter([("email".to_owned(), "a@example.com".into())]);
        if profile::add_userinfo(&mut known, "ada", 200, data).is_ok() {
            assert_eq!(claims.get("sub").and_then(serde_json::Value::as_str), Some("ada"));
            assert!(known["email"] == "a@example.com" && !known.contains_key("email_verified"));
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    upstream_token(text);
    let shown = upstream::legible(text);
    assert!(shown.len() <= 300 && !shown.contains(['"', '\\', '\r', '\n']));
    let provider = domain::upstream::Provider {
        issuer: PROVIDER.to_owned(),
        authorization_endpoint: PROVIDER.to_owned(),
        token_endpoint: PROVIDER.to_owned(),
        jwks_uri: PROVIDER.to_owned(),
        userinfo_endpoint: None,
        end_session_endpoint: None,
        names_itself: true,
        auth_methods: Vec::new(),
    };
    let params = Params::parse(params::decode(text));
    if let Ok(answer) = authorization::read(&params, &provider) {
        assert_eq!(params.get("iss"), Some(PROVIDER));
        assert!(answer != authorization::Answer::Code(String::new()));
    }
}

fn upstream_token(text: &str) {
    let jwks = serde_json::from_str(JWKS).expect("the key set is JSON");
    let keys = KeySet::from_jwks(&jwks).expect("the key set has keys");
    let algorithms = &[SigningAlgorithm::Rs256, SigningAlgorithm::Es256];
    // The issuer, the time and the audience of the one token that is signed, as far as it has them.
    let (issuer, client_id, now) = ("joe", "us", Timestamp::from_seconds(1_300_819_380 - 60));
    let expect = upstream::id_token::Expect {
        issuer,
        client_id,
        algorithms,
        nonce: "n",
        max_age_seconds: None,
        proved_since: None,
        access_token: None,
        now,
    };
    assert!(expect.check(&keys, text).is_err(), "an ID token that is not for us is taken");
    let expect = upstream::logout_token::Expect { issuer, client_id, algorithms, now };
    assert!(expect.check(&keys, text).is_err(), "a logout token that is not for us is taken");
}
/// What the target `search_query` can ask for.
const SYNTAX: Syntax = Syntax {
    fields: &[Field::text("type"), Field::text("ip"), Field::folded("email"), Field::moment("date")],
    bare: &["type", "ip"],
};

/// The `q` of a list: refused with a place in it, or understood; then its negation is understood as the opposite.
pub fn search_query(data: &[u8]) {
    let Ok(q) = std::str::from_utf8(data) else { return };
    let value = |field| match field {
        "type" => Some(Cow::Borrowed("sapi")),
        "email" => Some(Cow::Borrowed("ann@example.com")),
        "date" => Some(Cow::Borrowed("2026-11-25T20:18:10.500Z")),
        _ => None,
    };
    let query = match Query::parse(q, &SYNTAX) {
        Ok(query) => query,
        Err(error) => {
            assert!((1..=q.chars().count() + 1).contains(&error.at), "{error}");
            return;
        }
    };
    let holds = query.matches(value);
    // It may be too long or too deep by now, or have been empty.
    if let Ok(opposite) = Query::parse(&format!("NOT ({q})"), &SYNTAX) {
        assert_ne!(opposite.matches(value), holds);
    }
}
