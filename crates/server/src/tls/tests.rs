//! The local authority: who it vouches for, and when it does so anew.

use std::sync::Arc;

use domain::time::{Timestamp, hours};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::{Certificates, local_certificate, names};
use crate::config;
use crate::data_folder::DataFolder;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

fn folder(name: &str) -> DataFolder {
    let path = std::env::temp_dir().join(format!("vestibule-tls-{}-{name}", std::process::id()));
    DataFolder::open(&path).unwrap()
}

/// Whether a client that trusts `ca.pem` only takes the certificate for this name.
fn accepts(folder: &DataFolder, chain: &str, name: &str) -> bool {
    let mut roots = RootCertStore::empty();
    let ca = folder.read("ca.pem").unwrap().unwrap();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().unwrap();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_millis(NOW.as_millis().unsigned_abs()));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], at).is_ok()
}

#[test]
fn the_certificate_is_for_the_host_and_for_this_machine_and_for_nobody_else() {
    let folder = folder("names");
    let (chain, _) = local_certificate(&folder, "Id.Example.com", NOW).unwrap();
    for (name, expected) in [
        ("id.example.com", true),
        ("localhost", true),
        ("127.0.0.1", true),
        ("::1", true),
        ("example.com", false),
    ] {
        assert_eq!(accepts(&folder, &chain, name), expected, "{name}");
    }
    assert_eq!(names("localhost"), ["localhost", "127.0.0.1", "::1"]);
    std::fs::remove_dir_all(folder.path()).unwrap();
}

#[test]
fn a_certificate_is_kept_until_it_is_near_its_end_or_the_host_changes() {
    let folder = folder("renewal");
    let (first, key) = local_certificate(&folder, "a.example", NOW).unwrap();
    let ca = folder.read("ca.pem").unwrap();
    let later = NOW.plus_millis(hours(24 * 300));
    assert_eq!(local_certificate(&folder, "a.example", later).unwrap(), (first.clone(), key));
    let near = NOW.plus_millis(hours(24 * 370));
    let (second, _) = local_certificate(&folder, "a.example", near).unwrap();
    assert_ne!(first, second);
    let (third, _) = local_certificate(&folder, "b.example", NOW).unwrap();
    assert!(accepts(&folder, &third, "b.example") && !accepts(&folder, &third, "a.example"));
    assert_eq!(folder.read("ca.pem").unwrap(), ca, "the authority stays");
    std::fs::remove_dir_all(folder.path()).unwrap();
}

fn certificates(folder: &DataFolder, config: config::Tls) -> Certificates {
    Certificates { config, folder: folder.clone(), host: "localhost".to_owned() }
}

#[test]
fn the_listener_speaks_both_versions_of_http() {
    let folder = folder("listener");
    let server = certificates(&folder, config::Tls::default()).current(NOW).unwrap().listener().unwrap();
    assert_eq!(server.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert!(server.ticketer.enabled());
    std::fs::remove_dir_all(folder.path()).unwrap();
}

#[test]
fn a_file_that_is_missing_or_changed_is_noticed() {
    let folder = folder("files");
    let own = config::Tls {
        certificate_file: Some(folder.file("own.pem")),
        key_file: Some(folder.file("own.key")),
        ..config::Tls::default()
    };
    let own = certificates(&folder, own);
    let error = own.current(NOW).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("own.pem"), "{error}");
    for host in ["a.example", "b.example"] {
        let (chain, key) = local_certificate(&folder, host, NOW).unwrap();
        folder.replace("own.pem", &chain, false).unwrap();
        folder.replace("own.key", &key, true).unwrap();
        let current = own.current(NOW).unwrap();
        assert!(current.listener().is_ok() && accepts(&folder, &current.chain, host));
    }
    folder.replace("own.key", "not a key", true).unwrap();
    assert!(own.current(NOW).unwrap().listener().is_err());
    std::fs::remove_dir_all(folder.path()).unwrap();
}
