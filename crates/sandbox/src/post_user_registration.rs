//! The post-user-registration trigger's `event`, as its scripts see it: someone has become a user.
//!
//! Auth0: Actions, post-user-registration, event object (v2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::post_login::{Connection, Request, Secrets, Tenant};

/// The function that a post-user-registration Action exports.
pub const HANDLER: &str = "onExecutePostUserRegistration";

/// Everything that a post-user-registration Action is told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Where the user is kept.
    pub connection: Connection,
    /// The HTTP request; absent where the Management API made the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The Action's own secrets.
    #[serde(skip_deserializing)]
    pub secrets: Secrets,
    /// The tenant.
    pub tenant: Tenant,
    /// The authorization request that led to the sign-up page; absent where the Management API made the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    /// The user as they were made.
    pub user: User,
}

/// `event.transaction`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transaction {
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
}

/// `event.user`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Its id.
    pub user_id: String,
    /// Mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address was proved.
    pub email_verified: bool,
    /// User name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether the phone was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_verified: Option<bool>,
    /// Full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Short name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
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
    /// What the tenant keeps about the user.
    pub app_metadata: Map<String, Value>,
    /// What the user may change.
    pub user_metadata: Map<String, Value>,
}
