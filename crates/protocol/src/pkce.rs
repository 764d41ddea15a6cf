//! Proof key for code exchange: does the verifier belong to the challenge?
//!
//! Spec: RFC 7636 §4.1, §4.2 and §4.6. Only the method S256 exists here.

use domain::limits::{CODE_VERIFIER_CHARACTERS_MAX, CODE_VERIFIER_CHARACTERS_MIN};
use domain::secret::same;

use crate::jose::{base64url, sha256};

/// Why a verifier was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// The verifier is too short, too long, or has characters outside the unreserved set.
    #[error("code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~")]
    Malformed,
    /// The verifier is not the one that the challenge was made from.
    #[error("Failed to verify code verifier")]
    Mismatch,
}

/// Whether a verifier belongs to an S256 challenge.
///
/// # Errors
/// A [`PkceError`].
pub fn verify(verifier: &str, challenge: &str) -> Result<(), PkceError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let length = CODE_VERIFIER_CHARACTERS_MIN..=CODE_VERIFIER_CHARACTERS_MAX;
    if !length.contains(&verifier.len()) || !verifier.bytes().all(legal) {
        return Err(PkceError::Malformed);
    }
    if same(challenge_of(verifier).as_bytes(), challenge.as_bytes()) {
        Ok(())
    } else {
        Err(PkceError::Mismatch)
    }
}

/// The S256 challenge of a verifier.
pub fn challenge_of(verifier: &str) -> String {
    base64url(&sha256(verifier.as_bytes()))
}

/// Whether a challenge can be the base64url form of a SHA-256 digest: 43 characters without padding.
pub fn is_legal_challenge(challenge: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    challenge.len() == CODE_VERIFIER_CHARACTERS_MIN && challenge.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::{PkceError, challenge_of, is_legal_challenge, verify};

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_specification_verifies() {
        assert_eq!(challenge_of(VERIFIER), CHALLENGE);
        assert_eq!(verify(VERIFIER, CHALLENGE), Ok(()));
        assert!(is_legal_challenge(CHALLENGE));
    }

    #[test]
    fn another_verifier_is_a_mismatch_and_an_illegal_one_is_malformed() {
        let other = VERIFIER.replace('d', "e");
        assert_eq!(verify(&other, CHALLENGE), Err(PkceError::Mismatch));
        assert_eq!(verify(CHALLENGE, CHALLENGE), Err(PkceError::Mismatch), "plain is not taken");
        for bad in
            ["", &VERIFIER[1..], &"a".repeat(129), &VERIFIER.replace('d', "+"), &VERIFIER.replace('d', "é")]
        {
            assert_eq!(verify(bad, CHALLENGE), Err(PkceError::Malformed), "{bad}");
        }
        assert_eq!(verify(&"a".repeat(128), &challenge_of(&"a".repeat(128))), Ok(()));
        assert!(!is_legal_challenge(&format!("{CHALLENGE}=")));
    }
}
