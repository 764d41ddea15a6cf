//! The page that asks for an organization, and what comes of it.
//!
//! Auth0: client `organization_require_behavior`, `pre_login_prompt`.

use axum::extract::State;
use axum::response::Response;
use engine::RequestFacts;

use super::interaction::{Screen, after, proven_state, show, value};
use crate::App;
use crate::error::PageError;
use crate::http::body::{PageForm, Query};
use crate::http::cookies::Cookies;
use crate::pages::Page;

pub async fn page(State(app): State<App>, cookies: Cookies, Query(params): Query) -> Result<Page, PageError> {
    let state = value(&params, "state");
    let view = app.engine().organization_page(state, cookies.browser.as_deref()).await?;
    Ok(show(Screen::Organization, &view, state, &cookies, None))
}

pub async fn choose(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let state = proven_state(&cookies, &form)?;
    let name = value(&form, "organization");
    let proof = app.engine().choose_organization(state, cookies.as_brought(), name, &facts).await?;
    Ok(after(Screen::Organization, proof, state, &cookies))
}
