//! Tokens whose signature was found good lately: whoever calls an API sends the same token with every call.
//!
//! Only the signature is remembered, which cannot turn bad while the keys stay. Expiry, audience and revocation are
//! checked with every call as before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::jose::{JoseError, KeySet, Verified};

/// Tokens remembered at most; then all are forgotten. Ours: more than the callers of a busy minute.
const TOKENS_MAX: usize = 1024;
/// Bytes of a token that is remembered. Ours: with the line above, some 16 MiB at worst.
const TOKEN_BYTES_MAX: usize = 4 * 1024;

/// The memory. It lives and dies with one set of keys.
#[derive(Default)]
pub(super) struct Recent(Mutex<HashMap<String, Arc<Verified>>>);

impl Recent {
    /// As [`KeySet::verify`], without doing it twice for one token. `set` must always be the same.
    pub(super) fn verify(&self, set: &KeySet, token: &str) -> Result<Arc<Verified>, JoseError> {
        if let Some(known) = self.lock().get(token) {
            return Ok(Arc::clone(known));
        }
        let verified = Arc::new(set.verify(token)?);
        if token.len() <= TOKEN_BYTES_MAX {
            let mut known = self.lock();
            if known.len() >= TOKENS_MAX {
                known.clear();
            }
            known.insert(token.to_owned(), Arc::clone(&verified));
        }
        Ok(verified)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Verified>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::key::SigningAlgorithm;
    use protocol::jose::{JoseError, KeySet, SigningKey};
    use serde_json::json;

    use super::{Recent, TOKEN_BYTES_MAX, TOKENS_MAX};

    #[test]
    fn a_good_signature_is_verified_once_and_a_bad_one_each_time() {
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let set = KeySet::new(vec![key.verifying_key()]);
        let token = key.sign("JWT", &json!({ "sub": "a" }));
        let (recent, none) = (Recent::default(), KeySet::default());
        assert_eq!(recent.verify(&none, &token), Err(JoseError::UnknownKey));
        assert_eq!(recent.verify(&set, &token).unwrap().claims["sub"], "a");
        // Not verified again: this set could not.
        assert_eq!(recent.verify(&none, &token).unwrap().claims["sub"], "a");
        let other = key.sign("JWT", &json!({ "sub": "b" }));
        let forged = format!("{}.{}", token.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
        for _ in 0..2 {
            assert_eq!(recent.verify(&set, &forged), Err(JoseError::BadSignature));
        }
    }

    #[test]
    fn the_memory_is_bounded() {
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let set = KeySet::new(vec![key.verifying_key()]);
        let recent = Recent::default();
        for number in 0..=TOKENS_MAX {
            recent.verify(&set, &key.sign("JWT", &json!({ "n": number }))).unwrap();
            assert!(recent.lock().len() <= TOKENS_MAX);
        }
        let before = recent.lock().len();
        recent.verify(&set, &key.sign("JWT", &json!({ "long": "x".repeat(TOKEN_BYTES_MAX) }))).unwrap();
        assert_eq!(recent.lock().len(), before);
    }
}
