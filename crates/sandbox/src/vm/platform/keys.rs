//! Signatures with RSA (PKCS#1 v1.5) and ECDSA on P-256: reading keys, signing, verifying.

use std::cell::RefCell;
use std::rc::Rc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED,
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use rquickjs::{ArrayBuffer, Ctx, Exception, Function, Object, Result, TypedArray};

use super::text::from_base64;
use super::{Fetches, bytes_of};

/// Bytes of a key in any encoding. An RSA key of 8192 bits, the largest allowed, has fewer than 5000.
const KEY_BYTES_MAX: usize = 8 * 1024;
/// Bytes of a coordinate, and of a private scalar, on P-256.
const P256_BYTES: usize = 32;
/// The object identifier of `id-ecPublicKey` in DER (RFC 5480 §2.1.1).
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

pub(super) fn natives<'js>(ctx: &Ctx<'js>, object: &Object<'js>, _: &Rc<RefCell<Fetches>>) -> Result<()> {
    object.set("readPem", Function::new(ctx.clone(), read_pem)?)?;
    object.set("rsaKey", Function::new(ctx.clone(), rsa_key)?)?;
    object.set("keyType", Function::new(ctx.clone(), key_type)?)?;
    object.set("publicKey", Function::new(ctx.clone(), public_key)?)?;
    object.set("sign", Function::new(ctx.clone(), sign)?)?;
    object.set("verify", Function::new(ctx.clone(), verify)?)
}

enum PrivateKey {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

/// Reads a private key: `pkcs8`, `pkcs1` (RSA), `sec1` (EC) or `raw` (EC: scalar, then uncompressed point).
fn private_key(format: &str, der: &[u8], is_fixed: bool) -> Option<PrivateKey> {
    if der.len() > KEY_BYTES_MAX {
        return None;
    }
    let curve = if is_fixed { &ECDSA_P256_SHA256_FIXED_SIGNING } else { &ECDSA_P256_SHA256_ASN1_SIGNING };
    match format {
        "pkcs8" => match RsaKeyPair::from_pkcs8(der) {
            Ok(key) => Some(PrivateKey::Rsa(key)),
            Err(_) => EcdsaKeyPair::from_pkcs8(curve, der).ok().map(PrivateKey::Ec),
        },
        "pkcs1" => RsaKeyPair::from_der(der).ok().map(PrivateKey::Rsa),
        "sec1" => EcdsaKeyPair::from_private_key_der(curve, der).ok().map(PrivateKey::Ec),
        "raw" => {
            let (scalar, point) = der.split_at_checked(P256_BYTES)?;
            EcdsaKeyPair::from_private_key_and_public_key(curve, scalar, point).ok().map(PrivateKey::Ec)
        }
        _ => None,
    }
}

/// Label and content of the first PEM block (RFC 7468).
fn read_pem(ctx: Ctx<'_>, text: String) -> Result<Option<Object<'_>>> {
    let Some((label, body)) = pem_block(&text) else { return Ok(None) };
    let block = Object::new(ctx.clone())?;
    block.set("label", label)?;
    block.set("der", ArrayBuffer::new_copy(ctx, from_base64(body))?)?;
    Ok(Some(block))
}

fn pem_block(text: &str) -> Option<(&str, &str)> {
    let (label, rest) = text.split_once("-----BEGIN ")?.1.split_once("-----")?;
    let (body, end) = rest.split_once("-----END ")?;
    end.starts_with(label).then_some((label, body))
}

/// An RSA key in PKCS#1 (RFC 8017 appendix A.1) from its numbers, in that standard's order: two make a public key,
/// eight a private one.
fn rsa_key<'js>(ctx: Ctx<'js>, numbers: Vec<TypedArray<'js, u8>>) -> Result<ArrayBuffer<'js>> {
    let numbers: Vec<Vec<u8>> = numbers.iter().map(bytes_of).collect();
    if numbers.iter().map(Vec::len).sum::<usize>() > KEY_BYTES_MAX {
        return Err(Exception::throw_message(&ctx, "The key is too long."));
    }
    let mut content = Vec::new();
    if numbers.len() > 2 {
        content.extend(der_element(0x02, &[0]));
    }
    for number in &numbers {
        content.extend(der_number(number));
    }
    ArrayBuffer::new_copy(ctx, der_element(0x30, &content))
}

fn der_number(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = &bytes[zeros..];
    // A leading bit would be a sign.
    let is_padded = digits.first().is_none_or(|first| first & 0x80 != 0);
    let content = if is_padded { [&[0], digits].concat() } else { digits.to_vec() };
    der_element(0x02, &content)
}

fn der_element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let mut element = vec![tag];
    if content.len() < 0x80 {
        element.push(length[length.len() - 1]);
    } else {
        let digits: Vec<u8> = length.iter().copied().skip_while(|byte| *byte == 0).collect();
        // At most eight digits, so the cast keeps the number.
        element.push(0x80 | digits.len() as u8);
        element.extend(digits);
    }
    element.extend(content);
    element
}

/// `rsa` or `ec` for a key that can be used; nothing otherwise.
fn key_type(format: String, key: TypedArray<'_, u8>) -> Option<&'static str> {
    let key = bytes_of(&key);
    if format == "public" {
        return public_key_type(&key);
    }
    Some(match private_key(&format, &key, false)? {
        PrivateKey::Rsa(_) => "rsa",
        PrivateKey::Ec(_) => "ec",
    })
}

fn public_key_type(key: &[u8]) -> Option<&'static str> {
    match key {
        _ if key.len() > KEY_BYTES_MAX => None,
        // An uncompressed point.
        [0x04, rest @ ..] => (rest.len() == 2 * P256_BYTES).then_some("ec"),
        [0x30, ..] => {
            let is_ec = key.windows(EC_PUBLIC_KEY.len()).take(16).any(|part| part == EC_PUBLIC_KEY);
            Some(if is_ec { "ec" } else { "rsa" })
        }
        _ => None,
    }
}

/// The public half of a private key.
fn public_key<'js>(
    ctx: Ctx<'js>,
    format: String,
    key: TypedArray<'js, u8>,
) -> Result<Option<ArrayBuffer<'js>>> {
    match private_key(&format, &bytes_of(&key), false) {
        None => Ok(None),
        Some(PrivateKey::Rsa(key)) => ArrayBuffer::new_copy(ctx, key.public_key().as_ref()).map(Some),
        Some(PrivateKey::Ec(key)) => ArrayBuffer::new_copy(ctx, key.public_key().as_ref()).map(Some),
    }
}

/// Signs. `is_fixed` makes an ECDSA signature of two numbers of fixed length, else one in DER.
fn sign<'js>(
    ctx: Ctx<'js>,
    hash: String,
    is_fixed: bool,
    format: String,
    key: TypedArray<'js, u8>,
    data: TypedArray<'js, u8>,
) -> Result<ArrayBuffer<'js>> {
    let refuse = |text: &str| Exception::throw_message(&ctx, text);
    let key = private_key(&format, &bytes_of(&key), is_fixed)
        .ok_or_else(|| refuse("The key is no RSA key of 2048 to 8192 bits and no EC key on P-256."))?;
    let (data, random) = (bytes_of(&data), SystemRandom::new());
    match key {
        PrivateKey::Rsa(key) => {
            let padding = match hash.as_str() {
                "sha256" => &RSA_PKCS1_SHA256,
                "sha384" => &RSA_PKCS1_SHA384,
                "sha512" => &RSA_PKCS1_SHA512,
                _ => return Err(refuse("RSA signatures can be made with SHA-256, SHA-384 and SHA-512.")),
            };
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(padding, &random, &data, &mut signature).map_err(|_| refuse("Signing failed."))?;
            ArrayBuffer::new_copy(ctx, signature)
        }
        PrivateKey::Ec(key) if hash == "sha256" => {
            let signature = key.sign(&random, &data).map_err(|_| refuse("Signing failed."))?;
            ArrayBuffer::new_copy(ctx.clone(), signature.as_ref())
        }
        PrivateKey::Ec(_) => Err(refuse("ECDSA signatures can be made with SHA-256.")),
    }
}

/// Whether a signature fits. Public keys are SubjectPublicKeyInfo, PKCS#1 (RSA) or an uncompressed point (EC).
fn verify<'js>(
    ctx: Ctx<'js>,
    hash: String,
    is_fixed: bool,
    key: TypedArray<'js, u8>,
    signature: TypedArray<'js, u8>,
    data: TypedArray<'js, u8>,
) -> Result<bool> {
    let key = bytes_of(&key);
    let algorithm: &'static dyn VerificationAlgorithm = match (public_key_type(&key), hash.as_str()) {
        (Some("rsa"), "sha256") => &signature::RSA_PKCS1_2048_8192_SHA256,
        (Some("rsa"), "sha384") => &signature::RSA_PKCS1_2048_8192_SHA384,
        (Some("rsa"), "sha512") => &signature::RSA_PKCS1_2048_8192_SHA512,
        (Some("ec"), "sha256") if is_fixed => &ECDSA_P256_SHA256_FIXED,
        (Some("ec"), "sha256") => &ECDSA_P256_SHA256_ASN1,
        (None, _) => return Err(Exception::throw_message(&ctx, "The key can't be read.")),
        _ => return Err(Exception::throw_message(&ctx, "The digest can't be used with this key.")),
    };
    Ok(UnparsedPublicKey::new(algorithm, key).verify(&bytes_of(&data), &bytes_of(&signature)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{der_element, der_number, pem_block, public_key_type};

    #[test]
    fn der_has_short_and_long_lengths_and_unsigned_numbers() {
        assert_eq!(der_number(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(der_number(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(der_number(&[]), [2, 1, 0]);
        assert_eq!(der_element(0x30, &[0; 300])[..4], [0x30, 0x82, 1, 44]);
    }

    #[test]
    fn a_pem_block_needs_its_own_end() {
        let text = "x\n-----BEGIN A B-----\nAAAA\n-----END A B-----\n";
        assert_eq!(pem_block(text), Some(("A B", "\nAAAA\n")));
        assert_eq!(pem_block("-----BEGIN A-----\n-----END B-----"), None);
    }

    #[test]
    fn junk_is_no_public_key() {
        assert_eq!(public_key_type(&[]), None);
        assert_eq!(public_key_type(&[4; 64]), None);
        assert_eq!(public_key_type(&vec![0x30; 10_000]), None);
    }
}
