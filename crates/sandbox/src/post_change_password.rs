//! The post-change-password trigger's `event`, as its scripts see it: a user has a new password.
//!
//! Auth0: Actions, post-change-password, event object (v2).

use serde::{Deserialize, Serialize};

use crate::post_login::{Connection, Request, Secrets, Tenant};

/// The function that a post-change-password Action exports.
pub const HANDLER: &str = "onExecutePostChangePassword";

/// Everything that a post-change-password Action is told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Where the user is kept.
    pub connection: Connection,
    /// The HTTP request that changed the password.
    pub request: Request,
    /// The Action's own secrets.
    #[serde(skip_deserializing)]
    pub secrets: Secrets,
    /// The tenant.
    pub tenant: Tenant,
    /// The user with the new password.
    pub user: User,
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
    /// When the password was changed, ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_password_reset: Option<String>,
}
