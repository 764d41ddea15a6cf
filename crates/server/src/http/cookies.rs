//! The cookies: the session's, the one that ties a sign-in under way to its browser, and, where clients watch sessions,
//! one that the frame they ask can read.
//!
//! All carry the prefix `__Host-`, so no other host or path can set them (RFC 6265bis §4.1.3.2), and are `Secure`
//! even where a proxy does the encryption. `SameSite=None` because silent authentication runs in other sites' frames.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use engine::sign_in::{Browser, CookieChange};

/// The session's cookie.
pub const SESSION: &str = "__Host-vestibule";
/// The cookie of sign-ins under way in this browser.
pub const BROWSER: &str = "__Host-vestibule-browser";

/// The cookie that tells the frame of `/oidc/check-session` whether the session is the same; nothing else can be had
/// for it.
pub const STATE: &str = "__Host-vestibule-state";

/// Bytes of a cookie's value that are believed. Ours: ours are shorter.
const VALUE_BYTES_MAX: usize = 256;
/// What every cookie of ours says.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=None";
/// What the one says that a script of ours reads.
const READABLE: &str = "Path=/; Secure; SameSite=None";

/// Our cookies, as the browser sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cookies {
    /// The session's.
    pub session: Option<String>,
    /// The browser's secret of sign-ins under way.
    pub browser: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Cookies {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers))
    }
}

impl Cookies {
    /// Both, as the engine takes them.
    pub fn as_brought(&self) -> Browser<'_> {
        Browser { session: self.session.as_deref(), secret: self.browser.as_deref() }
    }

    /// Finds our cookies among all (RFC 6265 §5.4: pairs with `; ` between; HTTP/2 may split the header).
    pub fn read(headers: &HeaderMap) -> Self {
        let mut cookies = Self::default();
        let pairs = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        for (name, value) in pairs {
            let place = match name {
                SESSION => &mut cookies.session,
                BROWSER => &mut cookies.browser,
                _ => continue,
            };
            if place.is_none() && is_legal(value) {
                *place = Some(value.to_owned());
            }
        }
        cookies
    }
}

/// The `Set-Cookie` headers that carry out a change of the session's cookie, and of the one that goes with it.
pub fn session_change(change: &CookieChange) -> Vec<HeaderValue> {
    let both = match change {
        CookieChange::Keep => [None, None],
        CookieChange::Set { value, max_age_seconds, browser_state } => [
            set(SESSION, value, *max_age_seconds, ATTRIBUTES),
            browser_state.as_ref().and_then(|state| set(STATE, state, *max_age_seconds, READABLE)),
        ],
        CookieChange::Clear => [set(SESSION, "", Some(0), ATTRIBUTES), set(STATE, "", Some(0), READABLE)],
    };
    both.into_iter().flatten().collect()
}

/// The `Set-Cookie` header for the browser's secret. It goes when the browser closes.
pub fn browser_secret(value: &str) -> Option<HeaderValue> {
    set(BROWSER, value, None, ATTRIBUTES)
}

fn set(name: &str, value: &str, max_age_seconds: Option<i64>, attributes: &str) -> Option<HeaderValue> {
    let text = match max_age_seconds {
        Some(seconds) => format!("{name}={value}; Max-Age={}; {attributes}", seconds.max(0)),
        None => format!("{name}={value}; {attributes}"),
    };
    HeaderValue::try_from(text).ok()
}

fn is_legal(value: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=VALUE_BYTES_MAX).contains(&value.len()) && value.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use engine::sign_in::CookieChange;

    use super::{Cookies, browser_secret, session_change};

    #[test]
    fn our_cookies_are_found_among_others() {
        for (headers, session, browser) in [
            (vec!["a=b; __Host-vestibule=s.1; c"], Some("s.1"), None),
            (vec!["__Host-vestibule=s", "__Host-vestibule-browser=t"], Some("s"), Some("t")),
            (vec!["__Host-vestibule=first; __Host-vestibule=second"], Some("first"), None),
            (vec!["vestibule=s; __host-vestibule=s"], None, None),
            (vec!["__Host-vestibule=; __Host-vestibule-browser=<b>"], None, None),
            (vec![], None, None),
        ] {
            let mut map = HeaderMap::new();
            for header in &headers {
                map.append("cookie", header.parse().unwrap());
            }
            let found = Cookies::read(&map);
            assert_eq!(
                (found.session.as_deref(), found.browser.as_deref()),
                (session, browser),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_no_cookie() {
        let mut map = HeaderMap::new();
        map.append("cookie", format!("__Host-vestibule={}", "a".repeat(257)).parse().unwrap());
        assert_eq!(Cookies::read(&map), Cookies::default());
    }

    #[test]
    fn cookies_are_for_this_host_only_and_the_sessions_is_out_of_reach_of_scripts() {
        let change = |max_age_seconds, browser_state: Option<&str>| CookieChange::Set {
            value: "s".into(),
            max_age_seconds,
            browser_state: browser_state.map(str::to_owned),
        };
        let hidden = "Path=/; Secure; HttpOnly; SameSite=None";
        let readable = "Path=/; Secure; SameSite=None";
        let session = |rest: &str| format!("__Host-vestibule={rest}; {hidden}");
        let state = |rest: &str| format!("__Host-vestibule-state={rest}; {readable}");
        for (headers, expected) in [
            (session_change(&change(Some(60), None)), vec![session("s; Max-Age=60")]),
            (session_change(&change(None, None)), vec![session("s")]),
            (
                session_change(&change(Some(9), Some("b"))),
                vec![session("s; Max-Age=9"), state("b; Max-Age=9")],
            ),
            (session_change(&change(None, Some("b"))), vec![session("s"), state("b")]),
            (session_change(&CookieChange::Clear), vec![session("; Max-Age=0"), state("; Max-Age=0")]),
            (
                browser_secret("t").into_iter().collect(),
                vec![format!("__Host-vestibule-browser=t; {hidden}")],
            ),
            (session_change(&CookieChange::Keep), vec![]),
        ] {
            assert_eq!(headers, expected);
        }
    }
}
