//! `/api/v2/connections`: sources of users.
//!
//! Auth0: Management API v2 › connections. Database connections, and OpenID Connect. A client secret is never given back.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::connection::Connection;
use domain::id::ConnectionId;
use domain::upstream::OidcConnection;
use engine::Error;
use engine::connections::{ConnectionChanges, enabled_clients};
use serde_json::{Map, Value, json};

use super::caller::Call;
use super::fields::{Fields, Kind};
use super::paging::{Params, answer, list_body};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// Properties that are taken and given back. Of `options`, `disable_signup` has an effect, and those of a provider that
/// `engine::upstream` reads; of the others, `display_name` and `show_as_button` for a provider's button, and
/// `enabled_clients` for who may use it.
pub const KEPT: &[(&str, Kind)] = &[
    ("display_name", Kind::Text),
    ("options", Kind::Object),
    ("enabled_clients", Kind::List),
    ("is_domain_connection", Kind::Flag),
    ("show_as_button", Kind::Flag),
    ("realms", Kind::List),
    ("authentication", Kind::Object),
    ("connected_accounts", Kind::Object),
    ("cross_app_access_requesting_app", Kind::Object),
];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/connections", get(list).post(create))
        .route("/api/v2/connections/{id}", get(read_one).patch(update).delete(delete))
        .route("/api/v2/connections/{id}/clients", get(clients).patch(update_clients))
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(&["read:connections"])?;
    let (slice, selection) = (params.slice()?, params.selection()?);
    let listing = app.engine().connections(&slice, params.get("name"), &params.all("strategy")).await?;
    let body = list_body("connections", &slice, listing, |connection| selection.of(&body_of(&connection)));
    Ok(answer(StatusCode::OK, &body))
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:connections"])?;
    let mut fields = Fields::of(&body)?;
    let (name, strategy) = (fields.required_text("name"), fields.required_text("strategy"));
    let changes = changes_of(&mut fields);
    fields.finish()?;
    let call = call.with_body(body);
    let connection = app.engine().create_connection(&call, &name, &strategy, changes).await?;
    Ok(answer(StatusCode::CREATED, &body_of(&connection)))
}

async fn read_one(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:connections"])?;
    let selection = params.selection()?;
    let connection = app.engine().connection(&ConnectionId::new(id)).await?;
    Ok(answer(StatusCode::OK, &selection.of(&body_of(&connection))))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:connections"])?;
    let mut fields = Fields::of_patch(&body)?;
    let changes = changes_of(&mut fields);
    fields.finish()?;
    let call = call.with_body(body);
    let connection = app.engine().update_connection(&call, &ConnectionId::new(id), changes).await?;
    Ok(answer(StatusCode::OK, &body_of(&connection)))
}

async fn delete(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["delete:connections"])?;
    app.engine().delete_connection(&call.with_body(Value::Null), &ConnectionId::new(id)).await?;
    let body = json!({ "deleted_at": app.engine().now().to_string() });
    Ok(answer(StatusCode::ACCEPTED, &body))
}

async fn clients(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["read:connections"])?;
    let connection = app.engine().connection(&ConnectionId::new(id)).await?;
    let clients: Vec<Value> =
        enabled_clients(&connection).into_iter().map(|id| json!({ "client_id": id })).collect();
    Ok(answer(StatusCode::OK, &json!({ "clients": clients })))
}

async fn update_clients(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:connections"])?;
    let mut fields = Fields::of(&json!({ "clients": body }))?;
    let changes = fields.each("clients", |item| {
        let client_id = item.required_text("client_id");
        if !item.has("status") {
            item.missing("status");
        }
        (client_id, item.flag("status").unwrap_or_default())
    });
    fields.finish()?;
    let changes = changes.unwrap_or_default();
    if changes.is_empty() {
        return Err(Error::payload("Array is too short (0), minimum 1").into());
    }
    let call = call.with_body(body);
    app.engine().update_connection_clients(&call, &ConnectionId::new(id), &changes).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn changes_of(fields: &mut Fields) -> ConnectionChanges {
    // Options are replaced as a whole, so that what they do not say is off.
    let options = fields.peek_object("options");
    let signup_disabled =
        options.map(|options| options.get("disable_signup").and_then(Value::as_bool).unwrap_or_default());
    ConnectionChanges {
        metadata: fields.object("metadata"),
        signup_enabled: signup_disabled.map(|disabled| !disabled),
        kept: fields.kept(KEPT),
    }
}

/// A connection as the Management API writes it.
pub(super) fn body_of(connection: &Connection) -> Value {
    let mut body = Map::new();
    body.insert("id".to_owned(), connection.id.as_str().into());
    body.insert("name".to_owned(), connection.name.as_str().into());
    body.insert("strategy".to_owned(), connection.strategy.as_str().into());
    body.extend(connection.kept.clone());
    let options = body.entry("options").or_insert_with(|| json!({}));
    match &connection.oidc {
        Some(oidc) => {
            if let Some(options) = options.as_object_mut() {
                options.entry("oidc_metadata").or_insert_with(|| metadata_of(oidc));
            }
        }
        None => {
            if let Some(options) = options.as_object_mut() {
                show_defaults(options);
                options.insert("disable_signup".to_owned(), (!connection.signup_enabled).into());
            }
        }
    }
    let defaults = [
        ("is_domain_connection", json!(false)),
        ("authentication", json!({ "active": true })),
        ("connected_accounts", json!({ "active": false })),
        ("enabled_clients", json!([])),
        ("realms", json!([connection.name])),
    ];
    for (name, default) in defaults {
        body.entry(name).or_insert(default);
    }
    if !connection.metadata.is_empty() {
        body.insert("metadata".to_owned(), Value::Object(connection.metadata.clone()));
    }
    Value::Object(body)
}

/// What a database connection's options say where nothing was set (recorded at Auth0).
fn show_defaults(options: &mut Map<String, Value>) {
    let has_new_policy = options.contains_key("password_options");
    let defaults = [
        (
            "authentication_methods",
            json!({
                "passkey": { "enabled": false },
                "password": { "enabled": true, "api_behavior": "required", "signup_behavior": "allow" },
            }),
        ),
        ("brute_force_protection", json!(true)),
        ("mfa", json!({ "active": true, "return_enroll_settings": true })),
        (
            "passkey_options",
            json!({
                "challenge_ui": "both",
                "local_enrollment_enabled": true,
                "progressive_enrollment_enabled": true,
            }),
        ),
        ("passwordPolicy", json!("good")),
        ("strategy_version", json!(2)),
    ];
    for (name, default) in defaults {
        if name != "passwordPolicy" || !has_new_policy {
            options.entry(name).or_insert(default);
        }
    }
}

/// The provider as it was found.
fn metadata_of(oidc: &OidcConnection) -> Value {
    let provider = &oidc.provider;
    let mut metadata = json!({
        "issuer": provider.issuer,
        "authorization_endpoint": provider.authorization_endpoint,
        "token_endpoint": provider.token_endpoint,
        "jwks_uri": provider.jwks_uri,
    });
    let optional = [
        ("userinfo_endpoint", &provider.userinfo_endpoint),
        ("end_session_endpoint", &provider.end_session_endpoint),
    ];
    for (name, endpoint) in optional {
        if let Some(endpoint) = endpoint {
            metadata[name] = endpoint.as_str().into();
        }
    }
    metadata
}
