//! The certificate of a signing key, for those who take public keys in that form only.
//!
//! The key signs it itself: it says no more than the key set does (RFC 7517 §4.7).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::key::{SigningAlgorithm, SigningKeyRecord};
use domain::time::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use time::{Duration, OffsetDateTime};
use url::Url;
use yasna::models::ObjectIdentifier;
use yasna::{Tag, construct_der};

use crate::Error;

/// How long a certificate is good: longer than any key is used, since what ends a key is its revocation.
const YEARS: i64 = 13;
/// `data` and `signedData` (RFC 2315 §14).
const DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 1];
const SIGNED_DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 2];
/// Characters of a line (RFC 7468 §2).
const LINE: usize = 64;

/// An X.509 certificate (RFC 5280).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
}

impl Certificate {
    /// Makes the certificate of a key for the host of the issuer.
    pub(super) fn make(
        algorithm: SigningAlgorithm,
        pkcs8: &[u8],
        issuer: &str,
        from: Timestamp,
    ) -> Result<Self, Error> {
        let bug = |error: &dyn std::fmt::Display| Error::Bug(format!("a certificate: {error}"));
        let kind = match algorithm {
            SigningAlgorithm::Rs256 => &rcgen::PKCS_RSA_SHA256,
            SigningAlgorithm::Es256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        };
        let pkcs8 = PrivatePkcs8KeyDer::from(pkcs8);
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, kind).map_err(|error| bug(&error))?;
        let issuer = Url::parse(issuer).map_err(|error| bug(&error))?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, issuer.host_str().unwrap_or_default());
        let seconds = from.as_millis() / 1_000;
        params.not_before = OffsetDateTime::from_unix_timestamp(seconds).map_err(|error| bug(&error))?;
        params.not_after = params.not_before + Duration::days(365 * YEARS);
        let made = params.self_signed(&key).map_err(|error| bug(&error))?;
        Ok(Self { der: made.der().to_vec() })
    }

    /// The certificate of a stored key.
    ///
    /// # Errors
    /// [`Error::Bug`] where there is none, or it is no base64.
    pub fn of(record: &SigningKeyRecord) -> Result<Self, Error> {
        let der = record.certificate.as_ref().and_then(|text| STANDARD.decode(text).ok());
        let der = der.ok_or_else(|| Error::Bug(format!("signing key {} has no certificate", record.id)))?;
        Ok(Self { der })
    }

    /// DER as base64: a member of `x5c` (RFC 7517 §4.7).
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// In text (RFC 7468 §5).
    pub fn to_pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// Wrapped into a signed message without a message (RFC 2315 §9.1), in text.
    pub fn to_pkcs7_pem(&self) -> String {
        pem("PKCS7", &self.to_pkcs7())
    }

    fn to_pkcs7(&self) -> Vec<u8> {
        construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_oid(&ObjectIdentifier::from_slice(SIGNED_DATA));
                writer.next().write_tagged(Tag::context(0), |writer| {
                    writer.write_sequence(|writer| {
                        writer.next().write_u8(1);
                        writer.next().write_set(|_| {});
                        writer.next().write_sequence(|writer| {
                            writer.next().write_oid(&ObjectIdentifier::from_slice(DATA));
                        });
                        writer.next().write_tagged_implicit(Tag::context(0), |writer| {
                            writer.write_set(|writer| writer.next().write_der(&self.der));
                        });
                        writer.next().write_set(|_| {});
                    });
                });
            });
        })
    }

    /// SHA-1 of its DER: `x5t` (RFC 7517 §4.8). It is a name, not a proof.
    pub fn thumbprint(&self) -> Vec<u8> {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der).as_ref().to_vec()
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        (0..text.len()).step_by(LINE).map(|at| &text[at..text.len().min(at + LINE)]).collect();
    format!("-----BEGIN {label}-----\r\n{}\r\n-----END {label}-----", lines.join("\r\n"))
}

#[cfg(test)]
mod tests {
    use domain::key::SigningAlgorithm;
    use domain::time::Timestamp;
    use protocol::jose::SigningKey;
    use yasna::Tag;

    use super::Certificate;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    #[test]
    fn each_kind_of_key_has_a_certificate_and_the_wrapped_form_holds_it() {
        for algorithm in SigningAlgorithm::ALL {
            let pkcs8 = SigningKey::generate(algorithm).unwrap().to_pkcs8().unwrap();
            let made = Certificate::make(algorithm, pkcs8.expose(), "https://id.example/", NOW).unwrap();
            assert!(made.to_pem().starts_with("-----BEGIN CERTIFICATE-----\r\nMII"), "{}", made.to_pem());
            assert!(made.to_pem().lines().all(|line| line.len() <= 64));
            let inner = yasna::parse_der(&made.to_pkcs7(), |reader| {
                reader.read_sequence(|reader| {
                    reader.next().read_oid()?;
                    reader.next().read_tagged(Tag::context(0), |reader| {
                        reader.read_sequence(|reader| {
                            reader.next().read_u8()?;
                            reader.next().read_der()?;
                            reader.next().read_der()?;
                            let certificates =
                                reader.next().read_tagged_implicit(Tag::context(0), |reader| {
                                    reader.collect_set_of(|reader| reader.read_der())
                                })?;
                            reader.next().read_der()?;
                            Ok(certificates)
                        })
                    })
                })
            });
            assert_eq!(inner.unwrap(), [made.der]);
        }
    }
}
