//! `/api/v2/organizations/{id}/client-grants`: which client grants are good for it.
//!
//! Auth0: Management API v2 › organizations.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use domain::id::{ClientGrantId, OrganizationId};
use engine::grants::GrantFilter;
use serde_json::Value;

use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;
use crate::management::caller::Call;
use crate::management::client_grants::body_of;
use crate::management::fields::Fields;
use crate::management::paging::{Params, answer, list_body};

/// The routes of this resource.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/organizations/{id}/client-grants", get(list).post(add))
        .route("/api/v2/organizations/{id}/client-grants/{grant_id}", delete(remove))
}

async fn list(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:organization_client_grants"])?;
    let slice = params.slice()?;
    let filter = GrantFilter {
        audience: params.get("audience").map(str::to_owned),
        client_id: params.get("client_id").map(str::to_owned),
        ..GrantFilter::default()
    };
    let ids = params.all("grant_ids");
    let listing = app.engine().organization_grants(&OrganizationId::new(id), &slice, &filter, &ids).await?;
    let body = list_body("client_grants", &slice, listing, |grant| body_of(&grant));
    Ok(answer(StatusCode::OK, &body))
}

async fn add(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:organization_client_grants"])?;
    let mut fields = Fields::of(&body)?;
    let grant_id = ClientGrantId::new(fields.required_text("grant_id"));
    fields.finish()?;
    let call = call.with_body(body);
    let grant = app.engine().add_organization_grant(&call, &OrganizationId::new(id), &grant_id).await?;
    // Auth0 describes `id` and sends `grant_id`.
    let mut body = body_of(&grant);
    body["grant_id"] = grant.id.as_str().into();
    Ok(answer(StatusCode::CREATED, &body))
}

async fn remove(
    call: Call,
    State(app): State<App>,
    Path((id, grant_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(&["delete:organization_client_grants"])?;
    let (id, grant_id) = (OrganizationId::new(id), ClientGrantId::new(grant_id));
    app.engine().remove_organization_grant(&call.with_body(Value::Null), &id, &grant_id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
