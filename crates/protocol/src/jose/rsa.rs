//! An RSA public key, and one signature with any of the RSA algorithms that are taken.
//!
//! Spec: RFC 7518 §3.3, §3.5 and §6.3.1, RFC 7638 §3.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents,
};
use domain::client_credential::AssertionAlgorithm;

use super::JoseError;
use super::encode::{base64url, from_base64url, sha256};

/// Bits of a modulus: 2048 at least (RFC 7518 §3.3), 8192 at most, since larger ones only cost.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Bytes of an exponent at most; nearly every key has 3.
const EXPONENT_BYTES_MAX: usize = 8;

/// Modulus and exponent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    n: Vec<u8>,
    e: Vec<u8>,
}

impl RsaPublicKey {
    /// A key from modulus and exponent, big-endian.
    pub(super) fn new(n: &[u8], e: &[u8]) -> Result<Self, JoseError> {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        // With an exponent of one, each message would be its own signature.
        let is_fit = MODULUS_BITS.contains(&bits)
            && is_odd(n)
            && e.len() <= EXPONENT_BYTES_MAX
            && is_odd(e)
            && *e != [1];
        if !is_fit {
            return Err(JoseError::KeyRejected);
        }
        Ok(Self { n: n.to_vec(), e: e.to_vec() })
    }

    /// A key from the members `n` and `e` of a JWK.
    ///
    /// # Errors
    /// [`JoseError::KeyRejected`] where they are no fit key, [`JoseError::Malformed`] where they are not base64url.
    pub fn from_members(n: &str, e: &str) -> Result<Self, JoseError> {
        Self::new(&from_base64url(n)?, &from_base64url(e)?)
    }

    /// The member `n` of its JWK.
    pub fn n(&self) -> String {
        base64url(&self.n)
    }

    /// The member `e` of its JWK.
    pub fn e(&self) -> String {
        base64url(&self.e)
    }

    /// The digest of the required members, sorted and without white space (RFC 7638 §3).
    pub fn thumbprint(&self) -> String {
        let canonical = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, self.e(), self.n());
        base64url(&sha256(canonical.as_bytes()))
    }

    pub(super) fn components(&self) -> RsaPublicKeyComponents<&[u8]> {
        RsaPublicKeyComponents { n: &self.n, e: &self.e }
    }

    /// Whether the signature belongs to the message.
    pub(crate) fn verify(
        &self,
        algorithm: AssertionAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), JoseError> {
        let parameters: &RsaParameters = match algorithm {
            AssertionAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            AssertionAlgorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            AssertionAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        };
        self.components().verify(parameters, message, signature).map_err(|_| JoseError::BadSignature)
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaKeyPair};
    use domain::client_credential::AssertionAlgorithm;

    use super::RsaPublicKey;
    use crate::jose::JoseError;
    use crate::jose::pem::rsa_public_key;

    #[test]
    fn each_algorithm_verifies_its_own_signatures_and_no_other() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let key = rsa_public_key(pair.public_key().as_ref()).unwrap();
        assert_eq!(RsaPublicKey::from_members(&key.n(), &key.e()).as_ref(), Ok(&key));
        let padding = [&RSA_PKCS1_SHA256, &RSA_PKCS1_SHA384, &RSA_PSS_SHA256];
        for (signed, padding) in AssertionAlgorithm::ALL.into_iter().zip(padding) {
            let mut signature = [0; 256];
            pair.sign(padding, &SystemRandom::new(), b"message", &mut signature).unwrap();
            for checked in AssertionAlgorithm::ALL {
                let verified = key.verify(checked, b"message", &signature);
                assert_eq!(verified.is_ok(), checked == signed, "{signed:?} as {checked:?}");
            }
            assert!(key.verify(signed, b"another", &signature).is_err());
        }
    }

    #[test]
    fn only_fit_numbers_are_a_key() {
        let modulus = |bytes: usize, first: u8, last: u8| {
            let mut n = vec![0x5a; bytes];
            (n[0], n[bytes - 1]) = (first, last);
            n
        };
        let good = modulus(256, 0x80, 1);
        for e in [&[3][..], &[1, 0, 1], &[0, 0, 0, 0, 0, 0, 1, 0, 1]] {
            assert!(RsaPublicKey::new(&good, e).is_ok(), "{e:?}");
        }
        assert!(RsaPublicKey::new(&[&[0][..], &good].concat(), &[3]).is_ok());
        for (n, e) in [
            (good.clone(), &[1][..]),
            (good.clone(), &[]),
            (good.clone(), &[4]),
            (good.clone(), &[1, 0, 0, 0, 0, 0, 0, 0, 1]),
            (modulus(256, 0x7f, 1), &[3]),
            (modulus(256, 0x80, 2), &[3]),
            (modulus(255, 0x80, 1), &[3]),
            (modulus(1025, 0x01, 1), &[3]),
            (Vec::new(), &[3]),
        ] {
            assert_eq!(RsaPublicKey::new(&n, e), Err(JoseError::KeyRejected), "{} {e:?}", n.len());
        }
    }
}
