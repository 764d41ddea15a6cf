//! `/api/v2/attack-protection`: what is done against guessing.
//!
//! Auth0: Management API v2 › attack protection. Bot detection and captchas are kept without effect.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use domain::attack_protection::{
    Allowed, AttackProtection, BreachedPasswordDetection, BruteForceProtection, Counting, Shield,
    SuspiciousIpThrottling, Throttle,
};
use domain::limits::ATTACK_ALLOWLIST_MAX;
use engine::attack_protection::{
    BreachedPasswordChanges, BruteForceChanges, ProtectionChanges, SuspiciousIpChanges, ThrottleChanges,
};
use serde_json::{Value, json};

use super::caller::Call;
use super::fields::Fields;
use super::kept::Single;
use super::paging::answer;
use super::shape::{Property, Shape, may, must};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

const READ: &[&str] = &["read:attack_protection"];
const UPDATE: &[&str] = &["update:attack_protection"];
const BRUTE_FORCE_SHIELDS: &[Shield] = &[Shield::Block, Shield::UserNotification];
const ADMIN_SHIELDS: &[Shield] = &[Shield::Block, Shield::AdminNotification];
const SIGN_IN_SHIELDS: &[Shield] = &[Shield::Block, Shield::UserNotification, Shield::AdminNotification];
const FREQUENCIES: &[&str] = &["immediately", "daily", "weekly", "monthly"];
const METHODS: &[&str] = &["standard", "enhanced"];
/// A day in milliseconds: no try comes back later. Auth0: suspicious IP throttling, `rate`.
const RATE_MS_MAX: i64 = 86_400_000;

const CHALLENGES: Shape = Shape::OneOf(&["never", "when_risky", "always"]);
const BOT_DETECTION: &[Property] = &[
    may("bot_detection_level", Shape::OneOf(&["low", "medium", "high"])),
    may("challenge_password_policy", CHALLENGES),
    may("challenge_passwordless_policy", CHALLENGES),
    may("challenge_password_reset_policy", CHALLENGES),
    may("allowlist", Shape::List(&Shape::Address, ATTACK_ALLOWLIST_MAX)),
    may("monitoring_mode_enabled", Shape::Flag),
];
const KEY: Shape = Shape::Text(100);
const KEYS: &[Property] = &[must("site_key", KEY), must("secret", Shape::Secret)];
const CAPTCHA: &[Property] = &[
    may(
        "active_provider_id",
        Shape::OneOf(&[
            "arkose",
            "auth_challenge",
            "friendly_captcha",
            "hcaptcha",
            "recaptcha_v2",
            "recaptcha_enterprise",
            "simple_captcha",
        ]),
    ),
    may(
        "arkose",
        Shape::Object(&[
            must("site_key", KEY),
            must("secret", Shape::Secret),
            may("client_subdomain", KEY),
            may("verify_subdomain", KEY),
            may("fail_open", Shape::Flag),
        ]),
    ),
    may("auth_challenge", Shape::Object(&[must("fail_open", Shape::Flag)])),
    may("hcaptcha", Shape::Object(KEYS)),
    may("friendly_captcha", Shape::Object(KEYS)),
    may(
        "recaptcha_enterprise",
        Shape::Object(&[must("site_key", KEY), must("api_key", Shape::Secret), must("project_id", KEY)]),
    ),
    may("recaptcha_v2", Shape::Object(KEYS)),
    may("simple_captcha", Shape::Object(&[])),
];

const BOT_DETECTION_KEPT: Single = Single {
    kind: "bot_detection",
    properties: BOT_DETECTION,
    read: READ,
    update: UPDATE,
    description: "Update Bot Detection settings",
    defaults: || {
        json!({
            "challenge_password_policy": "never",
            "challenge_passwordless_policy": "never",
            "challenge_password_reset_policy": "never",
            "allowlist": [],
            "bot_detection_level": "medium",
            "monitoring_mode_enabled": false,
        })
    },
};
const CAPTCHA_KEPT: Single = Single {
    kind: "captcha",
    properties: CAPTCHA,
    read: READ,
    update: UPDATE,
    description: "Update Captcha settings",
    defaults: || {
        json!({
            "active_provider_id": "auth_challenge",
            "simple_captcha": {},
            "auth_challenge": { "fail_open": false },
            "recaptcha_v2": { "site_key": "" },
            "recaptcha_enterprise": { "site_key": "", "project_id": "" },
            "hcaptcha": { "site_key": "" },
            "friendly_captcha": { "site_key": "" },
            "arkose": {
                "site_key": "",
                "client_subdomain": "client-api",
                "verify_subdomain": "verify-api",
                "fail_open": false,
            },
        })
    },
};

/// The routes of this resource.
pub fn routes() -> Router<App> {
    let at = |name: &str| format!("/api/v2/attack-protection/{name}");
    Router::new()
        .route(&at("brute-force-protection"), get(read_brute_force).patch(update_brute_force))
        .route(&at("suspicious-ip-throttling"), get(read_suspicious_ip).patch(update_suspicious_ip))
        .route(&at("breached-password-detection"), get(read_breached).patch(update_breached))
        .route(
            &at("bot-detection"),
            get(|call, State(app): State<App>| async { BOT_DETECTION_KEPT.show(call, app).await }).patch(
                |call, State(app): State<App>, ApiBody(body)| async {
                    BOT_DETECTION_KEPT.change(call, app, body).await
                },
            ),
        )
        .route(
            &at("captcha"),
            get(|call, State(app): State<App>| async { CAPTCHA_KEPT.show(call, app).await }).patch(
                |call, State(app): State<App>, ApiBody(body)| async {
                    CAPTCHA_KEPT.change(call, app, body).await
                },
            ),
        )
}

async fn read_brute_force(call: Call, State(app): State<App>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let protection = app.engine().attack_protection().await?;
    Ok(answer(StatusCode::OK, &brute_force_body(&protection.brute_force)))
}

async fn update_brute_force(
    call: Call,
    State(app): State<App>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let mut fields = Fields::of(&body)?;
    let changes = BruteForceChanges {
        enabled: fields.flag("enabled"),
        shields: shields(&mut fields, BRUTE_FORCE_SHIELDS),
        allowlist: allowlist(&mut fields),
        counting: fields.one_of("mode", Counting::parse),
        attempts_max: attempts(&mut fields, 100),
    };
    fields.finish()?;
    let protection = changed(call, &app, body, ProtectionChanges::BruteForce(changes)).await?;
    Ok(answer(StatusCode::OK, &brute_force_body(&protection.brute_force)))
}

async fn read_suspicious_ip(call: Call, State(app): State<App>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let protection = app.engine().attack_protection().await?;
    Ok(answer(StatusCode::OK, &suspicious_ip_body(&protection.suspicious_ip)))
}

async fn update_suspicious_ip(
    call: Call,
    State(app): State<App>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let mut fields = Fields::of(&body)?;
    let stages = fields.within("stage", |stage| {
        let mut throttle = |name: &str, attempts_max, rate_ms_min| {
            let read = |inner: &mut Fields| ThrottleChanges {
                attempts_max: attempts(inner, attempts_max),
                rate_ms: inner.integer_within("rate", rate_ms_min, RATE_MS_MAX),
            };
            stage.within(name, read).flatten().unwrap_or_default()
        };
        [
            throttle("pre-login", 2_500, 34_560),
            throttle("pre-user-registration", 72_000, 1_200),
            throttle("pre-custom-token-exchange", 72_000, 1_200),
        ]
    });
    let [sign_in, sign_up, token_exchange] = stages.flatten().unwrap_or_default();
    let changes = SuspiciousIpChanges {
        enabled: fields.flag("enabled"),
        shields: shields(&mut fields, ADMIN_SHIELDS),
        allowlist: allowlist(&mut fields),
        sign_in,
        sign_up,
        token_exchange,
    };
    fields.finish()?;
    let protection = changed(call, &app, body, ProtectionChanges::SuspiciousIp(changes)).await?;
    Ok(answer(StatusCode::OK, &suspicious_ip_body(&protection.suspicious_ip)))
}

async fn read_breached(call: Call, State(app): State<App>) -> Result<Response, ApiError> {
    call.require_any(READ)?;
    let protection = app.engine().attack_protection().await?;
    Ok(answer(StatusCode::OK, &breached_body(&protection.breached_passwords)))
}

async fn update_breached(
    call: Call,
    State(app): State<App>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(UPDATE)?;
    let mut fields = Fields::of(&body)?;
    let stages = fields.within("stage", |stage| {
        ["pre-user-registration", "pre-change-password"]
            .map(|name| stage.within(name, |inner| shields(inner, ADMIN_SHIELDS)).flatten().flatten())
    });
    let [sign_up_shields, change_shields] = stages.flatten().unwrap_or_default();
    let changes = BreachedPasswordChanges {
        enabled: fields.flag("enabled"),
        shields: shields(&mut fields, SIGN_IN_SHIELDS),
        sign_up_shields,
        change_shields,
        notification_frequency: names(&mut fields, "admin_notification_frequency", FREQUENCIES),
        method: fields.one_of("method", |method| {
            METHODS.iter().find(|known| **known == method).map(|known| (*known).to_owned())
        }),
    };
    fields.finish()?;
    let protection = changed(call, &app, body, ProtectionChanges::BreachedPasswords(changes)).await?;
    Ok(answer(StatusCode::OK, &breached_body(&protection.breached_passwords)))
}

async fn changed(
    call: Call,
    app: &App,
    body: Value,
    changes: ProtectionChanges,
) -> Result<AttackProtection, ApiError> {
    Ok(app.engine().change_attack_protection(&call.with_body(body), changes).await?)
}

fn attempts(fields: &mut Fields, most: u32) -> Option<u32> {
    let attempts = fields.integer_within("max_attempts", 1, i64::from(most));
    attempts.and_then(|attempts| u32::try_from(attempts).ok())
}

/// Names out of a closed set, each once.
fn names(fields: &mut Fields, property: &str, known: &[&str]) -> Option<Vec<String>> {
    let mut names = fields.texts(property)?;
    for (at, name) in names.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            fields.refuse(&format!("No enum match for: {name}"), &format!("{property}[{at}]"));
        }
    }
    names.sort_by_key(|name| known.iter().position(|known| known == name));
    names.dedup();
    Some(names)
}

fn shields(fields: &mut Fields, known: &'static [Shield]) -> Option<Vec<Shield>> {
    let all: Vec<&str> = known.iter().map(|shield| shield.as_str()).collect();
    let names = names(fields, "shields", &all)?;
    Some(known.iter().copied().filter(|shield| names.iter().any(|name| name == shield.as_str())).collect())
}

fn allowlist(fields: &mut Fields) -> Option<Vec<Allowed>> {
    let texts = fields.texts("allowlist")?;
    if texts.len() > ATTACK_ALLOWLIST_MAX {
        let reason = format!("Array is too long ({}), maximum {ATTACK_ALLOWLIST_MAX}", texts.len());
        fields.refuse(&reason, "allowlist");
    }
    let mut allowed = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        match Allowed::parse(text) {
            Some(address) => allowed.push(address),
            None => {
                let reason = format!("Object didn't pass validation for format ip-or-cidr: {text}");
                fields.refuse(&reason, &format!("allowlist[{at}]"));
            }
        }
    }
    Some(allowed)
}

fn shield_names(shields: &[Shield]) -> Vec<&'static str> {
    shields.iter().map(|shield| shield.as_str()).collect()
}

fn addresses(allowlist: &[Allowed]) -> Vec<&str> {
    allowlist.iter().map(Allowed::as_str).collect()
}

fn brute_force_body(settings: &BruteForceProtection) -> Value {
    json!({
        "enabled": settings.enabled,
        "shields": shield_names(&settings.shields),
        "mode": settings.counting.as_str(),
        "allowlist": addresses(&settings.allowlist),
        "max_attempts": settings.attempts_max,
    })
}

fn suspicious_ip_body(settings: &SuspiciousIpThrottling) -> Value {
    let throttle =
        |throttle: Throttle| json!({ "max_attempts": throttle.attempts_max, "rate": throttle.rate_ms });
    json!({
        "enabled": settings.enabled,
        "shields": shield_names(&settings.shields),
        "allowlist": addresses(&settings.allowlist),
        "stage": {
            "pre-login": throttle(settings.sign_in),
            "pre-user-registration": throttle(settings.sign_up),
            "pre-custom-token-exchange": throttle(settings.token_exchange),
        },
    })
}

fn breached_body(settings: &BreachedPasswordDetection) -> Value {
    json!({
        "enabled": settings.enabled,
        "shields": shield_names(&settings.shields),
        "admin_notification_frequency": settings.notification_frequency,
        "method": settings.method,
        "stage": {
            "pre-user-registration": { "shields": shield_names(&settings.sign_up_shields) },
            "pre-change-password": { "shields": shield_names(&settings.change_shields) },
        },
    })
}
