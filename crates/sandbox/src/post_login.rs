//! The post-login trigger's `event`, as its scripts see it.
//!
//! Auth0: Actions, post-login, event object (v3). Dates are ISO 8601 strings, as there. A value that is undefined
//! for Auth0's scripts is `None` here and absent in theirs, never null.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The function that a post-login Action exports.
pub const HANDLER: &str = "onExecutePostLogin";
/// The function that an Action exports which sends the browser away: called when it comes back.
pub const CONTINUE_HANDLER: &str = "onContinuePostLogin";

/// Everything a post-login Action is told about the transaction it runs in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// How the user proved who they are in this session.
    pub authentication: Authentication,
    /// What the user may do.
    pub authorization: Authorization,
    /// The application that asked.
    pub client: Client,
    /// Values of the Action's configuration.
    pub configuration: Map<String, Value>,
    /// Where the user comes from.
    pub connection: Connection,
    /// The organization that the user signs in to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    /// The refresh token that is exchanged, in that flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<RefreshToken>,
    /// The HTTP request.
    pub request: Request,
    /// The API that the access token is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_server: Option<ResourceServer>,
    /// The Action's own secrets.
    #[serde(skip_deserializing)]
    pub secrets: Secrets,
    /// The browser's session; absent in flows without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// Counters.
    pub stats: Stats,
    /// The tenant.
    pub tenant: Tenant,
    /// The authorization request.
    pub transaction: Transaction,
    /// The user.
    pub user: User,
}

/// `event.authentication`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Authentication {
    /// In order of completion.
    pub methods: Vec<AuthenticationMethod>,
}

/// One of `event.authentication.methods`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthenticationMethod {
    /// Such as `pwd`, `federated`, `mfa`.
    pub name: String,
    /// When, ISO 8601.
    pub timestamp: String,
    /// The factor, for `mfa`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// `event.authorization`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Authorization {
    /// Names of the user's roles.
    pub roles: Vec<String>,
}

/// `event.client`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    /// Its id.
    pub client_id: String,
    /// Its display name.
    pub name: String,
    /// The client's own metadata.
    pub metadata: BTreeMap<String, String>,
}

/// `event.connection`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Such as `auth0` for a database.
    pub strategy: String,
    /// The connection's own metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// `event.organization`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What people are shown.
    pub display_name: String,
    /// The organization's own metadata.
    pub metadata: BTreeMap<String, String>,
}

/// `event.request`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Address of the caller.
    pub ip: String,
    /// HTTP method.
    pub method: String,
    /// Query parameters.
    pub query: Map<String, Value>,
    /// Body parameters.
    pub body: Map<String, Value>,
    /// Host name that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Preferred language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Where the address is; empty if unknown.
    pub geoip: Geoip,
}

/// `event.request.geoip`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[serde(rename_all = "camelCase")]
pub struct Geoip {
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city_name: Option<String>,
    /// Two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continent_code: Option<String>,
    /// Two letters, ISO 3166.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_code: Option<String>,
    /// Three letters, ISO 3166.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_code3: Option<String>,
    /// Country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_name: Option<String>,
    /// Degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// State or province, short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdivision_code: Option<String>,
    /// State or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdivision_name: Option<String>,
    /// IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// `event.resource_server`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceServer {
    /// The audience.
    pub identifier: String,
}

/// `event.session`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// ISO 8601.
    pub created_at: String,
    /// ISO 8601.
    pub updated_at: String,
    /// ISO 8601.
    pub authenticated_at: String,
    /// ISO 8601.
    pub idle_expires_at: String,
    /// ISO 8601.
    pub expires_at: String,
    /// ISO 8601.
    pub last_interacted_at: String,
    /// Applications that this session signed in to.
    pub clients: Vec<SessionClient>,
    /// What the session was made on and last seen on.
    pub device: Device,
    /// How its cookie lives.
    pub cookie: Cookie,
    /// Its metadata at the start of this Action.
    pub metadata: BTreeMap<String, String>,
    /// Ours: true where the browser's session vouched for the user, and nobody proved anything in this transaction.
    pub reused: bool,
}

/// One of `event.session.clients`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionClient {
    /// Its id.
    pub client_id: String,
}

/// `event.session.device` and `event.refresh_token.device`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// First address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_ip: Option<String>,
    /// First network number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_asn: Option<String>,
    /// First user agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_user_agent: Option<String>,
    /// Latest address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_ip: Option<String>,
    /// Latest network number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_asn: Option<String>,
    /// Latest user agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_user_agent: Option<String>,
}

/// `event.session.cookie`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cookie {
    /// `persistent` or `non-persistent`.
    pub mode: String,
}

/// `event.stats`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// Sign-ins of this user, with this one.
    pub logins_count: u64,
}

/// `event.tenant`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tenant {
    /// Its name.
    pub id: String,
}

/// `event.transaction`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transaction {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Requested assurance.
    pub acr_values: Vec<String>,
    /// The language of the pages.
    pub locale: String,
    /// Requested user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// Requested prompts.
    pub prompt: Vec<String>,
    /// Such as `oidc-basic-profile`.
    pub protocol: String,
    /// Where the answer goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// Details of what is to be authorized (RFC 9396); always empty.
    pub requested_authorization_details: Vec<Value>,
    /// Requested scopes.
    pub requested_scopes: Vec<String>,
    /// How the answer goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_mode: Option<String>,
    /// What the answer holds.
    pub response_type: Vec<String>,
    /// The client's `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Requested languages.
    pub ui_locales: Vec<String>,
    /// What earlier Actions of this transaction left.
    pub metadata: Map<String, Value>,
}

/// `event.refresh_token`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RefreshToken {
    /// Its id.
    pub id: String,
    /// Whose application.
    pub client_id: String,
    /// Whose it is.
    pub user_id: String,
    /// ISO 8601.
    pub created_at: String,
    /// ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_expires_at: Option<String>,
    /// ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_exchanged_at: Option<String>,
    /// Whether each exchange gives a new one.
    pub rotating: bool,
    /// What it is for.
    pub resource_servers: Vec<RefreshTokenResourceServer>,
    /// The session that it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What it was made on and last used on.
    pub device: Device,
    /// Its metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// `offline`: it outlives its session.
    pub access: String,
}

/// One of `event.refresh_token.resource_servers`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RefreshTokenResourceServer {
    /// The API.
    pub audience: String,
    /// Space-separated.
    pub scopes: String,
}

/// `event.user`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Its id.
    pub user_id: String,
    /// Full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Short name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address was proved.
    pub email_verified: bool,
    /// Phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether the phone was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_verified: Option<bool>,
    /// User name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// First name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// ISO 8601.
    pub created_at: String,
    /// ISO 8601.
    pub updated_at: String,
    /// ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_password_reset: Option<String>,
    /// What the tenant keeps about the user.
    pub app_metadata: Map<String, Value>,
    /// What the user may change.
    pub user_metadata: Map<String, Value>,
    /// Accounts behind this user.
    pub identities: Vec<Identity>,
    /// Factors, older spelling.
    pub multifactor: Vec<String>,
    /// Factors.
    #[serde(rename = "enrolledFactors")]
    pub enrolled_factors: Vec<Value>,
}

/// One of `event.user.identities`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// Its connection's name.
    pub connection: String,
    /// Its provider.
    pub provider: String,
    /// Its id there.
    pub user_id: String,
    /// Whether a social provider.
    #[serde(rename = "isSocial")]
    pub is_social: bool,
    /// What the provider told.
    #[serde(rename = "profileData", skip_serializing_if = "Option::is_none")]
    pub profile_data: Option<Map<String, Value>>,
}

/// `event.secrets`: readable by the Action, never printed by us.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secrets(BTreeMap<String, String>);

impl From<BTreeMap<String, String>> for Secrets {
    fn from(secrets: BTreeMap<String, String>) -> Self {
        Self(secrets)
    }
}

impl Secrets {
    /// Their values, to be left out of what is written down.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secrets({} values)", self.0.len())
    }
}
