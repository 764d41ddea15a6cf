//! What `api.redirect` is built on: the URL that the browser is sent to, and the tokens that travel with it.
//!
//! Spec: JWS compact serialisation (RFC 7515 §7.1) with HS256 and nothing else. Here is only what must not depend on
//! built-ins that a script may have patched; which claims there are and which count is in `js/redirect.js`.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::limits::ACTION_REDIRECT_URL_BYTES_MAX;
use serde_json::Value;
use url::Url;

/// What each of our tokens begins with.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// Bytes of a token that is looked at. Ours: what a form can bring is below.
const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// An absolute http or https URL with more parameters, given as names and values in turn.
pub(crate) fn redirect_url(url: &str, query: &[String]) -> Result<String, String> {
    let mut url = Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| format!("`{url}` is not an absolute http or https URL."))?;
    let (pairs, _) = query.as_chunks::<2>();
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs.iter().map(|[name, value]| (name, value)));
    }
    if url.as_str().len() > ACTION_REDIRECT_URL_BYTES_MAX {
        return Err(format!("The URL with its query is longer than {ACTION_REDIRECT_URL_BYTES_MAX} bytes."));
    }
    Ok(url.into())
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

/// Signs claims, which are JSON.
pub(crate) fn encode(secret: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
    let tag = hmac::sign(&key(secret), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// The claims of a token with a good signature, as JSON.
pub(crate) fn decode(secret: &str, token: &str) -> Result<String, &'static str> {
    const MALFORMED: &str = "The session token is not a JWT.";
    if token.len() > TOKEN_BYTES_MAX {
        return Err("The session token is too long.");
    }
    let (signed, tag) = token.rsplit_once('.').ok_or(MALFORMED)?;
    let (header, claims) = signed.split_once('.').ok_or(MALFORMED)?;
    let read = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| MALFORMED);
    let header: Value = serde_json::from_slice(&read(header)?).map_err(|_| MALFORMED)?;
    if header["alg"] != "HS256" {
        return Err("The session token is not signed with HS256.");
    }
    hmac::verify(&key(secret), signed.as_bytes(), &read(tag)?)
        .map_err(|_| "The session token's signature does not match the secret.")?;
    let claims: Value = serde_json::from_slice(&read(claims)?).map_err(|_| MALFORMED)?;
    if claims.is_object() { Ok(claims.to_string()) } else { Err(MALFORMED) }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, redirect_url};

    #[test]
    fn a_token_comes_back_and_only_with_its_secret() {
        let token = encode("shh", r#"{"a":1}"#);
        assert_eq!(decode("shh", &token).as_deref(), Ok(r#"{"a":1}"#));
        for (secret, token, says) in [
            ("other", token.clone(), "signature"),
            ("shh", token.replace("eyJhIjox", "eyJhIjoy"), "signature"),
            ("shh", "a.b".to_owned(), "not a JWT"),
            ("shh", String::new(), "not a JWT"),
            // {"alg":"none"}
            ("shh", "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.".to_owned(), "HS256"),
            ("shh", encode("shh", "[]"), "not a JWT"),
        ] {
            let refusal = decode(secret, &token).unwrap_err();
            assert!(refusal.contains(says), "{token}: {refusal}");
        }
    }

    #[test]
    fn a_known_token_is_made_byte_for_byte() {
        // RFC 7515 has no example with this header; computed with another implementation.
        let token =
            encode("your-256-bit-secret", r#"{"sub":"1234567890","name":"John Doe","iat":1516239022}"#);
        let expected = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwi\
                        aWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
        assert_eq!(token, expected);
    }

    #[test]
    fn parameters_are_added_to_those_that_a_url_has() {
        let query = ["b", "2 &", "c", "3"].map(str::to_owned);
        let url = redirect_url("https://a.example?a=1#end", &query).unwrap();
        assert_eq!(url, "https://a.example/?a=1&b=2+%26&c=3#end");
        assert_eq!(redirect_url("http://localhost:3000/x", &[]).unwrap(), "http://localhost:3000/x");
        for bad in ["/here", "javascript:alert(1)", "ftp://a.example/", "", "https://"] {
            assert!(redirect_url(bad, &[]).is_err(), "{bad}");
        }
        assert!(redirect_url(&format!("https://a.example/{}", "x".repeat(20_000)), &[]).is_err());
    }
}
