//! `/api/v2/organizations` and their members.
//!
//! Auth0: Management API v2 › organizations. What lies below one is in files of its own.

mod client_grants;
mod clients;
mod connections;
mod discovery_domains;
mod invitations;
mod member_roles;
mod read;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::id::{ConnectionId, OrganizationId, UserId};
use domain::organization::Organization;
use engine::Error;
use engine::organizations::{OrganizationOrder, OrganizationSort};
use serde_json::{Value, json};

pub use self::read::KEPT;
use self::read::changes_of;
use super::caller::Call;
use super::fields::Fields;
use super::paging::{Params, answer, list_body};
use super::roles::member_of;
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

const READ: &[&str] = &["read:organizations", "read:organizations_summary"];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/organizations", get(list).post(create))
        .route("/api/v2/organizations/name/{name}", get(by_name))
        .route("/api/v2/organizations/{id}", get(read_one).patch(update).delete(delete))
        .route("/api/v2/organizations/{id}/members", get(members).post(add_members).delete(remove_members))
        .merge(member_roles::routes())
        .merge(client_grants::routes())
        .merge(clients::routes())
        .merge(connections::routes())
        .merge(discovery_domains::routes())
        .merge(invitations::routes())
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let (slice, order) = (params.slice()?, order_of(&params)?);
    let listing = app.engine().organizations(&slice, order).await?;
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
    changes.kept.retain(|_, value| !value.is_null());
    let connections = fields.each("enabled_connections", |inner| {
        (ConnectionId::new(inner.required_text("connection_id")), connections::settings_of(inner))
    });
    fields.finish()?;
    let (organization, made) = app
        .engine()
        .create_organization(&call.with_body(body), changes, &connections.unwrap_or_default())
        .await?;
    let mut body = body_of(&organization);
    if !made.is_empty() {
        body["enabled_connections"] = made.iter().map(connections::settings_body).collect();
    }
    Ok(answer(StatusCode::CREATED, &body))
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
    let organization = OrganizationId::new(id);
    let listing = app.engine().members(&organization, &slice).await?;
    // Roles come only where they are asked for by name.
    let mut roles = Vec::new();
    if selection.asks_for("roles") {
        let users: Vec<UserId> = listing.items.iter().map(|user| user.id.clone()).collect();
        roles = app.engine().roles_of_members(&organization, &users).await?;
    }
    let mut roles = roles.into_iter();
    let body = list_body("members", &slice, listing, |user| {
        let mut body = member_of(&user);
        if let Some(own) = roles.next() {
            body["roles"] = own.iter().map(|role| json!({ "id": role.id, "name": role.name })).collect();
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

/// `sort`: a field, `:`, and `1` or `-1`.
fn order_of(params: &Params) -> Result<Option<OrganizationOrder>, Error> {
    let Some(text) = params.get("sort") else { return Ok(None) };
    let (field, direction) = text.split_once(':').unwrap_or((text, ""));
    let by = match field {
        "name" => OrganizationSort::Name,
        "display_name" => OrganizationSort::DisplayName,
        "created_at" => OrganizationSort::CreatedAt,
        _ => return Err(bad_sort()),
    };
    match direction {
        "1" => Ok(Some(OrganizationOrder { by, descending: false })),
        "-1" => Ok(Some(OrganizationOrder { by, descending: true })),
        _ => Err(bad_sort()),
    }
}

fn bad_sort() -> Error {
    let pattern = "^((display_name)|(created_at)|(name))\\:(1|-1)$";
    Error::query(&format!("String does not match pattern {pattern}"), "sort")
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

/// An organization as the Management API writes it.
pub(super) fn body_of(organization: &Organization) -> Value {
    let mut body = json!({
        "id": organization.id,
        "name": organization.name,
        "third_party_client_access": if organization.admits_third_parties { "allow" } else { "block" },
        "is_app_entitlement_active": organization.names_its_clients,
    });
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
