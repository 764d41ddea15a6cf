//! A client sends the user to log out: what it asks for, and what to do about it.
//!
//! Spec: OIDC RP-Initiated Logout 1.0 §2, §3 and §4. Auth0: `/oidc/logout`; `/v2/logout` is in [`v2`].
//!
//! The engine verifies the hint ([`Hint::read`]), loads the client ([`Request::client_id`]) and the browser's session,
//! and then [`decide`]s. Nothing is redirected to a URL that neither the client nor the tenant has registered.

pub mod v2;

use domain::client::Client;
use domain::id::SessionId;
use domain::limits::STATE_BYTES_MAX;
use domain::redact::without_values;
use domain::sign_in::ResponseMode;
use serde_json::{Map, Value};

use crate::error::OAuthError;
use crate::jose::{Expect, JoseError, KeySet};
use crate::params::Params;
use crate::respond::redirect_location;

/// What the client asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// An ID token that was given to the client, possibly expired.
    pub id_token_hint: Option<String>,
    /// The `sid` of the session that should end (Auth0's reading of this parameter).
    pub logout_hint: Option<String>,
    /// Who asks.
    pub client_id: Option<String>,
    /// Where the browser should go after it.
    pub post_logout_redirect_uri: Option<String>,
    /// Given back at that place.
    pub state: Option<String>,
    /// Whether the upstream provider's session should end too.
    pub federated: bool,
    /// Languages that the user prefers.
    pub ui_locales: Vec<String>,
}

const NAMES: [&str; 7] = [
    "id_token_hint",
    "logout_hint",
    "client_id",
    "post_logout_redirect_uri",
    "state",
    "federated",
    "ui_locales",
];

impl Request {
    /// Reads decoded pairs of a query or a form.
    ///
    /// # Errors
    /// `invalid_request` where a parameter repeats or `state` is longer than [`STATE_BYTES_MAX`].
    pub fn parse(pairs: Vec<(String, String)>) -> Result<Self, OAuthError> {
        let params = Params::parse(pairs);
        params.check_once(&NAMES)?;
        let text = |name: &str| params.get(name).map(str::to_owned);
        let state = text("state");
        if state.as_ref().is_some_and(|state| state.len() > STATE_BYTES_MAX) {
            return Err(OAuthError::invalid(format!("state must be at most {STATE_BYTES_MAX} bytes long")));
        }
        let locales = params.get("ui_locales").unwrap_or_default();
        Ok(Self {
            id_token_hint: text("id_token_hint"),
            logout_hint: text("logout_hint"),
            client_id: text("client_id"),
            post_logout_redirect_uri: text("post_logout_redirect_uri"),
            state,
            federated: is_federated(&params),
            ui_locales: locales.split_ascii_whitespace().map(str::to_owned).collect(),
        })
    }

    /// The client to look up: the one named, else the one that the hint was given to.
    pub fn client_id<'a>(&'a self, hint: Option<&'a Hint>) -> Option<&'a str> {
        self.client_id.as_deref().or_else(|| hint.and_then(|hint| hint.audiences.first()).map(String::as_str))
    }
}

/// `federated` counts by being there, with or without a value, unless it says `false`.
fn is_federated(params: &Params) -> bool {
    params.pairs().iter().any(|(name, value)| name == "federated" && value != "false")
}

/// What a verified `id_token_hint` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Clients that it was given to.
    pub audiences: Vec<String>,
    /// Whose session it was.
    pub sub: Option<String>,
    /// Which session it was.
    pub sid: Option<String>,
}

impl Hint {
    /// Verifies an `id_token_hint`: our signature and issuer; it may have expired (RP-Initiated Logout 1.0 §2).
    ///
    /// # Errors
    /// `invalid_request`; the log learns why.
    pub fn read(
        keys: &KeySet,
        token: &str,
        issuer: &str,
        now: domain::time::Timestamp,
    ) -> Result<Self, OAuthError> {
        let refuse = |error: JoseError| {
            OAuthError::invalid("id_token_hint is not an ID token of this server")
                .with_debug(error.to_string())
        };
        let token = keys.verify(token).map_err(refuse)?;
        let expect =
            Expect { issuer, audience: None, now, leeway_s: 0, typ: Some(&["JWT"]), ignore_expiry: true };
        expect.check(&token).map_err(refuse)?;
        // Access tokens are signed with the same keys; what marks one is `scope`, `azp`, `gty` or `client_id`.
        if ["scope", "azp", "gty", "client_id", "events"].iter().any(|name| token.claims.contains_key(*name))
        {
            return Err(refuse(JoseError::Type));
        }
        Ok(Self::from_claims(&token.claims))
    }

    fn from_claims(claims: &Map<String, Value>) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let audiences = crate::jose::audiences(claims).unwrap_or_default();
        Self {
            audiences: audiences.into_iter().map(str::to_owned).collect(),
            sub: text("sub"),
            sid: text("sid"),
        }
    }
}

/// What is known when the decision is made.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The verified hint.
    pub hint: Option<&'a Hint>,
    /// The client that [`Request::client_id`] names, if it exists.
    pub client: Option<&'a Client>,
    /// The session that the browser's cookie holds.
    pub session_id: Option<&'a SessionId>,
    /// URLs to which any client's logout may return.
    pub tenant_logout_urls: &'a [String],
    /// Whether the user is asked where the request does not prove what it is about.
    pub prompt_enabled: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Ask the user on a page; if they agree, do as for [`Decision::End`].
    Confirm {
        /// Where the browser goes afterwards; `None`: a page of ours.
        redirect: Option<String>,
    },
    /// End the browser's session, if it has one.
    End {
        /// Where the browser goes afterwards; `None`: a page of ours.
        redirect: Option<String>,
    },
    /// Show this on a page; nothing ends and nothing is redirected.
    Error(OAuthError),
}

/// Decides what becomes of a logout request.
pub fn decide(request: &Request, facts: &Facts<'_>) -> Decision {
    let redirect = match check(request, facts) {
        Ok(redirect) => redirect,
        Err(error) => return Decision::Error(error),
    };
    let Some(session_id) = facts.session_id else { return Decision::End { redirect } };
    let hinted = facts.hint.and_then(|hint| hint.sid.as_deref()).or(request.logout_hint.as_deref());
    let is_about_this_session = hinted == Some(session_id.as_str());
    if is_about_this_session || !facts.prompt_enabled {
        Decision::End { redirect }
    } else {
        Decision::Confirm { redirect }
    }
}

fn check(request: &Request, facts: &Facts<'_>) -> Result<Option<String>, OAuthError> {
    let asked_for = request.client_id(facts.hint);
    if asked_for.is_some() && facts.client.map(|client| client.id.as_str()) != asked_for {
        return Err(OAuthError::invalid("Unknown client").with_debug(format!("client_id {asked_for:?}")));
    }
    if let (Some(hint), Some(client_id)) = (facts.hint, &request.client_id)
        && !hint.audiences.contains(client_id)
    {
        return Err(OAuthError::invalid("id_token_hint was given to another client"));
    }
    let hinted_sid = facts.hint.and_then(|hint| hint.sid.as_deref());
    if let (Some(sid), Some(logout_hint)) = (hinted_sid, request.logout_hint.as_deref())
        && sid != logout_hint
    {
        return Err(OAuthError::invalid("logout_hint and id_token_hint are about different sessions"));
    }
    let Some(uri) = &request.post_logout_redirect_uri else { return Ok(None) };
    let allowed = facts.client.map_or(facts.tenant_logout_urls, |client| &client.allowed_logout_urls);
    if !allowed.contains(uri) {
        return Err(OAuthError::invalid(
            "The post_logout_redirect_uri parameter is not in the list of allowed logout URLs.",
        )
        .with_debug(format!("post_logout_redirect_uri {:?}", without_values(uri))));
    }
    let state: Vec<_> = request.state.as_deref().map(|state| ("state", state)).into_iter().collect();
    Ok(Some(redirect_location(uri, ResponseMode::Query, &state)))
}

#[cfg(test)]
mod tests;
