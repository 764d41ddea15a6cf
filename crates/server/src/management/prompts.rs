//! `/api/v2/prompts`: how pages ask and what they say, kept without effect: the pages' own texts are English for now.
//!
//! Auth0: Management API v2 › prompts.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use engine::Error;
use engine::settings_documents::{Contents, Place, Told};
use serde_json::{Map, Value, json};

use super::caller::Call;
use super::kept::{Single, bad_name};
use super::paging::{Params, answer};
use super::shape::{Property, Shape, check, check_map, may};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

const READ: &[&str] = &["read:prompts"];
const UPDATE: &[&str] = &["update:prompts"];
const RENDERING: &str = "prompt_rendering";

const PROMPTS_SETTINGS: Single = Single {
    kind: "prompts",
    properties: &[
        may("universal_login_experience", Shape::OneOf(&["new", "classic"])),
        may("identifier_first", Shape::Flag),
        may("webauthn_platform_first_factor", Shape::Flag),
    ],
    read: READ,
    update: UPDATE,
    description: "Update prompts settings",
    defaults: || {
        json!({
            "universal_login_experience": "new",
            "identifier_first": false,
            "webauthn_platform_first_factor": false,
        })
    },
};

/// Texts of one screen.
const TEXTS: Shape = Shape::Map(&Shape::Text(10_000));
/// How one screen is rendered.
const RENDERING_OF_SCREEN: &[Property] = &[
    may("rendering_mode", Shape::OneOf(&["advanced", "standard"])),
    may("context_configuration", Shape::List(&Shape::Text(255), 100)),
    may("default_head_tags_disabled", Shape::Flag),
    may("use_page_template", Shape::Flag),
    may("head_tags", Shape::List(&Shape::Map(&Shape::Anything), 100)),
    may("filters", Shape::Map(&Shape::Anything)),
];
/// The prompts that there are. Auth0: Management API v2, prompts.
const PROMPTS: &[&str] = &[
    "login",
    "login-id",
    "login-password",
    "login-passwordless",
    "login-email-verification",
    "signup",
    "signup-id",
    "signup-password",
    "phone-identifier-enrollment",
    "phone-identifier-challenge",
    "email-identifier-challenge",
    "reset-password",
    "custom-form",
    "consent",
    "customized-consent",
    "logout",
    "mfa-push",
    "mfa-otp",
    "mfa-voice",
    "mfa-phone",
    "mfa-webauthn",
    "mfa-sms",
    "mfa-email",
    "mfa-recovery-code",
    "mfa",
    "status",
    "device-flow",
    "email-verification",
    "email-otp-challenge",
    "organizations",
    "invitation",
    "common",
    "passkeys",
    "captcha",
    "brute-force-protection",
    "async-approval-flow",
];
/// Those that take partials. Auth0: likewise.
const PROMPTS_WITH_PARTIALS: &[&str] = &[
    "login",
    "login-id",
    "login-password",
    "login-passwordless",
    "signup",
    "signup-id",
    "signup-password",
    "customized-consent",
    "passkeys",
];
/// Languages that texts may be in. Auth0: likewise.
const LANGUAGES: &[&str] = &[
    "am", "ar", "ar-EG", "ar-SA", "az", "bg", "bn", "bs", "ca-ES", "cnr", "cs", "cy", "da", "de", "el", "en",
    "en-CA", "es", "es-419", "es-AR", "es-MX", "et", "eu-ES", "fa", "fi", "fr", "fr-CA", "fr-FR", "gl-ES",
    "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "kn", "ko", "lt", "lv", "mk",
    "ml", "mn", "mr", "ms", "my", "nb", "nl", "nn", "no", "pa", "pl", "pt", "pt-BR", "pt-PT", "ro", "ru",
    "sk", "sl", "so", "sq", "sr", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "zgh", "zh-CN",
    "zh-HK", "zh-MO", "zh-TW",
];

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new()
        .route(
            "/api/v2/prompts",
            get(|call, State(app): State<App>| async { PROMPTS_SETTINGS.show(call, app).await }).patch(
                |call, State(app): State<App>, ApiBody(body)| async {
                    PROMPTS_SETTINGS.change(call, app, body).await
                },
            ),
        )
        .route("/api/v2/prompts/rendering", get(list_rendering).patch(update_rendering))
        .route("/api/v2/prompts/{prompt}/custom-text/{language}", get(read_texts).put(write_texts))
        .route("/api/v2/prompts/{prompt}/partials", get(read_partials).put(write_partials))
        .route(
            "/api/v2/prompts/{prompt}/screen/{screen}/rendering",
            get(read_rendering_of).patch(update_rendering_of),
        )
}

async fn read_texts(
    call: Call,
    State(app): State<App>,
    Path((prompt, language)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    read(call, &app, "prompt_text", &texts_name(&prompt, &language)?).await
}

async fn write_texts(
    call: Call,
    State(app): State<App>,
    Path((prompt, language)): Path<(String, String)>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    let name = texts_name(&prompt, &language)?;
    write(call, &app, Place { kind: "prompt_text", name: &name }, "Set custom texts of a prompt", body).await
}

async fn read_partials(
    call: Call,
    State(app): State<App>,
    Path(prompt): Path<String>,
) -> Result<Response, ApiError> {
    known("prompt", &prompt, PROMPTS_WITH_PARTIALS)?;
    read(call, &app, "prompt_partials", &prompt).await
}

async fn write_partials(
    call: Call,
    State(app): State<App>,
    Path(prompt): Path<String>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    known("prompt", &prompt, PROMPTS_WITH_PARTIALS)?;
    write(call, &app, Place { kind: "prompt_partials", name: &prompt }, "Set partials of a prompt", body)
        .await
}

async fn read(call: Call, app: &App, kind: &'static str, name: &str) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let found = app.engine().settings_document(Place { kind, name }).await?;
    Ok(answer(StatusCode::OK, &found.map(|document| document.body).unwrap_or_default()))
}

/// Replaces all texts, or partials, of all screens of a prompt.
async fn write(
    call: Call,
    app: &App,
    place: Place<'_>,
    description: &'static str,
    body: Value,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let texts = check_map(TEXTS, &body)?;
    let replace = |_| Ok(Contents { body: texts.clone(), secrets: Map::new() });
    let told = Told { description, status: 200 };
    let document = app.engine().change_settings_document(&call.with_body(body), place, told, replace).await?;
    Ok(answer(StatusCode::OK, &document.body))
}

async fn list_rendering(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let all: Vec<Value> = app
        .engine()
        .settings_documents(RENDERING)
        .await?
        .iter()
        .map(|document| rendering_body(&document.name, document.body.clone()))
        .filter(|body| {
            ["prompt", "screen", "rendering_mode"]
                .iter()
                .all(|name| params.get(name).is_none_or(|wanted| body[*name] == wanted))
        })
        .collect();
    if params.flag("include_totals")? != Some(true) {
        return Ok(answer(StatusCode::OK, &all));
    }
    let total = all.len();
    let body = json!({ "configs": all, "start": 0, "limit": total.max(1), "total": total });
    Ok(answer(StatusCode::OK, &body))
}

/// Several screens at once; the first that is refused ends it, and those before it stay changed.
async fn update_rendering(
    call: Call,
    State(app): State<App>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let Some(configs) = body.get("configs").and_then(Value::as_array) else {
        return Err(Error::payload("Missing required property: configs").into());
    };
    let mut screens = Vec::with_capacity(configs.len());
    for (at, config) in configs.iter().enumerate() {
        let mut config = config.as_object().cloned().unwrap_or_default();
        let mut name = |name: &str| match config.remove(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(Error::payload(&format!("Missing required property: configs[{at}].{name}"))),
        };
        let (prompt, screen) = (name("prompt")?, name("screen")?);
        let name = rendering_name(&prompt, &screen)?;
        screens.push((name, check(RENDERING_OF_SCREEN, &Value::Object(config))?));
    }
    let mut changed = Vec::with_capacity(screens.len());
    for (name, settings) in screens {
        changed.push(change_rendering(&call, &app, &name, settings).await?);
    }
    Ok(answer(StatusCode::OK, &json!({ "configs": changed })))
}

async fn read_rendering_of(
    call: Call,
    State(app): State<App>,
    Path((prompt, screen)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let name = rendering_name(&prompt, &screen)?;
    let found = app.engine().settings_document(Place { kind: RENDERING, name: &name }).await?;
    let body = rendering_body(&name, found.map(|document| document.body).unwrap_or_default());
    Ok(answer(StatusCode::OK, &body))
}

async fn update_rendering_of(
    call: Call,
    State(app): State<App>,
    Path((prompt, screen)): Path<(String, String)>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let name = rendering_name(&prompt, &screen)?;
    let settings = check(RENDERING_OF_SCREEN, &body)?;
    Ok(answer(StatusCode::OK, &change_rendering(&call, &app, &name, settings).await?))
}

async fn change_rendering(
    call: &Call,
    app: &App,
    name: &str,
    settings: Map<String, Value>,
) -> Result<Value, Error> {
    let change = |before: Option<Contents>| {
        let mut contents = before.unwrap_or_default();
        contents.body.extend(settings.clone());
        Ok(contents)
    };
    let told = Told { description: "Update the rendering of a screen", status: 200 };
    let call = call.clone().with_body(Value::Null);
    let place = Place { kind: RENDERING, name };
    let document = app.engine().change_settings_document(&call, place, told, change).await?;
    Ok(rendering_body(name, document.body))
}

fn rendering_body(name: &str, settings: Map<String, Value>) -> Value {
    let (prompt, screen) = name.split_once('/').unwrap_or((name, ""));
    let mut body = json!({
        "prompt": prompt,
        "screen": screen,
        "rendering_mode": "standard",
        "context_configuration": [],
        "default_head_tags_disabled": false,
        "head_tags": [],
    });
    for (name, value) in settings {
        body[name] = value;
    }
    body
}

fn rendering_name(prompt: &str, screen: &str) -> Result<String, Error> {
    known("prompt", prompt, PROMPTS)?;
    let is_name = !screen.is_empty() && screen.len() <= 100;
    if is_name && screen.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
        return Ok(format!("{prompt}/{screen}"));
    }
    Err(bad_name("screen", screen))
}

fn texts_name(prompt: &str, language: &str) -> Result<String, Error> {
    known("prompt", prompt, PROMPTS)?;
    known("language", language, LANGUAGES)?;
    Ok(format!("{prompt}/{language}"))
}

fn known(name: &str, value: &str, all: &[&str]) -> Result<(), Error> {
    if all.contains(&value) { Ok(()) } else { Err(bad_name(name, value)) }
}
