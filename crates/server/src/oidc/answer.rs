//! Renders what the engine says comes next in a sign-in: a page of ours, or an answer to the client.

use axum::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::sign_in::ResponseMode;
use engine::sign_in::{ClientAnswer, NextStep, Screen};
use protocol::respond::redirect_location;

use crate::error::PageError;
use crate::http::cookies;
use crate::pages;

/// The response to a step of a sign-in.
pub fn render(next: NextStep) -> Response {
    match next {
        NextStep::Page { sign_in_id, browser_secret, screen } => {
            let path = match screen {
                Screen::SignIn => "/u/login",
                Screen::SignUp => "/u/signup",
                Screen::Organization => "/u/organization",
            };
            let response = redirect(&format!("{path}?state={sign_in_id}"));
            with_cookies(response, cookies::browser_secret(&browser_secret))
        }
        NextStep::Away { url, browser_secret } => {
            with_cookies(redirect(&url), cookies::browser_secret(&browser_secret))
        }
        NextStep::Answer { answer, cookie } => {
            with_cookies(to_client(&answer), cookies::session_change(&cookie))
        }
    }
}

fn to_client(answer: &ClientAnswer) -> Response {
    let fields: Vec<_> = answer.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    match answer.response_mode {
        mode @ (ResponseMode::Query | ResponseMode::Fragment) => {
            redirect(&redirect_location(&answer.redirect_uri, mode, &fields))
        }
        ResponseMode::FormPost => {
            let view = pages::FormPostView { action: &answer.redirect_uri, fields: &answer.fields };
            pages::form_post(&view).into_response()
        }
    }
}

/// A redirect (302, as Auth0 sends it) that nobody keeps.
pub fn redirect(location: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return PageError::plain(StatusCode::BAD_REQUEST, "The address to go back to is not valid.")
            .into_response();
    };
    let headers = [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::FOUND, headers).into_response()
}

/// The response with further cookies.
pub fn with_cookies(mut response: Response, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
