//! `/api/v2/logout-deliveries` and a client's `logout-health`: what became of each logout token.
//!
//! Ours: Auth0's Management API has nothing like it.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Json, Router, routing};
use domain::id::{ClientId, LogoutDeliveryId, SessionId, UserId};
use domain::logout_delivery::{DeliveryState, LogoutDelivery};
use engine::logout_deliveries::{LogoutDeliveryFilter, UrlHealth};
use engine::{Engine, Error};
use serde::Serialize;
use serde_json::{Value, json};

use super::caller::Call;
use super::paging::{Params, answer, list_body};
use crate::App;
use crate::error::ApiError;

const READ: &[&str] = &["read:logout_deliveries"];
const UPDATE: &[&str] = &["update:logout_deliveries"];
/// Stands for each value of the session's metadata, which may be anything: the API tells which there were.
const HIDDEN: &str = "*****";

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/logout-deliveries", routing::get(list))
        .route("/api/v2/logout-deliveries/{id}", routing::get(get))
        .route("/api/v2/logout-deliveries/{id}/redeliver", routing::post(redeliver))
        .route("/api/v2/clients/{id}/logout-health", routing::get(health))
}

#[derive(Serialize)]
struct View<'a> {
    id: &'a str,
    client_id: &'a str,
    session_id: &'a str,
    user_id: &'a str,
    initiator: &'a str,
    trace_id: &'a str,
    backchannel_logout_url: &'a str,
    state: &'a str,
    /// Whether it waits because its host's circuit is open.
    deferred: bool,
    created_at: String,
    attempts: u32,
    last_attempt_at: Option<String>,
    /// What the last try was answered; null where it was not answered.
    last_status: Option<u16>,
    last_failure_at: Option<String>,
    last_error: Option<&'a str>,
    delivered_at: Option<String>,
    next_attempt_at: Option<String>,
    /// When it is given up, while it is pending.
    expires_at: Option<String>,
    session_metadata: BTreeMap<&'a str, &'a str>,
}

fn view<'a>(delivery: &'a LogoutDelivery, engine: &Engine) -> View<'a> {
    let pending = &delivery.pending;
    let is_pending = delivery.state == DeliveryState::Pending;
    View {
        id: delivery.id.as_str(),
        client_id: pending.client_id.as_str(),
        session_id: pending.session_id.as_str(),
        user_id: pending.user_id.as_str(),
        initiator: pending.initiator.as_str(),
        trace_id: &pending.trace_id,
        backchannel_logout_url: &delivery.url,
        state: delivery.state.as_str(),
        deferred: engine.is_deferred(delivery),
        created_at: delivery.created_at.to_string(),
        attempts: delivery.attempts,
        last_attempt_at: delivery.attempted_at.map(|at| at.to_string()),
        last_status: delivery.status,
        last_failure_at: delivery.failed_at.map(|at| at.to_string()),
        last_error: delivery.error.as_deref(),
        delivered_at: delivery.delivered_at.map(|at| at.to_string()),
        next_attempt_at: delivery.next_attempt_at.map(|at| at.to_string()),
        expires_at: is_pending.then(|| delivery.expires_at.to_string()),
        session_metadata: pending
            .session_metadata
            .entries()
            .keys()
            .map(|key| (key.as_str(), HIDDEN))
            .collect(),
    }
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let (slice, filter) = (params.slice()?, filter_of(&params)?);
    let listing = app.engine().logout_deliveries(&slice, &filter).await?;
    let body =
        list_body("logout_deliveries", &slice, listing, |delivery| json!(view(&delivery, app.engine())));
    Ok(answer(StatusCode::OK, &body))
}

fn filter_of(params: &Params) -> Result<LogoutDeliveryFilter, Error> {
    let (state, deferred) = match params.get("state") {
        None => (None, false),
        Some("deferred") => (Some(DeliveryState::Pending), true),
        Some(name) => {
            let state = DeliveryState::ALL.into_iter().find(|state| state.as_str() == name);
            let reason = "expected pending, deferred, delivered, failed or dropped";
            (Some(state.ok_or_else(|| Error::query(reason, "state"))?), false)
        }
    };
    Ok(LogoutDeliveryFilter {
        client_id: params.get("client_id").map(ClientId::new),
        session_id: params.get("session_id").map(SessionId::new),
        user_id: params.get("user_id").map(UserId::new),
        state,
        deferred,
    })
}

async fn get(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let delivery = app.engine().logout_delivery(&LogoutDeliveryId::new(id)).await?;
    Ok(answer(StatusCode::OK, &view(&delivery, app.engine())))
}

async fn redeliver(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let call = call.with_body(Value::Null);
    let delivery = app.engine().redeliver_logout(&call, &LogoutDeliveryId::new(id)).await?;
    Ok(answer(StatusCode::ACCEPTED, &view(&delivery, app.engine())))
}

async fn health(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    call.require_any(READ)?;
    let health = app.engine().logout_health(&ClientId::new(id)).await?;
    let (pending, failed): (usize, usize) =
        health.urls.values().fold((0, 0), |sums, url| (sums.0 + url.pending, sums.1 + url.dead));
    let urls: Vec<Value> = health.urls.iter().map(|(url, of_url)| url_body(url, of_url)).collect();
    Ok(Json(json!({
        "client_id": health.client_id,
        "pending": pending,
        "failed": failed,
        "counts_are_cut": health.is_cut,
        "urls": urls,
    })))
}

fn url_body(url: &str, health: &UrlHealth) -> Value {
    let circuit = &health.circuit;
    let last_failure = health.last_failure_at.map(|at| {
        json!({ "at": at.to_string(), "status": health.last_failure_status, "error": health.last_error })
    });
    json!({
        "backchannel_logout_url": url,
        "registered": health.is_registered,
        "circuit": {
            "state": if circuit.probe_at.is_some() { "open" } else { "closed" },
            "failures_in_a_row": circuit.failures_in_a_row,
            "next_probe_at": circuit.probe_at.map(|at| at.to_string()),
        },
        "pending": health.pending,
        "failed": health.dead,
        "oldest_pending_at": health.oldest_pending_at.map(|at| at.to_string()),
        "last_success_at": health.last_success_at.map(|at| at.to_string()),
        "last_failure": last_failure,
    })
}
