//! Where a request comes from: the client's address, its user agent, its host.
//!
//! `X-Forwarded-For` counts only as far as each hop that wrote it is a trusted proxy; it is read from the right,
//! because everything to the left of the first stranger can be made up by them.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, HOST, HeaderName, USER_AGENT};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use domain::limits::{AUTH0_CLIENT_BYTES_MAX, CORRELATION_ID_BYTES_MAX, REQUEST_PARAMETERS_MAX};
use engine::RequestFacts;
use serde_json::{Map, Value};

use crate::App;
use crate::config::TrustedProxy;

/// Bytes of a user agent that are kept. Ours: the longest real ones are below.
const USER_AGENT_BYTES_MAX: usize = 512;
/// Hops of `X-Forwarded-For` that are looked at. Ours.
const HOPS_MAX: usize = 32;

/// Bytes of one text that a library says of itself. Ours: names and versions are shorter.
const LIBRARY_TEXT_BYTES_MAX: usize = 64;
/// Entries of `env` that are kept. Ours: the libraries send two.
const LIBRARY_ENV_MAX: usize = 8;
/// Base64 that takes what libraries send: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl FromRequestParts<App> for RequestFacts {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
        let text = |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let authority = parts.uri.authority().map(|authority| authority.as_str());
        let host = text(&HOST).or(authority).map(without_port);
        Ok(Self {
            ip: peer.map(|peer| client_ip(peer, &parts.headers, app.trusted_proxies()).to_string()),
            user_agent: text(&USER_AGENT).map(|agent| cut(agent, USER_AGENT_BYTES_MAX).to_owned()),
            hostname: host.map(str::to_owned),
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            language: text(&ACCEPT_LANGUAGE).and_then(first_language),
            correlation_id: text(&HeaderName::from_static("x-correlation-id"))
                .map(|id| cut(id, CORRELATION_ID_BYTES_MAX).to_owned()),
            auth0_client: match text(&HeaderName::from_static("auth0-client")) {
                Some(header) => auth0_client(header),
                None => auth0_client_of_query(parts.uri.query().unwrap_or_default()),
            },
            query: Vec::new(),
        })
    }
}

/// The client's address, seen through the trusted proxies.
fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[TrustedProxy]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|proxy| proxy.covers(address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    let hops = headers
        .get_all("x-forwarded-for")
        .iter()
        .rev()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.rsplit(','))
        .take(HOPS_MAX);
    for hop in hops {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// A library's word about itself, as browsers bring it to `/authorize`.
fn auth0_client_of_query(query: &str) -> Option<Value> {
    if !query.contains("auth0Client=") {
        return None;
    }
    let mut pairs = url::form_urlencoded::parse(query.as_bytes()).take(REQUEST_PARAMETERS_MAX);
    auth0_client(&pairs.find(|(name, _)| name == "auth0Client")?.1)
}

/// What Auth0's libraries say of themselves: JSON in either base64. Only short texts of it are kept, because nothing
/// proves a word of it.
fn auth0_client(text: &str) -> Option<Value> {
    if text.len() > AUTH0_CLIENT_BYTES_MAX {
        return None;
    }
    let standard: String = text
        .chars()
        .map(|c| {
            if c == '-' {
                '+'
            } else if c == '_' {
                '/'
            } else {
                c
            }
        })
        .collect();
    let said: Map<String, Value> = serde_json::from_slice(&BASE64.decode(standard).ok()?).ok()?;
    let short =
        |value: &Value| value.as_str().filter(|text| text.len() <= LIBRARY_TEXT_BYTES_MAX).map(Value::from);
    let mut kept = Map::new();
    for name in ["name", "version"] {
        kept.insert(name.to_owned(), said.get(name).and_then(short)?);
    }
    if let Some(Value::Object(env)) = said.get("env") {
        let env = env.iter().take(LIBRARY_ENV_MAX).filter(|(name, _)| name.len() <= LIBRARY_TEXT_BYTES_MAX);
        let env: Map<_, _> = env.filter_map(|(name, value)| Some((name.clone(), short(value)?))).collect();
        kept.insert("env".to_owned(), Value::Object(env));
    }
    Some(Value::Object(kept))
}

/// A host without its port; an IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

fn first_language(header: &str) -> Option<String> {
    let first = header.split([',', ';']).next()?.trim();
    let legal = first.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (legal && (1..=35).contains(&first.len())).then(|| first.to_owned())
}

/// The longest beginning of so many bytes that ends with a whole character.
fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use serde_json::json;

    use super::{auth0_client, auth0_client_of_query, client_ip, cut, first_language, without_port};
    use crate::config::Config;

    #[test]
    fn forwarded_addresses_count_only_behind_trusted_proxies() {
        let proxies = |text: &str| {
            let flag = ("server.trusted_proxies".to_owned(), text.to_owned(), "--set".to_owned());
            Config::load(None, [], &[flag]).unwrap().server.trusted_proxies
        };
        for (trusted, forwarded, expected) in [
            ("", vec!["9.9.9.9"], "10.0.0.1"),
            ("10.0.0.0/8", vec!["9.9.9.9"], "9.9.9.9"),
            ("10.0.0.0/8", vec!["1.1.1.1, 9.9.9.9"], "9.9.9.9"),
            ("10.0.0.0/8", vec!["1.1.1.1, 9.9.9.9, 10.0.0.7"], "9.9.9.9"),
            ("10.0.0.0/8", vec!["1.1.1.1", "9.9.9.9, 10.0.0.7"], "9.9.9.9"),
            ("10.0.0.0/8", vec!["made up"], "10.0.0.1"),
            ("10.0.0.0/8", vec![], "10.0.0.1"),
            ("192.168.0.0/16", vec!["9.9.9.9"], "10.0.0.1"),
            ("10.0.0.0/8", vec!["2001:db8::7"], "2001:db8::7"),
        ] {
            let mut headers = HeaderMap::new();
            for value in &forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            let found = client_ip("10.0.0.1".parse().unwrap(), &headers, &proxies(trusted));
            assert_eq!(found.to_string(), expected, "{trusted} {forwarded:?}");
        }
    }

    #[test]
    fn a_library_says_its_name_and_version_and_nothing_long() {
        // {"name":"auth0-spa-js","version":"2.1.3","env":{"node":"22"}}
        let said = "eyJuYW1lIjoiYXV0aDAtc3BhLWpzIiwidmVyc2lvbiI6IjIuMS4zIiwiZW52Ijp7Im5vZGUiOiIyMiJ9fQ";
        let expected = json!({"name": "auth0-spa-js", "version": "2.1.3", "env": {"node": "22"}});
        assert_eq!(auth0_client(said), Some(expected.clone()));
        assert_eq!(auth0_client(&format!("{said}==")), Some(expected.clone()));
        assert_eq!(auth0_client_of_query(&format!("a=b&auth0Client={said}")), Some(expected));
        for bad in ["", "{}", "e30", "bm8", &"A".repeat(4096)] {
            assert_eq!(auth0_client(bad), None, "{bad}");
        }
    }

    #[test]
    fn hosts_lose_their_port_and_long_texts_their_end() {
        for (host, expected) in [
            ("a.example:8443", "a.example"),
            ("a.example", "a.example"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(without_port(host), expected);
        }
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(first_language("de-CH,de;q=0.9").as_deref(), Some("de-CH"));
        assert_eq!(first_language("<script>"), None);
    }
}
