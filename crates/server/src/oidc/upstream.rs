//! Sign-in at another OpenID provider: the button, the way back, and the provider's word that a session is over.
//!
//! Spec: OIDC Core 1.0 §3.1.2.5, OAuth 2.0 Form Post Response Mode, OIDC Back-Channel Logout 1.0 §2.5 and §2.8. Auth0:
//! `/login/callback`. What comes back crosses sites, so it carries no proof of ours: `state`, which is good once, and the
//! browser's cookie are the proof.

use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::RequestFacts;
use protocol::error::OAuthError;
use protocol::params::Params;

use super::answer::render;
use super::interaction::{proven_state, value};
use crate::App;
use crate::error::{OAuthFailure, PageError};
use crate::http::body::{OAuthForm, PageForm, Query};
use crate::http::cookies::Cookies;

/// A button of the sign-in page.
pub async fn depart(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let state = proven_state(&cookies, &form)?;
    let name = value(&form, "connection");
    Ok(render(app.engine().sign_in_with_connection(state, cookies.as_brought(), name, &facts).await?))
}

pub async fn arrive_by_query(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    Query(params): Query,
) -> Result<Response, PageError> {
    Ok(render(app.engine().arrive(params, cookies.as_brought(), &facts).await?))
}

pub async fn arrive_by_form(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    PageForm(params): PageForm,
) -> Result<Response, PageError> {
    Ok(render(app.engine().arrive(params, cookies.as_brought(), &facts).await?))
}

/// A logout token of the provider behind a connection. 200 or 400, kept by nobody (§2.8).
pub async fn logout(
    State(app): State<App>,
    facts: RequestFacts,
    Path(connection): Path<String>,
    OAuthForm(params): OAuthForm,
) -> Result<Response, OAuthFailure> {
    let params = Params::parse(params);
    let Some(token) = params.get("logout_token") else {
        return Err(OAuthError::missing("logout_token").into());
    };
    app.engine().hear_logout(&connection, token, &facts).await?;
    Ok((StatusCode::OK, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response())
}
