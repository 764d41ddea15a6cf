//! Encryption of connections: the operator's certificate, or one from a local authority in the data folder.
//!
//! The authority (`ca.pem`, `ca.key`) lives for ten years, so that it needs to be trusted once. The server's own
//! certificate is made anew when the names that it is for change or when it is near its end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use domain::id::hexadecimal;
use domain::time::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::config;
use crate::data_folder::{DataFolder, DataFolderError};

/// Days that the authority lives. Ours: people trust it once.
const AUTHORITY_DAYS: i64 = 3650;
/// Days that a certificate lives. Browsers refuse more than 398 of public ones; the same bound does here.
const CERTIFICATE_DAYS: i64 = 397;
/// Days before its end when a certificate is made anew.
const RENEWAL_DAYS: i64 = 30;
/// How far a client's clock may lag, in hours.
const CLOCK_LAG_HOURS: i64 = 24;
/// Certificates in a chain that are read.
const CHAIN_MAX: usize = 16;

/// Why there is no encryption.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of the data folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// A certificate or key cannot be made or used.
    #[error("certificate: {0}")]
    Certificate(String),
}

impl From<rcgen::Error> for TlsError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

/// What `server.json` remembers of the certificate beside it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Issued {
    names: Vec<String>,
    expires_at: i64,
}

/// Where the certificate comes from, so that it can be looked at again while the server runs.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// The operator's choices.
    pub config: config::Tls,
    /// Where the local authority lives.
    pub folder: DataFolder,
    /// The host that the local certificate is for.
    pub host: String,
}

/// A certificate chain and its key in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    chain: String,
    key: String,
}

impl Certificates {
    /// The certificate to use now: the operator's as it stands in the files, or the local one, made or made anew.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn current(&self, now: Timestamp) -> Result<Certificate, TlsError> {
        match (&self.config.certificate_file, &self.config.key_file) {
            (Some(chain), Some(key)) => Ok(Certificate { chain: read(chain)?, key: read(key)? }),
            _ => {
                let (chain, key) = local_certificate(&self.folder, &self.host, now)?;
                Ok(Certificate { chain, key })
            }
        }
    }
}

impl Certificate {
    /// The configuration of the listener: HTTP/2 and HTTP/1.1, TLS 1.2 and 1.3, session tickets.
    ///
    /// # Errors
    /// [`TlsError::Certificate`]: not PEM, or the key does not belong to the certificate.
    pub fn listener(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let bad = |what: &str| TlsError::Certificate(format!("{what} is not PEM"));
        let chain = CertificateDer::pem_slice_iter(self.chain.as_bytes())
            .take(CHAIN_MAX)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| bad("the certificate chain"))?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|_| bad("the private key"))?;
        let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        server.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Arc::new(server))
    }
}

fn read(path: &Path) -> Result<String, TlsError> {
    std::fs::read_to_string(path)
        .map_err(|error| TlsError::Certificate(format!("{}: {error}", path.display())))
}

/// The names that a certificate for `host` is for: it, and this machine under its usual names.
fn names(host: &str) -> Vec<String> {
    let mut names = vec![host.to_lowercase()];
    for usual in ["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string(), Ipv6Addr::LOCALHOST.to_string()] {
        if !names.contains(&usual) {
            names.push(usual);
        }
    }
    names
}

/// The chain and key in PEM, from the files or newly made.
fn local_certificate(folder: &DataFolder, host: &str, now: Timestamp) -> Result<(String, String), TlsError> {
    let names = names(host);
    let authority = authority(folder, now)?;
    let issued = folder.read("server.json")?.and_then(|text| serde_json::from_str::<Issued>(&text).ok());
    let usable = issued.is_some_and(|issued| {
        let left_ms = Timestamp(issued.expires_at).millis_since(now);
        issued.names == names && left_ms > domain::time::hours(24 * RENEWAL_DAYS)
    });
    if usable && let (Some(chain), Some(key)) = (folder.read("server.pem")?, folder.read("server.key")?) {
        return Ok((chain, key));
    }
    let key = KeyPair::generate()?;
    let start = moment(now)? - Duration::hours(CLOCK_LAG_HOURS);
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished(host);
    params.subject_alt_names = names.iter().map(|name| alternative(name)).collect::<Result<_, _>>()?;
    params.not_before = start;
    params.not_after = start + Duration::days(CERTIFICATE_DAYS);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let chain = format!("{}{}", params.signed_by(&key, &authority.issuer)?.pem(), authority.pem);
    let key = key.serialize_pem();
    let expires_at = params.not_after.unix_timestamp() * 1000;
    let issued = serde_json::json!({ "names": names, "expires_at": expires_at });
    // The note comes last: without it, or with the old one, the next start makes all three anew.
    folder.replace("server.json", "{}", false)?;
    folder.replace("server.key", &key, true)?;
    folder.replace("server.pem", &chain, false)?;
    folder.replace("server.json", &issued.to_string(), false)?;
    Ok((chain, key))
}

/// The local authority: who signs, and its certificate in PEM.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// Loads the local authority, or makes it. Its certificate can be made again from the key, its name too, so only
/// the key must never be lost.
fn authority(folder: &DataFolder, now: Timestamp) -> Result<Authority, TlsError> {
    if folder.read("ca.key")?.is_none() {
        folder.create_private("ca.key", &KeyPair::generate()?.serialize_pem())?;
    }
    let key = KeyPair::from_pem(&folder.read("ca.key")?.unwrap_or_default())?;
    let mut params = CertificateParams::default();
    // Two data folders' authorities must not look the same in a browser's list.
    let print = hexadecimal(&sha256(key.der_bytes())[..4]);
    params.distinguished_name = distinguished(&format!("Vestibule local authority {print}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = moment(now)? - Duration::hours(CLOCK_LAG_HOURS);
    params.not_after = params.not_before + Duration::days(AUTHORITY_DAYS);
    let pem = match folder.read("ca.pem")? {
        Some(pem) => pem,
        None => {
            let pem = params.self_signed(&key)?.pem();
            folder.replace("ca.pem", &pem, false)?;
            pem
        }
    };
    Ok(Authority { issuer: Issuer::new(params, key), pem })
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, bytes).as_ref().to_vec()
}

fn distinguished(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn alternative(name: &str) -> Result<SanType, TlsError> {
    match name.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => Ok(SanType::DnsName(name.try_into()?)),
    }
}

fn moment(now: Timestamp) -> Result<OffsetDateTime, TlsError> {
    OffsetDateTime::from_unix_timestamp(now.as_seconds())
        .map_err(|error| TlsError::Certificate(format!("the clock is off: {error}")))
}

#[cfg(test)]
mod tests;
