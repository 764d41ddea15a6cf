//! `/api/v2/clients`: applications.
//!
//! Auth0: Management API v2 › clients.

mod authentication;
mod credentials;
mod read;
mod wire;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::client::Client;
use domain::id::ClientId;
use domain::secret::Secret;
use engine::clients::credentials::AUTHENTICATION_PROPERTY;
use engine::clients::{CLIENT_SECRET, ClientFilter, READ_CLIENT_SECRETS, shows_secret};
use engine::{Engine, Error};
use serde_json::Value;

use self::authentication::{Naming, concerns_credentials};
pub use self::read::KEPT;
use self::read::changes_of;
use self::wire::body_of;
use super::caller::Call;
use super::fields::Fields;
use super::keys::signing_keys_of_clients;
use super::paging::{Params, Selection, answer, list_body};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

const READ: &[&str] = &["read:clients", "read:client_keys", "read:client_credentials", "read:client_summary"];
const UPDATE: &[&str] = &[
    "update:clients",
    "update:client_keys",
    "update:client_credentials",
    "update:client_token_vault_privileged_access",
];
/// Properties that a scope of their own lets change; all others take `update:clients`.
const OWN_SCOPES: &[(&str, &str)] = &[
    ("client_secret", "update:client_keys"),
    ("client_authentication_methods", "update:client_credentials"),
    ("signed_request_object", "update:client_credentials"),
    ("token_vault_privileged_access", "update:client_token_vault_privileged_access"),
];
/// What a holder of nothing but `read:client_summary` is shown.
const SUMMARY: &[&str] = &["client_id", "name", "app_type", "logo_uri", "description", "is_first_party"];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/clients", get(list).post(create))
        .route("/api/v2/clients/{id}", get(read_one).patch(update).delete(delete))
        .route("/api/v2/clients/{id}/rotate-secret", post(rotate))
        .merge(credentials::routes())
}

async fn list(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let (slice, selection) = (params.slice()?, params.selection()?);
    let view = View::of(&call, &selection)?;
    let filter = ClientFilter {
        is_global: Some(params.flag("is_global")?.unwrap_or(false)),
        is_first_party: params.flag("is_first_party")?,
        app_types: params.all("app_type"),
    };
    let listing = app.engine().clients(&slice, &filter).await?;
    view.record(&call, &app, "Get clients").await?;
    let mut failed = None;
    let body = list_body("clients", &slice, listing, |client| {
        view.render(app.engine(), &client, &selection).unwrap_or_else(|error| {
            failed.get_or_insert(error);
            Value::Null
        })
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(answer(StatusCode::OK, &body)),
    }
}

async fn create(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["create:clients"])?;
    let mut fields = Fields::of(&body)?;
    if !fields.has("name") {
        fields.missing("name");
    }
    if concerns_credentials(&fields, Naming::New) {
        call.require_any(&["create:client_credentials"])?;
    }
    let changes = changes_of(&mut fields, KEPT, Naming::New);
    fields.finish()?;
    let client = app.engine().create_client(&call.with_body(body), changes).await?;
    Ok(answer(StatusCode::CREATED, &whole(app.engine(), &client)?))
}

async fn read_one(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let selection = params.selection()?;
    let view = View::of(&call, &selection)?;
    let client = app.engine().client(&ClientId::new(id)).await?;
    view.record(&call, &app, "Get a client").await?;
    let mut body = view.render(app.engine(), &client, &selection)?;
    // As recorded at Auth0: whatever is selected, these come too.
    if !matches!(view, View::Summary) {
        show_keys(app.engine(), &mut body);
    }
    Ok(answer(StatusCode::OK, &body))
}

async fn update(
    call: Call,
    State(app): State<App>,
    Path(id): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let is_covered = |name: &String| OWN_SCOPES.iter().any(|(own, scope)| own == name && call.has(scope));
    if !body.as_object().is_none_or(|body| body.keys().all(is_covered)) {
        call.require_any(&["update:clients"])?;
    }
    let mut fields = Fields::of_patch(&body)?;
    if fields.has("client_secret") {
        call.require_any(&["update:client_keys"])?;
    }
    if concerns_credentials(&fields, Naming::Known) {
        call.require_any(&["update:client_credentials"])?;
    }
    let with_secret = call.has(READ_CLIENT_SECRETS);
    let mut changes = changes_of(&mut fields, KEPT, Naming::Known);
    changes.secret = fields.text("client_secret").map(Secret::new);
    fields.finish()?;
    let client = app.engine().update_client(&call.with_body(body), &ClientId::new(id), changes).await?;
    let body =
        if with_secret { whole(app.engine(), &client)? } else { with_keys(app.engine(), &client, None) };
    Ok(answer(StatusCode::OK, &body))
}

async fn rotate(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["update:client_keys"])?;
    let call = call.with_body(Value::Null);
    let client = app.engine().rotate_client_secret(&call, &ClientId::new(id)).await?;
    Ok(answer(StatusCode::OK, &whole(app.engine(), &client)?))
}

async fn delete(call: Call, State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    call.require_any(&["delete:clients"])?;
    app.engine().delete_client(&call.with_body(Value::Null), &ClientId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The client with its secret, where that counts.
fn whole(engine: &Engine, client: &Client) -> Result<Value, Error> {
    let secret = shows_secret(client).then(|| engine.reveal_client_secret(client)).transpose()?;
    Ok(with_keys(engine, client, secret))
}

/// The client with the certificate that its tokens are signed with.
fn with_keys(engine: &Engine, client: &Client, secret: Option<Secret<String>>) -> Value {
    let mut body = body_of(client, secret.as_ref().map(Secret::expose));
    show_keys(engine, &mut body);
    body
}

fn show_keys(engine: &Engine, body: &mut Value) {
    body["signing_keys"] = signing_keys_of_clients(&engine.keys().certificate, &engine.issuer_host());
}

/// What a caller may see of clients.
enum View {
    /// All, the secret too.
    WithSecret,
    /// All but the secret.
    WithoutSecret,
    /// All but the secret and what the client proves itself with instead.
    WithoutCredentials,
    /// Names.
    Summary,
}

impl View {
    fn of(call: &Call, selection: &Selection) -> Result<Self, Error> {
        if call.has(READ_CLIENT_SECRETS) {
            let shows = selection.shows(CLIENT_SECRET);
            return Ok(if shows { Self::WithSecret } else { Self::WithoutSecret });
        }
        if selection.asks_for("client_secret") {
            let message =
                "Some fields cannot be read with the permissions granted by the bearer token scopes. \
                           The missing scopes are: read:client_keys"
                    .to_owned();
            return Err(Error::Refused { message, code: Some("insufficient_scope") });
        }
        Ok(match (call.has("read:client_credentials"), call.has("read:clients")) {
            (true, _) => Self::WithoutSecret,
            (false, true) => Self::WithoutCredentials,
            (false, false) => Self::Summary,
        })
    }

    /// Tells the log where secrets are read.
    async fn record(&self, call: &Call, app: &App, description: &str) -> Result<(), Error> {
        match self {
            Self::WithSecret => {
                app.engine().record_secret_read(&call.read(), description, &[CLIENT_SECRET]).await
            }
            Self::WithoutSecret | Self::WithoutCredentials | Self::Summary => Ok(()),
        }
    }

    fn render(&self, engine: &Engine, client: &Client, selection: &Selection) -> Result<Value, Error> {
        let body = match self {
            Self::WithSecret => whole(engine, client)?,
            Self::WithoutSecret => with_keys(engine, client, None),
            Self::WithoutCredentials => {
                let mut body = with_keys(engine, client, None);
                if let Value::Object(map) = &mut body {
                    map.remove(AUTHENTICATION_PROPERTY);
                }
                body
            }
            Self::Summary => {
                let mut body = body_of(client, None);
                if let Value::Object(map) = &mut body {
                    map.retain(|name, _| SUMMARY.contains(&name.as_str()));
                }
                body
            }
        };
        Ok(selection.of(&body))
    }
}
