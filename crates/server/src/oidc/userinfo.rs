//! `/userinfo` (OIDC Core 1.0 §5.3): the token in the header, in a form (RFC 6750 §2.2), or, for an old Passport
//! strategy, in the query.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use protocol::error::{OAuthError, OAuthErrorCode};
use serde_json::{Map, Value};

use crate::App;
use crate::error::{Challenge, OAuthFailure};
use crate::http::body::{OAuthForm, Query};

pub async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    Query(params): Query,
) -> Result<Json<Map<String, Value>>, OAuthFailure> {
    answer(&app, bearer(&headers).or_else(|| parameter(&params))).await
}

pub async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    form: Result<OAuthForm, OAuthFailure>,
) -> Result<Json<Map<String, Value>>, OAuthFailure> {
    match bearer(&headers) {
        // With the token in the header the body does not matter, whatever its type.
        Some(token) => answer(&app, Some(token)).await,
        None => answer(&app, parameter(&form?.0)).await,
    }
}

async fn answer(app: &App, token: Option<&str>) -> Result<Json<Map<String, Value>>, OAuthFailure> {
    let refuse = |failure: OAuthFailure| failure.challenging(Challenge::Bearer);
    let Some(token) = token else {
        return Err(refuse(OAuthError::new(OAuthErrorCode::InvalidToken, "Unauthorized").into()));
    };
    app.engine().userinfo(token).await.map(Json).map_err(|error| refuse(error.into()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn parameter(params: &[(String, String)]) -> Option<&str> {
    params.iter().find(|(name, _)| name == "access_token").map(|(_, value)| &**value)
}
