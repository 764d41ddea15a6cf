//! `/continue`: the browser is back from where an Action sent it, by a link or by a form of the other side's.
//!
//! Auth0: Actions › redirect with Actions. A form comes from another site, so it carries no proof of ours: `state`,
//! which is good once, and the browser's cookie are the proof.

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
    Query(query): Query,
) -> Result<Response, PageError> {
    let next = app.engine().continue_sign_in(query, Vec::new(), cookies.as_brought(), &facts).await?;
    Ok(render(next))
}

pub async fn post(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    Query(query): Query,
    PageForm(body): PageForm,
) -> Result<Response, PageError> {
    let next = app.engine().continue_sign_in(query, body, cookies.as_brought(), &facts).await?;
    Ok(render(next))
}
