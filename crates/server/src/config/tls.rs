//! `[tls]`: encryption of connections.

use std::path::PathBuf;

use super::section::section;

section! {
    /// Encryption of connections. Without files of your own the server makes a local certificate authority in
    /// the data folder (`ca.pem`) and a certificate from it.
    "tls" Tls {
        /// Whether connections are encrypted. Switch it off only behind a proxy that encrypts.
        enabled: bool = true;
        /// A certificate chain in PEM, used instead of the local authority.
        certificate_file: Option<PathBuf> = None;
        /// The private key of `certificate_file` in PEM.
        key_file: Option<PathBuf> = None;
    }
}

impl Tls {
    /// No encryption: tests of other things need no handshakes.
    pub fn for_testing() -> Self {
        Self { enabled: false, ..Self::default() }
    }
}
