//! `/api/v2/emails/provider` and `/api/v2/email-templates`: who is to send mail, and what. The server sends none yet, so
//! both are kept without effect.
//!
//! Auth0: Management API v2 › emails; email templates.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use engine::Error;
use engine::settings_documents::{Contents, Place, Told};
use serde_json::{Map, Value, json};

use super::caller::Call;
use super::kept::{bad_name, shown};
use super::paging::{Params, answer};
use super::shape::{Property, Shape, check, may, must, take_secrets};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

const PROVIDER: Place<'static> = Place { kind: "email_provider", name: "" };
const PROVIDER_READ: &[&str] = &["read:email_provider"];
const TEMPLATE_READ: &[&str] = &["read:email_templates"];
const TEMPLATE_UPDATE: &[&str] = &["update:email_templates"];
const TEXT: Shape = Shape::Text(1_000);

const PROVIDERS: Shape = Shape::OneOf(&[
    "mailgun",
    "mandrill",
    "sendgrid",
    "resend",
    "ses",
    "sparkpost",
    "smtp",
    "azure_cs",
    "ms365",
    "custom",
]);
/// What any of the providers asks for; Auth0 gives back no more of it than this does.
const CREDENTIALS: Shape = Shape::Object(&[
    may("accessKeyId", Shape::Secret),
    may("api_key", Shape::Secret),
    may("api_user", TEXT),
    may("clientId", Shape::Secret),
    may("clientSecret", Shape::Secret),
    may("connectionString", Shape::Secret),
    may("domain", TEXT),
    may("region", TEXT),
    may("secretAccessKey", Shape::Secret),
    may("smtp_host", TEXT),
    may("smtp_pass", Shape::Secret),
    may("smtp_port", Shape::Integer(1, 65_535)),
    may("smtp_user", TEXT),
    may("tenantId", Shape::Secret),
]);
const NEW_PROVIDER: &[Property] = &[
    must("name", PROVIDERS),
    may("enabled", Shape::Flag),
    may("default_from_address", TEXT),
    must("credentials", CREDENTIALS),
    may("settings", Shape::Map(&Shape::Anything)),
];
const PROVIDER_CHANGES: &[Property] = &[
    may("name", PROVIDERS),
    may("enabled", Shape::Flag),
    may("default_from_address", TEXT),
    may("credentials", CREDENTIALS),
    may("settings", Shape::Map(&Shape::Anything)),
];

const TEMPLATES: &[&str] = &[
    "async_approval",
    "blocked_account",
    "change_password",
    "enrollment_email",
    "mfa_oob_code",
    "password_reset",
    "reset_email",
    "reset_email_by_code",
    "stolen_credentials",
    "user_invitation",
    "verify_email",
    "verify_email_by_code",
    "welcome_email",
];
const HTML: Shape = Shape::Text(500_000);
const NEW_TEMPLATE: &[Property] = &[
    must("template", Shape::OneOf(TEMPLATES)),
    must("body", HTML),
    must("from", TEXT),
    may("resultUrl", TEXT),
    must("subject", TEXT),
    must("syntax", TEXT),
    may("urlLifetimeInSeconds", Shape::Integer(0, i64::MAX)),
    may("includeEmailInRedirect", Shape::Flag),
    must("enabled", Shape::Flag),
];
const TEMPLATE_CHANGES: &[Property] = &[
    may("template", Shape::OneOf(TEMPLATES)),
    may("body", HTML),
    may("from", TEXT),
    may("resultUrl", TEXT),
    may("subject", TEXT),
    may("syntax", TEXT),
    may("urlLifetimeInSeconds", Shape::Integer(0, i64::MAX)),
    may("includeEmailInRedirect", Shape::Flag),
    may("enabled", Shape::Flag),
];

/// The routes of these resources.
pub fn routes() -> Router<App> {
    Router::new()
        .route(
            "/api/v2/emails/provider",
            get(read_provider).post(create_provider).patch(update_provider).delete(delete_provider),
        )
        .route("/api/v2/email-templates", post(create_template))
        .route(
            "/api/v2/email-templates/{name}",
            get(read_template).put(replace_template).patch(update_template),
        )
}

fn no_provider() -> ApiError {
    let message = "There is not a configured email provider";
    ApiError::new(StatusCode::NOT_FOUND, message, Some("inexistent_email_provider"))
}

async fn read_provider(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(PROVIDER_READ)?;
    let selection = params.selection()?;
    let found = app.engine().settings_document(PROVIDER).await?;
    found.map(|document| shown(&document, &selection)).ok_or_else(no_provider)
}

async fn create_provider(
    call: Call,
    State(app): State<App>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:email_provider"])?;
    let mut public = check(NEW_PROVIDER, &body)?;
    let secrets = take_secrets(NEW_PROVIDER, &mut public);
    public.entry("enabled").or_insert(json!(true));
    let create = |before: Option<Contents>| match before {
        Some(_) => Err(Error::Conflict { message: "The email provider is configured already.".to_owned() }),
        None => Ok(Contents { body: public.clone(), secrets: secrets.clone() }),
    };
    let told = Told { description: "Configure the email provider", status: 201 };
    let call = call.with_body(body);
    let document = app.engine().change_settings_document(&call, PROVIDER, told, create).await?;
    Ok(answer(StatusCode::CREATED, &document.body))
}

async fn update_provider(
    call: Call,
    State(app): State<App>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:email_provider"])?;
    let mut public = check(PROVIDER_CHANGES, &body)?;
    let secrets = take_secrets(PROVIDER_CHANGES, &mut public);
    if app.engine().settings_document(PROVIDER).await?.is_none() {
        return Err(no_provider());
    }
    let change = |before: Option<Contents>| {
        let mut contents = before.unwrap_or_default();
        // Another provider has no use for what the last one was told.
        let is_another = public.get("name").is_some_and(|name| contents.body.get("name") != Some(name));
        if is_another {
            contents.body.remove("settings");
            contents.body.insert("credentials".to_owned(), json!({}));
        }
        if is_another || public.contains_key("credentials") {
            contents.secrets = Map::new();
        }
        contents.body.extend(public.clone());
        contents.secrets.extend(secrets.clone());
        Ok(contents)
    };
    let told = Told { description: "Update the email provider", status: 200 };
    let call = call.with_body(body);
    let document = app.engine().change_settings_document(&call, PROVIDER, told, change).await?;
    Ok(answer(StatusCode::OK, &document.body))
}

async fn delete_provider(call: Call, State(app): State<App>) -> Result<Response, ApiError> {
    call.require_any(&["delete:email_provider"])?;
    let told = Told { description: "Delete the email provider", status: 204 };
    // One that is not there is not missed.
    app.engine().delete_settings_document(&call.with_body(Value::Null), PROVIDER, told).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn template_at(name: &str) -> Result<Place<'_>, Error> {
    match TEMPLATES.contains(&name) {
        true => Ok(Place { kind: "email_template", name }),
        false => Err(bad_name("templateName", name)),
    }
}

fn no_template() -> ApiError {
    let message = "The template does not exist.";
    ApiError::new(StatusCode::NOT_FOUND, message, Some("inexistent_email_template"))
}

async fn read_template(
    call: Call,
    State(app): State<App>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    call.require_any(TEMPLATE_READ)?;
    let selection = params.selection()?;
    let found = app.engine().settings_document(template_at(&name)?).await?;
    found.map(|document| shown(&document, &selection)).ok_or_else(no_template)
}

async fn create_template(
    call: Call,
    State(app): State<App>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["create:email_templates"])?;
    let public = check(NEW_TEMPLATE, &body)?;
    let name = public["template"].as_str().unwrap_or_default().to_owned();
    let create = |before: Option<Contents>| match before {
        Some(_) => Err(Error::Conflict { message: "The template exists already.".to_owned() }),
        None => Ok(Contents { body: public.clone(), secrets: Map::new() }),
    };
    let told = Told { description: "Create an email template", status: 200 };
    let call = call.with_body(body);
    let document = app.engine().change_settings_document(&call, template_at(&name)?, told, create).await?;
    Ok(answer(StatusCode::OK, &document.body))
}

async fn replace_template(
    call: Call,
    State(app): State<App>,
    Path(name): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(TEMPLATE_UPDATE)?;
    let place = template_at(&name)?;
    let public = check(NEW_TEMPLATE, &body)?;
    refuse_another_name(&public, &name)?;
    let replace = |_| Ok(Contents { body: public.clone(), secrets: Map::new() });
    let told = Told { description: "Update an email template", status: 200 };
    let call = call.with_body(body);
    let document = app.engine().change_settings_document(&call, place, told, replace).await?;
    Ok(answer(StatusCode::OK, &document.body))
}

async fn update_template(
    call: Call,
    State(app): State<App>,
    Path(name): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(TEMPLATE_UPDATE)?;
    let place = template_at(&name)?;
    let public = check(TEMPLATE_CHANGES, &body)?;
    refuse_another_name(&public, &name)?;
    if app.engine().settings_document(place).await?.is_none() {
        return Err(no_template());
    }
    let change = |before: Option<Contents>| {
        let mut contents = before.unwrap_or_default();
        contents.body.extend(public.clone());
        Ok(contents)
    };
    let told = Told { description: "Update an email template", status: 200 };
    let call = call.with_body(body);
    let document = app.engine().change_settings_document(&call, place, told, change).await?;
    Ok(answer(StatusCode::OK, &document.body))
}

fn refuse_another_name(body: &Map<String, Value>, name: &str) -> Result<(), Error> {
    match body.get("template").and_then(Value::as_str) {
        Some(own) if own != name => {
            Err(Error::property("the template's name is that of the path", "template"))
        }
        _ => Ok(()),
    }
}
