//! The pages of a sign-in: their forms, and what comes of them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use domain::secret::Secret;
use engine::RequestFacts;
use engine::sign_in::prove::{PageView, Proof};

use super::answer::render;
use crate::App;
use crate::error::PageError;
use crate::http::body::{PageForm, Query};
use crate::http::cookies::Cookies;
use crate::http::csrf;
use crate::pages::{self, Brand, ConnectionView, Page, SignInView};

/// Which page asks.
#[derive(Clone, Copy)]
pub(super) enum Screen {
    SignIn,
    SignUp,
    Organization,
}

pub async fn sign_in_page(
    State(app): State<App>,
    cookies: Cookies,
    Query(params): Query,
) -> Result<Page, PageError> {
    page(&app, Screen::SignIn, &cookies, &params).await
}

pub async fn sign_up_page(
    State(app): State<App>,
    cookies: Cookies,
    Query(params): Query,
) -> Result<Page, PageError> {
    page(&app, Screen::SignUp, &cookies, &params).await
}

async fn page(
    app: &App,
    screen: Screen,
    cookies: &Cookies,
    params: &[(String, String)],
) -> Result<Page, PageError> {
    let state = value(params, "state");
    let view = app.engine().sign_in_page(state, cookies.browser.as_deref()).await?;
    Ok(show(screen, &view, state, cookies, None))
}

pub async fn sign_in(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let state = proven_state(&cookies, &form)?;
    let browser = cookies.as_brought();
    let password = Secret::new(value(&form, "password").to_owned());
    let proof = app
        .engine()
        .sign_in_with_password(state, browser, value(&form, "username"), password, &facts)
        .await?;
    Ok(after(Screen::SignIn, proof, state, &cookies))
}

pub async fn sign_up(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let state = proven_state(&cookies, &form)?;
    let browser = cookies.as_brought();
    let password = Secret::new(value(&form, "password").to_owned());
    let proof = app.engine().sign_up(state, browser, value(&form, "email"), password, &facts).await?;
    Ok(after(Screen::SignUp, proof, state, &cookies))
}

/// The sign-in that a form is about, if the form came from our own page in this browser.
pub(super) fn proven_state<'a>(
    cookies: &Cookies,
    form: &'a [(String, String)],
) -> Result<&'a str, PageError> {
    let state = value(form, "state");
    if !csrf::is_good(cookies.browser.as_deref(), state, value(form, "csrf")) {
        return Err(PageError::not_our_form());
    }
    Ok(state)
}

pub(super) fn after(screen: Screen, proof: Proof, state: &str, cookies: &Cookies) -> Response {
    match proof {
        Proof::Next(next) => render(next),
        Proof::Again { view, message } => {
            (StatusCode::BAD_REQUEST, show(screen, &view, state, cookies, Some(&message))).into_response()
        }
        Proof::TurnedAway { view, message, wait_seconds } => {
            let page = show(screen, &view, state, cookies, Some(&message));
            let mut response = (StatusCode::TOO_MANY_REQUESTS, page).into_response();
            if let Some(seconds) = wait_seconds {
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            response
        }
    }
}

/// Renders a page of a waiting sign-in.
pub(super) fn show(
    screen: Screen,
    view: &PageView,
    state: &str,
    cookies: &Cookies,
    problem: Option<&str>,
) -> Page {
    let csrf = csrf::token(cookies.browser.as_deref().unwrap_or_default(), state);
    let connections: Vec<ConnectionView<'_>> = view
        .connections
        .iter()
        .map(|button| ConnectionView { name: &button.name, label: &button.label })
        .collect();
    let view = SignInView {
        brand: Brand { name: view.tenant_name.as_deref(), logo: view.tenant_logo.as_deref() },
        client_name: &view.client_name,
        state,
        csrf: &csrf,
        username: view.login_hint.as_deref(),
        problem,
        offers_sign_up: view.signup_enabled && view.takes_password,
        takes_password: view.takes_password,
        connections: &connections,
        returns_to: &view.redirect_uri,
        language: "en",
    };
    match screen {
        Screen::SignIn => pages::sign_in(&view),
        Screen::SignUp => pages::sign_up(&view),
        Screen::Organization => pages::organization(&view),
    }
}

pub(super) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}
