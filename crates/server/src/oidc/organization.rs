//! The page that asks for an organization, and what comes of it.
//!
//! Auth0: client `organization_require_behavior`, `pre_login_prompt`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::RequestFacts;
use engine::sign_in::prove::Proof;

use super::answer::render;
use super::interaction::{proven_state, value, with_view};
use crate::App;
use crate::error::PageError;
use crate::http::body::{PageForm, Query};
use crate::http::cookies::Cookies;
use crate::pages::{self, Page};

pub async fn page(State(app): State<App>, cookies: Cookies, Query(params): Query) -> Result<Page, PageError> {
    let state = value(&params, "state");
    let view = app.engine().organization_page(state, cookies.browser.as_deref()).await?;
    Ok(with_view(&view, state, &cookies, None, pages::organization))
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
    Ok(match proof {
        Proof::Next(next) => render(next),
        Proof::Again { view, message } => {
            let page = with_view(&view, state, &cookies, Some(&message), pages::organization);
            (StatusCode::BAD_REQUEST, page).into_response()
        }
    })
}
