//! Reads a client's properties from a body.

use domain::client::{ClientAuthMethod, RefreshTokenSettings};
use domain::key::SigningAlgorithm;
use domain::limits::{REFRESH_TOKEN_IDLE_SECONDS_DEFAULT, REFRESH_TOKEN_SECONDS_DEFAULT};
use domain::logout::{FrontChannel, Initiator, Initiators, LogoutSettings, LogoutTokenType};
use domain::organization::OrganizationUsage;
use engine::clients::ClientChanges;
use serde_json::Value;

use super::authentication::{Naming, authentication};
use crate::management::fields::{Fields, Kind};

/// Longest lifetime of a refresh token in seconds. Auth0: client `refresh_token.token_lifetime`.
const REFRESH_TOKEN_SECONDS_MAX: i64 = 157_788_000;
/// Types of application. Auth0: client `app_type`.
const APP_TYPES: &[&str] = &[
    "native",
    "spa",
    "regular_web",
    "non_interactive",
    "resource_server",
    "express_configuration",
    "rms",
    "box",
    "cloudbees",
    "concur",
    "dropbox",
    "mscrm",
    "echosign",
    "egnyte",
    "newrelic",
    "office365",
    "salesforce",
    "sentry",
    "sharepoint",
    "slack",
    "springcm",
    "zendesk",
    "zoom",
    "sso_integration",
    "oag",
];

macro_rules! kept {
    ($($name:literal $kind:ident,)*) => {
        /// Properties that are taken and given back without effect.
        pub const KEPT: &[(&str, Kind)] = &[$(($name, Kind::$kind)),*];
    };
}

kept! {
    "logo_uri" Text, "session_transfer" Object, "client_aliases" List, "allowed_clients" List,
    "is_token_endpoint_ip_header_trusted" Flag, "oidc_conformant" Flag, "encryption_key" Object, "sso" Flag,
    "cross_origin_authentication" Flag, "cross_origin_loc" Text, "sso_disabled" Flag, "custom_login_page_on" Flag,
    "custom_login_page" Text, "custom_login_page_preview" Text, "form_template" Text, "addons" Object,
    "mobile" Object, "initiate_login_uri" Text, "native_social_login" Object, "fedcm_login" Object,

    "organization_discovery_methods" List,
    "require_pushed_authorization_requests" Flag, "require_proof_of_possession" Flag, "compliance_level" Text,
    "skip_non_verifiable_callback_uri_confirmation_prompt" Flag, "token_exchange" Object,
    "par_request_expiry" Integer, "token_quota" Object, "resource_server_identifier" Text,
    "third_party_security_mode" Text, "redirection_policy" Text, "express_configuration" Object,
    "my_organization_configuration" Object, "async_approval_notification_channels" List,
    "identity_assertion_authorization_grant" Object,
}

/// How a client that needs an organization comes by one.
const REQUIRE_BEHAVIOR: &str = "organization_require_behavior";
/// Its values. Auth0: client `organization_require_behavior`.
const REQUIRE_BEHAVIORS: &[&str] = &["no_prompt", "pre_login_prompt", "post_login_prompt"];

/// Takes all properties of a client.
pub(super) fn changes_of(fields: &mut Fields, kept: &[(&str, Kind)], naming: Naming) -> ClientChanges {
    let policies = fields.peek_object("refresh_token").map(|sent| sent.get("policies").cloned());
    let mut changes = ClientChanges {
        name: fields.text("name"),
        description: fields.text_or_null("description"),
        app_type: fields
            .one_of_or_null("app_type", |name| APP_TYPES.contains(&name).then(|| name.to_owned())),
        auth_method: fields.one_of_or_null("token_endpoint_auth_method", ClientAuthMethod::parse),
        callbacks: fields.texts_or_none("callbacks"),
        allowed_logout_urls: fields.texts_or_none("allowed_logout_urls"),
        web_origins: fields.texts_or_none("web_origins"),
        allowed_origins: fields.texts_or_none("allowed_origins"),
        grant_types: fields.texts_or_none("grant_types"),
        refresh_token: refresh_token(fields),
        metadata: fields.object_or_null("client_metadata"),
        is_first_party: fields.flag("is_first_party"),
        kept: fields.kept(kept),
        ..ClientChanges::default()
    };
    authentication(fields, naming, &mut changes);
    organizations(fields, &mut changes);
    jwt_configuration(fields, &mut changes);
    let older = logout(fields, "oidc_backchannel_logout");
    changes.logout = logout(fields, "oidc_logout").or(older);
    if changes.refresh_token.is_some() {
        changes.kept.insert("refresh_token_policies".to_owned(), policies.flatten().unwrap_or_default());
    }
    changes
}

fn organizations(fields: &mut Fields, changes: &mut ClientChanges) {
    let name = OrganizationUsage::PROPERTY;
    let told = fields.one_of_or_null(name, |text| OrganizationUsage::parse(text).map(|_| text.to_owned()));
    if let Some(told) = told {
        changes.kept.insert(name.to_owned(), told.map_or(Value::Null, Value::String));
    }
    let told = fields
        .one_of_or_null(REQUIRE_BEHAVIOR, |text| REQUIRE_BEHAVIORS.contains(&text).then(|| text.to_owned()));
    if let Some(told) = told {
        changes.kept.insert(REQUIRE_BEHAVIOR.to_owned(), told.map_or(Value::Null, Value::String));
    }
    let sent = fields.peek_object("default_organization");
    let read = fields.within("default_organization", |inner| {
        inner.required_text("organization_id");
        let flows = inner.texts("flows").unwrap_or_default();
        if flows.is_empty() || flows.iter().any(|flow| flow != "client_credentials") {
            inner.refuse("it must hold client_credentials and nothing else", "flows");
        }
    });
    if read.is_some() {
        changes.kept.insert("default_organization".to_owned(), sent.map_or(Value::Null, Value::Object));
    }
}

fn jwt_configuration(fields: &mut Fields, changes: &mut ClientChanges) {
    let Some(mut kept) = fields.peek_object("jwt_configuration") else {
        fields.object_or_null("jwt_configuration");
        return;
    };
    let _ = fields.within("jwt_configuration", |inner| {
        if inner.peek_text("alg").as_deref().is_some_and(|alg| matches!(alg, "HS256" | "RS512" | "PS256")) {
            inner.refuse("only RS256 and ES256 are supported for signing tokens here", "alg");
        }
        changes.signing_algorithm = inner.one_of("alg", SigningAlgorithm::parse);
        changes.id_token_seconds = inner.integer("lifetime_in_seconds");
        inner.flag("secret_encoded");
        inner.object_or_null("scopes");
    });
    kept.remove("lifetime_in_seconds");
    changes.kept.insert("jwt_configuration".to_owned(), Value::Object(kept));
}

fn refresh_token(fields: &mut Fields) -> Option<Option<RefreshTokenSettings>> {
    fields.within("refresh_token", |inner| {
        for name in ["rotation_type", "expiration_type"] {
            if !inner.has(name) {
                inner.missing(name);
            }
        }
        let flag = |inner: &mut Fields, name: &str| inner.flag_or_null(name).flatten();
        let expiring = inner.one_of("expiration_type", |name| match name {
            "expiring" => Some(true),
            "non-expiring" => Some(false),
            _ => None,
        });
        let expiring = expiring.unwrap_or_default();
        let lifetime_seconds =
            inner.integer_from("token_lifetime", 1).unwrap_or(REFRESH_TOKEN_SECONDS_DEFAULT);
        if lifetime_seconds > REFRESH_TOKEN_SECONDS_MAX {
            let reason =
                format!("Value {lifetime_seconds} is greater than maximum {REFRESH_TOKEN_SECONDS_MAX}");
            inner.refuse(&reason, "token_lifetime");
        }
        let settings = RefreshTokenSettings {
            rotating: inner
                .one_of("rotation_type", |name| match name {
                    "rotating" => Some(true),
                    "non-rotating" => Some(false),
                    _ => None,
                })
                .unwrap_or_default(),
            expiring,
            leeway_seconds: inner.integer_from("leeway", 0).unwrap_or_default(),
            lifetime_seconds,
            lifetime_infinite: flag(inner, "infinite_token_lifetime").unwrap_or(!expiring),
            idle_lifetime_seconds: inner
                .integer_from("idle_token_lifetime", 1)
                .unwrap_or_else(|| REFRESH_TOKEN_IDLE_SECONDS_DEFAULT.min(lifetime_seconds)),
            idle_lifetime_infinite: flag(inner, "infinite_idle_token_lifetime").unwrap_or(!expiring),
        };
        // Kept beside the settings that have an effect.
        inner.kept(&[("policies", Kind::List)]);
        settings
    })
}

fn logout(fields: &mut Fields, name: &str) -> Option<Option<LogoutSettings>> {
    fields.within(name, |inner| {
        let settings = LogoutSettings {
            urls: inner.texts_or_none("backchannel_logout_urls").unwrap_or_default(),
            initiators: inner.within("backchannel_logout_initiators", initiators).flatten().flatten(),
            include_session_metadata: inner
                .within("backchannel_logout_session_metadata", |inner| {
                    let include = inner.flag("include");
                    inner.ignore_rest();
                    include
                })
                .flatten()
                .flatten(),
            token_type: inner
                .one_of_or_null("backchannel_logout_token_type", LogoutTokenType::parse)
                .flatten(),
            tell_initiator: inner.flag_or_null("backchannel_logout_initiator_claim").flatten(),
            front_channel: front_channel(inner),
        };
        // Auth0 tolerates more in here.
        inner.ignore_rest();
        settings
    })
}

/// Ours: Auth0 has no front-channel logout. The names are those of OIDC Front-Channel Logout 1.0 §2.
fn front_channel(inner: &mut Fields) -> Option<FrontChannel> {
    let session_required = inner.flag("frontchannel_logout_session_required").unwrap_or_default();
    let uri = inner.text_or_null("frontchannel_logout_uri").flatten()?;
    Some(FrontChannel { uri, session_required })
}

fn initiators(inner: &mut Fields) -> Option<Initiators> {
    let all = inner.one_of("mode", |name| match name {
        "all" => Some(true),
        "custom" => Some(false),
        _ => None,
    });
    let names = inner.texts("selected_initiators");
    inner.ignore_rest();
    if all == Some(true) {
        return Some(Initiators::All);
    }
    let Some(names) = names else {
        if all == Some(false) {
            inner.missing("selected_initiators");
        }
        return None;
    };
    let mut selected = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        match Initiator::parse(name) {
            Some(initiator) if selected.contains(&initiator) => {}
            Some(initiator) => selected.push(initiator),
            None => {
                inner.refuse(&format!("No enum match for: {name}"), &format!("selected_initiators[{at}]"))
            }
        }
    }
    Some(Initiators::Custom(selected))
}

#[cfg(test)]
mod tests {
    use domain::client_credential::CredentialMethod;
    use domain::logout::{Initiator, Initiators, LogoutSettings, LogoutTokenType};
    use engine::clients::ClientChanges;
    use engine::clients::credentials::CredentialChoice;
    use serde_json::{Value, json};

    use super::{KEPT, Naming, changes_of};
    use crate::management::fields::Fields;

    fn read(body: Value) -> Result<ClientChanges, String> {
        let mut fields = Fields::of(&body).unwrap();
        let changes = changes_of(&mut fields, KEPT, Naming::Known);
        fields.finish().map(|()| changes).map_err(|error| error.to_string())
    }

    #[test]
    fn logout_settings_are_read_from_either_name_and_the_new_one_wins() {
        let settings = |url: &str| json!({ "backchannel_logout_urls": [url] });
        let old = read(json!({ "oidc_backchannel_logout": settings("https://old.example/") })).unwrap();
        assert_eq!(old.logout.unwrap().unwrap().urls, ["https://old.example/"]);
        let both = json!({ "oidc_backchannel_logout": settings("https://old.example/"), "oidc_logout": settings("https://new.example/") });
        assert_eq!(read(both).unwrap().logout.unwrap().unwrap().urls, ["https://new.example/"]);
        assert_eq!(read(json!({ "oidc_backchannel_logout": null })).unwrap().logout, Some(None));
    }

    #[test]
    fn initiators_and_session_metadata_are_read() {
        let body = json!({ "oidc_logout": {
            "backchannel_logout_initiators": { "mode": "custom", "selected_initiators": ["rp-logout", "idp-logout"] },
            "backchannel_logout_session_metadata": { "include": true },
        }});
        let logout = read(body).unwrap().logout.unwrap().unwrap();
        assert_eq!(
            logout.initiators,
            Some(Initiators::Custom(vec![Initiator::RpLogout, Initiator::IdpLogout]))
        );
        assert_eq!(logout.include_session_metadata, Some(true));
        let custom =
            |value: Value| read(json!({ "oidc_logout": { "backchannel_logout_initiators": value } }));
        assert!(custom(json!({ "mode": "custom" })).unwrap_err().contains("selected_initiators"));
        let unknown = custom(json!({ "mode": "custom", "selected_initiators": ["tea-time"] })).unwrap_err();
        assert!(unknown.contains("tea-time"), "{unknown}");
    }

    #[test]
    fn what_the_token_is_like_is_read_and_no_urls_unsubscribe() {
        let logout = |value: Value| read(json!({ "oidc_logout": value })).map(|read| read.logout);
        let read = logout(json!({
            "backchannel_logout_token_type": "logout+jwt",
            "backchannel_logout_initiator_claim": true,
        }));
        let read = read.unwrap().unwrap().unwrap();
        assert_eq!((read.token_type, read.tell_initiator), (Some(LogoutTokenType::LogoutJwt), Some(true)));
        let refused = logout(json!({ "backchannel_logout_token_type": "jwt" })).unwrap_err();
        assert!(refused.contains("oidc_logout.backchannel_logout_token_type"), "{refused}");
        for urls in [json!([]), Value::Null] {
            let read = logout(json!({ "backchannel_logout_urls": urls })).unwrap();
            assert_eq!(read, Some(Some(LogoutSettings::default())));
        }
    }

    #[test]
    fn an_unsupported_algorithm_is_named_and_es256_is_taken() {
        let refused = read(json!({ "jwt_configuration": { "alg": "HS256" } })).unwrap_err();
        assert!(refused.contains("RS256") && refused.contains("jwt_configuration.alg"), "{refused}");
        let taken =
            read(json!({ "jwt_configuration": { "alg": "ES256", "lifetime_in_seconds": 60 } })).unwrap();
        assert_eq!(taken.signing_algorithm.map(|algorithm| algorithm.as_str()), Some("ES256"));
        assert_eq!(taken.id_token_seconds, Some(60));
    }

    #[test]
    fn a_client_proves_itself_by_one_method_whose_credentials_are_named() {
        let methods = |value: Value| read(json!({ "client_authentication_methods": value }));
        let read = methods(json!({ "private_key_jwt": { "credentials": [{ "id": "cred_1" }] } })).unwrap();
        let chosen = CredentialChoice::Known(vec!["cred_1".into()]);
        assert_eq!(read.authentication, Some(Some((CredentialMethod::PrivateKeyJwt, chosen))));
        assert_eq!(methods(Value::Null).unwrap().authentication, Some(None));
        let none = json!({ "credentials": [] });
        for (bad, expect) in [
            (json!({}), "exactly one method must be there, and there are 0"),
            (json!({ "private_key_jwt": none, "tls_client_auth": none }), "and there are 2"),
            (json!({ "private_key_jwt": {} }), "client_authentication_methods.private_key_jwt.credentials"),
            (json!({ "private_key_jwt": { "credentials": [{}] } }), "private_key_jwt.credentials[0].id"),
            (
                json!({ "private_key_jwt": { "credentials": [{ "id": "a", "pem": "" }] } }),
                "credentials[0].pem",
            ),
            (json!({ "client_secret_jwt": none }), "client_authentication_methods.client_secret_jwt"),
        ] {
            let error = methods(bad.clone()).unwrap_err();
            assert!(error.contains(expect), "{bad}: {error}");
        }
    }

    #[test]
    fn an_unknown_property_is_refused() {
        assert!(read(json!({ "name": "a", "nonsense": 1 })).unwrap_err().contains("not allowed: nonsense"));
    }
}
