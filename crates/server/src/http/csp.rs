//! What a page of ours may load, run and post to: nothing that it does not need.
//!
//! Spec: Content Security Policy Level 3. Not here: which script a page has; see `pages`.

use std::collections::BTreeSet;
use std::fmt::Write;

use url::Url;

/// What a page needs beside our style.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs<'a> {
    /// The `sha256-…` of its only script.
    pub script_hash: Option<&'a str>,
    /// The verified URI that its form's answer goes to in the end.
    pub returns_to: Option<&'a str>,
    /// The tenant's picture.
    pub logo: Option<&'a str>,
    /// What it shows in frames.
    pub frames: &'a [String],
}

/// The policy of one page.
///
/// Browsers built on Chromium hold `form-action` against every redirect that follows a posted form, and a client's
/// callback commonly redirects once more, to wherever its user came from; and before that an Action may send the
/// browser to a page of the tenant's. So every sign-in may lead anywhere on https, and one for a client on this very
/// machine anywhere on this machine; a form of ours cannot otherwise be turned elsewhere, since no foreign markup gets
/// into the page and no script runs in it.
pub fn policy(needs: &Needs<'_>) -> String {
    let mut policy = "default-src 'none'; style-src 'self'; img-src 'self' data:".to_owned();
    if let Some(origin) = needs.logo.and_then(|logo| source(&Url::parse(logo).ok()?)) {
        let _ = write!(policy, " {origin}");
    }
    if let Some(hash) = needs.script_hash {
        let _ = write!(policy, "; script-src '{hash}'");
    }
    let framed: BTreeSet<_> = needs.frames.iter().filter_map(|url| source(&Url::parse(url).ok()?)).collect();
    if !framed.is_empty() {
        policy.push_str("; frame-src");
        framed.iter().for_each(|origin| policy.extend([" ", origin]));
    }
    policy.push_str("; form-action 'self'");
    if let Some(url) = needs.returns_to.and_then(|uri| Url::parse(uri).ok()) {
        for allowed in form_targets(&url) {
            let _ = write!(policy, " {allowed}");
        }
    }
    policy.push_str("; frame-ancestors 'none'; base-uri 'none'");
    policy
}

fn form_targets(url: &Url) -> Vec<String> {
    let mut targets: Vec<String> = source(url).into_iter().collect();
    targets.push("https:".to_owned());
    if let ("http" | "https", Some("localhost" | "127.0.0.1" | "[::1]")) = (url.scheme(), url.host_str()) {
        targets.extend(["http://localhost:*", "http://127.0.0.1:*"].map(str::to_owned));
    }
    targets
}

/// The source expression that matches a URL: its origin, or the scheme alone where there is no host (an app's own).
fn source(url: &Url) -> Option<String> {
    let scheme = url.scheme();
    let host = url.host_str().filter(|_| matches!(scheme, "http" | "https"));
    match host {
        Some(host) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{scheme}://{host}{port}"))
        }
        // A scheme consists of letters, digits and `+-.`, so it cannot end the directive.
        None if !matches!(scheme, "http" | "https" | "javascript" | "data") => Some(format!("{scheme}:")),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Needs, policy};

    #[test]
    fn a_page_without_wishes_may_do_nothing() {
        assert_eq!(
            policy(&Needs::default()),
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'"
        );
    }

    #[test]
    fn a_form_may_end_where_the_client_is() {
        for (uri, expected) in [
            ("https://rp.example:444/cb?a=1", "form-action 'self' https://rp.example:444 https:;"),
            ("http://rp.example/cb", "form-action 'self' http://rp.example https:;"),
            (
                "http://localhost:3000/cb",
                "form-action 'self' http://localhost:3000 https: http://localhost:* http://127.0.0.1:*;",
            ),
            ("com.example.app:/cb", "form-action 'self' com.example.app: https:;"),
            ("com.example.app://host/cb", "form-action 'self' com.example.app: https:;"),
            ("javascript:alert(1)", "form-action 'self' https:;"),
            ("not a URL; script-src *", "form-action 'self';"),
        ] {
            let policy = policy(&Needs { returns_to: Some(uri), ..Needs::default() });
            assert!(policy.contains(expected), "{uri}: {policy}");
            assert!(!policy.contains("script-src"), "{policy}");
        }
    }

    #[test]
    fn frames_come_from_the_named_origins_only() {
        let frames = [
            "https://b.example/x?iss=1",
            "https://a.example:444/",
            "https://b.example/y",
            "data:text/html,x",
        ];
        let policy = policy(&Needs { frames: &frames.map(str::to_owned), ..Needs::default() });
        assert!(policy.contains("; frame-src https://a.example:444 https://b.example;"), "{policy}");
    }

    #[test]
    fn the_script_of_a_page_and_the_logo_of_a_tenant_are_named() {
        let policy = policy(&Needs {
            script_hash: Some("sha256-abc="),
            logo: Some("https://cdn.example/logo.png"),
            ..Needs::default()
        });
        assert!(policy.contains("; script-src 'sha256-abc=';"), "{policy}");
        assert!(policy.contains("img-src 'self' data: https://cdn.example;"), "{policy}");
    }
}
