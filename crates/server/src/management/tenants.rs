//! `/api/v2/tenants/settings`.
//!
//! Auth0: Management API v2 › tenants. Lifetimes are given back in hours, as Auth0 does; a lifetime that was set in
//! minutes is rounded up.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use domain::session::CookieMode;
use domain::tenant::Tenant;
use engine::tenant::TenantChanges;
use serde_json::{Value, json};

use super::caller::Call;
use super::fields::{Fields, Kind};
use super::paging::{Params, answer};
use crate::App;
use crate::error::ApiError;
use crate::http::body::ApiBody;

/// Settings that are taken and given back without effect.
pub const KEPT: &[(&str, Kind)] = &[
    ("change_password", Kind::Object),
    ("device_flow", Kind::Object),
    ("guardian_mfa_page", Kind::Object),
    ("error_page", Kind::Object),
    ("default_token_quota", Kind::Object),
    ("flags", Kind::Object),
    ("sandbox_version", Kind::Text),
    ("legacy_sandbox_version", Kind::Text),
    ("enabled_locales", Kind::List),
    ("security_headers", Kind::Object),
    ("customize_mfa_in_postlogin_action", Kind::Flag),
    ("allow_organization_name_in_authentication_api", Kind::Flag),
    ("acr_values_supported", Kind::List),
    ("mtls", Kind::Object),
    ("pushed_authorization_requests_supported", Kind::Flag),
    ("authorization_response_iss_parameter_supported", Kind::Flag),
    ("skip_non_verifiable_callback_uri_confirmation_prompt", Kind::Flag),
    ("resource_parameter_profile", Kind::Text),
    ("client_id_metadata_document_supported", Kind::Flag),
    ("enable_ai_guide", Kind::Flag),
    ("phone_consolidated_experience", Kind::Flag),
    ("dynamic_client_registration_security_mode", Kind::Text),
    ("country_codes", Kind::Object),
];

/// Pages that are kept; one without a text has no `html`, as one that was never set.
const PAGES: [&str; 3] = ["change_password", "guardian_mfa_page", "error_page"];
/// The property whose members are set one by one.
const FLAGS: &str = "flags";

/// The routes of this resource.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v2/tenants/settings", get(read).patch(update))
}

async fn read(call: Call, State(app): State<App>, params: Params) -> Result<Response, ApiError> {
    call.require_any(&["read:tenant_settings"])?;
    let selection = params.selection()?;
    let tenant = app.engine().tenant_settings().await?;
    Ok(answer(StatusCode::OK, &selection.of(&body_of(&tenant))))
}

async fn update(call: Call, State(app): State<App>, ApiBody(body): ApiBody) -> Result<Response, ApiError> {
    call.require_any(&["update:tenant_settings"])?;
    let mut fields = Fields::of_patch(&body)?;
    let changes = changes_of(&mut fields);
    fields.finish()?;
    let tenant = app.engine().update_tenant_settings(&call.with_body(body), changes).await?;
    Ok(answer(StatusCode::OK, &body_of(&tenant)))
}

fn changes_of(fields: &mut Fields) -> TenantChanges {
    let sessions = fields.within("sessions", |inner| {
        ["oidc_logout_prompt_enabled", "oidc_session_management_enabled"].map(|name| inner.flag(name))
    });
    // Null clears all in there; of what is in there, the absent stays.
    let in_sessions = |at: usize| match sessions {
        None => None,
        Some(None) => Some(None),
        Some(Some(flags)) => flags[at].map(Some),
    };
    TenantChanges {
        friendly_name: fields.text_or_null("friendly_name"),
        picture_url: fields.text_or_null("picture_url"),
        support_email: fields.text_or_null("support_email"),
        support_url: fields.text_or_null("support_url"),
        default_audience: fields.text_or_null("default_audience"),
        default_directory: fields.text_or_null("default_directory"),
        default_redirection_uri: fields.text_or_null("default_redirection_uri"),
        allowed_logout_urls: fields.texts_or_none("allowed_logout_urls"),
        session_minutes: lifetime(fields, "session_lifetime"),
        idle_session_minutes: lifetime(fields, "idle_session_lifetime"),
        ephemeral_session_minutes: lifetime(fields, "ephemeral_session_lifetime"),
        idle_ephemeral_session_minutes: lifetime(fields, "idle_ephemeral_session_lifetime"),
        cookie_mode: fields
            .within("session_cookie", |inner| {
                if !inner.has("mode") {
                    inner.missing("mode");
                }
                inner.one_of("mode", CookieMode::parse)
            })
            .map(Option::flatten),
        logout_prompt_enabled: in_sessions(0),
        session_management: in_sessions(1),
        logout_endpoint_discovery: fields
            .within("oidc_logout", |inner| inner.flag("rp_logout_end_session_endpoint_discovery"))
            .flatten()
            .flatten(),
        include_session_metadata_in_logs: fields.flag("include_session_metadata_in_tenant_logs"),
        kept: fields.kept(KEPT),
    }
}

/// A lifetime in minutes, from the property in hours or the one in minutes, but not both.
fn lifetime(fields: &mut Fields, name: &str) -> Option<i64> {
    let in_minutes = format!("{name}_in_minutes");
    if fields.has(name) && fields.has(&in_minutes) {
        fields.refuse(&format!("{name} and {in_minutes} cannot be set together"), name);
    }
    let hours = fields.integer_from(name, 1).map(|hours| hours.saturating_mul(60));
    let minutes = fields.integer_from(&in_minutes, 1);
    hours.or(minutes)
}

fn body_of(tenant: &Tenant) -> Value {
    let hours = |minutes: i64| (minutes + 59) / 60;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut body = json!({
        "allowed_logout_urls": tenant.allowed_logout_urls,
        "default_audience": text(&tenant.default_audience),
        "default_directory": text(&tenant.default_directory),
        "friendly_name": text(&tenant.friendly_name),
        "picture_url": text(&tenant.picture_url),
        "support_email": text(&tenant.support_email),
        "support_url": text(&tenant.support_url),
        "session_lifetime": hours(tenant.session_minutes),
        "idle_session_lifetime": hours(tenant.idle_session_minutes),
        "ephemeral_session_lifetime": hours(tenant.ephemeral_session_minutes),
        "idle_ephemeral_session_lifetime": hours(tenant.idle_ephemeral_session_minutes),
        "session_cookie": { "mode": tenant.cookie_mode.as_str() },
        "sessions": {
            "oidc_logout_prompt_enabled": tenant.logout_prompt_enabled,
            "oidc_session_management_enabled": tenant.session_management,
        },
        "oidc_logout": { "rp_logout_end_session_endpoint_discovery": tenant.logout_endpoint_discovery },
        "include_session_metadata_in_tenant_logs": tenant.include_session_metadata_in_logs,
        "enabled_locales": ["en"],
        "flags": flags_of(tenant),
        "change_password": { "enabled": false },
        "guardian_mfa_page": { "enabled": false },
        "sandbox_version": "22",
        "acr_values_supported": [],
    });
    if let Some(uri) = &tenant.default_redirection_uri {
        body["default_redirection_uri"] = uri.as_str().into();
    }
    for (name, value) in tenant.kept.iter().filter(|(name, _)| name.as_str() != FLAGS) {
        body[name] = value.clone();
    }
    for page in PAGES {
        let own = body.get_mut(page).and_then(Value::as_object_mut);
        if let Some(own) = own.filter(|own| own.get("html") == Some(&json!(""))) {
            own.remove("html");
        }
    }
    body
}

/// What is so here whatever is kept, and what is kept.
fn flags_of(tenant: &Tenant) -> Value {
    let mut flags = json!({
        "allow_changing_enable_sso": false,
        "allow_legacy_delegation_grant_types": false,
        "allow_legacy_ro_grant_types": false,
        "allow_other_legacy_grant_types": false,
        "cannot_change_enforce_client_authentication_on_passwordless_start": false,
        "disable_clickjack_protection_headers": false,
        "disable_fields_map_fix": false,
        "disable_impersonation": true,
        "disable_management_api_sms_obfuscation": true,
        "enable_dynamic_client_registration": false,
        "enable_public_signup_user_exists_error": true,
        "enable_sso": true,
        "enforce_client_authentication_on_passwordless_start": true,
        "mfa_show_factor_list_on_enrollment": false,
        "new_universal_login_experience_enabled": true,
        "no_disclose_enterprise_connections": false,
        "remove_alg_from_jwks": false,
        "revoke_refresh_token_grant": false,
        "universal_login": true,
        "use_scope_descriptions_for_consent": false,
    });
    if let Some(Value::Object(kept)) = tenant.kept.get(FLAGS) {
        for (name, value) in kept {
            flags[name] = value.clone();
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use domain::tenant::Tenant;
    use serde_json::{Value, json};

    use super::{body_of, changes_of};
    use crate::management::fields::Fields;

    fn session_minutes(body: Value) -> Result<Option<i64>, String> {
        let mut fields = Fields::of(&body).unwrap();
        let changes = changes_of(&mut fields);
        fields.finish().map(|()| changes.session_minutes).map_err(|error| error.to_string())
    }

    #[test]
    fn a_lifetime_comes_in_hours_or_minutes_but_not_both() {
        assert_eq!(session_minutes(json!({ "session_lifetime": 2 })), Ok(Some(120)));
        assert_eq!(session_minutes(json!({ "session_lifetime_in_minutes": 5 })), Ok(Some(5)));
        assert!(session_minutes(json!({ "session_lifetime": 1, "session_lifetime_in_minutes": 5 })).is_err());
        assert!(session_minutes(json!({ "session_lifetime": 0 })).is_err());
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let body = body_of(&Tenant::default());
        assert_eq!((&body["session_lifetime"], &body["idle_session_lifetime"]), (&json!(168), &json!(72)));
        assert_eq!(body["session_cookie"]["mode"], "persistent");
    }
}
