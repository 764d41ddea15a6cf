//! The credentials-exchange trigger's `event`, as its scripts see it: a client asks for a token on its own behalf.
//!
//! Auth0: Actions, credentials-exchange, event object (v2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::post_login::{Client, Organization, Request, ResourceServer, Secrets, Tenant};

/// The function that a credentials-exchange Action exports.
pub const HANDLER: &str = "onExecuteCredentialsExchange";

/// Everything that a credentials-exchange Action is told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// The token as it is to be.
    #[serde(rename = "accessToken")]
    pub access_token: AccessToken,
    /// The application that asked.
    pub client: Client,
    /// The organization that the token is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    /// The HTTP request.
    pub request: Request,
    /// The API that the token is for.
    pub resource_server: ResourceServer,
    /// The Action's own secrets.
    #[serde(skip_deserializing)]
    pub secrets: Secrets,
    /// The tenant.
    pub tenant: Tenant,
    /// The request for the token.
    pub transaction: Transaction,
}

/// `event.accessToken`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessToken {
    /// What earlier Actions of this exchange set.
    #[serde(rename = "customClaims")]
    pub custom_claims: Map<String, Value>,
    /// What the token allows.
    pub scope: Vec<String>,
}

/// `event.transaction`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transaction {
    /// What the client asked for.
    pub requested_scopes: Vec<String>,
}
