//! `/api/v2/keys/signing`.
//!
//! Auth0: Management API v2 › keys. Beside Auth0's properties each key tells its algorithm, `alg`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Router, routing};
use domain::id::{KeyId, hexadecimal};
use domain::key::{KeyRole, SigningKeyRecord};
use engine::Error;
use engine::keys::certificate::Certificate;
use serde::Serialize;
use serde_json::{Value, json};

use super::caller::Call;
use super::paging::answer;
use crate::App;
use crate::error::ApiError;

const READ: &[&str] = &["read:signing_keys"];
const UPDATE: &[&str] = &["update:signing_keys"];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/keys/signing", routing::get(list))
        .route("/api/v2/keys/signing/rotate", routing::post(rotate))
        .route("/api/v2/keys/signing/{kid}", routing::get(get))
        .route("/api/v2/keys/signing/{kid}/revoke", routing::put(revoke))
}

#[derive(Serialize)]
struct View {
    kid: String,
    alg: &'static str,
    cert: String,
    pkcs7: String,
    fingerprint: String,
    thumbprint: String,
    current: bool,
    next: bool,
    previous: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_until: Option<String>,
    revoked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
}

impl View {
    fn of(key: &SigningKeyRecord) -> Result<Self, Error> {
        let certificate = Certificate::of(key)?;
        let thumbprint = hexadecimal(&certificate.thumbprint()).to_uppercase();
        let pairs: Vec<&str> = (0..thumbprint.len()).step_by(2).map(|at| &thumbprint[at..at + 2]).collect();
        // A key of an earlier version has signed since it was made.
        let since = key.current_since.or((key.role == KeyRole::Current).then_some(key.created_at));
        Ok(Self {
            kid: key.id.to_string(),
            alg: key.algorithm.as_str(),
            cert: certificate.to_pem(),
            pkcs7: certificate.to_pkcs7_pem(),
            fingerprint: pairs.join(":"),
            current: key.role == KeyRole::Current,
            next: key.role == KeyRole::Next,
            previous: key.role == KeyRole::Previous,
            current_since: since.map(|at| at.to_string()),
            current_until: key.current_until.map(|at| at.to_string()),
            revoked: key.revoked_at.is_some(),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
            thumbprint,
        })
    }
}

/// What a client is told of the certificate that its tokens are signed with: `signing_keys`.
pub(super) fn signing_keys_of_clients(certificate: &Certificate, issuer_host: &str) -> Value {
    json!([{
        "pkcs7": certificate.to_pkcs7_pem(),
        "cert": certificate.to_pem(),
        "subject": format!("/CN={issuer_host}"),
    }])
}

async fn list(call: Call, State(app): State<App>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let keys = app.engine().signing_keys().await?;
    let views = keys.iter().map(View::of).collect::<Result<Vec<_>, _>>()?;
    Ok(answer(StatusCode::OK, &json!(views)))
}

async fn get(call: Call, State(app): State<App>, Path(kid): Path<String>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let key = app.engine().signing_key(&KeyId::new(kid)).await?;
    Ok(answer(StatusCode::OK, &json!(View::of(&key)?)))
}

async fn rotate(call: Call, State(app): State<App>) -> Result<Response, ApiError> {
    call.require_any(&["create:signing_keys"])?;
    call.require_any(UPDATE)?;
    let next = app.engine().rotate_signing_keys(&call.with_body(Value::Null)).await?;
    let cert = Certificate::of(&next)?.to_pem();
    Ok(answer(StatusCode::CREATED, &json!({ "cert": cert, "kid": next.id })))
}

async fn revoke(call: Call, State(app): State<App>, Path(kid): Path<String>) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let key = app.engine().revoke_signing_key(&call.with_body(Value::Null), &KeyId::new(kid)).await?;
    Ok(answer(StatusCode::OK, &json!({ "cert": Certificate::of(&key)?.to_pem(), "kid": key.id })))
}
