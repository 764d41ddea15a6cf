//! A token in compact form, taken apart. Nothing that it says is proved here.
//!
//! Spec: RFC 7515 §3.1, §4.1 and §7.1.

use domain::limits::JWT_BYTES_MAX;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::JoseError;
use super::encode::from_base64url;

/// The members of a header that are looked at.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct RawHeader {
    pub(crate) alg: String,
    pub(crate) typ: Option<String>,
    pub(crate) kid: Option<String>,
    crit: Option<Value>,
}

/// The parts of a token.
#[derive(Debug, Clone)]
pub(crate) struct Compact<'a> {
    /// What its header says.
    pub(crate) header: RawHeader,
    /// What its signature is over.
    signed: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> Compact<'a> {
    /// Takes a token apart and reads its header.
    pub(crate) fn of(jwt: &'a str) -> Result<Self, JoseError> {
        if jwt.len() > JWT_BYTES_MAX {
            return Err(JoseError::TooLarge);
        }
        let (signed, signature) = jwt.rsplit_once('.').ok_or(JoseError::Malformed("not three parts"))?;
        let (header, claims) = signed.split_once('.').ok_or(JoseError::Malformed("not three parts"))?;
        if claims.contains('.') {
            return Err(JoseError::Malformed("not three parts"));
        }
        Ok(Self { header: read_header(header)?, signed, claims, signature })
    }

    /// The message that is signed.
    pub(crate) const fn signed(&self) -> &'a [u8] {
        self.signed.as_bytes()
    }

    /// Its signature.
    pub(crate) fn signature(&self) -> Result<Vec<u8>, JoseError> {
        from_base64url(self.signature)
    }

    /// What it claims, whoever signed it.
    pub(crate) fn unproved_claims(&self) -> Result<Map<String, Value>, JoseError> {
        let claims = from_base64url(self.claims)?;
        serde_json::from_slice(&claims).map_err(|_| JoseError::Malformed("claims are not an object"))
    }
}

fn read_header(encoded: &str) -> Result<RawHeader, JoseError> {
    let bytes = from_base64url(encoded)?;
    let raw: RawHeader =
        serde_json::from_slice(&bytes).map_err(|_| JoseError::Malformed("header is not a JOSE header"))?;
    if raw.crit.is_some() {
        return Err(JoseError::Malformed("header has critical members that are not understood"));
    }
    Ok(raw)
}
