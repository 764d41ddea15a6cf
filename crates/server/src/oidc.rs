//! The OpenID provider's endpoints and the pages of a sign-in: each hears a request, calls the engine, renders.
//!
//! | URL | module |
//! | --- | --- |
//! | `/.well-known/*` | [`well_known`] |
//! | `/authorize` | [`authorize`] |
//! | `/u/login`, `/u/signup` | [`interaction`] |
//! | `/u/login/connection`, `/login/callback`, `/logout/backchannel/{connection}` | [`upstream`] |
//! | `/logout/callback` | [`logout`] |
//! | `/continue` | [`resume`] |
//! | `/oauth/token`, `/oauth/revoke` | [`token`] |
//! | `/userinfo` | [`userinfo`] |
//! | `/oidc/logout`, `/v2/logout` | [`logout`] |
//! | `/oidc/check-session` | [`check_session`] |

mod answer;
mod authorize;
mod check_session;
mod interaction;
mod logout;
mod organization;
mod resume;
mod token;
mod upstream;
mod userinfo;
mod well_known;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

/// The endpoints, one line each.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/.well-known/openid-configuration", get(well_known::discovery))
        .route("/.well-known/oauth-authorization-server", get(well_known::discovery))
        .route("/.well-known/jwks.json", get(well_known::jwks))
        .route("/authorize", get(authorize::get).post(authorize::post))
        .route("/u/login", get(interaction::sign_in_page).post(interaction::sign_in))
        .route("/u/signup", get(interaction::sign_up_page).post(interaction::sign_up))
        .route("/u/organization", get(organization::page).post(organization::choose))
        .route("/u/login/connection", post(upstream::depart))
        .route("/login/callback", get(upstream::arrive_by_query).post(upstream::arrive_by_form))
        .route("/logout/backchannel/{connection}", post(upstream::logout))
        .route("/logout/callback", get(logout::back_from_provider))
        .route("/continue", get(resume::get).post(resume::post))
        .route("/oauth/token", post(token::token))
        .route("/oauth/revoke", post(token::revoke))
        .route("/userinfo", get(userinfo::get).post(userinfo::post))
        .route("/oidc/logout", get(logout::get).post(logout::post))
        .route("/oidc/logout/confirm", post(logout::confirm))
        .route("/v2/logout", get(logout::v2))
        .route("/oidc/check-session", get(check_session::get))
}
