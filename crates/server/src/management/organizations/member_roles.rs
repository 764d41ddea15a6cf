//! `/api/v2/organizations/{id}/members/{user_id}/roles`: what a member is in this organization.
//!
//! Auth0: Management API v2 › organizations › member roles.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::id::{OrganizationId, UserId};

use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;
use crate::management::caller::Call;
use crate::management::paging::{Params, answer, list_body};
use crate::management::roles::{body_of, role_ids};

/// The routes of this resource.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/organizations/{id}/members/{user_id}/roles", get(list).post(give).delete(take))
}

async fn list(
    call: Call,
    State(app): State<App>,
    Path((id, user)): Path<(String, String)>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:organization_member_roles"])?;
    let slice = params.slice()?;
    let (id, user) = (OrganizationId::new(id), UserId::new(user));
    let listing = app.engine().roles_of_member(&id, &user, &slice).await?;
    Ok(answer(StatusCode::OK, &list_body("roles", &slice, listing, |role| body_of(&role))))
}

async fn give(
    call: Call,
    State(app): State<App>,
    Path((id, user)): Path<(String, String)>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:organization_member_roles"])?;
    let roles = role_ids(&body)?;
    let (id, user) = (OrganizationId::new(id), UserId::new(user));
    app.engine().give_roles_to_member(&call.with_body(body), &id, &user, &roles).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn take(
    call: Call,
    State(app): State<App>,
    Path((id, user)): Path<(String, String)>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["delete:organization_member_roles"])?;
    let roles = role_ids(&body)?;
    let (id, user) = (OrganizationId::new(id), UserId::new(user));
    app.engine().take_roles_from_member(&call.with_body(body), &id, &user, &roles).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
