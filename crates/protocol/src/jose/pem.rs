//! Public keys and certificates in text, as people upload them.
//!
//! Spec: RFC 7468 §2 (the text), RFC 5280 §4.1 (certificates and public keys), RFC 8017 appendix A.1.1 (RSA keys). A
//! certificate is only a way to write a key, a subject and a date: nobody's signature on it is checked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::limits::CREDENTIAL_PEM_CHARACTERS_MAX;
use domain::time::Timestamp;

use super::der::{BIT_STRING, INTEGER, OBJECT_IDENTIFIER, Reader, SEQUENCE, SET};
use super::encode::{base64url, sha256};
use super::{JoseError, RsaPublicKey};

/// `rsaEncryption`, 1.2.840.113549.1.1.1 (RFC 8017 appendix A.1).
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// Explicit tag of a certificate's version.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// Kinds of text that are UTF-8 as they are: UTF8String, NumericString, PrintableString, IA5String.
const TEXTS: [u8; 4] = [0x0c, 0x12, 0x13, 0x16];
/// Attributes of a subject that have a short name (RFC 4514 §3, and what everybody calls the others).
const ATTRIBUTES: &[(&[u8], &str)] = &[
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x04], "SN"),
    (&[0x55, 0x04, 0x05], "serialNumber"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x09], "street"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (&[0x55, 0x04, 0x0c], "title"),
    (&[0x55, 0x04, 0x2a], "GN"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01], "emailAddress"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01], "UID"),
];

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// It is longer than any key or certificate that is taken.
    #[error("the text is longer than {CREDENTIAL_PEM_CHARACTERS_MAX} characters")]
    TooLong,
    /// It is not one block between `-----BEGIN …-----` and `-----END …-----`.
    #[error("the text is not one block in PEM format")]
    NotPem,
    /// It is a private key, which nobody else should have.
    #[error("the text is a private key: keep it to yourself, and send the public one")]
    Private,
    /// The block is of another kind.
    #[error("the text must be a PUBLIC KEY, an RSA PUBLIC KEY or a CERTIFICATE")]
    Kind,
    /// A certificate is needed, and this is none.
    #[error("the text must be a CERTIFICATE")]
    NotCertificate,
    /// Its bytes are not what they claim to be.
    #[error("the key or certificate cannot be read")]
    Malformed,
    /// The key is no RSA key of a fit size.
    #[error("the key must be an RSA key of 2048 to 8192 bits")]
    Key,
}

/// A public key that somebody uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedKey {
    /// The key.
    pub key: RsaPublicKey,
    /// When its certificate runs out, if it came in one.
    pub certificate_ends_at: Option<Timestamp>,
}

impl UploadedKey {
    /// Reads a public key, bare or in a certificate.
    ///
    /// # Errors
    /// [`PemError`].
    pub fn from_pem(text: &str) -> Result<Self, PemError> {
        let (label, der) = block(text)?;
        let bare = |key| Self { key, certificate_ends_at: None };
        match label {
            "PUBLIC KEY" => {
                let mut outer = Reader::new(&der);
                let info = outer.within(SEQUENCE).filter(|_| outer.is_empty());
                Ok(bare(key_of(info.ok_or(PemError::Malformed)?)?))
            }
            "RSA PUBLIC KEY" => Ok(bare(rsa_public_key(&der).map_err(|_| PemError::Key)?)),
            "CERTIFICATE" => {
                let parts = Parts::of(&der).ok_or(PemError::Malformed)?;
                Ok(Self { key: key_of(parts.key)?, certificate_ends_at: Some(parts.ends_at) })
            }
            _ => Err(PemError::Kind),
        }
    }
}

/// A certificate that somebody uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedCertificate {
    /// Its subject, one attribute a line: `C=es`, `O=Shop` and so on.
    pub subject: String,
    /// When it runs out.
    pub ends_at: Timestamp,
    /// SHA-256 of its DER as base64url (RFC 8705 §3.1).
    pub thumbprint_sha256: String,
}

impl UploadedCertificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`PemError`].
    pub fn from_pem(text: &str) -> Result<Self, PemError> {
        let (label, der) = block(text)?;
        if label != "CERTIFICATE" {
            return Err(PemError::NotCertificate);
        }
        let parts = Parts::of(&der).ok_or(PemError::Malformed)?;
        let subject = subject_of(parts.subject).ok_or(PemError::Malformed)?;
        Ok(Self { subject, ends_at: parts.ends_at, thumbprint_sha256: base64url(&sha256(&der)) })
    }
}

/// Modulus and exponent from the DER form of an `RSAPublicKey` (RFC 8017 appendix A.1.1).
pub(super) fn rsa_public_key(der: &[u8]) -> Result<RsaPublicKey, JoseError> {
    let mut outer = Reader::new(der);
    let mut parts = outer.within(SEQUENCE).ok_or(JoseError::KeyRejected)?;
    match (parts.positive(), parts.positive()) {
        (Some(n), Some(e)) if parts.is_empty() && outer.is_empty() => RsaPublicKey::new(n, e),
        _ => Err(JoseError::KeyRejected),
    }
}

/// The label and the bytes of the one block in a text (RFC 7468 §3).
fn block(text: &str) -> Result<(&str, Vec<u8>), PemError> {
    if text.len() > CREDENTIAL_PEM_CHARACTERS_MAX {
        return Err(PemError::TooLong);
    }
    let inner = text.trim().strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
    let (label, rest) = inner.and_then(|rest| rest.split_once("-----")).ok_or(PemError::NotPem)?;
    if label.ends_with("PRIVATE KEY") {
        return Err(PemError::Private);
    }
    let (body, end) = rest.split_once("-----END ").ok_or(PemError::NotPem)?;
    if end != label {
        return Err(PemError::NotPem);
    }
    let digits: String = body.chars().filter(|one| !one.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(digits).map_err(|_| PemError::NotPem)?;
    Ok((label, der))
}

/// The key of what is in a `SubjectPublicKeyInfo` (RFC 5280 §4.1).
fn key_of(mut info: Reader<'_>) -> Result<RsaPublicKey, PemError> {
    let mut algorithm = info.within(SEQUENCE).ok_or(PemError::Malformed)?;
    let bits = info.value(BIT_STRING).ok_or(PemError::Malformed)?;
    if !info.is_empty() {
        return Err(PemError::Malformed);
    }
    if algorithm.value(OBJECT_IDENTIFIER).ok_or(PemError::Malformed)? != RSA_ENCRYPTION {
        return Err(PemError::Key);
    }
    // The first byte counts the bits of the last that do not belong.
    let key = bits.strip_prefix(&[0]).ok_or(PemError::Malformed)?;
    rsa_public_key(key).map_err(|_| PemError::Key)
}

/// What is looked at of a certificate.
struct Parts<'a> {
    subject: Reader<'a>,
    ends_at: Timestamp,
    key: Reader<'a>,
}

impl<'a> Parts<'a> {
    /// Finds the parts of a certificate by their order (RFC 5280 §4.1).
    fn of(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader::new(der);
        let mut certificate = outer.within(SEQUENCE)?;
        let mut signed = certificate.within(SEQUENCE)?;
        certificate.within(SEQUENCE)?;
        certificate.value(BIT_STRING)?;
        if !certificate.is_empty() || !outer.is_empty() {
            return None;
        }
        signed.value(VERSION);
        signed.value(INTEGER)?;
        signed.within(SEQUENCE)?;
        let _issuer = signed.within(SEQUENCE)?;
        let mut validity = signed.within(SEQUENCE)?;
        let subject = signed.within(SEQUENCE)?;
        let key = signed.within(SEQUENCE)?;
        validity.any()?;
        let (tag, text) = validity.any()?;
        Some(Self { subject, ends_at: time_of(tag, text)?, key })
    }
}

/// A date of a certificate (RFC 5280 §4.1.2.5): in UTC, to the second.
fn time_of(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let century = match (tag, text.len()) {
        (UTC_TIME, 12) if text.as_bytes()[0] >= b'5' => "19",
        (UTC_TIME, 12) => "20",
        (GENERALIZED_TIME, 14) => "",
        _ => return None,
    };
    if !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{century}{text}");
    let part = |from: usize, to: usize| &digits[from..to];
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    Timestamp::parse(&format!("{year}-{month}-{day}T{}:{}:{}Z", part(8, 10), part(10, 12), part(12, 14)))
}

/// The attributes of a name (RFC 5280 §4.1.2.4), one a line; those of one step of it are joined by ` + `.
fn subject_of(mut name: Reader<'_>) -> Option<String> {
    let mut lines = Vec::new();
    while !name.is_empty() {
        let mut step = name.within(SET)?;
        let mut attributes = Vec::new();
        while !step.is_empty() {
            let mut attribute = step.within(SEQUENCE)?;
            let kind = attribute.value(OBJECT_IDENTIFIER)?;
            let (tag, value) = attribute.any()?;
            let value = std::str::from_utf8(value).ok().filter(|_| TEXTS.contains(&tag))?;
            attributes.push(format!("{}={value}", attribute_name(kind)?));
        }
        lines.push(attributes.join(" + "));
    }
    Some(lines.join("\n"))
}

/// The short name of an attribute, or its number with dots (X.690 §8.19).
fn attribute_name(identifier: &[u8]) -> Option<String> {
    if let Some((_, name)) = ATTRIBUTES.iter().find(|(known, _)| *known == identifier) {
        return Some((*name).to_owned());
    }
    let (mut numbers, mut number) = (Vec::new(), 0_u32);
    for byte in identifier {
        number = number.checked_mul(128)?.checked_add(u32::from(byte & 0x7f))?;
        if byte & 0x80 == 0 {
            numbers.push(number);
            number = 0;
        }
    }
    if identifier.last()? & 0x80 != 0 {
        return None;
    }
    // The first number holds two.
    let (first, rest) = numbers.split_first()?;
    let root = (first / 40).min(2);
    let all = [root, first - 40 * root].into_iter().chain(rest.iter().copied());
    Some(all.map(|number| number.to_string()).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests;
