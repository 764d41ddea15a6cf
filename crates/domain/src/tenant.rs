//! Tenant settings.
//!
//! Auth0: get started › tenant settings.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::UserId;
use crate::limits::{SESSION_HOURS_MAX, SESSION_IDLE_HOURS_MAX};
use crate::session::{CookieMode, Lifetimes};
use crate::time::{hours, minutes};

/// Settings that have an effect are fields; the others are [`Tenant::kept`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    /// What people call it.
    #[serde(default)]
    pub friendly_name: Option<String>,
    /// URL of a logo for the pages.
    #[serde(default)]
    pub picture_url: Option<String>,
    /// Whom users may write to.
    #[serde(default)]
    pub support_email: Option<String>,
    /// Where users find help.
    #[serde(default)]
    pub support_url: Option<String>,
    /// The API of tokens that name none.
    #[serde(default)]
    pub default_audience: Option<String>,
    /// The connection that tokens by password use.
    #[serde(default)]
    pub default_directory: Option<String>,
    /// Where a page that lost its context sends the user.
    #[serde(default)]
    pub default_redirection_uri: Option<String>,
    /// URLs to which any client's logout may return.
    #[serde(default)]
    pub allowed_logout_urls: Vec<String>,
    /// Absolute session lifetime in minutes.
    pub session_minutes: i64,
    /// Idle session lifetime in minutes.
    pub idle_session_minutes: i64,
    /// Absolute lifetime of sessions with a non-persistent cookie, in minutes.
    pub ephemeral_session_minutes: i64,
    /// Idle lifetime of sessions with a non-persistent cookie, in minutes.
    pub idle_ephemeral_session_minutes: i64,
    /// Whether browsers keep the cookie.
    #[serde(default)]
    pub cookie_mode: CookieMode,
    /// Whether `/oidc/logout` asks the user first where neither hint is given.
    #[serde(default = "yes")]
    pub logout_prompt_enabled: bool,
    /// Whether discovery names the end-session endpoint.
    #[serde(default = "yes")]
    pub logout_endpoint_discovery: bool,
    /// Whether logout events in the log carry the session's metadata.
    #[serde(default)]
    pub include_session_metadata_in_logs: bool,
    /// Whether clients can watch the session from a frame (OIDC Session Management 1.0).
    #[serde(default)]
    pub session_management: bool,
    /// Who may use the dashboard. No request changes it.
    #[serde(default)]
    pub administrators: Vec<UserId>,
    /// Accepted, given back, without effect here.
    #[serde(default)]
    pub kept: Map<String, Value>,
}

const fn yes() -> bool {
    true
}

impl Default for Tenant {
    fn default() -> Self {
        Self {
            friendly_name: None,
            picture_url: None,
            support_email: None,
            support_url: None,
            default_audience: None,
            default_directory: None,
            default_redirection_uri: None,
            allowed_logout_urls: Vec::new(),
            session_minutes: 168 * 60,
            idle_session_minutes: 72 * 60,
            ephemeral_session_minutes: 72 * 60,
            idle_ephemeral_session_minutes: 24 * 60,
            cookie_mode: CookieMode::Persistent,
            logout_prompt_enabled: true,
            logout_endpoint_discovery: true,
            include_session_metadata_in_logs: false,
            session_management: false,
            administrators: Vec::new(),
            kept: Map::new(),
        }
    }
}

impl Tenant {
    /// How long a session with such a cookie lives. Settings past the limits are capped, not refused
    /// (Auth0: session lifetime limits).
    pub fn lifetimes(&self, mode: CookieMode) -> Lifetimes {
        let (absolute, idle) = match mode {
            CookieMode::Persistent => (self.session_minutes, self.idle_session_minutes),
            CookieMode::NonPersistent => {
                (self.ephemeral_session_minutes, self.idle_ephemeral_session_minutes)
            }
        };
        let absolute_ms = minutes(absolute).min(hours(SESSION_HOURS_MAX));
        Lifetimes { absolute_ms, idle_ms: minutes(idle).min(hours(SESSION_IDLE_HOURS_MAX)).min(absolute_ms) }
    }
}

#[cfg(test)]
mod tests {
    use super::Tenant;
    use crate::session::CookieMode;
    use crate::time::hours;

    #[test]
    fn lifetimes_default_to_a_week_and_three_days_and_are_capped() {
        let mut tenant = Tenant::default();
        let lifetimes = tenant.lifetimes(CookieMode::Persistent);
        assert_eq!((lifetimes.absolute_ms, lifetimes.idle_ms), (hours(168), hours(72)));
        tenant.session_minutes = i64::MAX;
        tenant.idle_session_minutes = i64::MAX;
        let lifetimes = tenant.lifetimes(CookieMode::Persistent);
        assert_eq!((lifetimes.absolute_ms, lifetimes.idle_ms), (hours(365 * 24), hours(100 * 24)));
    }
}
