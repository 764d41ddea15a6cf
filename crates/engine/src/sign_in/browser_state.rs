//! The cookies that a browser leaves a sign-in with, and the `session_state` that its client may compare with them.
//!
//! Spec: OIDC Session Management 1.0 §3.2. The browser's state is derived from the session's cookie: it needs no record,
//! it changes whenever the cookie does, and nobody can go back from it to the cookie.

use domain::session::{CookieMode, Session};
use domain::time::Timestamp;
use protocol::session_state::session_state;

use super::{CookieChange, Origin, Working, hash};

impl Working {
    /// The cookie that the browser gets at the end.
    pub(super) fn cookie(&self, session: &Session, now: Timestamp) -> CookieChange {
        let browser_state = self.browser_state(session);
        let changes_mode = session.cookie_mode != self.session.cookie_mode;
        if matches!(self.origin, Origin::Reused { .. }) && !changes_mode && browser_state.is_none() {
            return CookieChange::Keep;
        }
        let max_age_seconds = match session.cookie_mode {
            CookieMode::Persistent => Some(session.expires_at.millis_since(now) / 1000),
            CookieMode::NonPersistent => None,
        };
        CookieChange::Set { value: self.cookie_value(session), max_age_seconds, browser_state }
    }

    /// What the client may watch the session by, if the tenant lets clients do so.
    pub(super) fn session_state(&self, session: &Session, salt: &str) -> Option<String> {
        let state = self.browser_state(session)?;
        session_state(self.client.id.as_str(), &self.request.redirect_uri, &state, salt)
    }

    fn browser_state(&self, session: &Session) -> Option<String> {
        let derive = || hash(&format!("browser state {}", self.cookie_value(session)));
        self.tenant.session_management.then(derive)
    }

    fn cookie_value(&self, session: &Session) -> String {
        match &self.origin {
            Origin::New { cookie_secret, .. }
            | Origin::Renewed { cookie_secret }
            | Origin::Switched { cookie_secret, .. } => format!("{}.{cookie_secret}", session.id),
            Origin::Reused { cookie } => cookie.clone(),
        }
    }
}
