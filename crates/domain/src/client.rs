//! An application's registration, with its back-channel logout settings.
//!
//! Auth0: applications › application settings. Properties that have an effect here are fields; those that a
//! deploy tool must be able to carry without effect are in [`Client::kept`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client_credential::{ClientCredential, CredentialAuthentication};
use crate::id::{ClientCredentialId, ClientId};
use crate::key::SigningAlgorithm;
use crate::limits::{
    ID_TOKEN_SECONDS_DEFAULT, REFRESH_TOKEN_IDLE_SECONDS_DEFAULT, REFRESH_TOKEN_SECONDS_DEFAULT,
};
use crate::logout::LogoutSettings;
use crate::secret::Sealed;
use crate::time::Timestamp;

/// The `client_id` of the dashboard. No client that is made through the API can have it: those are random.
pub const DASHBOARD_CLIENT_ID: &str = "vestibule-dashboard";
/// Identifier of the client that stands for all applications (Auth0: "All Applications"). Nobody signs in with it; what a
/// deploy tool sets for all of them, such as a page of its own for sign-in, is kept there.
pub const GLOBAL_CLIENT_ID: &str = "vestibule-all-applications";

/// How a client proves itself at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// A public client.
    None,
    /// The secret in the body.
    ClientSecretPost,
    /// The secret in the `Authorization` header.
    ClientSecretBasic,
}

impl ClientAuthMethod {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretBasic => "client_secret_basic",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::None, Self::ClientSecretPost, Self::ClientSecretBasic]
            .into_iter()
            .find(|method| method.as_str() == name)
    }
}

/// How a client's refresh tokens behave (Auth0: refresh token rotation).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshTokenSettings {
    /// Whether each use gives a new token and spends the old one.
    pub rotating: bool,
    /// Whether the token expires at all.
    pub expiring: bool,
    /// For how many seconds a spent token is still taken, against lost answers.
    pub leeway_seconds: i64,
    /// Absolute lifetime in seconds.
    pub lifetime_seconds: i64,
    /// Whether the absolute lifetime is ignored.
    pub lifetime_infinite: bool,
    /// Idle lifetime in seconds.
    pub idle_lifetime_seconds: i64,
    /// Whether the idle lifetime is ignored.
    pub idle_lifetime_infinite: bool,
}

impl Default for RefreshTokenSettings {
    fn default() -> Self {
        Self {
            rotating: false,
            expiring: false,
            leeway_seconds: 0,
            lifetime_seconds: REFRESH_TOKEN_SECONDS_DEFAULT,
            lifetime_infinite: true,
            idle_lifetime_seconds: REFRESH_TOKEN_IDLE_SECONDS_DEFAULT,
            idle_lifetime_infinite: true,
        }
    }
}

/// An application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// The `client_id`.
    pub id: ClientId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// `native`, `spa`, `regular_web`, `non_interactive`, …
    #[serde(default)]
    pub app_type: Option<String>,
    /// The secret, sealed; every client has one, public clients and those with `authentication` do not use it.
    pub secret: Sealed,
    /// How the client proves itself; absent means that basic and post are both taken.
    #[serde(default)]
    pub auth_method: Option<ClientAuthMethod>,
    /// How it proves itself with credentials. Where this is there, `auth_method` is not, and no secret counts.
    #[serde(default)]
    pub authentication: Option<CredentialAuthentication>,
    /// Its credentials, the oldest first: at most `CLIENT_CREDENTIALS_MAX`. They are part of the client, so that no other
    /// record has to agree with them.
    #[serde(default)]
    pub credentials: Vec<ClientCredential>,
    /// Redirect URIs, compared exactly (RFC 9700 §2.1).
    #[serde(default)]
    pub callbacks: Vec<String>,
    /// URLs to which a logout may return.
    #[serde(default)]
    pub allowed_logout_urls: Vec<String>,
    /// Origins that may receive a `web_message`.
    #[serde(default)]
    pub web_origins: Vec<String>,
    /// Origins that may call from scripts.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// Grants that the client may use.
    pub grant_types: Vec<String>,
    /// Signature of ID tokens and logout tokens.
    pub signing_algorithm: SigningAlgorithm,
    /// Lifetime of ID tokens in seconds.
    pub id_token_seconds: i64,
    /// How refresh tokens behave.
    #[serde(default)]
    pub refresh_token: RefreshTokenSettings,
    /// Where and when to tell the client of a logout.
    #[serde(default)]
    pub logout: LogoutSettings,
    /// Small strings that Actions see as `event.client.metadata`.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Whether it belongs to the tenant's owner (no consent is asked then).
    #[serde(default = "yes")]
    pub is_first_party: bool,
    /// Whether this is the one that stands for all applications.
    #[serde(default)]
    pub is_global: bool,
    /// Accepted, given back, without effect here.
    #[serde(default)]
    pub kept: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

const fn yes() -> bool {
    true
}

impl Client {
    /// A client as `POST /api/v2/clients` makes it from a name alone.
    pub fn new(id: ClientId, name: &str, secret: Sealed, now: Timestamp) -> Self {
        let grants = ["authorization_code", "implicit", "refresh_token", "client_credentials"];
        Self {
            id,
            name: name.to_owned(),
            description: None,
            app_type: None,
            secret,
            auth_method: None,
            authentication: None,
            credentials: Vec::new(),
            callbacks: Vec::new(),
            allowed_logout_urls: Vec::new(),
            web_origins: Vec::new(),
            allowed_origins: Vec::new(),
            grant_types: grants.map(str::to_owned).to_vec(),
            signing_algorithm: SigningAlgorithm::Rs256,
            id_token_seconds: ID_TOKEN_SECONDS_DEFAULT,
            refresh_token: RefreshTokenSettings::default(),
            logout: LogoutSettings::default(),
            metadata: Map::new(),
            is_first_party: true,
            is_global: false,
            kept: Map::new(),
            created_at: now,
        }
    }

    /// Whether the client may use a grant.
    pub fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|own| own == grant_type)
    }

    /// Whether this is the server's own dashboard, which nobody can change.
    pub fn is_dashboard(&self) -> bool {
        self.id.as_str() == DASHBOARD_CLIENT_ID
    }

    /// One of its credentials.
    pub fn credential(&self, id: &ClientCredentialId) -> Option<&ClientCredential> {
        self.credentials.iter().find(|credential| credential.id == *id)
    }

    /// Whether the client cannot keep a secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.auth_method == Some(ClientAuthMethod::None)
    }
}
