//! `/api/v2/organizations/{id}/invitations`.
//!
//! Auth0: Management API v2 › organizations.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::id::{ClientId, ConnectionId, InvitationId, OrganizationId, RoleId};
use engine::Error;
use engine::organizations::invitations::{NewInvitation, OpenInvitation};
use serde_json::{Value, json};

use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;
use crate::management::caller::Call;
use crate::management::fields::Fields;
use crate::management::paging::{Params, answer, list_body};

const READ: &[&str] = &["read:organization_invitations"];
/// The property of the answer that whoever holds it needs.
const URL: &str = "invitation_url";

/// The routes of this resource.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/organizations/{id}/invitations", get(list).post(create))
        .route("/api/v2/organizations/{id}/invitations/{invitation_id}", get(read_one).delete(delete))
}

async fn list(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let (slice, selection) = (params.slice()?, params.selection()?);
    let oldest_first = match params.get("sort") {
        None | Some("created_at:-1") => false,
        Some("created_at:1") => true,
        Some(_) => {
            let reason = "String does not match pattern ^((created_at))\\:(1|-1)$";
            return Err(Error::query(reason, "sort").into());
        }
    };
    let listing = app.engine().invitations(&OrganizationId::new(id), &slice, oldest_first).await?;
    let body = list_body("invitations", &slice, listing, |opened| selection.of(&body_of(&opened)));
    app.engine().record_secret_read(&call.read(), "Get invitations to an organization", &[URL]).await?;
    Ok(answer(StatusCode::OK, &body))
}

async fn create(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:organization_invitations"])?;
    let mut fields = Fields::of(&body)?;
    let new = invitation_of(&mut fields);
    fields.finish()?;
    let opened = app.engine().create_invitation(&call.with_body(body), &OrganizationId::new(id), new).await?;
    Ok(answer(StatusCode::OK, &body_of(&opened)))
}

async fn read_one(
    call: Call,
    State(app): State<App>,
    Path((id, invitation_id)): Path<(String, String)>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let selection = params.selection()?;
    let (id, invitation_id) = (OrganizationId::new(id), InvitationId::new(invitation_id));
    let opened = app.engine().invitation(&id, &invitation_id).await?;
    app.engine().record_secret_read(&call.read(), "Get an invitation to an organization", &[URL]).await?;
    Ok(answer(StatusCode::OK, &selection.of(&body_of(&opened))))
}

async fn delete(
    call: Call,
    State(app): State<App>,
    Path((id, invitation_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(&["delete:organization_invitations"])?;
    let (id, invitation_id) = (OrganizationId::new(id), InvitationId::new(invitation_id));
    app.engine().delete_invitation(&call.with_body(Value::Null), &id, &invitation_id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn invitation_of(fields: &mut Fields) -> NewInvitation {
    for name in ["inviter", "invitee"] {
        if !fields.has(name) {
            fields.missing(name);
        }
    }
    if fields.flag("send_invitation_email") == Some(true) {
        let reason =
            "this server sends no emails: leave it out or say false, and pass invitation_url on yourself";
        fields.refuse(reason, "send_invitation_email");
    }
    NewInvitation {
        roles: fields.texts("roles").unwrap_or_default().into_iter().map(RoleId::new).collect(),
        inviter: fields.within("inviter", |inner| inner.required_text("name")).flatten().unwrap_or_default(),
        email: fields.within("invitee", |inner| inner.required_text("email")).flatten().unwrap_or_default(),
        client_id: ClientId::new(fields.required_text("client_id")),
        connection_id: fields.text("connection_id").map(ConnectionId::new),
        user_metadata: fields.object("user_metadata").unwrap_or_default(),
        app_metadata: fields.object("app_metadata").unwrap_or_default(),
        ttl_seconds: fields.integer_from("ttl_sec", 0),
    }
}

fn body_of(opened: &OpenInvitation) -> Value {
    let OpenInvitation { invitation, ticket, url } = opened;
    let mut body = json!({
        "id": invitation.id,
        "organization_id": invitation.organization_id,
        "inviter": { "name": invitation.inviter },
        "invitee": { "email": invitation.email },
        "client_id": invitation.client_id,
        "created_at": invitation.created_at.to_string(),
        "expires_at": invitation.expires_at.to_string(),
        (URL): url,
        "ticket_id": ticket,
    });
    if let Some(connection_id) = &invitation.connection_id {
        body["connection_id"] = connection_id.as_str().into();
    }
    if !invitation.roles.is_empty() {
        body["roles"] = json!(invitation.roles);
    }
    for (name, metadata) in
        [("user_metadata", &invitation.user_metadata), ("app_metadata", &invitation.app_metadata)]
    {
        if !metadata.is_empty() {
            body[name] = Value::Object(metadata.clone());
        }
    }
    body
}
