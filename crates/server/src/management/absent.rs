//! What a deploy tool asks for and this server does not have: an empty list, or what Auth0 documents as the default.
//!
//! A full export asks for every kind of resource, and one that is missing must not break it. Nothing can be written here:
//! a write that says what is so anyway is answered with it, any other is refused by name.

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use engine::Error;
use serde_json::{Map, Value, json};

use super::caller::Call;
use super::paging::{Params, answer};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// What a `GET` is answered with.
#[derive(Clone, Copy)]
enum Shown {
    /// An empty list, in the form that is asked for; its name where it has totals, or goes on from a checkpoint.
    List(&'static str),
    /// An empty list that always has its name around it.
    Named(&'static str),
    /// This.
    Always(fn() -> Value),
}

/// A resource that is not here.
#[derive(Clone, Copy)]
struct Absent {
    path: &'static str,
    /// What it is, for people: "This server has no …".
    what: &'static str,
    /// The scope's object.
    scope: (&'static [&'static str], &'static [&'static str]),
    shown: Shown,
}

macro_rules! absent {
    ($($path:literal $what:literal $object:literal $shown:expr;)*) => {
        &[$(Absent {
            path: concat!("/api/v2/", $path),
            what: $what,
            scope: (
                &[concat!("read:", $object)],
                &[concat!("create:", $object), concat!("update:", $object), concat!("delete:", $object)],
            ),
            shown: $shown,
        }),*]
    };
}

const ABSENT: &[Absent] = absent! {
    "connection-profiles" "connection profiles" "connection_profiles" Shown::Named("connection_profiles");
    "connections-directory-provisionings" "directory provisioning" "directory_provisionings"
        Shown::Named("directory_provisionings");
    "connections-scim-configurations" "SCIM" "scim_config" Shown::Named("scim_configurations");
    "connections/{id}/directory-provisioning/synchronized-groups" "directory provisioning" "directory_provisionings"
        Shown::Named("groups");
    "connections/{id}/keys" "keys of connections" "connections_keys" Shown::List("keys");
    "connections/{id}/scim-configuration/tokens" "SCIM" "scim_token" Shown::List("tokens");
    "custom-domains" "custom domains" "custom_domains" Shown::List("custom_domains");
    "event-streams" "event streams" "event_streams" Shown::Named("eventStreams");
    "flows" "flows" "flows" Shown::List("flows");
    "flows/vault/connections" "flows" "flows_vault_connections" Shown::List("connections");
    "forms" "forms" "forms" Shown::List("forms");
    "groups" "groups" "groups" Shown::List("groups");
    "guardian/factors" "second factors" "guardian_factors" Shown::Always(factors);
    "guardian/factors/duo/settings" "second factors" "guardian_factors" Shown::Always(nothing);
    "guardian/factors/phone/message-types" "second factors" "guardian_factors"
        Shown::Always(|| json!({ "message_types": [] }));
    "guardian/factors/phone/providers/twilio" "second factors" "guardian_factors" Shown::Always(twilio);
    "guardian/factors/phone/selected-provider" "second factors" "guardian_factors" Shown::Always(phone_provider);
    "guardian/factors/phone/templates" "second factors" "guardian_factors" Shown::Always(messages);
    "guardian/factors/push-notification/providers/apns" "second factors" "guardian_factors"
        Shown::Always(|| json!({ "bundle_id": null, "sandbox": false, "enabled": false }));
    "guardian/factors/push-notification/providers/sns" "second factors" "guardian_factors" Shown::Always(|| json!({
        "aws_access_key_id": null,
        "aws_secret_access_key": null,
        "aws_region": null,
        "sns_apns_platform_application_arn": null,
        "sns_gcm_platform_application_arn": null,
    }));
    "guardian/factors/push-notification/selected-provider" "second factors" "guardian_factors"
        Shown::Always(|| json!({ "provider": "guardian" }));
    "guardian/factors/sms/providers/twilio" "second factors" "guardian_factors" Shown::Always(twilio);
    "guardian/factors/sms/selected-provider" "second factors" "guardian_factors" Shown::Always(phone_provider);
    "guardian/factors/sms/templates" "second factors" "guardian_factors" Shown::Always(messages);
    "guardian/policies" "second factors" "mfa_policies" Shown::Always(|| json!([]));
    "hooks" "hooks" "hooks" Shown::List("hooks");
    "network-acls" "network access lists" "network_acls" Shown::Named("network_acls");
    "rate-limit-policies" "rate limit policies" "rate_limit_policies" Shown::Named("rate_limit_policies");
    "risk-assessments/settings" "risk assessments" "attack_protection"
        Shown::Always(|| json!({ "enabled": false }));
    "risk-assessments/settings/new-device" "risk assessments" "attack_protection"
        Shown::Always(|| json!({ "remember_for": 30 }));
    "rules" "rules" "rules" Shown::List("rules");
    "rules-configs" "rules" "rules_configs" Shown::List("rules_configs");
    "self-service-profiles" "self-service profiles" "self_service_profiles" Shown::List("self_service_profiles");
    "supplemental-signals" "supplemental signals" "attack_protection"
        Shown::Always(|| json!({ "akamai_enabled": false }));
    "token-exchange-profiles" "token exchange profiles" "token_exchange_profiles"
        Shown::Named("token_exchange_profiles");
    "user-attribute-profiles" "user attribute profiles" "user_attribute_profiles"
        Shown::Named("user_attribute_profiles");
    "verifiable-credentials/verification/templates" "verifiable credentials" "vdcs_templates"
        Shown::Named("templates");
};

/// Second factors that can be named, all of them off.
const FACTORS: &[&str] = &[
    "sms",
    "push-notification",
    "otp",
    "email",
    "duo",
    "webauthn-roaming",
    "webauthn-platform",
    "recovery-code",
];

fn factors() -> Value {
    let off = |name: &&str| json!({ "name": name, "enabled": false, "trial_expired": false });
    FACTORS.iter().map(off).collect()
}

fn nothing() -> Value {
    json!({})
}

fn twilio() -> Value {
    json!({ "from": null, "messaging_service_sid": null, "auth_token": null, "sid": null })
}

fn phone_provider() -> Value {
    json!({ "provider": "auth0" })
}

fn messages() -> Value {
    json!({ "enrollment_message": "", "verification_message": "" })
}

/// The routes of what is not here.
pub fn routes() -> Router<App> {
    let mut routes = Router::new();
    for absent in ABSENT {
        routes = routes.route(absent.path, route(absent));
    }
    for factor in FACTORS {
        routes = routes
            .route(&format!("/api/v2/guardian/factors/{factor}"), MethodRouter::new().put(write_factor));
    }
    routes
}

fn route(absent: &'static Absent) -> MethodRouter<App> {
    let write = move |method: Method, call: Call, ApiBody(body): ApiBody| async move {
        absent.write(&method, &call, &body)
    };
    get(move |call: Call, params: Params| async move { absent.show(&call, &params) })
        .post(write)
        .put(write)
        .patch(write)
}

impl Absent {
    fn show(&self, call: &Call, params: &Params) -> Result<Response, ApiError> {
        call.require_any(self.scope.0)?;
        let body = match self.shown {
            Shown::List(name) => {
                if params.flag("include_totals")? == Some(true) {
                    json!({ "start": 0, "limit": 50, "length": 0, "total": 0, name: [] })
                } else if params.get("take").is_some() || params.get("from").is_some() {
                    json!({ name: [] })
                } else {
                    json!([])
                }
            }
            Shown::Named(name) => json!({ name: [] }),
            Shown::Always(body) => body(),
        };
        Ok(answer(StatusCode::OK, &body))
    }

    fn write(&self, method: &Method, call: &Call, body: &Value) -> Result<Response, ApiError> {
        call.require_any(self.scope.1)?;
        match self.shown {
            Shown::Always(shown) if *method != Method::POST && says_nothing_else(body, &shown()) => {
                Ok(answer(StatusCode::OK, &shown()))
            }
            Shown::Always(_) | Shown::List(_) | Shown::Named(_) => Err(self.refusal().into()),
        }
    }

    fn refusal(&self) -> Error {
        Error::Invalid {
            message: format!("This server has no {}.", self.what),
            code: Some("operation_not_supported"),
        }
    }
}

async fn write_factor(
    call: Call,
    State(_): State<App>,
    ApiBody(body): ApiBody,
) -> Result<Response, ApiError> {
    call.require_any(&["update:guardian_factors"])?;
    let off = json!({ "enabled": false });
    if body == off {
        return Ok(answer(StatusCode::OK, &off));
    }
    let message = "This server has no second factors.".to_owned();
    Err(Error::Invalid { message, code: Some("operation_not_supported") }.into())
}

/// Whether each property of a body is as it is anyway.
fn says_nothing_else(body: &Value, shown: &Value) -> bool {
    match (body, shown) {
        (Value::Object(body), Value::Object(shown)) => is_within(body, shown),
        _ => body == shown,
    }
}

fn is_within(body: &Map<String, Value>, shown: &Map<String, Value>) -> bool {
    body.iter().all(|(name, value)| shown.get(name) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::ABSENT;

    #[test]
    fn everything_that_is_absent_is_in_the_operators_book() {
        let book = include_str!("../../../../docs/compatibility.md");
        for absent in ABSENT {
            let path = absent.path.trim_start_matches("/api/v2");
            assert!(book.contains(&format!("`{path}`")), "{path}");
        }
    }
}
