//! What a request wants to be different about a client, and whether it may be.

use domain::client::{Client, ClientAuthMethod, RefreshTokenSettings};
use domain::client_credential::{CredentialAuthentication, CredentialMethod};
use domain::egress::Egress;
use domain::key::SigningAlgorithm;
use domain::limits::{
    CLIENT_LOGOUT_URLS_MAX, CLIENT_METADATA_ENTRIES_MAX, CLIENT_METADATA_VALUE_CHARACTERS_MAX,
    CLIENT_URLS_MAX,
};
use domain::logout::{Initiator, Initiators, LogoutSettings};
use domain::secret::Secret;
use serde_json::{Map, Value};

use super::credentials::{AUTHENTICATION_PROPERTY, CredentialChoice, CredentialProperty};
use super::urls::{check_frame_url, check_origin, check_post_url, check_return_url};
use crate::connections::merge_kept_within;
use crate::{Engine, Error};

/// Characters of a client's name. Ours.
const NAME_CHARACTERS_MAX: usize = 300;
/// Characters of a client's description. Auth0: client `description`.
const DESCRIPTION_CHARACTERS_MAX: usize = 140;
/// Lifetime of an ID token in seconds, at most. Auth0: client `jwt_configuration.lifetime_in_seconds` (30 days).
const ID_TOKEN_SECONDS_MAX: i64 = 2_592_000;
/// Characters of a client secret that a caller brings, at least. RFC 6749 §10.10 asks for what cannot be guessed.
const CLIENT_SECRET_CHARACTERS_MIN: usize = 16;
/// Characters of a client secret that a caller brings, at most. Ours.
const CLIENT_SECRET_CHARACTERS_MAX: usize = 512;

/// Properties that are to change; absent ones stay. The inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct ClientChanges {
    /// What people call it.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<Option<String>>,
    /// `spa` and the like.
    pub app_type: Option<Option<String>>,
    /// A secret that the caller brings.
    pub secret: Option<Secret<String>>,
    /// How it proves itself.
    pub auth_method: Option<Option<ClientAuthMethod>>,
    /// How it proves itself with credentials, and with which; cleared means by its secret again.
    pub authentication: Option<Option<(CredentialMethod, CredentialChoice)>>,
    /// Properties without effect that name credentials; `None` removes.
    pub credential_properties: Vec<(&'static str, Option<CredentialProperty>)>,
    /// Redirect URIs.
    pub callbacks: Option<Vec<String>>,
    /// URLs to which a logout may return.
    pub allowed_logout_urls: Option<Vec<String>>,
    /// Origins that may receive a `web_message`.
    pub web_origins: Option<Vec<String>>,
    /// Origins that may call from scripts.
    pub allowed_origins: Option<Vec<String>>,
    /// Grants it may use.
    pub grant_types: Option<Vec<String>>,
    /// Signature of its ID tokens.
    pub signing_algorithm: Option<SigningAlgorithm>,
    /// Lifetime of its ID tokens in seconds.
    pub id_token_seconds: Option<i64>,
    /// How its refresh tokens behave; cleared means the defaults.
    pub refresh_token: Option<Option<RefreshTokenSettings>>,
    /// Where and when to tell it of a logout; cleared means nowhere.
    pub logout: Option<Option<LogoutSettings>>,
    /// Merged into its metadata at the first level: null removes. Cleared means none at all.
    pub metadata: Option<Option<Map<String, Value>>>,
    /// Whether it belongs to the tenant's owner.
    pub is_first_party: Option<bool>,
    /// Properties without effect: null removes.
    pub kept: Map<String, Value>,
}

impl ClientChanges {
    /// Applies all or, on an error, leaves a client that must be thrown away.
    pub(super) fn apply(&self, client: &mut Client, engine: &Engine) -> Result<(), Error> {
        self.apply_names(client)?;
        self.apply_urls(client)?;
        self.apply_tokens(client)?;
        if let Some(secret) = &self.secret {
            let length = secret.expose().chars().count();
            if !(CLIENT_SECRET_CHARACTERS_MIN..=CLIENT_SECRET_CHARACTERS_MAX).contains(&length) {
                let reason = format!(
                    "the length must be {CLIENT_SECRET_CHARACTERS_MIN} to {CLIENT_SECRET_CHARACTERS_MAX} characters"
                );
                return Err(Error::property(&reason, "client_secret"));
            }
            client.secret = engine.seal_client_secret(secret);
        }
        if let Some(logout) = &self.logout {
            let logout = logout.clone().unwrap_or_default();
            check_logout(&logout, &engine.settings().logout_egress)?;
            client.logout = logout;
        }
        // Also where only the callbacks change.
        if let Some(front_channel) = &client.logout.front_channel {
            let property = "oidc_logout.frontchannel_logout_uri";
            check_frame_url(&front_channel.uri, &client.callbacks, property)?;
        }
        if let Some(metadata) = &self.metadata {
            merge_client_metadata(&mut client.metadata, metadata.as_ref())?;
        }
        self.apply_authentication(client, engine)?;
        for (name, property) in &self.credential_properties {
            engine.apply_credential_property(client, name, property.as_ref())?;
        }
        merge_kept_within(&mut client.kept, &self.kept, "session_transfer");
        Ok(())
    }

    /// After `apply_tokens`, which sets how the client proves itself otherwise: it does so in one way only.
    fn apply_authentication(&self, client: &mut Client, engine: &Engine) -> Result<(), Error> {
        match &self.authentication {
            None => {}
            Some(None) => client.authentication = None,
            Some(Some((method, choice))) => {
                let path = format!("{AUTHENTICATION_PROPERTY}.{}.credentials", method.as_str());
                let credentials =
                    engine.choose_credentials(client, choice, &path, |kind| method.takes(kind))?;
                client.authentication = Some(CredentialAuthentication { method: *method, credentials });
            }
        }
        if client.authentication.is_some() {
            if self.auth_method.is_some_and(|method| method.is_some()) {
                let reason = format!("it cannot be set together with {AUTHENTICATION_PROPERTY}");
                return Err(Error::property(&reason, "token_endpoint_auth_method"));
            }
            client.auth_method = None;
        }
        Ok(())
    }

    fn apply_names(&self, client: &mut Client) -> Result<(), Error> {
        if let Some(name) = &self.name {
            let length = name.chars().count();
            if name.trim().is_empty() || length > NAME_CHARACTERS_MAX || name.contains(['<', '>']) {
                return Err(Error::property("String does not match pattern ^[^<>]+$", "name"));
            }
            client.name.clone_from(name);
        }
        if let Some(description) = &self.description {
            let length = description.as_ref().map_or(0, |text| text.chars().count());
            if length > DESCRIPTION_CHARACTERS_MAX {
                let reason =
                    format!("String is too long ({length} chars), maximum {DESCRIPTION_CHARACTERS_MAX}");
                return Err(Error::property(&reason, "description"));
            }
            client.description.clone_from(description);
        }
        if let Some(app_type) = &self.app_type {
            client.app_type.clone_from(app_type);
        }
        if let Some(is_first_party) = self.is_first_party {
            client.is_first_party = is_first_party;
        }
        Ok(())
    }

    fn apply_urls(&self, client: &mut Client) -> Result<(), Error> {
        type Check = fn(&str, &str) -> Result<(), Error>;
        type List<'a> = (&'a Option<Vec<String>>, &'a mut Vec<String>, &'static str, Check);
        let lists: [List<'_>; 4] = [
            (&self.callbacks, &mut client.callbacks, "callbacks", check_return_url),
            (
                &self.allowed_logout_urls,
                &mut client.allowed_logout_urls,
                "allowed_logout_urls",
                check_return_url,
            ),
            (&self.web_origins, &mut client.web_origins, "web_origins", check_origin),
            (&self.allowed_origins, &mut client.allowed_origins, "allowed_origins", check_origin),
        ];
        for (wanted, own, property, check) in lists {
            let Some(wanted) = wanted else { continue };
            if wanted.len() > CLIENT_URLS_MAX {
                let reason = format!("Array is too long ({}), maximum {CLIENT_URLS_MAX}", wanted.len());
                return Err(Error::property(&reason, property));
            }
            for (at, url) in wanted.iter().enumerate() {
                check(url, &format!("{property}[{at}]"))?;
            }
            own.clone_from(wanted);
        }
        Ok(())
    }

    fn apply_tokens(&self, client: &mut Client) -> Result<(), Error> {
        if let Some(method) = self.auth_method {
            client.auth_method = method;
        }
        if let Some(grant_types) = &self.grant_types {
            client.grant_types.clone_from(grant_types);
        }
        if let Some(algorithm) = self.signing_algorithm {
            client.signing_algorithm = algorithm;
        }
        if let Some(seconds) = self.id_token_seconds {
            if !(1..=ID_TOKEN_SECONDS_MAX).contains(&seconds) {
                let reason = format!("Value {seconds} is not between 1 and {ID_TOKEN_SECONDS_MAX}");
                return Err(Error::property(&reason, "jwt_configuration.lifetime_in_seconds"));
            }
            client.id_token_seconds = seconds;
        }
        if let Some(settings) = &self.refresh_token {
            client.refresh_token = settings.clone().unwrap_or_default();
        }
        if client.refresh_token.rotating && !client.refresh_token.expiring {
            let reason = "a rotating refresh token must be expiring";
            return Err(Error::property(reason, "refresh_token.expiration_type"));
        }
        Ok(())
    }
}

fn check_logout(logout: &LogoutSettings, egress: &Egress) -> Result<(), Error> {
    if logout.urls.len() > CLIENT_LOGOUT_URLS_MAX {
        let reason = format!("Array is too long ({}), maximum {CLIENT_LOGOUT_URLS_MAX}", logout.urls.len());
        return Err(Error::property(&reason, "oidc_logout.backchannel_logout_urls"));
    }
    for (at, url) in logout.urls.iter().enumerate() {
        check_post_url(url, &format!("oidc_logout.backchannel_logout_urls[{at}]"), egress)?;
        if let Some(first) = logout.urls[..at].iter().position(|earlier| earlier == url) {
            let reason = format!("Array items are not unique (indexes {first} and {at})");
            return Err(Error::property(&reason, "oidc_logout.backchannel_logout_urls"));
        }
    }
    if let Some(Initiators::Custom(selected)) = &logout.initiators {
        for needed in [Initiator::RpLogout, Initiator::IdpLogout] {
            if !selected.contains(&needed) {
                let reason = format!("{} must be one of the selected initiators", needed.as_str());
                let property = "oidc_logout.backchannel_logout_initiators.selected_initiators";
                return Err(Error::property(&reason, property));
            }
        }
    }
    Ok(())
}

fn merge_client_metadata(
    own: &mut Map<String, Value>,
    patch: Option<&Map<String, Value>>,
) -> Result<(), Error> {
    let Some(patch) = patch else {
        own.clear();
        return Ok(());
    };
    for (key, value) in patch {
        let property = format!("client_metadata.{key}");
        let fits = |text: &str| text.chars().count() <= CLIENT_METADATA_VALUE_CHARACTERS_MAX;
        match value {
            Value::Null => {
                own.remove(key);
            }
            Value::String(text) if fits(text) && fits(key) => {
                own.insert(key.clone(), value.clone());
            }
            Value::String(_) => {
                let reason = format!("String is too long, maximum {CLIENT_METADATA_VALUE_CHARACTERS_MAX}");
                return Err(Error::property(&reason, &property));
            }
            _ => return Err(Error::property("Expected type string", &property)),
        }
    }
    if own.len() > CLIENT_METADATA_ENTRIES_MAX {
        let reason =
            format!("Too many properties defined ({}), maximum {CLIENT_METADATA_ENTRIES_MAX}", own.len());
        return Err(Error::property(&reason, "client_metadata"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::egress::Egress;
    use domain::logout::{Initiator, Initiators, LogoutSettings};
    use serde_json::{Map, Value, json};

    use super::{check_logout, merge_client_metadata};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn custom_initiators_must_hold_the_two_that_every_client_hears_of() {
        let settings = |selected: &[Initiator]| LogoutSettings {
            initiators: Some(Initiators::Custom(selected.to_vec())),
            ..LogoutSettings::default()
        };
        assert!(
            check_logout(&settings(&[Initiator::RpLogout, Initiator::IdpLogout]), &Egress::default()).is_ok()
        );
        assert!(check_logout(&settings(&[Initiator::RpLogout]), &Egress::default()).is_err());
        assert!(check_logout(&settings(&[Initiator::IdpLogout]), &Egress::default()).is_err());
    }

    #[test]
    fn a_client_hears_of_logouts_at_a_few_urls_each_named_once() {
        let check = |numbers: &[usize]| {
            let urls = numbers.iter().map(|number| format!("https://rp.example/{number}")).collect();
            let settings = LogoutSettings { urls, ..LogoutSettings::default() };
            check_logout(&settings, &Egress::default()).map_err(|error| error.to_string())
        };
        assert_eq!(check(&[0, 1, 2, 3, 4]), Ok(()));
        let error = check(&[0, 1, 2, 3, 4, 5]).unwrap_err();
        assert!(error.contains("on property oidc_logout.backchannel_logout_urls"), "{error}");
        let error = check(&[0, 1, 0]).unwrap_err();
        assert!(error.contains("not unique (indexes 0 and 2)"), "{error}");
    }

    #[test]
    fn client_metadata_is_merged_and_null_removes() {
        let mut own = map(json!({"a": "1", "b": "2"}));
        merge_client_metadata(&mut own, Some(&map(json!({"a": null, "c": "3"})))).unwrap();
        assert_eq!(own, map(json!({"b": "2", "c": "3"})));
        assert!(merge_client_metadata(&mut own, Some(&map(json!({"d": 1})))).is_err());
        let many: Map<_, _> = (0..11).map(|n| (format!("k{n}"), json!("v"))).collect();
        assert!(merge_client_metadata(&mut Map::new(), Some(&many)).is_err());
        merge_client_metadata(&mut own, None).unwrap();
        assert!(own.is_empty());
    }
}
