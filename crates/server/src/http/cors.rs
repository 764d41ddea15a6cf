//! Which answers scripts of other origins may read: those that need no cookie.
//!
//! Spec: Fetch, CORS protocol. Credentials are never allowed, so a foreign page learns only what its own token or
//! code would tell anybody.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

/// Bytes of `Access-Control-Request-Headers` that are given back.
const HEADERS_BYTES_MAX: usize = 1024;
/// How long a browser may remember the answer to its question, in seconds.
const MAX_AGE_SECONDS: &str = "7200";

/// Whether scripts of any origin may read what this path answers.
fn is_open(path: &str) -> bool {
    matches!(path, "/oauth/token" | "/oauth/revoke" | "/userinfo") || path.starts_with("/.well-known/")
}

/// The answer to a browser's question before the real request, if this is one.
pub fn preflight(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
    let asks = method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if !asks || !is_open(path) {
        return None;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_SECONDS));
    if let Some(wanted) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS)
        && wanted.len() <= HEADERS_BYTES_MAX
    {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    Some(response)
}

/// Whether the answer to this request is to be opened.
pub fn applies(path: &str, headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN) && is_open(path)
}

/// Lets scripts of any origin read the answer.
pub fn open(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("www-authenticate, x-request-id"));
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Method};

    use super::{applies, preflight};

    #[test]
    fn only_paths_that_need_no_cookie_are_open() {
        let mut headers = HeaderMap::new();
        headers.insert("origin", "https://spa.example".parse().unwrap());
        headers.insert("access-control-request-method", "POST".parse().unwrap());
        headers.insert("access-control-request-headers", "authorization, auth0-client".parse().unwrap());
        for (path, expected) in [
            ("/oauth/token", true),
            ("/userinfo", true),
            ("/.well-known/jwks.json", true),
            ("/authorize", false),
            ("/u/login", false),
            ("/api/v2/users", false),
        ] {
            let answer = preflight(&Method::OPTIONS, path, &headers);
            assert_eq!(answer.is_some(), expected, "{path}");
            assert_eq!(applies(path, &headers), expected, "{path}");
            if let Some(answer) = answer {
                assert_eq!(answer.headers()["access-control-allow-headers"], "authorization, auth0-client");
                assert!(!answer.headers().contains_key("access-control-allow-credentials"));
            }
        }
        assert!(preflight(&Method::GET, "/userinfo", &headers).is_none());
    }
}
