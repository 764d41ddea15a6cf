//! Check: the redirect URI is one that the client registered, character by character.
//!
//! Spec: RFC 6749 §3.1.2, RFC 9700 §2.1, RFC 8252 §7.3, OIDC Core 1.0 §3.1.2.1.
//!
//! One exception, and only for native apps: on the loopback addresses `127.0.0.1` and `[::1]` with plain http the
//! port may be any, because the system picks it when the app starts.

use domain::client::Client;
use domain::redact::without_values;

use crate::error::OAuthError;
use crate::params::Params;

/// Schemes that run in the page that follows them; no registration makes them a place to send a code to.
const NEVER: [&str; 5] = ["javascript:", "data:", "vbscript:", "file:", "blob:"];

pub(super) fn check(params: &Params, client: &Client) -> Result<String, OAuthError> {
    params.check_once(&["redirect_uri"])?;
    let uri = match (params.get("redirect_uri"), client.callbacks.as_slice()) {
        (Some(asked), callbacks) => {
            let matches = |registered: &String| is_registered(asked, registered, client);
            if !callbacks.iter().any(matches) {
                return Err(mismatch().with_debug(format!("redirect_uri {:?}", without_values(asked))));
            }
            asked
        }
        (None, [only]) => only,
        (None, _) => return Err(OAuthError::missing("redirect_uri")),
    };
    if is_dangerous(uri) {
        return Err(mismatch()
            .with_debug(format!("{:?} is registered, but nothing may be sent there", without_values(uri))));
    }
    Ok(uri.to_owned())
}

fn mismatch() -> OAuthError {
    OAuthError::invalid(
        "Callback URL mismatch. The provided redirect_uri is not in the list of allowed callback URLs.",
    )
}

fn is_registered(asked: &str, registered: &str, client: &Client) -> bool {
    if asked == registered {
        return true;
    }
    client.app_type.as_deref() == Some("native")
        && matches!((without_port(asked), without_port(registered)), (Some(left), Some(right)) if left == right)
}

/// Splits a loopback URI into host and what follows the port; `None` for any other URI.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let host = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|host| uri.starts_with(host))?;
    let after_host = &uri[host.len()..];
    let path = match after_host.strip_prefix(':') {
        None => after_host,
        Some(after_colon) => {
            let digits = after_colon.bytes().take_while(u8::is_ascii_digit).count();
            after_colon[..digits].parse::<u16>().ok()?;
            &after_colon[digits..]
        }
    };
    (path.is_empty() || path.starts_with(['/', '?'])).then_some((host, path))
}

fn is_dangerous(uri: &str) -> bool {
    let has_fragment_or_control = uri.chars().any(|c| c == '#' || c.is_control() || c.is_whitespace());
    let is_absolute = uri.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    let lower = uri.to_ascii_lowercase();
    has_fragment_or_control || !is_absolute || NEVER.iter().any(|scheme| lower.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::{is_dangerous, without_port};

    #[test]
    fn only_a_loopback_address_has_a_port_that_may_vary() {
        for (uri, expect) in [
            ("http://127.0.0.1/cb", Some(("http://127.0.0.1", "/cb"))),
            ("http://127.0.0.1:49152/cb?x=1", Some(("http://127.0.0.1", "/cb?x=1"))),
            ("http://[::1]:8/", Some(("http://[::1]", "/"))),
            ("http://127.0.0.1:8", Some(("http://127.0.0.1", ""))),
            ("http://localhost:8/cb", None),
            ("https://127.0.0.1:8/cb", None),
            ("http://127.0.0.1:8@evil.example/cb", None),
            ("http://127.0.0.1@evil.example/cb", None),
            ("http://127.0.0.1.evil.example/cb", None),
            ("http://127.0.0.1:99999/cb", None),
            ("http://127.0.0.1:/cb", None),
            ("http://127.0.0.1:8\\evil.example", None),
            ("http://127.0.0.1:8#/cb", None),
        ] {
            assert_eq!(without_port(uri), expect, "{uri}");
        }
    }

    #[test]
    fn a_code_is_never_sent_where_a_script_would_run() {
        for uri in
            ["javascript:alert(1)", "JavaScript:x", "data:text/html,x", "/cb", "", "https://a/#f", "a b:c"]
        {
            assert!(is_dangerous(uri), "{uri}");
        }
        for uri in ["https://rp.example/cb?x=1", "com.example.app:/cb", "http://localhost:3000/cb"] {
            assert!(!is_dangerous(uri), "{uri}");
        }
    }
}
