//! `/api/v2/refresh-tokens`, a user's refresh tokens, and `/api/v2/users/{id}/revoke-access`.
//!
//! Auth0: Management API v2 › refresh tokens; secure › tokens › refresh token metadata.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use domain::id::{ClientId, RefreshTokenId, SessionId, UserId};
use domain::limits::REFRESH_TOKENS_REVOKED_AT_ONCE_MAX;
use domain::token::RefreshToken;
use engine::Error;
use engine::listing::Slice;
use engine::refresh_tokens::RevokedTokens;
use engine::sessions::read_metadata;
use serde::Serialize;
use serde_json::{Value, json};

use super::caller::Call;
use super::fields::Fields;
use super::paging::Params;
use super::sessions::DeviceView;
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

const READ: &[&str] = &["read:refresh_tokens"];
const UPDATE: &[&str] = &["update:refresh_tokens"];
const DELETE: &[&str] = &["delete:refresh_tokens"];
const REVOKE_ACCESS: &[&str] = &["delete:sessions"];
/// Characters of a session's identifier in a body. Auth0: Management API v2 › revoke access.
const SESSION_ID_CHARACTERS_MAX: usize = 50;
/// Characters of a refresh token's identifier in a body. Auth0: Management API v2 › revoke refresh tokens.
const TOKEN_ID_CHARACTERS_MAX: usize = 30;

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/refresh-tokens", routing::get(list))
        .route("/api/v2/refresh-tokens/revoke", routing::post(revoke))
        .route("/api/v2/refresh-tokens/{id}", routing::get(get).patch(patch).delete(delete))
        .route("/api/v2/users/{id}/refresh-tokens", routing::get(list_of_user).delete(delete_of_user))
        .route("/api/v2/users/{id}/revoke-access", routing::post(revoke_access))
}

#[derive(Serialize)]
struct View<'a> {
    id: &'a str,
    user_id: &'a str,
    created_at: String,
    idle_expires_at: Option<String>,
    expires_at: Option<String>,
    last_exchanged_at: Option<String>,
    device: DeviceView<'a>,
    client_id: &'a str,
    session_id: Option<&'a str>,
    rotating: bool,
    resource_servers: Vec<ResourceServerView<'a>>,
    /// Null where there is none.
    refresh_token_metadata: Option<&'a BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct ResourceServerView<'a> {
    audience: &'a str,
    scopes: String,
}

fn view(token: &RefreshToken) -> View<'_> {
    let grant = &token.grant;
    let metadata = &token.metadata;
    let resource_server = |audience| ResourceServerView { audience, scopes: grant.scopes.to_string() };
    View {
        id: token.id.as_str(),
        user_id: grant.user_id.as_str(),
        created_at: token.created_at.to_string(),
        idle_expires_at: token.idle_expires_at.map(|at| at.to_string()),
        expires_at: token.expires_at.map(|at| at.to_string()),
        last_exchanged_at: token.last_exchanged_at.map(|at| at.to_string()),
        device: DeviceView::of(&token.device),
        client_id: grant.client_id.as_str(),
        session_id: grant.session_id.as_ref().map(SessionId::as_str),
        rotating: token.rotating,
        resource_servers: grant.audience.as_deref().map(resource_server).into_iter().collect(),
        refresh_token_metadata: (!metadata.is_empty()).then(|| metadata.entries()),
    }
}

async fn get(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let token = app.engine().refresh_token(&RefreshTokenId::new(id)).await?;
    Ok(Json(view(&token)).into_response())
}

async fn patch(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let metadata = read_metadata("refresh_token_metadata", patched_metadata(&body)?)?;
    let (call, id) = (call.with_body(body), RefreshTokenId::new(id));
    let token = app.engine().replace_refresh_token_metadata(&call, &id, metadata).await?;
    Ok(Json(view(&token)).into_response())
}

/// The one property that a PATCH takes.
fn patched_metadata(body: &Value) -> Result<&Value, Error> {
    let Value::Object(properties) = body else { return Err(Error::payload("Expected type object")) };
    if let Some(name) = properties.keys().find(|name| *name != "refresh_token_metadata") {
        return Err(Error::payload(&format!("Additional properties not allowed: {name}")));
    }
    properties
        .get("refresh_token_metadata")
        .ok_or_else(|| Error::payload("Missing required property: refresh_token_metadata"))
}

async fn delete(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    call.require_any(DELETE)?;
    app.engine().delete_refresh_token(&call.with_body(Value::Null), &RefreshTokenId::new(id)).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}

async fn list_of_user(
    call: Call,
    State(app): State<App>,
    Path(user_id): Path<String>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    call.require_any(READ)?;
    let slice = match params.slice()? {
        // Without a word about totals, a page is the first of those that checkpoints lead through.
        Slice::Offset { start: 0, limit, totals: false } => Slice::Checkpoint { from: None, take: limit },
        other => other,
    };
    let found = app.engine().refresh_tokens_of_user(&UserId::new(user_id), None, &slice).await?;
    let mut body = json!({ "tokens": found.items.iter().map(view).collect::<Vec<_>>() });
    if let Some(next) = found.next {
        body["next"] = json!(next);
    }
    if let Some(total) = found.total {
        body["total"] = json!(total);
    }
    Ok(Json(body))
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Json<Value>, ApiError> {
    call.require_any(READ)?;
    let user_id = params.get("user_id").map(UserId::new);
    let user_id = user_id.ok_or_else(|| Error::query("Missing required property: user_id", "user_id"))?;
    let client_id = params.get("client_id").map(ClientId::new);
    let (slice, selection) = (params.checkpoint()?, params.selection()?);
    let found = app.engine().refresh_tokens_of_user(&user_id, client_id.as_ref(), &slice).await?;
    let items: Vec<Value> = found.items.iter().map(|token| selection.of(&view(token))).collect();
    let mut body = json!({ "refresh_tokens": items });
    if let Some(next) = found.next {
        body["next"] = json!(next);
    }
    Ok(Json(body))
}

async fn revoke(
    call: Call,
    State(app): State<App>,
    ApiBody(body): ApiBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    call.require_any(DELETE)?;
    let which = revoked_tokens(&body)?;
    app.engine().revoke_refresh_tokens(&call.with_body(body), &which).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}

/// Exactly one of the forms that a body may have.
fn revoked_tokens(body: &Value) -> Result<RevokedTokens, Error> {
    let mut fields = Fields::of(body)?;
    let ids = fields.texts("ids");
    let [user_id, client_id, audience] = ["user_id", "client_id", "audience"].map(|name| fields.text(name));
    for (name, value) in [("user_id", &user_id), ("client_id", &client_id), ("audience", &audience)] {
        if value.as_deref() == Some("") {
            fields.refuse("String is too short (0 chars), minimum 1", name);
        }
    }
    if let Some(ids) = &ids {
        check_ids(&mut fields, ids);
    }
    fields.finish()?;
    let user_id = user_id.map(UserId::new);
    match (ids, user_id, client_id, audience) {
        (Some(ids), None, None, None) => {
            Ok(RevokedTokens::Ids(ids.into_iter().map(RefreshTokenId::new).collect()))
        }
        (None, Some(user_id), None, None) => Ok(RevokedTokens::OfUser(user_id)),
        (None, user_id, Some(client_id), None) => {
            Ok(RevokedTokens::OfClient { client_id: ClientId::new(client_id), user_id, audience: None })
        }
        (None, user_id @ Some(_), Some(client_id), audience @ Some(_)) => {
            Ok(RevokedTokens::OfClient { client_id: ClientId::new(client_id), user_id, audience })
        }
        _ => Err(Error::payload(
            "Exactly one of these must be given: ids; user_id; client_id; user_id and client_id; user_id, client_id \
             and audience",
        )),
    }
}

fn check_ids(fields: &mut Fields, ids: &[String]) {
    let count = ids.len();
    if count == 0 {
        fields.refuse("Array is too short (0), minimum 1", "ids");
    }
    if count > REFRESH_TOKENS_REVOKED_AT_ONCE_MAX {
        let reason = format!("Array is too long ({count}), maximum {REFRESH_TOKENS_REVOKED_AT_ONCE_MAX}");
        fields.refuse(&reason, "ids");
    }
    for (at, id) in ids.iter().enumerate() {
        if !(1..=TOKEN_ID_CHARACTERS_MAX).contains(&id.chars().count()) {
            let reason = format!("the length must be 1 to {TOKEN_ID_CHARACTERS_MAX} characters");
            fields.refuse(&reason, &format!("ids[{at}]"));
        }
    }
}

async fn delete_of_user(
    call: Call,
    State(app): State<App>,
    Path(user_id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    call.require_any(DELETE)?;
    let call = call.with_body(Value::Null);
    app.engine().delete_refresh_tokens_of_user(&call, &UserId::new(user_id)).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}

async fn revoke_access(
    call: Call,
    State(app): State<App>,
    Path(user_id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    call.require_any(REVOKE_ACCESS)?;
    let (mut session_id, mut preserve) = (None, false);
    if !body.is_null() {
        let mut fields = Fields::of(&body)?;
        session_id = fields.text("session_id");
        preserve = fields.flag("preserve_refresh_tokens").unwrap_or(false);
        fields.finish()?;
    }
    if let Some(id) = &session_id
        && id.chars().count() > SESSION_ID_CHARACTERS_MAX
    {
        let reason = format!("String is too long, maximum {SESSION_ID_CHARACTERS_MAX}");
        return Err(Error::property(&reason, "session_id").into());
    }
    let session_id = session_id.map(SessionId::new);
    let (call, user_id) = (call.with_body(body), UserId::new(user_id));
    app.engine().revoke_access(&call, &user_id, session_id.as_ref(), preserve).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use engine::refresh_tokens::RevokedTokens;

    use super::{patched_metadata, revoked_tokens};

    #[test]
    fn a_revocation_has_exactly_one_form() {
        for good in [
            json!({ "ids": ["a"] }),
            json!({ "user_id": "u" }),
            json!({ "client_id": "c" }),
            json!({ "user_id": "u", "client_id": "c" }),
            json!({ "user_id": "u", "client_id": "c", "audience": "a" }),
        ] {
            assert!(revoked_tokens(&good).is_ok(), "{good}");
        }
        let many: Vec<_> = (0..101).map(|number| number.to_string()).collect();
        for bad in [
            json!({}),
            json!({ "ids": [] }),
            json!({ "ids": many }),
            json!({ "ids": ["x".repeat(31)] }),
            json!({ "ids": [""] }),
            json!({ "ids": ["a"], "user_id": "u" }),
            json!({ "user_id": "" }),
            json!({ "user_id": "u", "audience": "a" }),
            json!({ "client_id": "c", "audience": "a" }),
            json!({ "client_id": "c", "tenant": "t" }),
        ] {
            assert!(revoked_tokens(&bad).is_err(), "{bad}");
        }
        let of_user = revoked_tokens(&json!({ "user_id": "u" }));
        assert_eq!(of_user.unwrap(), RevokedTokens::OfUser("u".into()));
    }

    #[test]
    fn only_refresh_token_metadata_is_taken() {
        assert!(patched_metadata(&json!({ "refresh_token_metadata": null })).is_ok());
        for body in [json!({}), json!([]), json!({ "refresh_token_metadata": {}, "client_id": "x" })] {
            assert!(patched_metadata(&body).is_err(), "{body}");
        }
    }
}
