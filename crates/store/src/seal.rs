//! Encryption of secrets at rest: AES-256-GCM under the master key, bound to a purpose.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::secret::Sealed;

use crate::error::{Result, StoreError};

/// Names the form of a sealed value, so that a later form can stand beside it.
const FORM: &str = "v1.";

/// The master key, ready for use. Nonces are 96 random bits, so one key is good for 2^32 seals (NIST SP 800-38D
/// §8.3); a tenant makes a few thousand.
pub(crate) struct Sealer(RandomizedNonceKey);

impl Sealer {
    pub(crate) fn new(master_key: &[u8; 32]) -> Self {
        let key = RandomizedNonceKey::new(&AES_256_GCM, master_key);
        Self(key.expect("AES-256 takes any 32 bytes"))
    }

    pub(crate) fn seal(&self, purpose: &str, plain: &[u8]) -> Sealed {
        let mut sealed = plain.to_vec();
        // Fails only without randomness from the system or on a plaintext of 64 GiB: nothing to go on with.
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(purpose.as_bytes()), &mut sealed)
            .expect("the system gives randomness and secrets are short");
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        Sealed(format!("{FORM}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub(crate) fn unseal(&self, purpose: &str, sealed: &Sealed) -> Result<Vec<u8>> {
        let corrupt = |what: &str| StoreError::Corrupt(format!("a sealed value for {purpose} {what}"));
        let text = sealed.0.strip_prefix(FORM).ok_or_else(|| corrupt("has an unknown form"))?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| corrupt("is not base64url"))?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or_else(|| corrupt("is too short"))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| corrupt("is too short"))?;
        let mut sealed = sealed.to_vec();
        let plain =
            self.0.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut sealed).map_err(|_| {
                corrupt("was changed, belongs to another purpose, or was sealed under another key")
            })?;
        Ok(plain.to_vec())
    }
}
