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
use domain::organization::OrganizationUsage;
use domain::scope::Scopes;
use engine::Error;
use engine::grants::GrantFilter;
use serde_json::{Map, Value, json};

use super::caller::Call;
use super::fields::{Fields, Kind};
use super::organizations::body_of as organization_body;
use super::paging::{Params, answer, list_body};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// Properties that are taken and given back without effect.
pub const KEPT: &[(&str, Kind)] =
    &[("authorization_details_types", Kind::List), ("allow_all_scopes", Kind::Flag)];
/// The property that says that a grant is for all third-party clients, and its only value.
const DEFAULT_FOR: (&str, &str) = ("default_for", "third_party_clients");
/// Characters of a scope. Auth0: client grant `scope`.
const SCOPE_CHARACTERS_MAX: usize = 280;

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/client-grants", get(list).post(create))
        .route("/api/v2/client-grants/{id}", get(read_one).patch(update).delete(delete))
        .route("/api/v2/client-grants/{id}/organizations", get(organizations))
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(&["read:client_grants"])?;
    let slice = params.slice()?;
    let filter = GrantFilter {
        audience: params.get("audience").map(str::to_owned),
        client_id: params.get("client_id").map(str::to_owned),
        allow_any_organization: params.flag("allow_any_organization")?,
        for_users: match params.get(ClientGrant::SUBJECT) {
            None => None,
            Some("client") => Some(false),
            Some("user") => Some(true),
            Some(other) => return Err(no_match(other, ClientGrant::SUBJECT).into()),
        },
        default_for_third_parties: match params.get(DEFAULT_FOR.0) {
            None => false,
            Some(value) if value == DEFAULT_FOR.1 => true,
            Some(other) => return Err(no_match(other, DEFAULT_FOR.0).into()),
        },
    };
    let listing = app.engine().client_grants(&slice, &filter).await?;
    let body = list_body("client_grants", &slice, listing, |grant| body_of(&grant));
    Ok(answer(StatusCode::OK, &body))
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:client_grants"])?;
    let mut fields = Fields::of(&body)?;
    let default_for = fields.one_of(DEFAULT_FOR.0, |name| (name == DEFAULT_FOR.1).then(|| name.to_owned()));
    let client_id = match &default_for {
        // What names all of them and one of them is refused as a property too many.
        Some(_) => None,
        None => Some(ClientId::new(fields.required_text("client_id"))),
    };
    let audience = fields.required_text("audience");
    let scopes = scopes_of(&mut fields).unwrap_or_default();
    let subject = fields
        .one_of(ClientGrant::SUBJECT, |name| matches!(name, "client" | "user").then(|| name.to_owned()));
    let mut kept = kept_of(&mut fields);
    kept.retain(|_, value| !value.is_null());
    let said = [(ClientGrant::SUBJECT, subject), (DEFAULT_FOR.0, default_for)];
    kept.extend(said.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
    fields.finish()?;
    let call = call.with_body(body);
    let grant = app.engine().create_client_grant(&call, client_id.as_ref(), &audience, scopes, kept).await?;
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
    let kept = kept_of(&mut fields);
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

async fn organizations(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:organization_client_grants"])?;
    let slice = params.slice()?;
    let listing = app.engine().organizations_of_grant(&ClientGrantId::new(id), &slice).await?;
    let body = list_body("organizations", &slice, listing, |organization| organization_body(&organization));
    Ok(answer(StatusCode::OK, &body))
}

fn no_match(value: &str, name: &str) -> Error {
    Error::query(&format!("No enum match for: {value}"), name)
}

/// Takes what is stored as it was said, whether it has an effect or not.
fn kept_of(fields: &mut Fields) -> Map<String, Value> {
    let mut kept = fields.kept(KEPT);
    let usage = OrganizationUsage::PROPERTY;
    let read = |text: &str| OrganizationUsage::parse(text).map(|_| text.to_owned());
    if let Some(said) = fields.one_of_or_null(usage, read) {
        kept.insert(usage.to_owned(), said.map_or(Value::Null, Value::String));
    }
    if let Some(said) = fields.flag_or_null(ClientGrant::ANY_ORGANIZATION) {
        kept.insert(ClientGrant::ANY_ORGANIZATION.to_owned(), said.map_or(Value::Null, Value::Bool));
    }
    kept
}

fn scopes_of(fields: &mut Fields) -> Option<Scopes> {
    let names = fields.texts("scope")?;
    if names.iter().any(|name| name.is_empty() || name.contains(char::is_whitespace)) {
        fields.refuse("a scope must not be empty nor contain spaces", "scope");
    }
    if names.iter().any(|name| name.chars().count() > SCOPE_CHARACTERS_MAX) {
        fields.refuse(&format!("String is too long, maximum {SCOPE_CHARACTERS_MAX}"), "scope");
    }
    Some(names.iter().map(String::as_str).collect())
}

/// A grant as the Management API writes it.
pub(super) fn body_of(grant: &ClientGrant) -> Value {
    let scopes: Vec<&str> = grant.scopes.iter().collect();
    let mut body = json!({ "id": grant.id, "audience": grant.audience, "scope": scopes, (ClientGrant::SUBJECT): "client" });
    if let Some(client_id) = &grant.client_id {
        body["client_id"] = client_id.as_str().into();
    }
    for (name, value) in &grant.kept {
        body[name] = value.clone();
    }
    body
}
