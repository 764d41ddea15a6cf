//! The metadata document and the JWK set: bytes that lie ready in memory.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::App;

/// Seconds for which a client may keep them. A new key is published long before it signs.
const CACHE: &str = "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400";

pub async fn discovery(State(app): State<App>) -> Response {
    json(app.engine().keys().discovery.clone())
}

pub async fn jwks(State(app): State<App>) -> Response {
    json(app.engine().keys().jwks.clone())
}

fn json(bytes: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8"), (CACHE_CONTROL, CACHE)], bytes).into_response()
}
