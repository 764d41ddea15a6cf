//! A client as the Management API writes it.

use domain::client::Client;
use domain::client_credential::CredentialAuthentication;
use domain::logout::{Initiators, LogoutSettings};
use engine::clients::credentials::{AUTHENTICATION_PROPERTY, references};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Properties that Auth0 gives back even if nobody set them.
const ALWAYS: &[(&str, bool)] = &[
    ("is_token_endpoint_ip_header_trusted", false),
    ("oidc_conformant", false),
    ("sso_disabled", false),
    ("cross_origin_authentication", false),
    ("custom_login_page_on", true),
];

#[derive(Serialize)]
struct ClientBody<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_type: Option<&'a str>,
    is_first_party: bool,
    global: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    callbacks: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    allowed_logout_urls: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    web_origins: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    allowed_origins: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_authentication_methods: Option<Value>,
    grant_types: &'a [String],
    jwt_configuration: Value,
    refresh_token: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_metadata: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_backchannel_logout: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_logout: Option<Value>,
}

/// The body; the secret only if it is given.
pub(super) fn body_of(client: &Client, secret: Option<&String>) -> Value {
    let logout = (client.logout != LogoutSettings::default()).then_some(&client.logout);
    let body = ClientBody {
        name: &client.name,
        description: client.description.as_deref(),
        client_id: client.id.as_str(),
        client_secret: secret.map(String::as_str),
        app_type: client.app_type.as_deref(),
        is_first_party: client.is_first_party,
        global: client.is_global,
        callbacks: &client.callbacks,
        allowed_logout_urls: &client.allowed_logout_urls,
        web_origins: &client.web_origins,
        allowed_origins: &client.allowed_origins,
        token_endpoint_auth_method: client.auth_method.map(|method| method.as_str()),
        client_authentication_methods: client.authentication.as_ref().map(authentication),
        grant_types: &client.grant_types,
        jwt_configuration: jwt_configuration(client),
        refresh_token: refresh_token(client),
        client_metadata: Some(&client.metadata).filter(|metadata| !metadata.is_empty()),
        // The older name knows of nothing but the URLs.
        oidc_backchannel_logout: logout.map(|logout| json!({ "backchannel_logout_urls": logout.urls })),
        oidc_logout: logout.map(logout_body),
    };
    let mut value = serde_json::to_value(&body).unwrap_or_default();
    if let Value::Object(map) = &mut value {
        let is_shown = |name: &str| !["refresh_token_policies", AUTHENTICATION_PROPERTY].contains(&name);
        let kept = client.kept.iter().filter(|(name, _)| is_shown(name));
        for (name, kept) in kept {
            map.entry(name.as_str()).or_insert_with(|| kept.clone());
        }
        if let Some(Value::Object(transfer)) = map.get_mut("session_transfer") {
            show_transfer_defaults(transfer);
        }
        for (name, default) in ALWAYS {
            map.entry(*name).or_insert(Value::Bool(*default));
        }
    }
    value
}

/// What `session_transfer` says where nothing was set (recorded at Auth0).
fn show_transfer_defaults(transfer: &mut Map<String, Value>) {
    for (name, default) in [
        ("allow_refresh_token", json!(false)),
        ("allowed_authentication_methods", json!([])),
        ("can_create_session_transfer_token", json!(false)),
        ("enforce_cascade_revocation", json!(true)),
        ("enforce_device_binding", json!("ip")),
        ("enforce_online_refresh_tokens", json!(true)),
    ] {
        transfer.entry(name).or_insert(default);
    }
}

fn authentication(authentication: &CredentialAuthentication) -> Value {
    json!({ authentication.method.as_str(): { "credentials": references(&authentication.credentials) } })
}

fn jwt_configuration(client: &Client) -> Value {
    let mut body = json!({ "secret_encoded": false, "lifetime_in_seconds": client.id_token_seconds });
    if let Some(Value::Object(kept)) = client.kept.get("jwt_configuration") {
        for (name, value) in kept.iter().filter(|(_, value)| !value.is_null()) {
            body[name] = value.clone();
        }
    }
    body["alg"] = client.signing_algorithm.as_str().into();
    body
}

fn refresh_token(client: &Client) -> Value {
    let settings = &client.refresh_token;
    let mut body = json!({
        "rotation_type": if settings.rotating { "rotating" } else { "non-rotating" },
        "expiration_type": if settings.expiring { "expiring" } else { "non-expiring" },
        "leeway": settings.leeway_seconds,
        "token_lifetime": settings.lifetime_seconds,
        "infinite_token_lifetime": settings.lifetime_infinite,
        "infinite_idle_token_lifetime": settings.idle_lifetime_infinite,
        "idle_token_lifetime": settings.idle_lifetime_seconds,
    });
    if let Some(policies) = client.kept.get("refresh_token_policies") {
        body["policies"] = policies.clone();
    }
    body
}

fn logout_body(logout: &LogoutSettings) -> Value {
    let mut body = json!({ "backchannel_logout_urls": logout.urls });
    match &logout.initiators {
        None => {}
        Some(Initiators::All) => body["backchannel_logout_initiators"] = json!({ "mode": "all" }),
        Some(Initiators::Custom(selected)) => {
            let selected: Vec<&str> = selected.iter().map(|initiator| initiator.as_str()).collect();
            body["backchannel_logout_initiators"] =
                json!({ "mode": "custom", "selected_initiators": selected });
        }
    }
    if let Some(include) = logout.include_session_metadata {
        body["backchannel_logout_session_metadata"] = json!({ "include": include });
    }
    if let Some(typ) = logout.token_type {
        body["backchannel_logout_token_type"] = json!(typ.as_str());
    }
    if let Some(tell) = logout.tell_initiator {
        body["backchannel_logout_initiator_claim"] = json!(tell);
    }
    if let Some(front_channel) = &logout.front_channel {
        body["frontchannel_logout_uri"] = front_channel.uri.as_str().into();
        body["frontchannel_logout_session_required"] = front_channel.session_required.into();
    }
    body
}

#[cfg(test)]
mod tests {
    use domain::client::Client;
    use domain::id::ClientId;
    use domain::logout::{Initiators, LogoutTokenType};
    use domain::secret::Sealed;
    use domain::time::Timestamp;
    use serde_json::{Value, json};

    use super::body_of;

    #[test]
    fn a_new_client_has_the_recorded_defaults_and_no_secret_unless_given() {
        let client = Client::new(ClientId::new("c"), "A", Sealed(String::new()), Timestamp(0));
        let body = body_of(&client, None);
        for (name, expected) in [
            (
                "jwt_configuration",
                json!({ "alg": "RS256", "secret_encoded": false, "lifetime_in_seconds": 36000 }),
            ),
            ("is_first_party", json!(true)),
            ("custom_login_page_on", json!(true)),
            ("sso_disabled", json!(false)),
        ] {
            assert_eq!(body[name], expected, "{name}");
        }
        assert_eq!(body["refresh_token"]["rotation_type"], "non-rotating");
        assert_eq!((&body["client_secret"], &body["oidc_logout"]), (&Value::Null, &Value::Null));
        assert_eq!(body_of(&client, Some(&"s".to_owned()))["client_secret"], "s");
    }

    #[test]
    fn logout_settings_come_back_under_both_names() {
        let mut client = Client::new(ClientId::new("c"), "A", Sealed(String::new()), Timestamp(0));
        client.logout.urls = vec!["https://rp.example/l".into()];
        client.logout.initiators = Some(Initiators::All);
        client.logout.include_session_metadata = Some(true);
        client.logout.token_type = Some(LogoutTokenType::LogoutJwt);
        client.logout.tell_initiator = Some(false);
        let body = body_of(&client, None);
        assert_eq!(
            body["oidc_backchannel_logout"],
            json!({ "backchannel_logout_urls": ["https://rp.example/l"] })
        );
        let expected = json!({
            "backchannel_logout_urls": ["https://rp.example/l"],
            "backchannel_logout_initiators": { "mode": "all" },
            "backchannel_logout_session_metadata": { "include": true },
            "backchannel_logout_token_type": "logout+jwt",
            "backchannel_logout_initiator_claim": false,
        });
        assert_eq!(body["oidc_logout"], expected);
    }
}
