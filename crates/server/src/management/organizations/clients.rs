//! `/api/v2/organizations/{id}/clients`: which applications its members may use, where it names them.
//!
//! Auth0: manage users › organizations › grant application access.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::client::Client;
use domain::id::{ClientId, OrganizationId};
use domain::organization::{OrganizationClient, OrganizationUsage};
use serde_json::{Value, json};

use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;
use crate::management::caller::Call;
use crate::management::fields::Fields;
use crate::management::paging::{Params, answer, list_body};

const READ: &[&str] = &["read:organization_clients"];
const MEMBER_ACCESS: &str = "use_for_member_access";

/// The routes of this resource.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/organizations/{id}/clients", get(list).post(add).delete(remove))
        .route("/api/v2/organizations/{id}/clients/{client_id}", get(read_one).patch(update))
}

async fn list(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let slice = params.slice()?;
    let listing = app.engine().organization_clients(&OrganizationId::new(id), &slice).await?;
    let body = list_body("clients", &slice, listing, |(own, client)| body_of(&own, &client));
    Ok(answer(StatusCode::OK, &body))
}

async fn add(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:organization_clients"])?;
    let mut fields = Fields::of(&body)?;
    if !fields.has("clients") {
        fields.missing("clients");
    }
    let clients = fields.each("clients", |inner| {
        let id = ClientId::new(inner.required_text("client_id"));
        (id, inner.flag(MEMBER_ACCESS).unwrap_or_default())
    });
    fields.finish()?;
    let (call, id) = (call.with_body(body), OrganizationId::new(id));
    let made = app.engine().add_organization_clients(&call, &id, &clients.unwrap_or_default()).await?;
    let body: Vec<Value> = made.iter().map(|(own, client)| body_of(own, client)).collect();
    Ok(answer(StatusCode::CREATED, &body))
}

async fn remove(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["delete:organization_clients"])?;
    let mut fields = Fields::of(&body)?;
    if !fields.has("clients") {
        fields.missing("clients");
    }
    let clients = fields.texts("clients").unwrap_or_default();
    fields.finish()?;
    let clients: Vec<ClientId> = clients.into_iter().map(ClientId::new).collect();
    app.engine()
        .remove_organization_clients(&call.with_body(body), &OrganizationId::new(id), &clients)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn read_one(
    call: Call,
    State(app): State<App>,
    Path((id, client_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let (id, client_id) = (OrganizationId::new(id), ClientId::new(client_id));
    let (own, client) = app.engine().organization_client(&id, &client_id).await?;
    Ok(answer(StatusCode::OK, &body_of(&own, &client)))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path((id, client_id)): Path<(String, String)>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:organization_clients"])?;
    let mut fields = Fields::of_patch(&body)?;
    let member_access = fields.flag(MEMBER_ACCESS);
    fields.finish()?;
    let (call, id, client_id) = (call.with_body(body), OrganizationId::new(id), ClientId::new(client_id));
    let (own, client) =
        app.engine().update_organization_client(&call, &id, &client_id, member_access).await?;
    Ok(answer(StatusCode::OK, &body_of(&own, &client)))
}

fn body_of(own: &OrganizationClient, client: &Client) -> Value {
    let mut about = json!({
        "name": client.name,
        "is_first_party": client.is_first_party,
        "grant_types": client.grant_types,
    });
    if let Some(usage) = client.kept.get(OrganizationUsage::PROPERTY) {
        about[OrganizationUsage::PROPERTY] = usage.clone();
    }
    json!({ "client_id": own.client_id, (MEMBER_ACCESS): own.use_for_member_access, "client": about })
}
