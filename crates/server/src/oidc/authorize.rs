//! `/authorize` (OIDC Core 1.0 §3.1.2.1): by query, or by form.

use axum::extract::State;
use axum::response::Response;
use engine::RequestFacts;

use super::answer::render;
use crate::App;
use crate::error::PageError;
use crate::http::body::{PageForm, Query};
use crate::http::cookies::Cookies;

pub async fn get(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    Query(params): Query,
) -> Result<Response, PageError> {
    authorize(&app, params, &cookies, &facts).await
}

pub async fn post(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    PageForm(params): PageForm,
) -> Result<Response, PageError> {
    authorize(&app, params, &cookies, &facts).await
}

async fn authorize(
    app: &App,
    params: Vec<(String, String)>,
    cookies: &Cookies,
    facts: &RequestFacts,
) -> Result<Response, PageError> {
    let next = app.engine().authorize(params, cookies.as_brought(), facts).await?;
    Ok(render(next))
}
