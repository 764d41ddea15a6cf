//! `/api/v2/user-blocks` and `/api/v2/anomaly/blocks/ips`: whom failed tries keep out, and how that is lifted.
//!
//! Auth0: Management API v2 › user blocks; anomaly.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::id::UserId;
use engine::Error;
use engine::user_blocks::Block;
use serde_json::{Map, Value, json};

use super::caller::Call;
use super::paging::{Params, answer};
use crate::App;
use crate::error::ApiError;

const READ: &[&str] = &["read:users"];
const UPDATE: &[&str] = &["update:users"];

/// The routes of these resources.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/user-blocks", get(by_identifier).delete(lift_by_identifier))
        .route("/api/v2/user-blocks/{id}", get(of_user).delete(lift_of_user))
        .route("/api/v2/anomaly/blocks/ips/{id}", get(read_address).delete(unblock_address))
}

async fn by_identifier(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let in_force = in_force(&params)?;
    let blocks = app.engine().user_blocks_by_identifier(identifier(&params)?, in_force).await?;
    Ok(answer(StatusCode::OK, &body_of(&blocks)))
}

async fn lift_by_identifier(
    call: Call,
    State(app): State<App>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let identifier = identifier(&params)?;
    app.engine().lift_user_blocks_by_identifier(&call.with_body(Value::Null), identifier).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn of_user(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let blocks = app.engine().user_blocks(&UserId::new(id), in_force(&params)?).await?;
    Ok(answer(StatusCode::OK, &body_of(&blocks)))
}

async fn lift_of_user(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    app.engine().lift_user_blocks(&call.with_body(Value::Null), &UserId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn read_address(
    call: Call,
    State(app): State<App>,
    Path(address): Path<String>,
) -> Result<Response, ApiError> {
    call.require_any(&["read:anomaly_blocks"])?;
    if app.engine().address_is_blocked(&address).await? {
        return Ok(StatusCode::OK.into_response());
    }
    Err(ApiError::new(StatusCode::NOT_FOUND, "The IP address is not blocked.", None))
}

async fn unblock_address(
    call: Call,
    State(app): State<App>,
    Path(address): Path<String>,
) -> Result<Response, ApiError> {
    call.require_any(&["delete:anomaly_blocks"])?;
    app.engine().unblock_address(&call.with_body(Value::Null), &address).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn identifier(params: &Params) -> Result<&str, Error> {
    params
        .get("identifier")
        .ok_or_else(|| Error::query("Missing required property: identifier", "identifier"))
}

fn in_force(params: &Params) -> Result<bool, Error> {
    Ok(params.flag("consider_brute_force_enablement")?.unwrap_or(false))
}

fn body_of(blocks: &[Block]) -> Value {
    let blocks = blocks.iter().map(|block| {
        let mut body = Map::new();
        body.insert("identifier".to_owned(), block.identifier.as_str().into());
        if let Some(address) = &block.address {
            body.insert("ip".to_owned(), address.as_str().into());
        }
        body.insert("connection".to_owned(), block.connection.as_str().into());
        Value::Object(body)
    });
    json!({ "blocked_for": blocks.collect::<Vec<_>>() })
}
