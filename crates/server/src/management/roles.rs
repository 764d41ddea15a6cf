//! `/api/v2/roles`, and the roles and permissions of users.
//!
//! Auth0: Management API v2 › roles; users › roles, users › permissions.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::id::{RoleId, UserId};
use domain::role::Role;
use domain::user::User;
use engine::Error;
use engine::roles::RoleChanges;
use engine::roles::permissions::{KnownPermission, PermissionName, PermissionSource};
use serde_json::{Value, json};

use super::caller::Call;
use super::fields::Fields;
use super::paging::{Params, answer, list_body};
use super::users::UserBody;
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// Who may see who has which role: by one scope of its own, or by those for both sides.
const READ_MEMBERS: (&str, [&str; 2]) = ("read:role_members", ["read:users", "read:roles"]);

/// The routes of these resources.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/roles", get(list).post(create))
        .route("/api/v2/roles/{id}", get(read_one).patch(update).delete(delete))
        .route(
            "/api/v2/roles/{id}/permissions",
            get(permissions).post(add_permissions).delete(remove_permissions),
        )
        .route("/api/v2/roles/{id}/users", get(users).post(give_to_users))
        .route("/api/v2/users/{id}/roles", get(roles_of_user).post(give_roles).delete(take_roles))
        .route(
            "/api/v2/users/{id}/permissions",
            get(permissions_of_user).post(give_permissions).delete(take_permissions),
        )
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(&["read:roles"])?;
    let slice = params.slice()?;
    let listing = app.engine().roles(&slice, params.get("name_filter")).await?;
    Ok(answer(StatusCode::OK, &list_body("roles", &slice, listing, |role| body_of(&role))))
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:roles"])?;
    let mut fields = Fields::of(&body)?;
    let name = Some(fields.required_text("name"));
    let changes = RoleChanges { name, description: fields.text_or_null("description") };
    fields.finish()?;
    let role = app.engine().create_role(&call.with_body(body), changes).await?;
    let mut made = body_of(&role);
    // Auth0 answers null here, and an empty text from then on.
    if role.description.is_none() {
        made["description"] = Value::Null;
    }
    Ok(answer(StatusCode::OK, &made))
}

async fn read_one(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["read:roles"])?;
    Ok(answer(StatusCode::OK, &body_of(&app.engine().role(&RoleId::new(id)).await?)))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:roles"])?;
    let mut fields = Fields::of_patch(&body)?;
    let changes = RoleChanges { name: fields.text("name"), description: fields.text_or_null("description") };
    fields.finish()?;
    let role = app.engine().update_role(&call.with_body(body), &RoleId::new(id), changes).await?;
    Ok(answer(StatusCode::OK, &body_of(&role)))
}

async fn delete(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["delete:roles"])?;
    app.engine().delete_role(&call.with_body(Value::Null), &RoleId::new(id)).await?;
    Ok(answer(StatusCode::OK, &json!({})))
}

async fn permissions(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:roles"])?;
    let slice = params.slice()?;
    let listing = app.engine().permissions_of_role(&RoleId::new(id), &slice).await?;
    Ok(answer(StatusCode::OK, &list_body("permissions", &slice, listing, |held| permission_of(&held))))
}

async fn add_permissions(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:roles"])?;
    let names = permission_names(&body)?;
    app.engine().add_permissions_to_role(&call.with_body(body), &RoleId::new(id), &names).await?;
    Ok(answer(StatusCode::CREATED, &json!({})))
}

async fn remove_permissions(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:roles"])?;
    let names = permission_names(&body)?;
    app.engine().remove_permissions_from_role(&call.with_body(body), &RoleId::new(id), &names).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn users(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    require_members(&call)?;
    let slice = params.slice()?;
    let listing = app.engine().users_of_role(&RoleId::new(id), &slice).await?;
    Ok(answer(StatusCode::OK, &list_body("users", &slice, listing, |user| member_of(&user))))
}

async fn give_to_users(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:roles", "create:role_members"])?;
    let users: Vec<UserId> = texts(&body, "users")?.into_iter().map(UserId::new).collect();
    app.engine().give_role(&call.with_body(body), &RoleId::new(id), &users).await?;
    Ok(answer(StatusCode::OK, &json!({})))
}

async fn roles_of_user(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    require_members(&call)?;
    let slice = params.slice()?;
    let listing = app.engine().roles_of_user(&UserId::new(id), &slice).await?;
    Ok(answer(StatusCode::OK, &list_body("roles", &slice, listing, |role| body_of(&role))))
}

async fn give_roles(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:users", "create:role_members"])?;
    let roles = role_ids(&body)?;
    app.engine().give_roles(&call.with_body(body), &UserId::new(id), &roles).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn take_roles(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:users", "delete:role_members"])?;
    let roles = role_ids(&body)?;
    app.engine().take_roles(&call.with_body(body), &UserId::new(id), &roles).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn permissions_of_user(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:users"])?;
    let slice = params.slice()?;
    let listing = app.engine().permissions_of_user(&UserId::new(id), &slice).await?;
    let body = list_body("permissions", &slice, listing, |held| {
        let mut body = permission_of(&held);
        body["sources"] = held.sources.iter().map(source_of).collect();
        body
    });
    Ok(answer(StatusCode::OK, &body))
}

async fn give_permissions(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:users"])?;
    let names = permission_names(&body)?;
    app.engine().give_permissions(&call.with_body(body), &UserId::new(id), &names).await?;
    Ok(answer(StatusCode::CREATED, &json!({})))
}

async fn take_permissions(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:users"])?;
    let names = permission_names(&body)?;
    app.engine().take_permissions(&call.with_body(body), &UserId::new(id), &names).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn require_members(call: &Call) -> Result<(), Error> {
    let (own, both) = READ_MEMBERS;
    if call.has(own) || both.iter().all(|scope| call.has(scope)) {
        return Ok(());
    }
    Err(Error::Forbidden { needs: both.into_iter().chain([own]).collect() })
}

/// The roles that a body names.
pub(super) fn role_ids(body: &Value) -> Result<Vec<RoleId>, Error> {
    Ok(texts(body, "roles")?.into_iter().map(RoleId::new).collect())
}

/// The only property of a body, an array of strings.
fn texts(body: &Value, name: &str) -> Result<Vec<String>, Error> {
    let mut fields = Fields::of(body)?;
    if !fields.has(name) {
        fields.missing(name);
    }
    let texts = fields.texts(name).unwrap_or_default();
    fields.finish()?;
    Ok(texts)
}

fn permission_names(body: &Value) -> Result<Vec<PermissionName>, Error> {
    let mut fields = Fields::of(body)?;
    if !fields.has("permissions") {
        fields.missing("permissions");
    }
    let names = fields.each("permissions", |permission| PermissionName {
        api: permission.required_text("resource_server_identifier"),
        name: permission.required_text("permission_name"),
    });
    let names = names.unwrap_or_default();
    if names.is_empty() {
        fields.refuse("Array is too short (0), minimum 1", "permissions");
    }
    fields.finish()?;
    Ok(names)
}

/// A role as the Management API writes it.
pub(super) fn body_of(role: &Role) -> Value {
    let description = role.description.as_deref().unwrap_or_default();
    json!({ "id": role.id, "name": role.name, "description": description })
}

/// A user as lists of members write one.
pub(super) fn member_of(user: &User) -> Value {
    let mut body = serde_json::to_value(UserBody::of(user)).unwrap_or_default();
    if let Value::Object(map) = &mut body {
        map.retain(|name, _| matches!(name.as_str(), "user_id" | "email" | "picture" | "name"));
    }
    body
}

fn permission_of(held: &KnownPermission) -> Value {
    let mut body = json!({
        "permission_name": held.name,
        "description": held.description.as_deref().unwrap_or_default(),
        "resource_server_identifier": held.api,
    });
    if let Some(name) = &held.api_name {
        body["resource_server_name"] = name.as_str().into();
    }
    body
}

fn source_of(source: &PermissionSource) -> Value {
    match source {
        PermissionSource::Direct => json!({ "source_id": "", "source_name": "", "source_type": "DIRECT" }),
        PermissionSource::Role { id, name } => {
            json!({ "source_id": id, "source_name": name, "source_type": "ROLE" })
        }
    }
}
