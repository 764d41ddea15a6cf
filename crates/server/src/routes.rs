//! THE map: every URL, one line each.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use crate::error::{PageError, fallback};
use crate::pages::{self, Brand, Page, STYLE_PATH, avatar, style};
use crate::{App, dashboard, management, oidc};

/// Every URL of the server.
pub fn all(app: App) -> Router {
    Router::new()
        // For whoever opens the server itself.
        .route("/", get(welcome))
        // The operator's.
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        // The pages' style.
        .route(&STYLE_PATH, get(style))
        // Pictures of users who have none.
        .route("/avatars/{name}", get(avatar))
        // Signing in and out, tokens, discovery: listed in `oidc.rs`.
        .merge(oidc::routes())
        // `/api/v2`: listed in `management.rs`.
        .merge(management::routes())
        // The dashboard.
        .route("/manage", get(dashboard::redirect))
        .route("/manage/", get(dashboard::entry))
        .route("/manage/{*path}", get(dashboard::below))
        .fallback(fallback::not_found)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .with_state(app)
}

/// That the server runs.
async fn welcome(State(app): State<App>) -> Result<Page, PageError> {
    let tenant = app.engine().tenant_settings().await?;
    let brand = Brand { name: tenant.friendly_name.as_deref(), logo: tenant.picture_url.as_deref() };
    Ok(pages::welcome(brand))
}

/// Whether the process is alive and its store answers.
async fn healthz(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.engine().ping().await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::warn!("health: {}", error.private().unwrap_or_default());
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer")
        }
    }
}

/// Whether requests may be sent here: as health, since nothing is announced before it is ready.
async fn readyz(state: State<App>) -> (StatusCode, &'static str) {
    healthz(state).await
}
