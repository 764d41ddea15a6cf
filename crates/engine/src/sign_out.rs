//! Ends a session: revoke what is bound to it, queue what its clients must be told, record it. One commit.
//!
//! Spec: OIDC RP-Initiated Logout 1.0, OIDC Back-Channel Logout 1.0 §2.3 (who is told). All that a user has, at once, is
//! in [`everything`]; whom the browser itself tells, in [`front_channel`].

mod everything;
mod front_channel;

use domain::client::Client;
use domain::event::EventKind;
use domain::limits::{LOG_URLS_MAX, LOGOUT_CLIENTS_LOOKED_AT_MAX, SESSION_CLIENTS_MAX};
use domain::logout::Initiator;
use domain::logout_delivery::EndedSession;
use domain::redact::without_values;
use domain::session::Session;
use domain::tenant::Tenant;
use domain::token::RefreshToken;
use protocol::end_session::{self, Decision, Hint, v2};
use serde_json::json;
use store::{Key, NewOutboxEntry, Order, Tx};

use crate::sign_in::CookieChange;
use crate::{Engine, Error, RequestFacts};

/// The kind of outbox entry that holds an [`EndedSession`].
pub(crate) const OUTBOX_LOGOUT: &str = "backchannel_logout";

/// Refresh tokens of one session that one commit revokes; where there are more, the session ends in a later commit.
const REFRESH_TOKENS_PER_COMMIT_MAX: usize = 200;
/// Rows after which a commit that ends sessions takes no further one. A commit has room for 8192: this, the costliest
/// session, and what else belongs to the change fit together.
pub(crate) const ROWS_PER_COMMIT_MAX: usize = 800;
/// Rows that the end of a session costs: itself, its index entries, two log events, and what its clients must be told.
const ROWS_PER_SESSION: usize = 21;
/// Rows that a revoked refresh token costs, with its index entries.
const ROWS_PER_REFRESH_TOKEN: usize = 5;

const _: () = assert!(
    ROWS_PER_COMMIT_MAX + ROWS_PER_SESSION + ROWS_PER_REFRESH_TOKEN * REFRESH_TOKENS_PER_COMMIT_MAX
        < store::limits::BATCH_ROWS_MAX - 800,
    "any session can be ended, beside the records of a user that go in the same commit"
);

/// What happens to the refresh tokens that are bound to a session when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundTokens {
    /// They stay good (Auth0: deleting a session, signing out).
    Keep,
    /// They are revoked with it.
    Revoke,
}

/// How far the end of a session came within one unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum SessionEnd {
    /// It ends with this commit, which is so many rows larger by it.
    Ended { rows: usize },
    /// It has more refresh tokens than one commit revokes. Some go with this commit; the session goes in a later one.
    TokensLeft,
}

impl Engine {
    /// Ends a session that this unit of work has read. Each client of it that wants to hear of `initiator` will be told,
    /// with the metadata as it is now.
    ///
    /// With [`BoundTokens::Keep`] it always ends. One that had run out before ends as expired, whoever finds it.
    pub(crate) async fn end_session(
        &self,
        tx: &mut Tx,
        session: &Session,
        initiator: Initiator,
        tokens: BoundTokens,
        facts: &RequestFacts,
    ) -> Result<SessionEnd, Error> {
        let initiator = if session.is_live(self.now()) { initiator } else { Initiator::SessionExpired };
        let mut rows = ROWS_PER_SESSION;
        if tokens == BoundTokens::Revoke {
            let bound = tx
                .page::<RefreshToken>(
                    Some("session"),
                    &Key::of(&session.id),
                    None,
                    REFRESH_TOKENS_PER_COMMIT_MAX,
                    Order::Ascending,
                )
                .await?;
            for token in &bound.items {
                tx.delete::<RefreshToken>(&Key::of(&token.id));
            }
            if bound.next.is_some() {
                return Ok(SessionEnd::TokensLeft);
            }
            rows += ROWS_PER_REFRESH_TOKEN * bound.items.len();
        }
        tx.delete::<Session>(&Key::of(&session.id));
        self.queue_logouts(tx, session, initiator).await?;
        let ended = SessionEnd::Ended { rows };
        let kind = match initiator {
            Initiator::RpLogout | Initiator::IdpLogout => return Ok(ended),
            Initiator::SessionExpired => EventKind::SessionExpired,
            Initiator::PasswordChanged
            | Initiator::SessionRevoked
            | Initiator::AccountDeleted
            | Initiator::EmailIdentifierChanged
            | Initiator::MfaPhoneUnenrolled
            | Initiator::AccountDeactivated => EventKind::SessionRevoked,
        };
        self.event(kind, facts)
            .user_id(session.user_id.as_str())
            .session(session)
            .details(json!({ "session_id": session.id, "initiator": initiator.as_str() }))
            .record(tx);
        Ok(ended)
    }

    /// Writes down that the session's clients must be told: one entry, however many they are. Who is told, and where, is
    /// found out afterwards, so that this takes no longer with a thousand of them.
    async fn queue_logouts(&self, tx: &mut Tx, session: &Session, initiator: Initiator) -> Result<(), Error> {
        if !self.somebody_may_listen(session, initiator).await? {
            return Ok(());
        }
        let now = self.now();
        let ended = EndedSession {
            user_id: session.user_id.clone(),
            session_id: session.id.clone(),
            initiator,
            ended_at: now,
            session_metadata: session.metadata.clone(),
            trace_id: self.trace_id(),
            clients: session.clients.iter().take(SESSION_CLIENTS_MAX).cloned().collect(),
            client_id: None,
        };
        tx.outbox_add(NewOutboxEntry {
            id: domain::id::uuid(self.random()),
            kind: OUTBOX_LOGOUT.to_owned(),
            subject: session.id.to_string(),
            due_at: now,
            expires_at: self.delivery_expires_at(),
            body: serde_json::to_value(&ended).map_err(|error| Error::Bug(error.to_string()))?,
        });
        Ok(())
    }

    /// Whether any client wants to hear of the end, or there are too many to look at now.
    async fn somebody_may_listen(&self, session: &Session, initiator: Initiator) -> Result<bool, Error> {
        if session.clients.len() > LOGOUT_CLIENTS_LOOKED_AT_MAX {
            return Ok(true);
        }
        let keys: Vec<Key> = session.clients.iter().map(Key::of).collect();
        let clients = self.store().get_many::<Client>(&keys).await?;
        Ok(clients.into_iter().flatten().any(|client| client.logout.wants(initiator)))
    }

    /// Tells the delivery loop that something may wait for it. Call it after a commit that ended a session.
    pub(crate) fn logouts_may_wait(&self) {
        self.inner.logout_signal.notify_one();
    }
}

/// What the browser is to be shown or sent to after it asked to sign out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignOutAnswer {
    /// Ask the user first; the parameters come back with the answer.
    Confirm,
    /// Signed out. `redirect` is verified; without it, show a page.
    Done {
        /// Where to go.
        redirect: Option<String>,
        /// What happens to the session cookie.
        cookie: CookieChange,
        /// Pages of clients that the browser is to load in frames before it goes on; few.
        frames: Vec<String>,
    },
}

/// Who asks for a sign-out, and how.
struct Asked<'a> {
    client: Option<&'a Client>,
    /// The protocol's name in the log.
    protocol_name: &'static str,
    /// Where the browser was to go afterwards.
    return_to: Option<&'a str>,
    /// Whether the session at the provider that the user came from should end too.
    federated: bool,
}

impl Engine {
    /// `/oidc/logout` (OIDC RP-Initiated Logout 1.0 §2). `confirmed` tells that the user pressed the button.
    ///
    /// # Errors
    /// [`Error::OAuth`], to be shown as a page: a hint that does not fit, or a URL that is not registered.
    pub async fn end_session_request(
        &self,
        params: Vec<(String, String)>,
        cookie: Option<&str>,
        confirmed: bool,
        facts: &RequestFacts,
    ) -> Result<SignOutAnswer, Error> {
        let request = end_session::Request::parse(params)?;
        let hint = match &request.id_token_hint {
            Some(token) => match Hint::read(&self.keys().set, token, self.issuer(), self.now()) {
                Ok(hint) => Some(hint),
                Err(error) => {
                    let asked = request.post_logout_redirect_uri.as_deref();
                    self.record_failed_sign_out(None, &[], asked, &error, facts).await?;
                    return Err(error.into());
                }
            },
            None => None,
        };
        let client = match request.client_id(hint.as_ref()) {
            Some(id) => self.store().get::<Client>(&Key::of(id)).await?,
            None => None,
        };
        let tenant = self.tenant().await?;
        let session = self.session_of_cookie(cookie).await?;
        let decision = end_session::decide(
            &request,
            &end_session::Facts {
                hint: hint.as_ref(),
                client: client.as_ref(),
                session_id: session.as_ref().map(|session| &session.id),
                tenant_logout_urls: &tenant.allowed_logout_urls,
                prompt_enabled: tenant.logout_prompt_enabled && !confirmed,
            },
        );
        let return_to = request.post_logout_redirect_uri.as_deref();
        let asked =
            Asked { client: client.as_ref(), protocol_name: "oidc", return_to, federated: request.federated };
        self.carry_out_sign_out(decision, session, &asked, &tenant, facts).await
    }

    /// `/v2/logout` (Auth0: log users out of Auth0).
    ///
    /// # Errors
    /// [`Error::OAuth`], to be shown as a page: a `returnTo` that is not registered.
    pub async fn v2_logout(
        &self,
        params: Vec<(String, String)>,
        cookie: Option<&str>,
        facts: &RequestFacts,
    ) -> Result<SignOutAnswer, Error> {
        let request = v2::Request::parse(params)?;
        let client = match &request.client_id {
            Some(id) => self.store().get::<Client>(&Key::of(id)).await?,
            None => None,
        };
        let tenant = self.tenant().await?;
        let session = self.session_of_cookie(cookie).await?;
        let decision = match v2::decide(&request, client.as_ref(), &tenant.allowed_logout_urls) {
            v2::Decision::Redirect(url) => Decision::End { redirect: Some(url) },
            v2::Decision::Ok => Decision::End { redirect: None },
            v2::Decision::Error(error) => Decision::Error(error),
        };
        let return_to = request.return_to.as_deref();
        let asked =
            Asked { client: client.as_ref(), protocol_name: "v2", return_to, federated: request.federated };
        self.carry_out_sign_out(decision, session, &asked, &tenant, facts).await
    }

    async fn carry_out_sign_out(
        &self,
        decision: Decision,
        session: Option<Session>,
        asked: &Asked<'_>,
        tenant: &Tenant,
        facts: &RequestFacts,
    ) -> Result<SignOutAnswer, Error> {
        let client = asked.client;
        let allowed = client.map_or(&tenant.allowed_logout_urls, |client| &client.allowed_logout_urls);
        let redirect = match decision {
            Decision::Confirm { .. } => return Ok(SignOutAnswer::Confirm),
            Decision::Error(error) => {
                self.record_failed_sign_out(client, allowed, asked.return_to, &error, facts).await?;
                return Err(error.into());
            }
            Decision::End { redirect } => redirect,
        };
        let (mut frames, mut federated) = (Vec::new(), None);
        if let Some(session) = session {
            // Before anything ends: a failure here must leave something to sign out of.
            frames = self.frames_of(&session).await?;
            if asked.federated {
                federated = self.federated_logout(&session, redirect.as_deref()).await?;
            }
            let return_to = without_values(redirect.as_deref().unwrap_or_default());
            self.store()
                .transact(async |tx| -> Result<(), Error> {
                    // Ended by someone else in the meantime: then that end told the clients.
                    let Some(session) = tx.get::<Session>(&Key::of(&session.id)).await? else {
                        return Ok(());
                    };
                    let _ended =
                        self.end_session(tx, &session, Initiator::RpLogout, BoundTokens::Keep, facts).await?;
                    let mut details = json!({
                        "session_id": session.id,
                        "return_to": return_to,
                        "allowed_logout_url": first_urls(allowed),
                        "initiated_by": Initiator::RpLogout.as_str(),
                        "protocol": asked.protocol_name,
                    });
                    if tenant.include_session_metadata_in_logs {
                        details["session_metadata"] = json!(session.metadata);
                    }
                    let mut event = self.event(EventKind::Logout, facts).says("User successfully logged out");
                    if let Some(client) = client {
                        event = event.client(client);
                    }
                    event.user_id(session.user_id.as_str()).session(&session).details(details).record(tx);
                    Ok(())
                })
                .await?;
            self.logouts_may_wait();
        }
        Ok(SignOutAnswer::Done { redirect: federated.or(redirect), cookie: CookieChange::Clear, frames })
    }

    async fn record_failed_sign_out(
        &self,
        client: Option<&Client>,
        allowed: &[String],
        return_to: Option<&str>,
        error: &protocol::error::OAuthError,
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        let mut details = json!({
            "return_to": without_values(return_to.unwrap_or_default()),
            "allowed_logout_url": first_urls(allowed),
            "error": { "message": error.description, "oauthError": error.code.as_str() },
        });
        if let Some(debug) = &error.debug {
            details["debug"] = json!(debug);
        }
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let mut event = self.event(EventKind::LogoutFailed, facts).says(error.description.clone());
                if let Some(client) = client {
                    event = event.client(client);
                }
                event.details(details.clone()).record(tx);
                Ok(())
            })
            .await
    }
}

/// As many registered URLs as a log event lists.
fn first_urls(urls: &[String]) -> &[String] {
    &urls[..urls.len().min(LOG_URLS_MAX)]
}

#[cfg(test)]
mod tests;
