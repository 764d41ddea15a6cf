//! `/api/v2/branding`: what the tenant's pages and messages look like, kept without effect.
//!
//! Auth0: Management API v2 › branding. The logo of the sign-in page is the tenant's `picture_url`.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use engine::Error;
use engine::settings_documents::{Contents, Place, Told};
use serde_json::{Map, Value, json};

use super::caller::Call;
use super::kept::{Many, Single};
use super::paging::answer;
use super::shape::{Property, Shape, may, must};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

const READ: &[&str] = &["read:branding"];
const UPDATE: &[&str] = &["update:branding"];
/// Characters of a page template. Auth0: Management API v2, set the template for the New Universal Login Experience.
const TEMPLATE_CHARACTERS_MAX: usize = 102_400;
const TEXT: Shape = Shape::Text(2_048);
const SHORT: Shape = Shape::Text(255);
const GRADIENT: Shape = Shape::Object(&[
    may("type", SHORT),
    may("start", Shape::Color),
    may("end", Shape::Color),
    may("angle_deg", Shape::Number(-360.0, 360.0)),
]);

const BRANDING: Single = Single {
    kind: "branding",
    properties: &[
        may(
            "colors",
            Shape::Object(&[
                may("primary", Shape::Color),
                may("page_background", Shape::Either(&[GRADIENT, Shape::Color])),
            ]),
        ),
        may("favicon_url", Shape::Url),
        may("logo_url", Shape::Url),
        may(
            "identifiers",
            Shape::Object(&[
                may("login_display", Shape::OneOf(&["unified", "separate"])),
                may("otp_autocomplete", Shape::Flag),
                may(
                    "phone_display",
                    Shape::Object(&[
                        must("masking", Shape::OneOf(&["show_all", "hide_country_code", "mask_digits"])),
                        must("formatting", Shape::OneOf(&["regional", "international"])),
                    ]),
                ),
            ]),
        ),
        may("font", Shape::Object(&[may("url", Shape::Url)])),
    ],
    read: READ,
    update: UPDATE,
    description: "Update the branding settings",
    defaults: || json!({}),
};

const PAGE_TEMPLATE: Place<'static> = Place { kind: "page_template", name: "" };

const SIDES: Shape = Shape::OneOf(&["center", "left", "right"]);
const CORNERS: Shape = Shape::OneOf(&["pill", "rounded", "sharp"]);
const FONT: Shape = Shape::Object(&[must("bold", Shape::Flag), must("size", Shape::Number(0.0, 150.0))]);
const THEME: &[Property] = &[
    must(
        "borders",
        Shape::Object(&[
            must("button_border_radius", Shape::Number(1.0, 10.0)),
            must("button_border_weight", Shape::Number(0.0, 10.0)),
            must("buttons_style", CORNERS),
            must("input_border_radius", Shape::Number(0.0, 10.0)),
            must("input_border_weight", Shape::Number(0.0, 3.0)),
            must("inputs_style", CORNERS),
            must("show_widget_shadow", Shape::Flag),
            must("widget_border_weight", Shape::Number(0.0, 10.0)),
            must("widget_corner_radius", Shape::Number(0.0, 50.0)),
        ]),
    ),
    must(
        "colors",
        Shape::Object(&[
            may("base_focus_color", Shape::Color),
            may("base_hover_color", Shape::Color),
            must("body_text", Shape::Color),
            may("captcha_widget_theme", Shape::OneOf(&["auto", "dark", "light"])),
            must("error", Shape::Color),
            must("header", Shape::Color),
            must("icons", Shape::Color),
            must("input_background", Shape::Color),
            must("input_border", Shape::Color),
            must("input_filled_text", Shape::Color),
            must("input_labels_placeholders", Shape::Color),
            must("links_focused_components", Shape::Color),
            must("primary_button", Shape::Color),
            must("primary_button_label", Shape::Color),
            may("read_only_background", Shape::Color),
            must("secondary_button_border", Shape::Color),
            must("secondary_button_label", Shape::Color),
            must("success", Shape::Color),
            must("widget_background", Shape::Color),
            must("widget_border", Shape::Color),
        ]),
    ),
    may("displayName", TEXT),
    must(
        "fonts",
        Shape::Object(&[
            must("body_text", FONT),
            must("buttons_text", FONT),
            must("font_url", Shape::Url),
            must("input_labels", FONT),
            must("links", FONT),
            must("links_style", Shape::OneOf(&["normal", "underlined"])),
            must("reference_text_size", Shape::Number(12.0, 24.0)),
            must("subtitle", FONT),
            must("title", FONT),
        ]),
    ),
    must(
        "page_background",
        Shape::Object(&[
            must("background_color", Shape::Color),
            must("background_image_url", Shape::Url),
            must("page_layout", SIDES),
        ]),
    ),
    must(
        "widget",
        Shape::Object(&[
            must("header_text_alignment", SIDES),
            must("logo_height", Shape::Number(1.0, 100.0)),
            must("logo_position", Shape::OneOf(&["center", "left", "none", "right"])),
            must("logo_url", Shape::Url),
            must("social_buttons_layout", Shape::OneOf(&["bottom", "top"])),
        ]),
    ),
];
const THEMES: Many = Many {
    kind: "branding_theme",
    what: "theme",
    id: "themeId",
    prefix: "thm_",
    list: "themes",
    properties: THEME,
    scopes: [READ, UPDATE, UPDATE, &["delete:branding"]],
    defaults: || json!({ "displayName": "Unnamed Theme" }),
};

const PHONE_PROVIDERS: Many = Many {
    kind: "phone_provider",
    what: "phone provider",
    id: "id",
    prefix: "pro_",
    list: "providers",
    properties: &[
        must("name", Shape::OneOf(&["twilio", "custom"])),
        may("disabled", Shape::Flag),
        may(
            "configuration",
            Shape::Object(&[
                may("default_from", SHORT),
                may("mssid", SHORT),
                may("sid", SHORT),
                may("delivery_methods", Shape::List(&Shape::OneOf(&["text", "voice"]), 2)),
            ]),
        ),
        may("credentials", Shape::Object(&[may("auth_token", Shape::Secret)])),
    ],
    scopes: [
        &["read:phone_providers"],
        &["create:phone_providers"],
        &["update:phone_providers"],
        &["delete:phone_providers"],
    ],
    defaults: || json!({ "channel": "phone", "disabled": false, "configuration": { "delivery_methods": [] } }),
};

const PHONE_TEMPLATES: Many = Many {
    kind: "phone_template",
    what: "phone template",
    id: "id",
    prefix: "tem_",
    list: "templates",
    properties: &[
        may(
            "type",
            Shape::OneOf(&[
                "otp_verify",
                "otp_enroll",
                "change_password",
                "blocked_account",
                "password_breach",
            ]),
        ),
        may("disabled", Shape::Flag),
        may(
            "content",
            Shape::Object(&[
                may("syntax", SHORT),
                may("from", Shape::Text(16)),
                may(
                    "body",
                    Shape::Object(&[may("text", Shape::Text(20_000)), may("voice", Shape::Text(20_000))]),
                ),
            ]),
        ),
    ],
    scopes: [
        &["read:phone_templates"],
        &["create:phone_templates"],
        &["update:phone_templates"],
        &["delete:phone_templates"],
    ],
    defaults: || json!({ "channel": "phone", "customizable": true, "disabled": false, "content": {} }),
};

/// The routes of this resource.
pub fn routes() -> Router<App> {
    let page_template = get(read_template).put(write_template).delete(delete_template);
    Router::new()
        .route(
            "/api/v2/branding",
            get(|call, State(app): State<App>| async { BRANDING.show(call, app).await }).patch(
                |call, State(app): State<App>, ApiBody(body)| async {
                    BRANDING.change(call, app, body).await
                },
            ),
        )
        .route("/api/v2/branding/templates/universal-login", page_template)
        .route(
            "/api/v2/branding/themes",
            post(|call, State(app): State<App>, ApiBody(body)| async {
                THEMES.create(call, app, body, StatusCode::OK).await
            }),
        )
        .route(
            "/api/v2/branding/themes/default",
            get(|call, State(app): State<App>| async { THEMES.show_first(call, app).await }),
        )
        .merge(each("/api/v2/branding/themes", &THEMES))
        .merge(all("/api/v2/branding/phone/providers", &PHONE_PROVIDERS))
        .merge(each("/api/v2/branding/phone/providers", &PHONE_PROVIDERS))
        .merge(all("/api/v2/branding/phone/templates", &PHONE_TEMPLATES))
        .merge(each("/api/v2/branding/phone/templates", &PHONE_TEMPLATES))
}

fn all(path: &str, many: &'static Many) -> Router<App> {
    let list = move |call: Call, State(app): State<App>| many.show_all(call, app);
    let create = move |call: Call, State(app): State<App>, ApiBody(body): ApiBody| {
        many.create(call, app, body, StatusCode::CREATED)
    };
    Router::new().route(path, get(list).post(create))
}

fn each(path: &str, many: &'static Many) -> Router<App> {
    let show = move |call: Call, State(app): State<App>, Path(id): Path<String>| async move {
        many.show(call, app, &id).await
    };
    let change = move |call: Call, State(app): State<App>, Path(id): Path<String>, ApiBody(body): ApiBody| async move {
        many.change(call, app, &id, body).await
    };
    let delete = move |call: Call, State(app): State<App>, Path(id): Path<String>| async move {
        many.delete(call, app, &id).await
    };
    Router::new().route(&format!("{path}/{{id}}"), get(show).patch(change).delete(delete))
}

async fn read_template(call: Call, State(app): State<App>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    match app.engine().settings_document(PAGE_TEMPLATE).await? {
        Some(document) => Ok(answer(StatusCode::OK, &document.body)),
        None => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "There is no page template.",
            Some("inexistent_universal_login_template"),
        )),
    }
}

/// The template comes as a JSON string, or within an object.
async fn write_template(
    call: Call,
    State(app): State<App>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let text = match &body {
        Value::String(text) => Some(text),
        Value::Object(map) if map.len() == 1 => match map.get("template") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    };
    let Some(text) = text else {
        return Err(Error::payload("Expected a string, or an object with the string template").into());
    };
    let length = text.chars().count();
    if length > TEMPLATE_CHARACTERS_MAX {
        let reason = format!("String is too long ({length} chars), maximum {TEMPLATE_CHARACTERS_MAX}");
        return Err(Error::property(&reason, "template").into());
    }
    let was_there = app.engine().settings_document(PAGE_TEMPLATE).await?.is_some();
    let status = if was_there { StatusCode::NO_CONTENT } else { StatusCode::CREATED };
    let written = Map::from_iter([("body".to_owned(), Value::from(text.as_str()))]);
    let write = |_| Ok(Contents { body: written.clone(), secrets: Map::new() });
    let told = Told { description: "Set the page template", status: status.as_u16() };
    app.engine().change_settings_document(&call.with_body(Value::Null), PAGE_TEMPLATE, told, write).await?;
    Ok(status.into_response())
}

async fn delete_template(call: Call, State(app): State<App>) -> Result<Response, ApiError> {
    call.require_any(&["delete:branding"])?;
    let told = Told { description: "Delete the page template", status: 204 };
    // One that is not there is not missed.
    app.engine().delete_settings_document(&call.with_body(Value::Null), PAGE_TEMPLATE, told).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
