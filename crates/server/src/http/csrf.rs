//! Proof that a posted form came from our own page in this browser.
//!
//! The form carries an HMAC of what it is about, keyed with a secret that only this browser's cookie holds. Another
//! site can make the browser send the cookie but can neither read it nor make the proof.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What the form is about comes after this, so that no other use of the secret can give a proof.
const PURPOSE: &[u8] = b"vestibule csrf 1\n";

/// The proof for a form about `subject` (the sign-in's identifier, or what the page does) in the browser that holds
/// `secret`.
pub fn token(secret: &str, subject: &str) -> String {
    URL_SAFE_NO_PAD.encode(tag(secret, subject))
}

/// Whether a posted proof is good. Takes the same time for every wrong one.
pub fn is_good(secret: Option<&str>, subject: &str, posted: &str) -> bool {
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else { return false };
    domain::secret::same(token(secret, subject).as_bytes(), posted.as_bytes())
}

fn tag(secret: &str, subject: &str) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(PURPOSE);
    context.update(subject.as_bytes());
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::{is_good, token};

    #[test]
    fn a_proof_is_good_for_its_browser_and_its_form_only() {
        let proof = token("secret", "sign-in 1");
        assert!(is_good(Some("secret"), "sign-in 1", &proof));
        assert!(!is_good(Some("secret"), "sign-in 2", &proof));
        assert!(!is_good(Some("other"), "sign-in 1", &proof));
        assert!(!is_good(Some("secret"), "sign-in 1", ""));
        assert!(!is_good(Some("secret"), "sign-in 1", &proof[1..]));
        assert!(!is_good(None, "sign-in 1", &proof));
        assert!(!is_good(Some(""), "sign-in 1", &token("", "sign-in 1")));
    }
}
