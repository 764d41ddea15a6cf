//! `/api/v2/users` and `/api/v2/users-by-email`.
//!
//! Auth0: Management API v2 › users. Pictures are given back only if somebody set one: none is made up.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::id::UserId;
use domain::secret::Secret;
use domain::user::User;
use engine::Error;
use engine::users::{NewUser, UserChanges};
use serde::Serialize;
use serde_json::{Map, Value};

use super::caller::Call;
use super::fields::{Fields, Kind};
use super::paging::{Params, answer, list_body};
use super::{logs, organizations};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// Properties that are taken without effect and not given back.
pub const IGNORED: &[(&str, Kind)] =
    &[("verify_email", Kind::Flag), ("verify_phone_number", Kind::Flag), ("client_id", Kind::Text)];
const READ: &[&str] = &["read:users", "read:user_idp_tokens"];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/users", get(list).post(create))
        .route("/api/v2/users-by-email", get(by_email))
        .route("/api/v2/users/{id}", get(read_one).patch(update).delete(delete))
        .route("/api/v2/users/{id}/logs", get(logs_of))
        .route("/api/v2/users/{id}/organizations", get(organizations_of))
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let (slice, selection) = (params.slice()?, params.selection()?);
    if params.get("search_engine").is_some_and(|engine| engine != "v3") {
        return Err(Error::query("only v3 is supported", "search_engine").into());
    }
    if params.get("sort").is_some_and(|sort| sort != "user_id:1") {
        return Err(Error::query("only user_id:1 is supported", "sort").into());
    }
    let listing = app.engine().users(&slice, params.get("q")).await?;
    let body = list_body("users", &slice, listing, |user| selection.of(&UserBody::of(&user)));
    Ok(answer(StatusCode::OK, &body))
}

async fn by_email(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(&["read:users"])?;
    let selection = params.selection()?;
    let Some(email) = params.get("email") else {
        return Err(Error::query("Missing required property: email", "email").into());
    };
    let users = app.engine().users_by_email(email).await?;
    let body: Vec<Value> = users.iter().map(|user| selection.of(&UserBody::of(user))).collect();
    Ok(answer(StatusCode::OK, &body))
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:users"])?;
    let mut fields = Fields::of(&body)?;
    let new = NewUser {
        connection: fields.required_text("connection"),
        user_id: fields.text("user_id"),
        password: fields.text("password").map(Secret::new),
        profile: profile_of(&mut fields),
    };
    fields.kept(IGNORED);
    fields.finish()?;
    let user = app.engine().create_user(&call.with_body(body), new).await?;
    Ok(answer(StatusCode::CREATED, &UserBody::of(&user)))
}

async fn read_one(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let selection = params.selection()?;
    let user = app.engine().user(&UserId::new(id)).await?;
    Ok(answer(StatusCode::OK, &selection.of(&UserBody::of(&user))))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::of_patch(&body)?;
    let only_app_metadata =
        matches!(&body, Value::Object(map) if map.keys().all(|name| name == "app_metadata"));
    let needs: &[&str] =
        if only_app_metadata { &["update:users", "update:users_app_metadata"] } else { &["update:users"] };
    call.require_any(needs)?;
    let mut changes = profile_of(&mut fields);
    changes.password = fields.text_or_null("password").flatten().map(Secret::new);
    let connection = fields.text("connection");
    fields.kept(IGNORED);
    fields.finish()?;
    let id = UserId::new(id);
    if let Some(connection) = connection {
        let user = app.engine().user(&id).await?;
        if !user.identities.iter().any(|identity| identity.connection == connection) {
            return Err(Error::property("the user has no identity in this connection", "connection").into());
        }
    }
    let user = app.engine().update_user(&call.with_body(body), &id, changes).await?;
    Ok(answer(StatusCode::OK, &UserBody::of(&user)))
}

async fn delete(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["delete:users"])?;
    app.engine().delete_user(&call.with_body(Value::Null), &UserId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn logs_of(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:logs", "read:logs_users"])?;
    let slice = params.slice()?;
    let listing = app.engine().logs_of_user(&UserId::new(id), &slice, logs::order_of(&params)?).await?;
    let body = list_body("logs", &slice, listing, |event| app.engine().log_body(&event));
    Ok(answer(StatusCode::OK, &body))
}

async fn organizations_of(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(&["read:organizations"])?;
    let slice = params.slice()?;
    let listing = app.engine().organizations_of_user(&UserId::new(id), &slice).await?;
    let body = list_body("organizations", &slice, listing, |own| organizations::body_of(&own));
    Ok(answer(StatusCode::OK, &body))
}

fn profile_of(fields: &mut Fields) -> UserChanges {
    UserChanges {
        email: fields.text_or_null("email"),
        email_verified: fields.flag("email_verified"),
        username: fields.text_or_null("username"),
        phone_number: fields.text_or_null("phone_number"),
        phone_verified: fields.flag("phone_verified"),
        name: fields.text_or_null("name"),
        given_name: fields.text_or_null("given_name"),
        family_name: fields.text_or_null("family_name"),
        nickname: fields.text_or_null("nickname"),
        picture: fields.text_or_null("picture"),
        blocked: fields.flag("blocked"),
        user_metadata: fields.object_or_null("user_metadata").map(Option::unwrap_or_default),
        app_metadata: fields.object_or_null("app_metadata").map(Option::unwrap_or_default),
        password: None,
    }
}

/// A user as the Management API writes one.
#[derive(Serialize)]
pub(super) struct UserBody<'a> {
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_verified: Option<bool>,
    identities: Vec<IdentityBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<&'a str>,
    updated_at: String,
    user_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    user_metadata: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    app_metadata: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    blocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_password_reset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ip: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logins_count: Option<u64>,
}

#[derive(Serialize)]
struct IdentityBody<'a> {
    connection: &'a str,
    user_id: &'a str,
    provider: &'a str,
    #[serde(rename = "isSocial")]
    is_social: bool,
    #[serde(rename = "profileData", skip_serializing_if = "Option::is_none")]
    profile: Option<&'a Map<String, Value>>,
}

impl<'a> UserBody<'a> {
    /// The body of a user; no trace of the password.
    pub(super) fn of(user: &'a User) -> Self {
        // The first identity's profile is the user's own.
        let identities = user.identities.iter().enumerate().map(|(at, identity)| IdentityBody {
            connection: &identity.connection,
            user_id: &identity.user_id,
            provider: &identity.provider,
            is_social: identity.is_social,
            profile: (at > 0 && !identity.profile.is_empty()).then_some(&identity.profile),
        });
        Self {
            created_at: user.created_at.to_string(),
            email: user.email.as_deref(),
            email_verified: user.email.as_ref().map(|_| user.email_verified),
            phone_number: user.phone_number.as_deref(),
            phone_verified: user.phone_number.as_ref().map(|_| user.phone_verified),
            identities: identities.collect(),
            name: user.name.as_deref(),
            given_name: user.given_name.as_deref(),
            family_name: user.family_name.as_deref(),
            nickname: user.nickname.as_deref(),
            picture: user.picture.as_deref(),
            updated_at: user.updated_at.to_string(),
            user_id: user.id.as_str(),
            username: user.username.as_deref(),
            user_metadata: &user.user_metadata,
            app_metadata: &user.app_metadata,
            blocked: user.blocked,
            last_password_reset: user.last_password_reset.map(|at| at.to_string()),
            last_ip: user.last_ip.as_deref(),
            last_login: user.last_login.map(|at| at.to_string()),
            logins_count: (user.logins_count > 0).then_some(user.logins_count),
        }
    }
}
