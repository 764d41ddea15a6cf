//! `/api/v2/sessions`, and a user's sessions.
//!
//! Auth0: Management API v2 › sessions; manage users › sessions › session metadata.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use domain::id::{SessionId, UserId};
use domain::limits::PAGE_ITEMS_MAX;
use domain::session::{Device, Session};
use engine::Error;
use engine::sessions::read_metadata;
use engine::sign_out::BoundTokens;
use serde::Serialize;
use serde_json::{Value, json};

use super::caller::Call;
use super::paging::Params;
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

const READ: &[&str] = &["read:sessions", "update:sessions"];
const UPDATE: &[&str] = &["update:sessions"];
const DELETE: &[&str] = &["delete:sessions"];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/sessions/{id}", routing::get(get).patch(patch).delete(delete))
        .route("/api/v2/sessions/{id}/revoke", routing::post(revoke))
        .route("/api/v2/users/{id}/sessions", routing::get(list_of_user).delete(delete_of_user))
}

#[derive(Serialize)]
struct View<'a> {
    id: &'a str,
    user_id: &'a str,
    created_at: String,
    updated_at: String,
    authenticated_at: String,
    idle_expires_at: String,
    expires_at: String,
    last_interacted_at: String,
    device: DeviceView<'a>,
    clients: Vec<ClientView<'a>>,
    authentication: AuthenticationView<'a>,
    cookie: CookieView,
    /// Null where there is none.
    session_metadata: Option<&'a BTreeMap<String, String>>,
}

/// Where a session or a refresh token was first and last seen.
#[derive(Serialize)]
pub struct DeviceView<'a> {
    initial_user_agent: Option<&'a str>,
    initial_ip: Option<&'a str>,
    last_user_agent: Option<&'a str>,
    last_ip: Option<&'a str>,
}

impl<'a> DeviceView<'a> {
    /// As the API shows it.
    pub fn of(device: &'a Device) -> Self {
        Self {
            initial_user_agent: device.initial_user_agent.as_deref(),
            initial_ip: device.initial_ip.as_deref(),
            last_user_agent: device.last_user_agent.as_deref(),
            last_ip: device.last_ip.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct ClientView<'a> {
    client_id: &'a str,
}

#[derive(Serialize)]
struct AuthenticationView<'a> {
    methods: Vec<MethodView<'a>>,
}

#[derive(Serialize)]
struct MethodView<'a> {
    name: &'a str,
    timestamp: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    factor: Option<&'a str>,
}

#[derive(Serialize)]
struct CookieView {
    mode: &'static str,
}

fn view(session: &Session) -> View<'_> {
    let metadata = &session.metadata;
    View {
        id: session.id.as_str(),
        user_id: session.user_id.as_str(),
        created_at: session.created_at.to_string(),
        updated_at: session.updated_at.to_string(),
        authenticated_at: session.authenticated_at.to_string(),
        idle_expires_at: session.idle_expires_at.to_string(),
        expires_at: session.expires_at.to_string(),
        last_interacted_at: session.last_interacted_at.to_string(),
        device: DeviceView::of(&session.device),
        clients: session.clients.iter().map(|id| ClientView { client_id: id.as_str() }).collect(),
        authentication: AuthenticationView {
            methods: session
                .methods
                .iter()
                .map(|method| MethodView {
                    name: &method.name,
                    timestamp: method.at.to_string(),
                    factor: method.factor.as_deref(),
                })
                .collect(),
        },
        cookie: CookieView { mode: session.cookie_mode.as_str() },
        session_metadata: (!metadata.is_empty()).then(|| metadata.entries()),
    }
}

async fn get(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let session = app.engine().session(&SessionId::new(id)).await?;
    Ok(Json(view(&session)).into_response())
}

async fn patch(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let metadata = read_metadata("session_metadata", patched_metadata(&body)?)?;
    let session =
        app.engine().replace_session_metadata(&call.with_body(body), &SessionId::new(id), metadata).await?;
    Ok(Json(view(&session)).into_response())
}

/// The one property that a PATCH takes.
fn patched_metadata(body: &Value) -> Result<&Value, Error> {
    let Value::Object(properties) = body else { return Err(Error::payload("Expected type object")) };
    for name in ["oidc_logout", "oidc_backchannel_logout"] {
        if properties.contains_key(name) {
            // Auth0's page prints this body under this URL; it belongs to the client.
            return Err(Error::property(
                "Settings of a client do not belong to a session: send them to PATCH /api/v2/clients/{client_id}",
                name,
            ));
        }
    }
    if let Some(name) = properties.keys().find(|name| *name != "session_metadata") {
        return Err(Error::payload(&format!("Additional properties not allowed: {name}")));
    }
    properties
        .get("session_metadata")
        .ok_or_else(|| Error::payload("Missing required property: session_metadata"))
}

async fn delete(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    call.require_any(DELETE)?;
    app.engine()
        .end_session_by_api(&call.with_body(Value::Null), &SessionId::new(id), BoundTokens::Keep)
        .await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}

async fn revoke(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    call.require_any(DELETE)?;
    app.engine()
        .end_session_by_api(&call.with_body(Value::Null), &SessionId::new(id), BoundTokens::Revoke)
        .await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}

async fn list_of_user(
    call: Call,
    State(app): State<App>,
    Path(user_id): Path<String>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    call.require_any(READ)?;
    let slice = params.slice()?;
    let (from, take) = match &slice {
        engine::listing::Slice::Checkpoint { from, take } => (from.as_deref(), *take),
        engine::listing::Slice::Offset { limit, .. } => (None, *limit),
    };
    let page = app.engine().sessions_of_user(&UserId::new(user_id), from, take.min(PAGE_ITEMS_MAX)).await?;
    let mut body = json!({ "sessions": page.items.iter().map(view).collect::<Vec<_>>() });
    if let Some(next) = page.next {
        body["next"] = json!(next);
    }
    Ok(Json(body))
}

async fn delete_of_user(
    call: Call,
    State(app): State<App>,
    Path(user_id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    call.require_any(DELETE)?;
    app.engine().end_sessions_by_api(&call.with_body(Value::Null), &UserId::new(user_id)).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::patched_metadata;

    fn check(body: &Value, expect: Result<&Value, &str>) {
        let got = patched_metadata(body).map_err(|error| error.to_string());
        assert_eq!(got, expect.map_err(str::to_owned), "{body}");
    }

    #[test]
    fn only_session_metadata_is_taken() {
        check(&json!({"session_metadata": null}), Ok(&Value::Null));
        check(&json!({}), Err("Payload validation error: 'Missing required property: session_metadata'."));
        check(
            &json!({"session_metadata": {}, "user_id": "x"}),
            Err("Payload validation error: 'Additional properties not allowed: user_id'."),
        );
        let misplaced = patched_metadata(&json!({"oidc_backchannel_logout": {}})).unwrap_err().to_string();
        assert!(misplaced.contains("PATCH /api/v2/clients/{client_id}"), "{misplaced}");
    }
}
