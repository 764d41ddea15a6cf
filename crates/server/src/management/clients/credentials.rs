//! `/api/v2/clients/{id}/credentials`: what clients prove themselves with instead of a secret.
//!
//! Auth0: Management API v2 › clients › credentials.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::client_credential::{AssertionAlgorithm, ClientCredential, CredentialKind, NewCredential};
use domain::id::{ClientCredentialId, ClientId};
use domain::limits::{CREDENTIAL_NAME_CHARACTERS_MAX, CREDENTIAL_SUBJECT_CHARACTERS_MAX};
use domain::time::Timestamp;
use engine::Error;
use protocol::jose::pem::{UploadedCertificate, UploadedKey};
use serde::Serialize;
use serde_json::{Value, json};

use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;
use crate::management::caller::Call;
use crate::management::fields::Fields;
use crate::management::paging::answer;

/// Types of credentials. Auth0: `credential_type`.
pub(super) const TYPES: [&str; 3] = ["public_key", "cert_subject_dn", "x509_cert"];
const READ: &[&str] = &["read:client_credentials"];
/// Characters of a `kid` that the caller brings. Auth0: credential `kid`.
const KID_CHARACTERS: std::ops::RangeInclusive<usize> = 10..=64;

/// The routes of this resource.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/clients/{id}/credentials", get(list).post(create))
        .route("/api/v2/clients/{id}/credentials/{credential}", get(read_one).patch(update).delete(delete))
}

#[derive(Serialize)]
struct View<'a> {
    id: &'a str,
    credential_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_dn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbprint_sha256: Option<&'a str>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl<'a> View<'a> {
    fn of(credential: &'a ClientCredential) -> Self {
        let mut view = Self {
            id: credential.id.as_str(),
            credential_type: credential.kind.as_str(),
            kid: None,
            alg: None,
            name: credential.name.as_deref(),
            subject_dn: None,
            thumbprint_sha256: None,
            created_at: credential.created_at.to_string(),
            updated_at: credential.updated_at.to_string(),
            expires_at: credential.expires_at.map(|at| at.to_string()),
        };
        match &credential.kind {
            CredentialKind::PublicKey { kid, algorithm, n: _, e: _ } => {
                view.kid = Some(kid);
                view.alg = Some(algorithm.as_str());
            }
            CredentialKind::CertSubjectDn { subject_dn } => view.subject_dn = Some(subject_dn),
            CredentialKind::X509Cert { thumbprint_sha256 } => {
                view.thumbprint_sha256 = Some(thumbprint_sha256);
            }
        }
        view
    }
}

async fn list(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let credentials = app.engine().client_credentials_of(&ClientId::new(id)).await?;
    let views: Vec<View<'_>> = credentials.iter().map(View::of).collect();
    Ok(answer(StatusCode::OK, &json!(views)))
}

async fn create(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:client_credentials"])?;
    let mut fields = Fields::of(&body)?;
    let new = new_credential(&mut fields, &TYPES);
    fields.finish()?;
    let new = new.ok_or_else(|| Error::Bug("a credential without a fault was not read".to_owned()))?;
    let made = app.engine().create_client_credential(&call.with_body(body), &ClientId::new(id), new).await?;
    Ok(answer(StatusCode::CREATED, &json!(View::of(&made))))
}

async fn read_one(
    call: Call,
    State(app): State<App>,
    Path((id, credential)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let (id, credential) = (ClientId::new(id), ClientCredentialId::new(credential));
    let found = app.engine().client_credential(&id, &credential).await?;
    Ok(answer(StatusCode::OK, &json!(View::of(&found))))
}

/// As recorded, 200; the documents say 201.
async fn update(
    call: Call,
    State(app): State<App>,
    Path((id, credential)): Path<(String, String)>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:client_credentials"])?;
    let mut fields = Fields::of_patch(&body)?;
    let text = fields.text_or_null("expires_at").flatten();
    let expires_at = text.and_then(|text| moment(&mut fields, &text));
    fields.finish()?;
    let (id, credential) = (ClientId::new(id), ClientCredentialId::new(credential));
    let call = call.with_body(body);
    let changed = app.engine().update_client_credential(&call, &id, &credential, expires_at).await?;
    Ok(answer(StatusCode::OK, &json!(View::of(&changed))))
}

async fn delete(
    call: Call,
    State(app): State<App>,
    Path((id, credential)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(&["delete:client_credentials"])?;
    let (id, credential) = (ClientId::new(id), ClientCredentialId::new(credential));
    app.engine().delete_client_credential(&call.with_body(Value::Null), &id, &credential).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Takes the properties of a credential that is to be made, of one of these types. `None`: something is wrong, which is
/// noted.
pub(super) fn new_credential(fields: &mut Fields, types: &[&'static str]) -> Option<NewCredential> {
    let name = fields.text("name").filter(|name| !name.is_empty());
    if let Some(length) = name.as_ref().map(|name| name.chars().count())
        && length > CREDENTIAL_NAME_CHARACTERS_MAX
    {
        let reason = format!("String is too long ({length} chars), maximum {CREDENTIAL_NAME_CHARACTERS_MAX}");
        fields.refuse(&reason, "name");
    }
    if !fields.has("credential_type") {
        fields.missing("credential_type");
    }
    let credential_type =
        fields.one_of("credential_type", |name| types.iter().find(|known| **known == name).copied());
    let (kind, expires_at) = match credential_type? {
        "public_key" => public_key(fields)?,
        "cert_subject_dn" => (subject(fields)?, None),
        _ => {
            let certificate = certificate(fields)?;
            let thumbprint_sha256 = certificate.thumbprint_sha256;
            (CredentialKind::X509Cert { thumbprint_sha256 }, Some(certificate.ends_at))
        }
    };
    Some(NewCredential { name, kind, expires_at })
}

fn public_key(fields: &mut Fields) -> Option<(CredentialKind, Option<Timestamp>)> {
    let algorithm = fields.one_of("alg", AssertionAlgorithm::parse).unwrap_or_default();
    let kid = fields.text("kid");
    if kid.as_ref().is_some_and(|kid| !is_kid(kid)) {
        fields.refuse("String does not match pattern ^([0-9a-zA-Z-_]{10,64})$", "kid");
    }
    let from_certificate = fields.flag("parse_expiry_from_cert").unwrap_or_default();
    let text = fields.text("expires_at");
    if from_certificate && text.is_some() {
        fields.refuse("it cannot be given together with parse_expiry_from_cert", "expires_at");
    }
    let expires_at = text.and_then(|text| moment(fields, &text));
    let pem = fields.required_text("pem");
    let uploaded = match UploadedKey::from_pem(&pem) {
        Ok(uploaded) => uploaded,
        Err(error) => {
            fields.refuse(&error.to_string(), "pem");
            return None;
        }
    };
    let key = uploaded.key;
    let kid = kid.unwrap_or_else(|| key.thumbprint());
    let kind = CredentialKind::PublicKey { kid, algorithm, n: key.n(), e: key.e() };
    Some((kind, expires_at.or(uploaded.certificate_ends_at.filter(|_| from_certificate))))
}

fn subject(fields: &mut Fields) -> Option<CredentialKind> {
    let given = fields.text("subject_dn");
    let subject_dn = match given {
        Some(subject) if fields.has("pem") => {
            fields.refuse("it cannot be given together with pem", "subject_dn");
            subject
        }
        Some(subject) => subject,
        None => certificate(fields)?.subject,
    };
    let length = subject_dn.chars().count();
    if !(1..=CREDENTIAL_SUBJECT_CHARACTERS_MAX).contains(&length) {
        let reason = format!("the length must be 1 to {CREDENTIAL_SUBJECT_CHARACTERS_MAX} characters");
        fields.refuse(&reason, "subject_dn");
    }
    Some(CredentialKind::CertSubjectDn { subject_dn })
}

fn certificate(fields: &mut Fields) -> Option<UploadedCertificate> {
    let pem = fields.required_text("pem");
    let uploaded = UploadedCertificate::from_pem(&pem);
    uploaded.map_err(|error| fields.refuse(&error.to_string(), "pem")).ok()
}

fn moment(fields: &mut Fields, text: &str) -> Option<Timestamp> {
    let moment = Timestamp::parse(text);
    if moment.is_none() {
        fields.refuse("Object didn't pass validation for format date-time", "expires_at");
    }
    moment
}

fn is_kid(text: &str) -> bool {
    KID_CHARACTERS.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use domain::client_credential::{CredentialKind, NewCredential};
    use serde_json::{Value, json};

    use super::{TYPES, new_credential};
    use crate::management::fields::Fields;

    const KEY: &str = include_str!("../../../../../fuzz/corpus/credential_pem/public-key");
    const CERTIFICATE: &str = include_str!("../../../../../fuzz/corpus/credential_pem/certificate");
    const ENDS_AT: &str = "2036-11-23T11:42:41.000Z";

    fn read(body: Value) -> Result<NewCredential, String> {
        let mut fields = Fields::of(&body).unwrap();
        let new = new_credential(&mut fields, &TYPES);
        fields.finish().map(|()| new.unwrap()).map_err(|error| error.to_string())
    }

    fn key_with(name: &str, value: Value) -> Result<NewCredential, String> {
        let mut body = json!({ "credential_type": "public_key", "pem": CERTIFICATE });
        body[name] = value;
        read(body)
    }

    #[test]
    fn a_key_ends_with_its_certificate_only_if_that_is_asked_for() {
        let ends_at = |read: Result<NewCredential, String>| read.unwrap().expires_at.map(|at| at.to_string());
        assert_eq!(ends_at(key_with("parse_expiry_from_cert", json!(true))).as_deref(), Some(ENDS_AT));
        assert_eq!(ends_at(key_with("parse_expiry_from_cert", json!(false))), None);
        let explicit = key_with("expires_at", json!("2030-01-01T00:00:00Z"));
        assert_eq!(ends_at(explicit).as_deref(), Some("2030-01-01T00:00:00.000Z"));
        let bare = json!({ "credential_type": "public_key", "pem": KEY, "parse_expiry_from_cert": true });
        assert_eq!(ends_at(read(bare)), None);
    }

    #[test]
    fn certificates_are_known_by_their_thumbprint_or_their_subject() {
        let x509 = read(json!({ "credential_type": "x509_cert", "name": "", "pem": CERTIFICATE })).unwrap();
        assert!(
            matches!(&x509.kind, CredentialKind::X509Cert { thumbprint_sha256 } if thumbprint_sha256.len() == 43)
        );
        assert_eq!((x509.name, x509.expires_at.unwrap().to_string().as_str()), (None, ENDS_AT));
        let of_certificate =
            read(json!({ "credential_type": "cert_subject_dn", "pem": CERTIFICATE })).unwrap();
        let subject = "C=es\nST=Madrid\nO=Shop ü\nCN=Shop\nemailAddress=a@example.com";
        let given = read(json!({ "credential_type": "cert_subject_dn", "subject_dn": subject })).unwrap();
        assert_eq!(of_certificate, given);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, value, expect) in [
            (
                "credential_type",
                json!("password"),
                "No enum match for: password' on property credential_type",
            ),
            ("credential_type", json!("x509_cert"), ""),
            ("pem", json!("x"), "not one block in PEM format' on property pem"),
            ("pem", json!(1), "on property pem"),
            ("alg", json!("ES256"), "No enum match for: ES256' on property alg"),
            ("kid", json!("too-short"), "on property kid"),
            ("kid", json!("0123456789+"), "on property kid"),
            ("expires_at", json!("tomorrow"), "date-time' on property expires_at"),
            ("name", json!("n".repeat(129)), "too long (129 chars), maximum 128' on property name"),
            ("subject_dn", json!("CN=a"), "not allowed: subject_dn"),
            ("private", json!(true), "not allowed: private"),
        ] {
            match key_with(name, value.clone()) {
                Ok(_) => assert_eq!(expect, "", "{name} {value}"),
                Err(error) => {
                    assert!(!expect.is_empty() && error.contains(expect), "{name} {value}: {error}")
                }
            }
        }
        let both = json!({ "credential_type": "public_key", "pem": CERTIFICATE,
            "parse_expiry_from_cert": true, "expires_at": "2030-01-01T00:00:00Z" });
        assert!(read(both).unwrap_err().contains("on property expires_at"));
        let both = json!({ "credential_type": "cert_subject_dn", "subject_dn": "CN=a", "pem": CERTIFICATE });
        assert!(read(both).unwrap_err().contains("on property subject_dn"));
        assert!(
            read(json!({ "pem": KEY })).unwrap_err().contains("Missing required property: credential_type")
        );
        for kind in ["public_key", "x509_cert", "cert_subject_dn"] {
            let error = read(json!({ "credential_type": kind })).unwrap_err();
            assert!(error.contains("Missing required property: pem"), "{kind}: {error}");
        }
        let error = read(json!({ "credential_type": "x509_cert", "pem": KEY })).unwrap_err();
        assert!(error.contains("must be a CERTIFICATE' on property pem"), "{error}");
    }
}
