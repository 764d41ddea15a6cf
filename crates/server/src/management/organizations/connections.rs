//! `/api/v2/organizations/{id}/connections`, and `…/enabled_connections`, which knows of those only that are enabled.
//!
//! Auth0: Management API v2 › organizations.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::connection::{Connection, STRATEGY_DATABASE};
use domain::id::{ConnectionId, OrganizationId};
use domain::organization::OrganizationConnection;
use engine::organizations::connections::ConnectionSettings;
use engine::{Error, Resource};
use serde_json::{Value, json};

use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;
use crate::management::caller::Call;
use crate::management::fields::Fields;
use crate::management::paging::{Params, answer, list_body};

const READ: &[&str] = &["read:organization_connections"];
/// Longest name that an organization gives a connection. Auth0: `organization_connection_name`.
const NAME_CHARACTERS_MAX: usize = 50;
/// What an organization may change of a connection. Auth0: `organization_access_level`.
const ACCESS_LEVELS: &[&str] = &["none", "readonly", "limited", "full"];

/// The routes of this resource.
pub(super) fn routes() -> Router<App> {
    let (all, enabled) =
        ("/api/v2/organizations/{id}/connections", "/api/v2/organizations/{id}/enabled_connections");
    Router::new()
        .route(all, get(list).post(add))
        .route(&format!("{all}/{{connection_id}}"), get(read_one).patch(update).delete(remove))
        .route(enabled, get(list_enabled).post(add_enabled))
        .route(
            &format!("{enabled}/{{connection_id}}"),
            get(read_enabled).patch(update_enabled).delete(remove),
        )
}

/// In which of the two forms.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    All,
    Enabled,
}

impl Form {
    fn body(self, own: &OrganizationConnection, connection: &Connection) -> Value {
        let mut body = settings_body(own);
        if connection.strategy != STRATEGY_DATABASE
            && let Value::Object(map) = &mut body
        {
            map.remove("is_signup_enabled");
        }
        body["connection"] = json!({ "name": connection.name, "strategy": connection.strategy });
        if self == Self::All {
            body["is_enabled"] = own.is_enabled.into();
            body["organization_access_level"] = own.access_level.as_deref().unwrap_or("none").into();
            if let Some(name) = &own.name {
                body["organization_connection_name"] = name.as_str().into();
            }
        }
        body
    }

    fn settings(self, fields: &mut Fields) -> ConnectionSettings {
        let mut settings = settings_of(fields);
        if self == Self::All {
            settings.is_enabled = fields.flag_or_null("is_enabled").flatten();
            settings.name = fields.text_or_null("organization_connection_name");
            if let Some(Some(name)) = &settings.name
                && (!(1..=NAME_CHARACTERS_MAX).contains(&name.chars().count()) || name.contains('\0'))
            {
                let reason = format!("the length must be 1 to {NAME_CHARACTERS_MAX} characters");
                fields.refuse(&reason, "organization_connection_name");
            }
            settings.access_level = fields.one_of_or_null("organization_access_level", |name| {
                ACCESS_LEVELS.contains(&name).then(|| name.to_owned())
            });
        }
        settings
    }
}

async fn list(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    let is_enabled = params.flag("is_enabled")?;
    list_in(Form::All, &call, &app, id, &params, is_enabled).await
}

async fn list_enabled(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    list_in(Form::Enabled, &call, &app, id, &params, Some(true)).await
}

async fn list_in(
    form: Form,
    call: &Call,
    app: &App,
    id: String,
    params: &Params,
    is_enabled: Option<bool>,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let slice = params.slice()?;
    let listing = app.engine().organization_connections(&OrganizationId::new(id), &slice, is_enabled).await?;
    let name = if form == Form::All { "connections" } else { "enabled_connections" };
    let body = list_body(name, &slice, listing, |(own, connection)| form.body(&own, &connection));
    Ok(answer(StatusCode::OK, &body))
}

async fn add(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    add_in(Form::All, call, &app, id, body).await
}

async fn add_enabled(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    add_in(Form::Enabled, call, &app, id, body).await
}

async fn add_in(form: Form, call: Call, app: &App, id: String, body: Value) -> Result<Response, ApiError> {
    call.require_any(&["create:organization_connections"])?;
    let mut fields = Fields::of(&body)?;
    let connection_id = ConnectionId::new(fields.required_text("connection_id"));
    let settings = form.settings(&mut fields);
    fields.finish()?;
    let call = call.with_body(body);
    let (own, connection) = app
        .engine()
        .add_organization_connection(&call, &OrganizationId::new(id), &connection_id, &settings)
        .await?;
    Ok(answer(StatusCode::CREATED, &form.body(&own, &connection)))
}

async fn read_one(
    call: Call,
    State(app): State<App>,
    Path((id, connection_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    read_in(Form::All, &call, &app, id, connection_id).await
}

async fn read_enabled(
    call: Call,
    State(app): State<App>,
    Path((id, connection_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    read_in(Form::Enabled, &call, &app, id, connection_id).await
}

async fn read_in(
    form: Form,
    call: &Call,
    app: &App,
    id: String,
    connection_id: String,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let (id, connection_id) = (OrganizationId::new(id), ConnectionId::new(connection_id));
    let (own, connection) = app.engine().organization_connection(&id, &connection_id).await?;
    if form == Form::Enabled && !own.is_enabled {
        return Err(Error::NotFound(Resource::OrganizationConnection).into());
    }
    Ok(answer(StatusCode::OK, &form.body(&own, &connection)))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path((id, connection_id)): Path<(String, String)>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    update_in(Form::All, call, &app, (id, connection_id), body).await
}

async fn update_enabled(
    call: Call,
    State(app): State<App>,
    Path((id, connection_id)): Path<(String, String)>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    update_in(Form::Enabled, call, &app, (id, connection_id), body).await
}

async fn update_in(
    form: Form,
    call: Call,
    app: &App,
    (id, connection_id): (String, String),
    body: Value,
) -> Result<Response, ApiError> {
    call.require_any(&["update:organization_connections"])?;
    let mut fields = Fields::of_patch(&body)?;
    let settings = form.settings(&mut fields);
    fields.finish()?;
    let (call, id, connection_id) =
        (call.with_body(body), OrganizationId::new(id), ConnectionId::new(connection_id));
    let (own, connection) =
        app.engine().update_organization_connection(&call, &id, &connection_id, &settings).await?;
    Ok(answer(StatusCode::OK, &form.body(&own, &connection)))
}

async fn remove(
    call: Call,
    State(app): State<App>,
    Path((id, connection_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(&["delete:organization_connections"])?;
    let (call, id, connection_id) =
        (call.with_body(Value::Null), OrganizationId::new(id), ConnectionId::new(connection_id));
    app.engine().remove_organization_connection(&call, &id, &connection_id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Takes what both forms know.
pub(super) fn settings_of(fields: &mut Fields) -> ConnectionSettings {
    ConnectionSettings {
        assign_membership_on_login: fields.flag("assign_membership_on_login"),
        show_as_button: fields.flag("show_as_button"),
        is_signup_enabled: fields.flag("is_signup_enabled"),
        ..ConnectionSettings::default()
    }
}

/// What both forms tell.
pub(super) fn settings_body(own: &OrganizationConnection) -> Value {
    json!({
        "connection_id": own.connection_id,
        "assign_membership_on_login": own.assign_membership_on_login,
        "show_as_button": own.show_as_button,
        "is_signup_enabled": own.is_signup_enabled,
    })
}
