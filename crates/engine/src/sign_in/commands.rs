//! What Actions asked for, as data: kept apart from the state that they saw, so that it can be applied to a newer one.

use domain::id::UserId;
use domain::limits::CUSTOM_CLAIMS_BYTES_MAX;
use domain::metadata::{MetadataError, SessionMetadata};
use domain::scope::Scopes;
use domain::session::{AuthenticationMethod, CookieMode, Session};
use domain::tenant::Tenant;
use domain::time::Timestamp;
use domain::token::{RefreshToken, RefreshTokenWishes};
use domain::user::{User, merge_metadata, metadata_fits};
use protocol::error::OAuthErrorCode;
use sandbox::Command;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A change to the session's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum MetadataChange {
    Set { key: String, value: String },
    Delete { key: String },
    Evict,
}

/// What a refresh token is to be like.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RefreshTokenChanges {
    metadata: Vec<MetadataChange>,
    expires_at: Option<Timestamp>,
    idle_expires_at: Option<Timestamp>,
}

/// How the Actions ended the sign-in, where they did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// `api.access.deny`, `api.validation.error`, or a failure.
    Denied {
        description: String,
        /// The OAuth error that the script chose, or that its wish comes to.
        code: Option<String>,
        /// What the user is shown in place of the description.
        user_message: Option<String>,
    },
    /// `api.refreshToken.revoke`.
    RefreshTokenRevoked { reason: String },
    /// `api.session.revoke`.
    Revoked { reason: String, preserve_refresh_tokens: bool },
}

impl Ending {
    /// A plain denial.
    pub(crate) const fn denied(description: String) -> Self {
        Self::Denied { description, code: None, user_message: None }
    }

    /// A redirect where nobody can be sent anywhere (OIDC Core 1.0 §3.1.2.6).
    pub(crate) fn interaction_required() -> Self {
        let code = Some(OAuthErrorCode::InteractionRequired.as_str().to_owned());
        Self::Denied { description: "External interaction required".to_owned(), code, user_message: None }
    }

    /// The OAuth error that the client is told.
    pub(crate) fn oauth_code(&self) -> OAuthErrorCode {
        let named = match self {
            Self::Denied { code: Some(code), .. } => code,
            Self::Denied { .. } | Self::RefreshTokenRevoked { .. } | Self::Revoked { .. } => {
                return OAuthErrorCode::AccessDenied;
            }
        };
        let known = OAuthErrorCode::ALL.iter().find(|known| known.as_str() == named);
        known.copied().unwrap_or(OAuthErrorCode::AccessDenied)
    }
}

/// Everything that the Actions of one run asked for, in order. Stored while a sign-in waits for its browser.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Effects {
    metadata: Vec<MetadataChange>,
    refresh_token: RefreshTokenChanges,
    expires_at: Option<Timestamp>,
    idle_expires_at: Option<Timestamp>,
    cookie_mode: Option<CookieMode>,
    pub(crate) user_metadata: Map<String, Value>,
    pub(crate) app_metadata: Map<String, Value>,
    pub(crate) id_token_claims: Map<String, Value>,
    pub(crate) access_token_claims: Map<String, Value>,
    pub(crate) transaction_metadata: Map<String, Value>,
    scopes: Vec<(bool, String)>,
    methods: Vec<AuthenticationMethod>,
    primary_users: Vec<UserId>,
    /// Where the last Action sends the browser.
    #[serde(skip)]
    pub(crate) redirect: Option<String>,
    #[serde(skip)]
    pub(crate) ending: Option<Ending>,
}

impl Effects {
    /// Takes one command, which was given at a time.
    pub(crate) fn take(&mut self, command: Command, at: Timestamp) {
        match command {
            Command::SetSessionMetadata { key, value } => {
                self.metadata.push(MetadataChange::Set { key, value })
            }
            Command::DeleteSessionMetadata { key } => self.metadata.push(MetadataChange::Delete { key }),
            Command::EvictSessionMetadata => self.metadata.push(MetadataChange::Evict),
            Command::SetRefreshTokenMetadata { key, value } => {
                self.refresh_token.metadata.push(MetadataChange::Set { key, value });
            }
            Command::DeleteRefreshTokenMetadata { key } => {
                self.refresh_token.metadata.push(MetadataChange::Delete { key });
            }
            Command::EvictRefreshTokenMetadata => self.refresh_token.metadata.push(MetadataChange::Evict),
            Command::SetRefreshTokenExpiresAt { at_ms } => {
                earliest(&mut self.refresh_token.expires_at, at_ms);
            }
            Command::SetRefreshTokenIdleExpiresAt { at_ms } => {
                earliest(&mut self.refresh_token.idle_expires_at, at_ms);
            }
            Command::SetSessionExpiresAt { at_ms } => earliest(&mut self.expires_at, at_ms),
            Command::SetSessionIdleExpiresAt { at_ms } => earliest(&mut self.idle_expires_at, at_ms),
            Command::SetSessionCookieMode { mode } => {
                self.cookie_mode = Some(match mode {
                    sandbox::CookieMode::Persistent => CookieMode::Persistent,
                    sandbox::CookieMode::NonPersistent => CookieMode::NonPersistent,
                });
            }
            Command::RevokeSession { reason, preserve_refresh_tokens } => {
                self.ending.get_or_insert(Ending::Revoked { reason, preserve_refresh_tokens });
            }
            Command::DenyAccess { reason } => {
                self.ending.get_or_insert(Ending::denied(reason));
            }
            Command::DenyAccessWithCode { code, reason } => {
                let denied = Ending::Denied { description: reason, code: Some(code), user_message: None };
                self.ending.get_or_insert(denied);
            }
            Command::DenyRegistration { reason, user_message } => {
                let user_message = Some(user_message).filter(|message| !message.is_empty());
                let denied = Ending::Denied { description: reason, code: None, user_message };
                self.ending.get_or_insert(denied);
            }
            Command::RevokeRefreshToken { reason } => {
                self.ending.get_or_insert(Ending::RefreshTokenRevoked { reason });
            }
            Command::ValidationError { code, message } => {
                let description = if message.is_empty() { code } else { message };
                self.ending.get_or_insert(Ending::denied(description));
            }
            Command::SetIdTokenClaim { name, value } => drop(self.id_token_claims.insert(name, value)),
            Command::SetAccessTokenClaim { name, value } => {
                drop(self.access_token_claims.insert(name, value))
            }
            Command::AddScope { scope } => self.scopes.push((true, scope)),
            Command::RemoveScope { scope } => self.scopes.push((false, scope)),
            Command::SetUserMetadata { name, value } => drop(self.user_metadata.insert(name, value)),
            Command::SetAppMetadata { name, value } => drop(self.app_metadata.insert(name, value)),
            Command::SendUserTo { url } => self.redirect = Some(url),
            Command::RecordAuthenticationMethod { name } => {
                self.methods.push(AuthenticationMethod { name, at, factor: None });
            }
            Command::SetPrimaryUser { user_id } => self.primary_users.push(UserId::new(user_id)),
            // Taken by `actions::cache` already: the cache does not wait for a commit.
            Command::SetCache { .. } | Command::DeleteCache { .. } => {}
            Command::SetTransactionMetadata { key, value } => {
                if value.is_null() {
                    self.transaction_metadata.remove(&key);
                } else {
                    self.transaction_metadata.insert(key, value);
                }
            }
        }
    }

    /// Applies what concerns the session to a session: the one that the next Action sees, or the newest one at the
    /// commit. `is_new` tells that its lifetimes are still to be chosen by its cookie.
    ///
    /// # Errors
    /// [`MetadataError`]; the session is then half changed and must be thrown away.
    pub(crate) fn apply_to_session(
        &self,
        session: &mut Session,
        tenant: &Tenant,
        is_new: bool,
        now: Timestamp,
    ) -> Result<(), MetadataError> {
        apply_changes(&self.metadata, &mut session.metadata)?;
        for method in &self.methods {
            session.record_method(method.clone());
        }
        if let Some(mode) = self.cookie_mode {
            session.cookie_mode = mode;
        }
        let lifetimes = tenant.lifetimes(session.cookie_mode);
        let longest = session.created_at.plus_millis(lifetimes.absolute_ms);
        if is_new {
            session.expires_at = longest;
            session.idle_expires_at = now.plus_millis(lifetimes.idle_ms);
        }
        if let Some(at) = self.expires_at {
            session.expires_at = at.min(longest);
        }
        if let Some(at) = self.idle_expires_at {
            session.idle_expires_at = at.min(now.plus_millis(lifetimes.idle_ms));
        }
        session.idle_expires_at = session.idle_expires_at.min(session.expires_at);
        Ok(())
    }

    /// Whose sign-in it is to be, if an Action said so.
    ///
    /// # Errors
    /// Auth0's text where more than one did.
    pub(crate) fn primary_user(&self) -> Result<Option<&UserId>, &'static str> {
        match self.primary_users.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err("The primary user can only be altered once per transaction"),
        }
    }

    /// Applies what concerns the refresh token to one: the one that the next Action sees, or the newest one at the
    /// commit. Lifetimes only get shorter.
    ///
    /// # Errors
    /// [`MetadataError`]; the token is then half changed and must be thrown away.
    pub(crate) fn apply_to_refresh_token(&self, token: &mut RefreshToken) -> Result<(), MetadataError> {
        apply_changes(&self.refresh_token.metadata, &mut token.metadata)?;
        token.shorten(self.refresh_token.expires_at, self.refresh_token.idle_expires_at);
        Ok(())
    }

    /// What the refresh token that this sign-in may lead to is to be like.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub(crate) fn refresh_token_wishes(&self) -> Result<RefreshTokenWishes, MetadataError> {
        let mut metadata = SessionMetadata::default();
        apply_changes(&self.refresh_token.metadata, &mut metadata)?;
        let RefreshTokenChanges { expires_at, idle_expires_at, .. } = &self.refresh_token;
        Ok(RefreshTokenWishes { metadata, expires_at: *expires_at, idle_expires_at: *idle_expires_at })
    }

    /// Warnings about lifetimes that were cut to what the tenant allows.
    pub(crate) fn warnings(&self, session: &Session, tenant: &Tenant, now: Timestamp) -> Vec<String> {
        let lifetimes = tenant.lifetimes(session.cookie_mode);
        let cut = |asked: Option<Timestamp>, longest: Timestamp, what: &str| {
            asked.filter(|asked| *asked > longest).map(|asked| {
                format!(
                    "The {what} {asked} set by an Action exceeds the tenant's limit and was set to {longest}"
                )
            })
        };
        let absolute = session.created_at.plus_millis(lifetimes.absolute_ms);
        let idle = now.plus_millis(lifetimes.idle_ms);
        [
            cut(self.expires_at, absolute, "session expiration"),
            cut(self.idle_expires_at, idle, "session idle expiration"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Applies what concerns the user's metadata. Answers false, and leaves the user as they were, where it grows
    /// too large.
    pub(crate) fn apply_to_user(&self, user: &mut User) -> bool {
        let (mut own, mut app) = (user.user_metadata.clone(), user.app_metadata.clone());
        merge_metadata(&mut own, self.user_metadata.clone());
        merge_metadata(&mut app, self.app_metadata.clone());
        if !metadata_fits(&own) || !metadata_fits(&app) {
            return false;
        }
        (user.user_metadata, user.app_metadata) = (own, app);
        true
    }

    /// Whether each token's custom claims are within their limit.
    pub(crate) fn claims_fit(&self) -> bool {
        let fits = |claims: &Map<String, Value>| {
            serde_json::to_vec(claims).is_ok_and(|bytes| bytes.len() <= CUSTOM_CLAIMS_BYTES_MAX)
        };
        fits(&self.id_token_claims) && fits(&self.access_token_claims)
    }

    /// Whether the user's metadata changes.
    pub(crate) fn touches_user(&self) -> bool {
        !self.user_metadata.is_empty() || !self.app_metadata.is_empty()
    }

    /// The scopes of the access token after the Actions' additions and removals.
    pub(crate) fn scopes(&self, granted: &Scopes) -> Scopes {
        let mut scopes = granted.clone();
        for (add, scope) in &self.scopes {
            if *add {
                scopes.add(scope);
            } else {
                scopes.remove(scope);
            }
        }
        scopes
    }
}

fn apply_changes(changes: &[MetadataChange], metadata: &mut SessionMetadata) -> Result<(), MetadataError> {
    for change in changes {
        match change {
            MetadataChange::Set { key, value } => metadata.set(key, value)?,
            MetadataChange::Delete { key } => metadata.delete(key),
            MetadataChange::Evict => metadata.evict(),
        }
    }
    Ok(())
}

fn earliest(known: &mut Option<Timestamp>, at_ms: i64) {
    let at = Timestamp(at_ms);
    *known = Some(known.map_or(at, |known| known.min(at)));
}
