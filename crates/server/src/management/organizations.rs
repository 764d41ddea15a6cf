//! `/api/v2/organizations` and their members.
//!
//! Auth0: Management API v2 › organizations.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::id::{OrganizationId, UserId};
use domain::organization::Organization;
use engine::organizations::OrganizationChanges;
use serde_json::{Value, json};

use super::caller::Call;
use super::connections;
use super::fields::{Fields, Kind};
use super::paging::{Params, answer, list_body};
use super::users::UserBody;
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// Properties that are taken and given back without effect.
pub const KEPT: &[(&str, Kind)] = &[("token_quota", Kind::Object), ("third_party_client_access", Kind::Text)];
const READ: &[&str] = &["read:organizations", "read:organizations_summary"];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/organizations", get(list).post(create))
        .route("/api/v2/organizations/name/{name}", get(by_name))
        .route("/api/v2/organizations/{id}", get(read_one).patch(update).delete(delete))
        .route("/api/v2/organizations/{id}/members", get(members).post(add_members).delete(remove_members))
        .route("/api/v2/organizations/{id}/enabled_connections", get(enabled_connections))
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let slice = params.slice()?;
    let listing = app.engine().organizations(&slice).await?;
    let body = list_body("organizations", &slice, listing, |organization| body_of(&organization));
    Ok(answer(StatusCode::OK, &body))
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:organizations"])?;
    let mut fields = Fields::of(&body)?;
    if !fields.has("name") {
        fields.missing("name");
    }
    let mut changes = changes_of(&mut fields);
    // Every connection serves every organization, so naming some changes nothing.
    fields.kept(&[("enabled_connections", Kind::List)]);
    changes.kept.retain(|_, value| !value.is_null());
    fields.finish()?;
    let organization = app.engine().create_organization(&call.with_body(body), changes).await?;
    Ok(answer(StatusCode::CREATED, &body_of(&organization)))
}

async fn read_one(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    Ok(answer(StatusCode::OK, &body_of(&app.engine().organization(&OrganizationId::new(id)).await?)))
}

async fn by_name(call: Call, State(app): State<App>, Path(name): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["read:organizations"])?;
    Ok(answer(StatusCode::OK, &body_of(&app.engine().organization_by_name(&name).await?)))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:organizations"])?;
    let mut fields = Fields::of_patch(&body)?;
    let changes = changes_of(&mut fields);
    fields.finish()?;
    let call = call.with_body(body);
    let organization = app.engine().update_organization(&call, &OrganizationId::new(id), changes).await?;
    Ok(answer(StatusCode::OK, &body_of(&organization)))
}

async fn delete(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["delete:organizations"])?;
    app.engine().delete_organization(&call.with_body(Value::Null), &OrganizationId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn members(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:organization_members"])?;
    let (slice, selection) = (params.slice()?, params.selection()?);
    let listing = app.engine().members(&OrganizationId::new(id), &slice).await?;
    let body = list_body("members", &slice, listing, |user| {
        let mut body = serde_json::to_value(UserBody::of(&user)).unwrap_or_default();
        if let Value::Object(map) = &mut body {
            map.retain(|name, _| matches!(name.as_str(), "user_id" | "email" | "picture" | "name"));
        }
        selection.of(&body)
    });
    Ok(answer(StatusCode::OK, &body))
}

async fn add_members(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:organization_members"])?;
    let users = members_of(&body)?;
    app.engine().add_members(&call.with_body(body), &OrganizationId::new(id), &users).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn remove_members(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["delete:organization_members"])?;
    let users = members_of(&body)?;
    app.engine().remove_members(&call.with_body(body), &OrganizationId::new(id), &users).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn enabled_connections(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:organization_connections"])?;
    let slice = params.slice()?;
    app.engine().organization(&OrganizationId::new(id)).await?;
    let listing = app.engine().connections(&slice, None, &[]).await?;
    let body = list_body("enabled_connections", &slice, listing, |connection| {
        let whole = connections::body_of(&connection);
        json!({
            "connection_id": whole["id"],
            "assign_membership_on_login": false,
            "show_as_button": true,
            "is_signup_enabled": connection.signup_enabled,
            "connection": { "name": whole["name"], "strategy": whole["strategy"] },
        })
    });
    Ok(answer(StatusCode::OK, &body))
}

fn members_of(body: &Value) -> Result<Vec<UserId>, ApiError> {
    let mut fields = Fields::of(body)?;
    if !fields.has("members") {
        fields.missing("members");
    }
    let members = fields.texts("members").unwrap_or_default();
    fields.finish()?;
    Ok(members.into_iter().map(UserId::new).collect())
}

fn changes_of(fields: &mut Fields) -> OrganizationChanges {
    OrganizationChanges {
        name: fields.text("name"),
        display_name: fields.text("display_name"),
        metadata: fields.object("metadata"),
        branding: fields
            .object_or_null("branding")
            .map(|branding| branding.map_or(Value::Null, Value::Object)),
        kept: fields.kept(KEPT),
    }
}

/// An organization as the Management API writes it.
pub(super) fn body_of(organization: &Organization) -> Value {
    let mut body = json!({ "id": organization.id, "name": organization.name });
    if let Some(display_name) = &organization.display_name {
        body["display_name"] = display_name.as_str().into();
    }
    if let Some(branding) = &organization.branding {
        body["branding"] = branding.clone();
    }
    if !organization.metadata.is_empty() {
        body["metadata"] = Value::Object(organization.metadata.clone());
    }
    for (name, value) in &organization.kept {
        body[name] = value.clone();
    }
    body
}
