//! Tests of reading keys and certificates from text. The texts are the fuzzer's corpus.

use domain::time::Timestamp;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_ne, proptest};

use super::{PemError, UploadedCertificate, UploadedKey, attribute_name, time_of};

macro_rules! corpus {
    ($name:literal) => {
        include_str!(concat!("../../../../../fuzz/corpus/credential_pem/", $name))
    };
}

const KEY: &str = corpus!("public-key");
const CERTIFICATE: &str = corpus!("certificate");
/// Of the key, as another program worked them out.
const THUMBPRINT: &str = "hrX8BtKdeIfZ4V8JaJIN8EVS9Y3KVz9HQE1CTmEuZn8";
const CERTIFICATE_THUMBPRINT: &str = "Q8kCVmPgzbjzIaFwtYHC9lzWqVWzpBNNBygQj7P47_E";
const ENDS_AT_S: i64 = 2_111_053_361;

#[test]
fn a_key_is_the_same_in_each_of_its_three_forms() {
    for (text, ends_at) in [
        (KEY, None),
        (corpus!("rsa-public-key"), None),
        (CERTIFICATE, Some(Timestamp::from_seconds(ENDS_AT_S))),
        (corpus!("certificate-after-2049"), Some(Timestamp::from_seconds(2_832_493_361))),
        (&KEY.replace('\n', "\r\n"), None),
        (&format!("\n  {KEY}\n\n"), None),
        (&KEY.replacen("-----\n", "-----", 1), None),
    ] {
        let read = UploadedKey::from_pem(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!((read.key.thumbprint().as_str(), read.certificate_ends_at), (THUMBPRINT, ends_at));
    }
}

#[test]
fn a_certificate_tells_its_subject_its_end_and_its_thumbprint() {
    let read = UploadedCertificate::from_pem(CERTIFICATE).unwrap();
    assert_eq!(read.subject, "C=es\nST=Madrid\nO=Shop ü\nCN=Shop\nemailAddress=a@example.com");
    assert_eq!(
        (read.ends_at.as_seconds(), read.thumbprint_sha256.as_str()),
        (ENDS_AT_S, CERTIFICATE_THUMBPRINT)
    );
    let of_several = UploadedCertificate::from_pem(corpus!("certificate-after-2049")).unwrap();
    assert_eq!(of_several.subject, "OU=b + CN=Late");
    assert_eq!(UploadedCertificate::from_pem(corpus!("elliptic-certificate")).unwrap().subject, "CN=EC");
    assert_eq!(UploadedCertificate::from_pem(KEY), Err(PemError::NotCertificate));
}

#[test]
fn what_is_wrong_with_a_text_is_told() {
    let certificate_as = |label: &str| CERTIFICATE.replace("CERTIFICATE", label);
    for (text, expect) in [
        ("", PemError::NotPem),
        ("-----BEGIN PUBLIC KEY-----", PemError::NotPem),
        ("-----BEGIN -----", PemError::NotPem),
        (&KEY.replace("END PUBLIC", "END RSA PUBLIC"), PemError::NotPem),
        (&KEY.replacen("\nM", "\n*", 1), PemError::NotPem),
        (&format!("# mine\n{KEY}"), PemError::NotPem),
        (corpus!("two-blocks"), PemError::NotPem),
        (corpus!("private-key"), PemError::Private),
        (&KEY.replace("PUBLIC", "RSA PRIVATE"), PemError::Private),
        (&certificate_as("CERTIFICATE REQUEST"), PemError::Kind),
        (&certificate_as("PUBLIC KEY"), PemError::Malformed),
        (&certificate_as("RSA PUBLIC KEY"), PemError::Key),
        (&KEY.replace("PUBLIC KEY", "CERTIFICATE"), PemError::Malformed),
        (corpus!("broken-certificate"), PemError::Malformed),
        (corpus!("huge-length"), PemError::Malformed),
        (corpus!("small-key"), PemError::Key),
        (corpus!("elliptic-key"), PemError::Key),
        (corpus!("elliptic-certificate"), PemError::Key),
        (&format!("{KEY}{}", " ".repeat(4096)), PemError::TooLong),
    ] {
        assert_eq!(UploadedKey::from_pem(text), Err(expect), "{text}");
    }
}

#[test]
fn dates_of_certificates_have_two_forms_and_no_other() {
    let of = |tag: u8, text: &str| time_of(tag, text.as_bytes()).map(|at| at.to_string());
    for (tag, text, expect) in [
        (0x17, "491231235959Z", Some("2049-12-31T23:59:59.000Z")),
        (0x17, "500101000000Z", Some("1950-01-01T00:00:00.000Z")),
        (0x18, "20500101000000Z", Some("2050-01-01T00:00:00.000Z")),
        (0x18, "99991231235959Z", Some("9999-12-31T23:59:59.000Z")),
        (0x18, "500101000000Z", None),
        (0x17, "20500101000000Z", None),
        (0x17, "491231235959", None),
        (0x17, "4912312359Z", None),
        (0x17, "49123123595éZ", None),
        (0x17, "491331235959Z", None),
        (0x18, "2050010100000+Z", None),
        (0x0c, "491231235959Z", None),
        (0x17, "", None),
    ] {
        assert_eq!(of(tag, text).as_deref(), expect, "{text}");
    }
}

#[test]
fn an_attribute_without_a_name_is_its_number() {
    for (bytes, expect) in [
        (&[0x55, 0x04, 0x06][..], Some("C")),
        (&[0x2a, 0x86, 0x48], Some("1.2.840")),
        (&[0x88, 0x37], Some("2.999")),
        (&[0x2a, 0x86], None),
        (&[0x8f, 0xff, 0xff, 0xff, 0xff, 0x7f], None),
        (&[], None),
    ] {
        assert_eq!(attribute_name(bytes).as_deref(), expect, "{bytes:x?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        prop_assert!(UploadedKey::from_pem(&text).is_err());
        for label in ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"] {
            let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &bytes);
            let block = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
            prop_assert!(UploadedKey::from_pem(&block).is_err());
        }
    }

    #[test]
    fn a_certificate_with_any_byte_changed_is_another_one_or_none(at in 0..900_usize, to in any::<u8>()) {
        let digits: String = CERTIFICATE.lines().filter(|line| !line.starts_with('-')).collect();
        let engine = &base64::engine::general_purpose::STANDARD;
        let mut der = base64::Engine::decode(engine, digits).unwrap();
        if der[at] != to {
            der[at] = to;
            let body = base64::Engine::encode(engine, &der);
            let text = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----");
            if let Ok(read) = UploadedCertificate::from_pem(&text) {
                prop_assert_ne!(read.thumbprint_sha256, CERTIFICATE_THUMBPRINT);
            }
            let _ = UploadedKey::from_pem(&text);
        }
    }
}
