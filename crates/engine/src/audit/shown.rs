//! What the log shows of a request: the values of properties that are listed here, and of others only the names.
//!
//! A list of what is secret would have to know every secret that there will ever be; this list forgets at worst to
//! show something. Why: `docs/adr/0030-what-the-log-shows-is-listed.md`.

use domain::limits::{LOG_BODY_ITEMS_MAX, LOG_BODY_TEXT_BYTES_MAX};
use domain::redact::{STARS, without_values};
use serde_json::{Map, Value, json};

/// Properties of bodies of the Management API whose values are shown. One that holds an object shows what is listed of
/// it.
const SHOWN: &[&str] = &[
    "active_provider_id",
    "admin_notification_frequency",
    "alg",
    "allow_any_organization",
    "allow_offline_access",
    "allow_organization_name_in_authentication_api",
    "allowed_logout_urls",
    "allowed_origins",
    "allowlist",
    "app_type",
    "assign_membership_on_login",
    "audience",
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_initiator_claim",
    "backchannel_logout_initiators",
    "backchannel_logout_session_metadata",
    "backchannel_logout_token_type",
    "backchannel_logout_urls",
    "bindings",
    "blocked",
    "bot_detection_level",
    "branding",
    "callbacks",
    "client_authentication_methods",
    "client_id",
    "clients",
    "connection",
    "connection_id",
    "consent_policy",
    "credential_type",
    "cross_origin_authentication",
    "custom_login_page_on",
    "customize_mfa_in_postlogin_action",
    "default_audience",
    "default_directory",
    "default_for",
    "default_organization",
    "default_redirection_uri",
    "dependencies",
    "deploy",
    "description",
    "display_name",
    "domain",
    "email",
    "email_verified",
    "enabled",
    "enabled_clients",
    "enabled_connections",
    "enabled_locales",
    "enforce_policies",
    "ephemeral_session_lifetime",
    "expiration_type",
    "expires_at",
    "family_name",
    "fileName",
    "filters",
    "flags",
    "flows",
    "friendly_name",
    "frontchannel_logout_session_required",
    "frontchannel_logout_uri",
    "given_name",
    "grant_id",
    "grant_types",
    "httpContentFormat",
    "httpContentType",
    "id",
    "identifier",
    "idle_ephemeral_session_lifetime",
    "idle_session_lifetime",
    "idle_token_lifetime",
    "include",
    "include_session_metadata_in_tenant_logs",
    "infinite_idle_token_lifetime",
    "infinite_token_lifetime",
    "initiate_login_uri",
    "initiators",
    "invitee",
    "inviter",
    "isPriority",
    "is_app_entitlement_active",
    "is_domain_connection",
    "is_enabled",
    "is_first_party",
    "is_signup_enabled",
    "jwt_configuration",
    "kid",
    "leeway",
    "lifetime_in_seconds",
    "log_fields",
    "logo_uri",
    "logo_url",
    "max_attempts",
    "members",
    "method",
    "mode",
    "module_id",
    "module_name",
    "module_version_id",
    "modules",
    "monitoring_mode_enabled",
    "name",
    "nickname",
    "oidc_backchannel_logout",
    "oidc_conformant",
    "oidc_logout",
    "oidc_logout_prompt_enabled",
    "organization_access_level",
    "organization_connection_name",
    "organization_id",
    "organization_require_behavior",
    "organization_usage",
    "parse_expiry_from_cert",
    "permission_name",
    "permissions",
    "phone_number",
    "phone_verified",
    "picture",
    "picture_url",
    "pii_config",
    "pre-login",
    "pre-user-registration",
    "preserve_refresh_tokens",
    "private_key_jwt",
    "publish",
    "rate",
    "realms",
    "ref",
    "refresh_token",
    "require_pushed_authorization_requests",
    "required",
    "resource_server_identifier",
    "role",
    "roles",
    "rotation_type",
    "rp_logout_end_session_endpoint_discovery",
    "runtime",
    "sandbox_version",
    "scope",
    "scopes",
    "secret_encoded",
    "secrets",
    "selected_initiators",
    "self_signed_tls_client_auth",
    "send_invitation_email",
    "session_cookie",
    "session_id",
    "session_lifetime",
    "sessions",
    "shields",
    "show_as_button",
    "signed_request_object",
    "signing_alg",
    "sink",
    "skip_consent_for_verifiable_first_party_clients",
    "sso",
    "sso_disabled",
    "stage",
    "startFrom",
    "status",
    "strategy",
    "subject_dn",
    "subject_type",
    "support_email",
    "support_url",
    "supported_triggers",
    "third_party_client_access",
    "tls_client_auth",
    "token_dialect",
    "token_endpoint_auth_method",
    "token_lifetime",
    "token_lifetime_for_web",
    "ttl_sec",
    "type",
    "update_draft",
    "use_for_member_access",
    "use_for_organization_discovery",
    "user_id",
    "username",
    "users",
    "verify_email",
    "version",
    "web_origins",
];

/// Parameters of `/authorize` whose values a refusal shows.
const SHOWN_OF_AUTHORIZE: &[&str] = &[
    "acr_values",
    "audience",
    "client_id",
    "code_challenge_method",
    "connection",
    "display",
    "login_hint",
    "max_age",
    "organization",
    "prompt",
    "response_mode",
    "response_type",
    "scope",
    "screen_hint",
    "ui_locales",
];

/// Parameters of lists of the Management API whose values are shown.
const SHOWN_OF_LISTS: &[&str] = &[
    "app_type",
    "fields",
    "include_fields",
    "include_totals",
    "is_first_party",
    "is_global",
    "page",
    "per_page",
    "sort",
    "strategy",
    "take",
];

/// The body of a request to the Management API.
pub(super) fn body(body: &Value) -> Value {
    match body {
        Value::Object(properties) => {
            let shown = properties.iter().map(|(name, value)| {
                let is_listed = SHOWN.contains(&name.as_str());
                (name.clone(), if is_listed { self::body(value) } else { starred(value) })
            });
            Value::Object(shown.collect())
        }
        Value::Array(items) => {
            let mut shown: Vec<Value> = items.iter().take(LOG_BODY_ITEMS_MAX).map(self::body).collect();
            if items.len() > LOG_BODY_ITEMS_MAX {
                shown.push(json!(format!("… and {} more", items.len() - LOG_BODY_ITEMS_MAX)));
            }
            Value::Array(shown)
        }
        Value::String(text) => Value::String(cut(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => body.clone(),
    }
}

/// The query of a request to `/authorize`. An address in it keeps its place and loses its values.
pub(crate) fn authorize_query(query: &[(String, String)]) -> Map<String, Value> {
    let shown = query.iter().take(LOG_BODY_ITEMS_MAX).map(|(name, value)| {
        let value = match name.as_str() {
            "redirect_uri" => cut(&without_values(value)),
            listed if SHOWN_OF_AUTHORIZE.contains(&listed) => cut(value),
            _ => STARS.to_owned(),
        };
        (cut(name), Value::String(value))
    });
    shown.collect()
}

/// The query of a list of the Management API.
pub(super) fn list_query(query: &[(String, String)]) -> Map<String, Value> {
    let shown = query.iter().take(LOG_BODY_ITEMS_MAX).map(|(name, value)| {
        let is_listed = SHOWN_OF_LISTS.contains(&name.as_str());
        (cut(name), Value::String(if is_listed { cut(value) } else { STARS.to_owned() }))
    });
    shown.collect()
}

/// The names of a map without its values; of anything else, that it was there.
fn starred(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            entries.keys().take(LOG_BODY_ITEMS_MAX).map(|key| (cut(key), json!(STARS))).collect()
        }
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => json!(STARS),
    }
}

fn cut(text: &str) -> String {
    if text.len() <= LOG_BODY_TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let mut end = LOG_BODY_TEXT_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{SHOWN, SHOWN_OF_AUTHORIZE, SHOWN_OF_LISTS, authorize_query, body, list_query};

    #[test]
    fn what_is_not_listed_is_starred_at_any_depth() {
        for (sent, shown) in [
            (json!({"name": "a", "password": "p"}), json!({"name": "a", "password": "*****"})),
            (
                json!({"secrets": [{"name": "k", "value": "v"}]}),
                json!({"secrets": [{"name": "k", "value": "*****"}]}),
            ),
            (
                json!({"options": {"client_secret": "s", "name": "n", "deep": {"a": 1}}}),
                json!({"options": {"client_secret": "*****", "name": "*****", "deep": "*****"}}),
            ),
            (
                json!({"session_metadata": {"device": "phone"}, "user_metadata": null}),
                json!({"session_metadata": {"device": "*****"}, "user_metadata": null}),
            ),
            (
                json!({"sink": {"httpAuthorization": "Bearer s"}, "custom_password_hash": {"hash": {"value": "h"}}}),
                json!({"sink": {"httpAuthorization": "*****"}, "custom_password_hash": {"hash": "*****"}}),
            ),
            (json!({"code": "const key = 's'", "pin": 1234}), json!({"code": "*****", "pin": "*****"})),
            (
                json!({"refresh_token": {"leeway": 3, "rotation_type": "rotating"}}),
                json!({"refresh_token": {"leeway": 3, "rotation_type": "rotating"}}),
            ),
            (Value::Null, Value::Null),
        ] {
            assert_eq!(body(&sent), shown);
        }
    }

    #[test]
    fn what_is_listed_is_found_by_its_place() {
        for list in [SHOWN, SHOWN_OF_AUTHORIZE, SHOWN_OF_LISTS] {
            assert!(list.is_sorted_by(|one, next| one < next), "sorted, each once: {list:?}");
        }
    }

    #[test]
    fn nothing_that_sounds_secret_is_listed() {
        let settings = [
            "secret_encoded",
            "secrets",
            "refresh_token",
            "token_dialect",
            "require_pushed_authorization_requests",
        ];
        for name in SHOWN.iter().filter(|name| !settings.contains(name)) {
            for word in
                ["secret", "password", "hash", "authorization", "credential", "metadata", "token", "code"]
            {
                let harmless = name.ends_with("_lifetime")
                    || name.ends_with("_lifetime_for_web")
                    || name.starts_with("include_")
                    || *name == "preserve_refresh_tokens"
                    || *name == "credential_type"
                    || *name == "token_endpoint_auth_method"
                    || *name == "authorization_response_iss_parameter_supported"
                    || *name == "backchannel_logout_session_metadata"
                    || *name == "backchannel_logout_token_type";
                assert!(harmless || !name.contains(word), "{name}");
            }
        }
    }

    #[test]
    fn long_texts_and_lists_are_cut() {
        let shown = body(&json!({"name": "é".repeat(1000), "members": vec!["m"; 1000]}));
        assert!(shown["name"].as_str().unwrap().len() < 600, "{shown}");
        let members = shown["members"].as_array().unwrap();
        assert_eq!((members.len(), &members[100]), (101, &json!("… and 900 more")));
    }

    #[test]
    fn a_query_shows_what_was_asked_for_and_no_value_that_is_used_once() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let query = [
            pair("client_id", "c"),
            pair("redirect_uri", "https://a.example/cb?code=secret"),
            pair("state", "secret"),
            pair("id_token_hint", "secret"),
            pair("code", "secret"),
        ];
        let shown = Value::Object(authorize_query(&query));
        let expected = json!({
            "client_id": "c", "redirect_uri": "https://a.example/cb?code=*****", "state": "*****",
            "id_token_hint": "*****", "code": "*****",
        });
        assert_eq!(shown, expected);
        let shown = Value::Object(list_query(&[pair("page", "1"), pair("q", "secret")]));
        assert_eq!(shown, json!({"page": "1", "q": "*****"}));
    }
}
