//! A sign-in under way: what the client asked for, and what the browser has proved so far.

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, SignInId};
use crate::scope::Scopes;
use crate::time::Timestamp;

/// How the answer travels to the client (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the redirect URI's query.
    #[default]
    Query,
    /// In its fragment.
    Fragment,
    /// Posted by a form.
    FormPost,
}

impl ResponseMode {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Query, Self::Fragment, Self::FormPost].into_iter().find(|mode| mode.as_str() == name)
    }
}

/// What the client wants to happen between the user and the pages (OIDC Core 1.0 §3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Show nothing; fail where something would have to be shown.
    None,
    /// Ask for the password even where a session exists.
    Login,
    /// Ask for consent.
    Consent,
    /// Let the user choose an account; here: ask for the password.
    SelectAccount,
}

impl Prompt {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::None, Self::Login, Self::Consent, Self::SelectAccount]
            .into_iter()
            .find(|prompt| prompt.as_str() == name)
    }
}

/// An authorization request that passed every check: the client exists and the redirect URI is one of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes; verified.
    pub redirect_uri: String,
    /// How the answer travels.
    pub response_mode: ResponseMode,
    /// What is asked for.
    pub scopes: Scopes,
    /// For which API.
    #[serde(default)]
    pub audience: Option<String>,
    /// Given back untouched.
    #[serde(default)]
    pub state: Option<String>,
    /// Put into the ID token.
    #[serde(default)]
    pub nonce: Option<String>,
    /// What the pages should do.
    #[serde(default)]
    pub prompts: Vec<Prompt>,
    /// How old the user's proof may be, in seconds.
    #[serde(default)]
    pub max_age_seconds: Option<i64>,
    /// Whom the client expects.
    #[serde(default)]
    pub login_hint: Option<String>,
    /// `signup` opens the sign-up page first (Auth0: Universal Login).
    #[serde(default)]
    pub screen_hint: Option<String>,
    /// The connection that the client wants used.
    #[serde(default)]
    pub connection: Option<String>,
    /// The organization (its identifier or name) that the user should sign in to.
    #[serde(default)]
    pub organization: Option<String>,
    /// The ticket of an invitation to that organization (Auth0: invite members).
    #[serde(default)]
    pub invitation: Option<String>,
    /// Languages that the user prefers.
    #[serde(default)]
    pub ui_locales: Vec<String>,
    /// Authentication context classes asked for.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// The S256 challenge.
    #[serde(default)]
    pub code_challenge: Option<String>,
    /// Every parameter as it came, for Actions (`event.request.query`).
    #[serde(default)]
    pub query: Vec<(String, String)>,
}

impl AuthorizationRequest {
    /// Whether a prompt was asked for.
    pub fn asks(&self, prompt: Prompt) -> bool {
        self.prompts.contains(&prompt)
    }
}

/// A sign-in that waits for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The record; `state` in the pages' URLs.
    pub id: SignInId,
    /// SHA-256 of the secret in the browser's cookie, hexadecimal: only this browser may go on.
    pub browser_hash: String,
    /// What was asked for.
    pub request: AuthorizationRequest,
    /// Failed tries so far.
    #[serde(default)]
    pub attempts: u32,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
}
