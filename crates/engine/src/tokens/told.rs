//! What the log tells of tokens: which access token was given, which refresh token of which session is meant.
//!
//! Auth0: tenant log schema, `seacft`, `seccft`, `sertft`, `ferrt`, `srrt`. Identifiers only; no token, and no hash of
//! one.

use domain::event::EventKind;
use domain::token::RefreshToken;
use serde_json::{Value, json};

use crate::audit::EventDraft;
use crate::{Engine, RequestFacts};

/// `refresh_token` of an event. Every refresh token here is good while nobody is there.
pub(super) fn refresh_token(session_id: Option<&str>) -> Value {
    let mut told = json!({ "access": "offline" });
    if let Some(id) = session_id {
        told["session_id"] = json!(id);
    }
    told
}

/// `details` of a failed exchange: what the client was told, and what only the log is.
pub(super) fn failure(code: &str, description: &str, debug: Option<&str>) -> Value {
    let mut details = json!({ "error": { "oauthError": code, "message": description } });
    if let Some(debug) = debug {
        details["debug"] = json!(debug);
    }
    details
}

impl Engine {
    /// Begins the event that a refresh token was revoked (`srrt`).
    pub(crate) fn refresh_token_revoked(&self, token: &RefreshToken, facts: &RequestFacts) -> EventDraft {
        let grant = &token.grant;
        let session_id = grant.session_id.as_ref().map(|id| id.as_str());
        let mut details = json!({ "credential_id": token.id, "refresh_token": refresh_token(session_id) });
        if let Some(audience) = &grant.audience {
            details["audience"] = json!(audience);
        }
        let event = self
            .event(EventKind::RefreshRevoked, facts)
            .client_id(Some(grant.client_id.as_str()))
            .user_id(grant.user_id.as_str())
            .details(details);
        match session_id {
            Some(id) => event.session_id(id),
            None => event,
        }
    }
}
