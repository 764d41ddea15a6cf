//! `/oauth/token` (RFC 6749 §3.2) and `/oauth/revoke` (RFC 7009): forms, or JSON as Auth0's SDKs send it.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, PRAGMA};
use axum::response::{IntoResponse, Response};
use engine::RequestFacts;
use serde::Serialize;

use crate::App;
use crate::error::{Challenge, OAuthFailure};
use crate::http::body::OAuthForm;

/// RFC 6749 §5.1.
#[derive(Serialize)]
struct Body {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    expires_in: i64,
    token_type: &'static str,
}

pub async fn token(
    State(app): State<App>,
    facts: RequestFacts,
    headers: HeaderMap,
    OAuthForm(params): OAuthForm,
) -> Result<Response, OAuthFailure> {
    let authorization = authorization(&headers);
    let tokens = app
        .engine()
        .token(&params, authorization, &facts)
        .await
        .map_err(|error| OAuthFailure::from(error).challenging(challenge(authorization)))?;
    let body = Body {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        id_token: tokens.id_token,
        scope: tokens.scope,
        expires_in: tokens.expires_in,
        token_type: "Bearer",
    };
    Ok(([(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")], Json(body)).into_response())
}

pub async fn revoke(
    State(app): State<App>,
    facts: RequestFacts,
    headers: HeaderMap,
    OAuthForm(params): OAuthForm,
) -> Result<(), OAuthFailure> {
    let authorization = authorization(&headers);
    let revoked = app.engine().revoke(&params, authorization, &facts).await;
    revoked.map_err(|error| OAuthFailure::from(error).challenging(challenge(authorization)))
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())
}

fn challenge(authorization: Option<&str>) -> Challenge {
    if authorization.is_some() { Challenge::Basic } else { Challenge::None }
}
