//! The pages' style, served under a name that changes with its content, so that browsers may keep it for good.

use std::sync::LazyLock;

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use domain::id::hexadecimal;

const STYLE: &str = include_str!("../../pages/style.css");

/// Where the style is: `/assets/style.<hash>.css`.
pub static STYLE_PATH: LazyLock<String> = LazyLock::new(|| {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, STYLE.as_bytes());
    format!("/assets/style.{}.css", hexadecimal(&digest.as_ref()[..8]))
});

/// The style itself.
pub async fn style() -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, STYLE).into_response()
}
