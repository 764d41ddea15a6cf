//! What a client may compare, from a frame, with what the browser holds: whether the person is signed in as before.
//!
//! Spec: OIDC Session Management 1.0 §3.2. Not here: the frame that compares, `crates/server/pages/check_session.js`.

use domain::id::hexadecimal;
use url::Url;

use crate::jose::sha256;

/// The `session_state` of an answer: salted, so that two clients cannot tell from theirs that they speak of one browser.
/// `browser_state` is what the browser's readable cookie holds.
///
/// None where the redirect URI has no origin, as an app's own scheme has none: no frame can ask from there.
pub fn session_state(client_id: &str, redirect_uri: &str, browser_state: &str, salt: &str) -> Option<String> {
    let origin = Url::parse(redirect_uri).ok()?.origin();
    let origin = origin.is_tuple().then(|| origin.ascii_serialization())?;
    let digest = sha256(format!("{client_id} {origin} {browser_state} {salt}").as_bytes());
    Some(format!("{}.{salt}", hexadecimal(&digest)))
}

#[cfg(test)]
mod tests {
    use super::session_state;

    #[test]
    fn it_is_the_hash_that_the_frame_computes() {
        // printf '%s' 'a https://rp.example browser salt' | sha256sum
        let expect = "62a8d16d8d8736c6e6d571bd9332dfbe23c370909bdd541fa6f80d5140221d15.salt";
        let of = |client: &str, uri: &str, state: &str| session_state(client, uri, state, "salt");
        assert_eq!(of("a", "https://rp.example/cb?x=1", "browser").as_deref(), Some(expect));
        for other in [
            of("b", "https://rp.example/cb", "browser"),
            of("a", "https://rp.example:444/cb", "browser"),
            of("a", "http://rp.example/cb", "browser"),
            of("a", "https://rp.example/cb", ""),
        ] {
            assert_ne!(other.unwrap(), expect);
        }
        assert_eq!(of("a", "com.example.app:/cb", "browser"), None);
        assert_eq!(of("a", "not a URL", "browser"), None);
    }
}
