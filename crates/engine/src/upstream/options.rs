//! The `options` of a connection of the strategy `oidc`: read property by property, what is wrong by name.
//!
//! Auth0: Management API v2 › connections › OIDC options. Options that have no effect here are kept and given back.

use domain::client::ClientAuthMethod;
use domain::connection::Connection;
use domain::egress::Egress;
use domain::key::SigningAlgorithm;
use domain::secret::{Sealed, Secret};
use domain::upstream::{AccountLinking, OidcConnection, ProfileUpdate, Provider};
use protocol::upstream::discovery::url_of;
use serde_json::{Map, Value};

use super::discovery::endpoints;
use super::http::legal_url;
use crate::{Engine, Error};

/// What is asked for where nothing is set.
const SCOPE_DEFAULT: &str = "openid profile email";
/// What our secrets at providers are sealed for.
const PURPOSE: &str = "upstream client secret";

/// What is to become of a connection.
#[derive(Debug, Clone)]
pub(crate) struct OidcChange {
    settings: OidcConnection,
    /// The options say nothing of a secret: the one that is there stays.
    keeps_secret: bool,
}

impl OidcChange {
    /// Puts the settings in place, and keeps the secret from what is given back.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the secret that is there would be sent to another place than it was given for: nobody
    /// can read it, so nobody may have it sent to themselves either.
    pub(crate) fn apply(&self, connection: &mut Connection) -> Result<(), Error> {
        let mut settings = self.settings.clone();
        if let Some(before) = connection.oidc.take().filter(|_| self.keeps_secret) {
            let has_moved = before.provider.token_endpoint != settings.provider.token_endpoint;
            if has_moved && before.client_secret.is_some() {
                let reason = "needed anew, because the provider's token endpoint is another one now";
                return Err(refuse(reason, "client_secret"));
            }
            settings.client_secret = before.client_secret;
        }
        connection.oidc = Some(settings);
        // Nobody signs up here for an account elsewhere.
        connection.signup_enabled = false;
        if let Some(options) = connection.kept.get_mut("options").and_then(Value::as_object_mut) {
            options.remove("client_secret");
        }
        Ok(())
    }
}

/// Endpoints that were set by hand, which stand in place of discovered ones.
#[derive(Debug, Default)]
pub(super) struct ByHand(Map<String, Value>);

impl ByHand {
    fn of(options: &Map<String, Value>) -> Self {
        Self(options.clone())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The provider with them.
    pub(super) fn over(&self, found: Provider) -> Provider {
        Provider {
            authorization_endpoint: self
                .text("authorization_endpoint")
                .unwrap_or(found.authorization_endpoint),
            token_endpoint: self.text("token_endpoint").unwrap_or(found.token_endpoint),
            jwks_uri: self.text("jwks_uri").unwrap_or(found.jwks_uri),
            userinfo_endpoint: self.text("userinfo_endpoint").or(found.userinfo_endpoint),
            end_session_endpoint: self.text("end_session_endpoint").or(found.end_session_endpoint),
            ..found
        }
    }
}

/// What was set by hand about a connection's provider.
pub(super) fn endpoints_by_hand(connection: &Connection) -> ByHand {
    connection.kept.get("options").and_then(Value::as_object).map(ByHand::of).unwrap_or_default()
}

impl Engine {
    /// Reads options, and asks the provider about itself where they say where.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the option, or saying what is wrong with the provider.
    pub(crate) async fn read_oidc_options(&self, options: &Map<String, Value>) -> Result<OidcChange, Error> {
        let options = Options(options);
        let client_id = options.required_text("client_id")?;
        let secret = options.text("client_secret")?.filter(|secret| !secret.is_empty());
        if options.text("type")?.is_some_and(|kind| kind != "back_channel") {
            let reason = "only back_channel is supported: tokens do not travel through the browser";
            return Err(refuse(reason, "type"));
        }
        let provider = self.provider_of(&options).await?;
        let client_secret = secret.map(|secret| self.seal_upstream_secret(&Secret::new(secret)));
        let auth_method = options.auth_method(&provider.1)?;
        Ok(OidcChange {
            keeps_secret: !options.0.contains_key("client_secret"),
            settings: OidcConnection {
                client_id,
                client_secret,
                auth_method,
                discovery_url: provider.0,
                provider: provider.1,
                discovered_at: self.now(),
                scope: options.scope()?,
                pkce: options.pkce()?,
                algorithms: options.algorithms()?,
                account_linking: options
                    .one_of("account_linking", AccountLinking::parse)?
                    .unwrap_or_default(),
                profile_update: options
                    .one_of("set_user_root_attributes", ProfileUpdate::parse)?
                    .unwrap_or_default(),
            },
        })
    }

    /// Where the provider describes itself, if it does, and what it is with all that was set by hand.
    async fn provider_of(&self, options: &Options<'_>) -> Result<(Option<String>, Provider), Error> {
        let egress = &self.inner.settings.upstream_egress;
        let by_hand = ByHand::of(options.0);
        for name in [
            "discovery_url",
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
            "end_session_endpoint",
        ] {
            if let Some(url) = options.text(name)? {
                legal_url(&url, egress).map_err(|reason| refuse(&reason, name))?;
            }
        }
        let issuer = by_hand.text("issuer");
        let is_complete = ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"]
            .iter()
            .all(|name| by_hand.text(name).is_some());
        let discovery_url =
            by_hand.text("discovery_url").or_else(|| issuer.as_deref().filter(|_| !is_complete).map(url_of));
        let Some(url) = discovery_url else {
            let metadata =
                options.0.get("oidc_metadata").and_then(Value::as_object).cloned().unwrap_or_default();
            return Ok((None, stated(&by_hand, &ByHand(metadata), egress)?));
        };
        let found = self.discover(&url, issuer.as_deref()).await.map_err(|failure| {
            refuse(&format!("the provider's description was not taken: {failure}"), "discovery_url")
        })?;
        Ok((Some(url), by_hand.over(found)))
    }

    pub(crate) fn seal_upstream_secret(&self, secret: &Secret<String>) -> Sealed {
        self.store().seal(PURPOSE, secret.expose().as_bytes())
    }

    /// Our secret at a provider.
    pub(super) fn upstream_secret(&self, oidc: &OidcConnection) -> Result<Option<Secret<String>>, Error> {
        let Some(sealed) = &oidc.client_secret else { return Ok(None) };
        let bytes = self.store().unseal(PURPOSE, sealed)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::Bug("a provider's client secret is not text".to_owned()))?;
        Ok(Some(Secret::new(text)))
    }
}

/// A provider that does not describe itself: everything is stated, in the options or in their `oidc_metadata`.
fn stated(by_hand: &ByHand, metadata: &ByHand, egress: &Egress) -> Result<Provider, Error> {
    let optional = |name: &str| by_hand.text(name).or_else(|| metadata.text(name));
    let required = |name: &'static str| {
        optional(name).ok_or_else(|| refuse("needed where there is no discovery_url (or issuer alone)", name))
    };
    let provider = Provider {
        issuer: required("issuer")?,
        authorization_endpoint: required("authorization_endpoint")?,
        token_endpoint: required("token_endpoint")?,
        jwks_uri: required("jwks_uri")?,
        userinfo_endpoint: optional("userinfo_endpoint"),
        end_session_endpoint: optional("end_session_endpoint"),
        names_itself: false,
        auth_methods: Vec::new(),
    };
    for (name, endpoint) in endpoints(&provider) {
        legal_url(endpoint, egress).map_err(|reason| refuse(&reason, name))?;
    }
    Ok(provider)
}

fn refuse(reason: &str, name: &str) -> Error {
    Error::property(reason, &format!("options.{name}"))
}

struct Options<'a>(&'a Map<String, Value>);

impl Options<'_> {
    /// A text; null counts as absent.
    fn text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(refuse("Expected type string", name)),
        }
    }

    fn required_text(&self, name: &str) -> Result<String, Error> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Error::payload(&format!("Missing required property: options.{name}")))
    }

    fn one_of<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| refuse(&format!("No enum match for: {text}"), name))
    }

    /// What is asked for; a sign-in needs `openid`.
    fn scope(&self) -> Result<String, Error> {
        let scope = self.text("scope")?.unwrap_or_else(|| SCOPE_DEFAULT.to_owned());
        if !scope.split_ascii_whitespace().any(|one| one == "openid") {
            return Err(refuse("the scope openid is needed", "scope"));
        }
        Ok(scope)
    }

    /// How the secret travels: as set, or as the provider says that it takes it (OIDC Discovery 1.0 §3).
    fn auth_method(&self, provider: &Provider) -> Result<ClientAuthMethod, Error> {
        let chosen = self.one_of("token_endpoint_auth_method", ClientAuthMethod::parse)?;
        let takes = |method: ClientAuthMethod| provider.auth_methods.iter().any(|own| own == method.as_str());
        Ok(chosen.unwrap_or_else(|| {
            if takes(ClientAuthMethod::ClientSecretBasic) && !takes(ClientAuthMethod::ClientSecretPost) {
                ClientAuthMethod::ClientSecretBasic
            } else {
                ClientAuthMethod::ClientSecretPost
            }
        }))
    }

    fn pkce(&self) -> Result<bool, Error> {
        let settings = match self.0.get("connection_settings") {
            None | Some(Value::Null) => return Ok(true),
            Some(Value::Object(settings)) => settings,
            Some(_) => return Err(refuse("Expected type object", "connection_settings")),
        };
        match settings.get("pkce").map(Value::as_str) {
            None | Some(Some("auto" | "S256")) => Ok(true),
            Some(Some("disabled")) => Ok(false),
            Some(_) => Err(refuse("auto, S256 or disabled is needed", "connection_settings.pkce")),
        }
    }

    fn algorithms(&self) -> Result<Vec<SigningAlgorithm>, Error> {
        let name = "id_token_signed_response_algs";
        let all = vec![SigningAlgorithm::Rs256, SigningAlgorithm::Es256];
        let listed = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(all),
            Some(Value::Array(listed)) if !listed.is_empty() => listed,
            Some(_) => return Err(refuse("an array with at least one algorithm is needed", name)),
        };
        let read = |value: &Value| {
            let algorithm = value.as_str().and_then(SigningAlgorithm::parse);
            algorithm.ok_or_else(|| refuse("only RS256 and ES256 are supported", name))
        };
        listed.iter().map(read).collect()
    }
}
