//! `/api/v2/logs`: what happened.
//!
//! Auth0: Management API v2 › logs.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::LINK;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::id::LogId;
use engine::Error;
use engine::listing::Slice;
use engine::logs::LogOrder;
use serde_json::Value;

use super::caller::Call;
use super::paging::{Params, answer, list_body};
use crate::App;
use crate::error::ApiError;

const READ: &[&str] = &["read:logs", "read:logs_users"];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v2/logs", get(list)).route("/api/v2/logs/{id}", get(read_one))
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let selection = params.selection()?;
    let slice = params.slice()?;
    let listing = app.engine().logs(&slice, params.get("q"), order_of(&params)?).await?;
    let Slice::Checkpoint { take, .. } = slice else {
        let body = list_body("logs", &slice, listing, |event| selection.of(&app.engine().log_body(&event)));
        return Ok(answer(StatusCode::OK, &body));
    };
    let next = listing.items.last().map(|event| event.id.to_string());
    let body: Vec<Value> = listing.items.iter().map(|event| app.engine().log_body(event)).collect();
    let mut response = answer(StatusCode::OK, &body);
    // Also where nothing follows yet: an exporter goes on there when it looks again.
    if let Some(next) = next {
        let link =
            format!("<{}logs?from={next}&take={take}>; rel=\"next\"", app.engine().management_audience());
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

async fn read_one(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let event = app.engine().log(&LogId::new(id)).await?;
    Ok(answer(StatusCode::OK, &app.engine().log_body(&event)).into_response())
}

/// `sort=date:-1`, the default, or `sort=date:1`.
pub(super) fn order_of(params: &Params) -> Result<LogOrder, Error> {
    match params.get("sort") {
        None | Some("date:-1") => Ok(LogOrder::NewestFirst),
        Some("date:1") => Ok(LogOrder::OldestFirst),
        Some(other) => {
            Err(Error::query(&format!("only date:1 and date:-1 are supported, not {other}"), "sort"))
        }
    }
}
