//! `/oidc/check-session`: the frame in which a client's page asks whether the session is the same.
//!
//! Spec: OIDC Session Management 1.0 §3.3. The same bytes for everyone: what differs is the browser's cookie, which only the
//! script in the frame reads.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::pages::source_of;

const SCRIPT: &str = include_str!("../../pages/check_session.js");

static PAGE: LazyLock<String> = LazyLock::new(|| {
    format!("<!doctype html>\n<meta charset=\"utf-8\">\n<title>Session</title>\n<script>{SCRIPT}</script>\n")
});
/// Any page may frame it: there is nothing in it to see or to press.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!("default-src 'none'; script-src '{}'; base-uri 'none'; form-action 'none'", source_of(SCRIPT))
});

pub async fn get() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, PAGE.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use super::SCRIPT;
    use crate::http::cookies::STATE;

    #[test]
    fn the_frame_reads_the_cookie_that_is_set() {
        assert!(SCRIPT.contains(&format!("\"{STATE}=\"")));
        assert!(!SCRIPT.contains("</script"));
    }
}
