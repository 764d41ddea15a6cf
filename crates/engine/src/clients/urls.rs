//! Which URLs a client may register: to return to, to call from, to be told of a logout at.

use domain::egress::Egress;
use url::Url;

use crate::Error;
use crate::outbound::callable;

/// Bytes of one registered URL. Ours: browsers stop at about this.
const URL_BYTES_MAX: usize = 2_048;
/// Schemes that run code or read files when a browser is sent there.
const SCHEMES_REFUSED: &[&str] = &["javascript", "data", "vbscript", "file", "blob", "about"];

/// A URL that a browser may be sent back to: absolute, without fragment (RFC 6749 §3.1.2), written out in full, since
/// it is compared exactly (RFC 9700 §2.1).
pub(crate) fn check_return_url(text: &str, property: &str) -> Result<(), Error> {
    let url = absolute(text, property)?;
    if SCHEMES_REFUSED.contains(&url.scheme()) {
        return Err(refuse(&format!("the scheme {} is not allowed", url.scheme()), property));
    }
    if url.fragment().is_some() {
        return Err(refuse("a fragment is not allowed", property));
    }
    Ok(())
}

/// An origin: `https://host` with an optional port.
pub(super) fn check_origin(text: &str, property: &str) -> Result<(), Error> {
    let url = absolute(text, property)?;
    if SCHEMES_REFUSED.contains(&url.scheme()) {
        return Err(refuse(&format!("the scheme {} is not allowed", url.scheme()), property));
    }
    Ok(())
}

/// A URL that this server posts to (logout tokens, log events): `https`, outside the operator's own network, unless the operator
/// vouches for the host.
pub(crate) fn check_post_url(text: &str, property: &str, egress: &Egress) -> Result<(), Error> {
    let url = absolute(text, property)?;
    if url.fragment().is_some() {
        return Err(refuse("a fragment is not allowed", property));
    }
    callable(text, egress).map(drop).map_err(|reason| refuse(&reason, property))
}

/// A page that browsers load in a frame at a sign-out: at the origin of one of the callbacks, so that a client can bring
/// nobody else's page there (OIDC Front-Channel Logout 1.0 §2).
pub(super) fn check_frame_url(text: &str, callbacks: &[String], property: &str) -> Result<(), Error> {
    let url = absolute(text, property)?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(refuse("it must be an https URL", property));
    }
    if url.fragment().is_some() {
        return Err(refuse("a fragment is not allowed", property));
    }
    let is_at = |callback: &String| Url::parse(callback).is_ok_and(|known| known.origin() == url.origin());
    if !callbacks.iter().any(is_at) {
        return Err(refuse("its scheme, host and port must be those of one of the callbacks", property));
    }
    Ok(())
}

fn absolute(text: &str, property: &str) -> Result<Url, Error> {
    if text.len() > URL_BYTES_MAX {
        return Err(refuse(&format!("it is longer than {URL_BYTES_MAX} bytes"), property));
    }
    let authority =
        text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(rest));
    if authority.contains('*') {
        return Err(refuse("wildcards are not supported: URLs are compared exactly", property));
    }
    if text.contains(['{', '}']) {
        return Err(refuse("placeholders are not supported: URLs are compared exactly", property));
    }
    Url::parse(text).map_err(|error| refuse(&format!("{text}: {error}"), property))
}

fn refuse(reason: &str, property: &str) -> Error {
    Error::property(&format!("Object didn't pass validation for format url: {reason}"), property)
}

#[cfg(test)]
mod tests {
    use domain::egress::{AllowedHost, Egress};

    use super::{check_frame_url, check_post_url, check_return_url};

    #[test]
    fn return_urls_are_absolute_exact_and_harmless() {
        for good in
            ["https://rp.example.com/cb?x=1", "http://localhost:3000/", "com.example.app://cb", "myapp:/cb"]
        {
            assert!(check_return_url(good, "callbacks[0]").is_ok(), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "rp.example.com",
            "https://rp.example.com/#x",
            "javascript:alert(1)",
            "https://*.example.com/cb",
            "https://{organization_name}.example.com",
            "https://",
        ] {
            assert!(check_return_url(bad, "callbacks[0]").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_frame_is_at_the_origin_of_a_callback() {
        let callbacks = ["com.example.app:/cb", "https://rp.example.com/cb", "http://localhost:3000/cb"];
        let callbacks = callbacks.map(str::to_owned);
        for good in
            ["https://rp.example.com/bye?x=1", "https://rp.example.com:443/", "http://localhost:3000/"]
        {
            assert!(check_frame_url(good, &callbacks, "x").is_ok(), "{good}");
        }
        for bad in [
            "http://rp.example.com/bye",
            "https://rp.example.com:444/bye",
            "https://www.rp.example.com/bye",
            "https://rp.example.com@evil.test/bye",
            "https://rp.example.com/bye#x",
            "com.example.app:/bye",
            "/bye",
        ] {
            assert!(check_frame_url(bad, &callbacks, "x").is_err(), "{bad}");
        }
        assert!(check_frame_url("https://rp.example.com/bye", &[], "x").is_err());
    }

    #[test]
    fn logout_urls_are_https_and_public_unless_the_operator_says_otherwise() {
        let check =
            |url, everywhere: bool| check_post_url(url, "x", &Egress::everywhere_if(everywhere)).is_ok();
        assert!(check("https://rp.example.com/logout", false));
        for url in [
            "http://rp.example.com/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://localhost/",
            "https://10.1.2.3/x",
        ] {
            assert!(!check(url, false), "{url}");
            assert!(check(url, true), "{url}");
        }
        for url in ["ftp://rp.example.com/", "logout", "https://rp.example.com/#x"] {
            assert!(!check(url, true), "{url}");
        }
    }

    #[test]
    fn a_host_that_the_operator_lists_may_be_registered() {
        let allowed = ["rp.internal", "10.1.0.0/16"].map(|text| AllowedHost::parse(text).unwrap());
        let egress = Egress { everywhere: false, allowed: allowed.to_vec() };
        let check = |url| check_post_url(url, "x", &egress).is_ok();
        assert!(
            check("http://rp.internal/l") && check("http://10.1.2.3/") && check("https://rp.example.com/")
        );
        assert!(
            !check("http://rp.example.com/") && !check("https://10.2.0.1/") && !check("ftp://rp.internal/")
        );
    }
}
