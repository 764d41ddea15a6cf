//! `/api/v2/resource-servers`: APIs.
//!
//! Auth0: Management API v2 › resource servers.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::key::SigningAlgorithm;
use domain::resource_server::{ResourceServer, ScopeDefinition, TokenDialect};
use engine::resource_servers::ResourceServerChanges;
use serde_json::{Value, json};

use super::caller::Call;
use super::fields::{Fields, Kind};
use super::paging::{Params, answer, list_body};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// Properties that are taken and given back without effect.
pub const KEPT: &[(&str, Kind)] = &[
    ("allow_online_access", Kind::Flag),
    ("allow_online_access_with_ephemeral_sessions", Kind::Flag),
    ("skip_consent_for_verifiable_first_party_clients", Kind::Flag),
    ("token_encryption", Kind::Object),
    ("consent_policy", Kind::Text),
    ("authorization_details", Kind::List),
    ("proof_of_possession", Kind::Object),
    ("subject_type_authorization", Kind::Object),
    ("authorization_policy", Kind::Object),
    ("verificationLocation", Kind::Text),
];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/resource-servers", get(list).post(create))
        .route("/api/v2/resource-servers/{id}", get(read_one).patch(update).delete(delete))
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(&["read:resource_servers"])?;
    let slice = params.slice()?;
    let mut identifiers = params.all("identifiers");
    identifiers.extend(params.get("identifier").map(str::to_owned));
    let listing = app.engine().resource_servers(&slice, &identifiers).await?;
    let body = list_body("resource_servers", &slice, listing, |server| body_of(&server));
    Ok(answer(StatusCode::OK, &body))
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:resource_servers"])?;
    let mut fields = Fields::of(&body)?;
    let identifier = fields.required_text("identifier");
    let changes = changes_of(&mut fields);
    fields.finish()?;
    let server = app.engine().create_resource_server(&call.with_body(body), &identifier, changes).await?;
    Ok(answer(StatusCode::CREATED, &body_of(&server)))
}

async fn read_one(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["read:resource_servers"])?;
    Ok(answer(StatusCode::OK, &body_of(&app.engine().resource_server(&id).await?)))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:resource_servers"])?;
    let mut fields = Fields::of_patch(&body)?;
    let changes = changes_of(&mut fields);
    fields.finish()?;
    let server = app.engine().update_resource_server(&call.with_body(body), &id, changes).await?;
    Ok(answer(StatusCode::OK, &body_of(&server)))
}

async fn delete(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["delete:resource_servers"])?;
    app.engine().delete_resource_server(&call.with_body(Value::Null), &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn changes_of(fields: &mut Fields) -> ResourceServerChanges {
    let algorithm = fields.peek_text("signing_alg");
    if algorithm.is_some_and(|name| matches!(name.as_str(), "HS256" | "RS512" | "PS256")) {
        fields.refuse("only RS256 and ES256 are supported for signing tokens here", "signing_alg");
    }
    ResourceServerChanges {
        name: fields.text("name"),
        scopes: fields.each("scopes", |scope| ScopeDefinition {
            value: scope.required_text("value"),
            description: scope.text_or_null("description").flatten(),
            since: 0,
        }),
        signing_algorithm: fields.one_of("signing_alg", SigningAlgorithm::parse),
        token_seconds: fields.integer("token_lifetime"),
        token_seconds_for_web: fields.integer("token_lifetime_for_web"),
        allow_offline_access: fields.flag("allow_offline_access"),
        token_dialect: fields.one_of("token_dialect", TokenDialect::parse),
        enforce_policies: fields.flag("enforce_policies"),
        kept: fields.kept(KEPT),
    }
}

fn body_of(server: &ResourceServer) -> Value {
    let mut body = json!({
        "id": server.id,
        "identifier": server.identifier,
        "allow_offline_access": server.allow_offline_access,
        "token_lifetime": server.token_seconds,
        "token_lifetime_for_web": server.token_seconds_for_web,
        "signing_alg": server.signing_algorithm.as_str(),
        "skip_consent_for_verifiable_first_party_clients": false,
        "subject_type_authorization": {
            "client": { "policy": "require_client_grant" },
            "user": { "policy": "allow_all" },
        },
    });
    if let Some(name) = &server.name {
        body["name"] = name.as_str().into();
    }
    if server.is_system {
        body["is_system"] = true.into();
    }
    if server.token_dialect != TokenDialect::AccessToken {
        body["token_dialect"] = server.token_dialect.as_str().into();
    }
    if let Some(enforce) = server.enforce_policies {
        body["enforce_policies"] = enforce.into();
    }
    let scopes = server.scopes.iter().map(|scope| match &scope.description {
        Some(description) => json!({ "value": scope.value, "description": description }),
        None => json!({ "value": scope.value }),
    });
    body["scopes"] = scopes.collect();
    for (name, value) in &server.kept {
        body[name] = value.clone();
    }
    body
}
