//! `/oidc/logout` (OIDC RP-Initiated Logout 1.0 §2), its confirm page, and Auth0's `/v2/logout`; with both, the frames of
//! OIDC Front-Channel Logout 1.0.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use engine::RequestFacts;
use engine::sign_in::CookieChange;
use engine::sign_out::SignOutAnswer;

use super::answer::{redirect, with_cookies};
use crate::App;
use crate::error::PageError;
use crate::http::body::{PageForm, Query};
use crate::http::cookies::{self, Cookies};
use crate::http::csrf;
use crate::pages::{self, Brand, ConfirmView, SignedOutView};

/// What the confirm page's proof is about.
const CONFIRM: &str = "sign out";

pub async fn get(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    Query(params): Query,
) -> Result<Response, PageError> {
    sign_out(&app, params, &cookies, false, &facts).await
}

pub async fn post(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    PageForm(params): PageForm,
) -> Result<Response, PageError> {
    sign_out(&app, params, &cookies, false, &facts).await
}

/// The confirm page's button.
pub async fn confirm(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    PageForm(mut params): PageForm,
) -> Result<Response, PageError> {
    let place = params.iter().position(|(name, _)| name == "csrf").ok_or_else(PageError::not_our_form)?;
    let (_, proof) = params.remove(place);
    if !csrf::is_good(cookies.browser.as_deref(), CONFIRM, &proof) {
        return Err(PageError::not_our_form());
    }
    sign_out(&app, params, &cookies, true, &facts).await
}

async fn sign_out(
    app: &App,
    params: Vec<(String, String)>,
    cookies: &Cookies,
    confirmed: bool,
    facts: &RequestFacts,
) -> Result<Response, PageError> {
    let session = cookies.session.as_deref();
    match app.engine().end_session_request(params.clone(), session, confirmed, facts).await? {
        SignOutAnswer::Confirm => confirm_page(app, params, cookies).await,
        SignOutAnswer::Done { redirect: to, cookie, frames } => {
            done(app, to.as_deref(), &frames, &cookie).await
        }
    }
}

async fn confirm_page(
    app: &App,
    mut fields: Vec<(String, String)>,
    cookies: &Cookies,
) -> Result<Response, PageError> {
    let secret = cookies.browser.clone().unwrap_or_else(|| app.engine().new_browser_secret());
    let returns_to = fields.iter().find(|(name, _)| name == "post_logout_redirect_uri");
    let returns_to = returns_to.map(|(_, value)| value.clone());
    fields.push(("csrf".to_owned(), csrf::token(&secret, CONFIRM)));
    let tenant = app.engine().tenant_settings().await?;
    let view = ConfirmView {
        brand: Brand { name: tenant.friendly_name.as_deref(), logo: tenant.picture_url.as_deref() },
        action: "/oidc/logout/confirm",
        fields: &fields,
        returns_to: returns_to.as_deref(),
    };
    let page = pages::confirm_sign_out(&view).into_response();
    Ok(with_cookies(page, cookies::browser_secret(&secret)))
}

pub async fn v2(
    State(app): State<App>,
    facts: RequestFacts,
    cookies: Cookies,
    Query(params): Query,
) -> Result<Response, PageError> {
    match app.engine().v2_logout(params, cookies.session.as_deref(), &facts).await? {
        SignOutAnswer::Done { redirect: to, cookie, frames } => {
            done(&app, to.as_deref(), &frames, &cookie).await
        }
        SignOutAnswer::Confirm => Err(PageError::no_such_page()),
    }
}

/// A browser is back from the sign-out of the provider that its user came from (OIDC RP-Initiated Logout 1.0 §3).
pub async fn back_from_provider(State(app): State<App>, Query(params): Query) -> Result<Response, PageError> {
    let state = params.iter().find(|(name, _)| name == "state").map(|(_, value)| value.as_str());
    let to = state.and_then(|state| app.engine().back_from_logout(state));
    done(&app, to.as_deref(), &[], &CookieChange::Keep).await
}

/// Sends the browser on; where applications wait to be told by the browser itself, a page does both.
async fn done(
    app: &App,
    to: Option<&str>,
    frames: &[String],
    cookie: &CookieChange,
) -> Result<Response, PageError> {
    let response = match to {
        Some(url) if frames.is_empty() => redirect(url),
        _ => {
            let tenant = app.engine().tenant_settings().await?;
            let brand = Brand { name: tenant.friendly_name.as_deref(), logo: tenant.picture_url.as_deref() };
            pages::signed_out(&SignedOutView { brand, frames, goes_on_to: to }).into_response()
        }
    };
    Ok(with_cookies(response, cookies::session_change(cookie)))
}
