//! `/api/v2/client-grants`: which scopes of an API a client may ask for on its own behalf.
//!
//! Auth0: Management API v2 › client grants.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::grant::ClientGrant;
use domain::id::{ClientGrantId, ClientId};
use domain::scope::Scopes;
use engine::grants::GrantFilter;
use serde_json::{Value, json};

use super::caller::Call;
use super::fields::{Fields, Kind};
use super::paging::{Params, answer, list_body};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// Properties that are taken and given back without effect.
pub const KEPT: &[(&str, Kind)] = &[
    ("organization_usage", Kind::Text),
    ("allow_any_organization", Kind::Flag),
    ("authorization_details_types", Kind::List),
    ("allow_all_scopes", Kind::Flag),
];
/// The same for POST, where more may be said.
pub const KEPT_ON_POST: &[(&str, Kind)] = &[("subject_type", Kind::Text), ("default_for", Kind::Text)];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/client-grants", get(list).post(create))
        .route("/api/v2/client-grants/{id}", get(read_one).patch(update).delete(delete))
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(&["read:client_grants"])?;
    let slice = params.slice()?;
    let filter = GrantFilter {
        audience: params.get("audience").map(str::to_owned),
        client_id: params.get("client_id").map(str::to_owned),
    };
    let listing = app.engine().client_grants(&slice, &filter).await?;
    let body = list_body("client_grants", &slice, listing, |grant| body_of(&grant));
    Ok(answer(StatusCode::OK, &body))
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:client_grants"])?;
    let mut fields = Fields::of(&body)?;
    let (client_id, audience) = (fields.required_text("client_id"), fields.required_text("audience"));
    let scopes = scopes_of(&mut fields).unwrap_or_default();
    let mut kept = fields.kept(KEPT);
    kept.extend(fields.kept(KEPT_ON_POST));
    kept.retain(|_, value| !value.is_null());
    fields.finish()?;
    let call = call.with_body(body);
    let grant =
        app.engine().create_client_grant(&call, &ClientId::new(client_id), &audience, scopes, kept).await?;
    Ok(answer(StatusCode::CREATED, &body_of(&grant)))
}

async fn read_one(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["read:client_grants"])?;
    Ok(answer(StatusCode::OK, &body_of(&app.engine().client_grant(&ClientGrantId::new(id)).await?)))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:client_grants"])?;
    let mut fields = Fields::of_patch(&body)?;
    let scopes = scopes_of(&mut fields);
    let kept = fields.kept(KEPT);
    fields.finish()?;
    let call = call.with_body(body);
    let grant = app.engine().update_client_grant(&call, &ClientGrantId::new(id), scopes, kept).await?;
    Ok(answer(StatusCode::OK, &body_of(&grant)))
}

async fn delete(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["delete:client_grants"])?;
    app.engine().delete_client_grant(&call.with_body(Value::Null), &ClientGrantId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn scopes_of(fields: &mut Fields) -> Option<Scopes> {
    let names = fields.texts("scope")?;
    if names.iter().any(|name| name.is_empty() || name.contains(char::is_whitespace)) {
        fields.refuse("a scope must not be empty nor contain spaces", "scope");
    }
    Some(names.iter().map(String::as_str).collect())
}

fn body_of(grant: &ClientGrant) -> Value {
    let scopes: Vec<&str> = grant.scopes.iter().collect();
    let mut body = json!({
        "id": grant.id,
        "client_id": grant.client_id,
        "audience": grant.audience,
        "scope": scopes,
    });
    for (name, value) in &grant.kept {
        body[name] = value.clone();
    }
    body
}
