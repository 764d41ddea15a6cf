//! `/manage/`: the dashboard's files, which are part of this program; see `build.rs`.
//!
//! The dashboard itself is in `dashboard`: a client of this server as any other, which uses nothing but the Management API.

use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::error::PageError;

/// One file, plain and compressed.
struct Asset {
    path: &'static str,
    content_type: &'static str,
    plain: &'static [u8],
    brotli: &'static [u8],
    gzip: &'static [u8],
}

static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// What is shown for every address of the dashboard: its scripts know which page that is.
const ENTRY: &str = "index.html";
/// Files below this have names that change with what is in them.
const HASHED: &str = "assets/";
/// Scripts from here only. Styles may stand in the page, for the component library and the editor write theirs there;
/// pictures may come from anywhere on https, since users have some.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; \
                      font-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// `/manage`: where the files' relative names would be wrong.
pub async fn redirect() -> Redirect {
    Redirect::permanent("/manage/")
}

/// `/manage/`.
pub async fn entry(headers: HeaderMap) -> Response {
    file(ASSETS, ENTRY, &headers)
}

/// Anything below it: a file, or a page that the scripts know.
pub async fn below(Path(path): Path<String>, headers: HeaderMap) -> Response {
    file(ASSETS, &path, &headers)
}

fn file(assets: &'static [Asset], path: &str, headers: &HeaderMap) -> Response {
    let find = |name: &str| assets.iter().find(|asset| asset.path == name);
    if find(ENTRY).is_none() {
        return PageError::plain(
            StatusCode::NOT_FOUND,
            "This server was built without its dashboard. `cargo xtask serve` and `cargo xtask dashboard` build it \
             (they need Node.js); everything else works without.",
        )
        .into_response();
    }
    let found = match find(path) {
        Some(asset) => Some(asset),
        // A file that is gone is not a page: a script that is answered with HTML fails in a way nobody understands.
        None if path.starts_with(HASHED) => None,
        None => find(ENTRY),
    };
    found.map_or_else(|| PageError::no_such_page().into_response(), |asset| answer(asset, headers))
}

fn answer(asset: &Asset, headers: &HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (encoding, body) = match () {
        () if accepts(accepted, "br") => (Some("br"), asset.brotli),
        () if accepts(accepted, "gzip") => (Some("gzip"), asset.gzip),
        () => (None, asset.plain),
    };
    let cache =
        if asset.path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [
        (CONTENT_TYPE, asset.content_type),
        (CACHE_CONTROL, cache),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (VARY, "accept-encoding"),
    ];
    match encoding {
        Some(encoding) => (common, [(CONTENT_ENCODING, encoding)], body).into_response(),
        None => (common, body).into_response(),
    }
}

/// Whether a coding is named and not refused (RFC 9110 §12.5.3).
fn accepts(header: &str, coding: &str) -> bool {
    header.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.trim().parse().is_ok_and(|weight: f32| weight <= 0.0))
        });
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::HeaderMap;
    use axum::http::header::ACCEPT_ENCODING;

    use super::{Asset, accepts, file};

    static BUILT: &[Asset] = &[
        Asset {
            path: "index.html",
            content_type: "text/html",
            plain: b"page",
            brotli: b"page-br",
            gzip: b"page-gz",
        },
        Asset {
            path: "assets/a-1.js",
            content_type: "text/javascript",
            plain: b"script",
            brotli: b"script-br",
            gzip: b"script-gz",
        },
    ];

    #[tokio::test]
    async fn files_are_answered_compressed_and_pages_with_the_entry() {
        for (path, encoding, expect, cache) in [
            ("index.html", "", "page", "no-cache"),
            ("users/auth0%7C1", "gzip, br", "page-br", "no-cache"),
            ("assets/a-1.js", "gzip", "script-gz", "public, max-age=31536000, immutable"),
            ("assets/a-1.js", "br;q=0, gzip;q=0.5", "script-gz", "public, max-age=31536000, immutable"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, encoding.parse().unwrap());
            let response = file(BUILT, path, &headers);
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(response.headers()["cache-control"], cache, "{path}");
            assert_eq!(response.headers()["vary"], "accept-encoding");
            let policy = response.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("script-src 'self';"), "{policy}");
            assert_eq!(&to_bytes(response.into_body(), 100).await.unwrap()[..], expect.as_bytes(), "{path}");
        }
    }

    #[tokio::test]
    async fn a_script_that_is_gone_is_not_a_page() {
        assert_eq!(file(BUILT, "assets/a-0.js", &HeaderMap::new()).status(), 404);
    }

    #[tokio::test]
    async fn without_its_files_the_dashboard_says_how_to_build_it() {
        let response = file(&[], "", &HeaderMap::new());
        assert_eq!(response.status(), 404);
        let page = to_bytes(response.into_body(), 65536).await.unwrap();
        assert!(String::from_utf8_lossy(&page).contains("cargo xtask dashboard"));
    }

    #[test]
    fn a_coding_of_weight_nothing_is_refused() {
        for (header, expect) in [
            ("br", true),
            ("gzip, BR;q=0.1", true),
            ("br;q=0", false),
            ("br; q=0.0", false),
            ("brotli", false),
        ] {
            assert_eq!(accepts(header, "br"), expect, "{header}");
        }
    }
}
