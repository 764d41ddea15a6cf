//! The pre-user-registration trigger's `event`, as its scripts see it: someone is about to become a user.
//!
//! Auth0: Actions, pre-user-registration, event object (v2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::post_login::{Client, Connection, Request, Secrets, Tenant};

/// The function that a pre-user-registration Action exports.
pub const HANDLER: &str = "onExecutePreUserRegistration";

/// Everything that a pre-user-registration Action is told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// The application that the user signs up for; absent where the Management API makes the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    /// Where the user will be kept.
    pub connection: Connection,
    /// The HTTP request.
    pub request: Request,
    /// The Action's own secrets.
    #[serde(skip_deserializing)]
    pub secrets: Secrets,
    /// The tenant.
    pub tenant: Tenant,
    /// The user as they are to be.
    pub user: User,
}

/// `event.user`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// User name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
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
    /// What the tenant keeps about the user.
    pub app_metadata: Map<String, Value>,
    /// What the user may change.
    pub user_metadata: Map<String, Value>,
}
