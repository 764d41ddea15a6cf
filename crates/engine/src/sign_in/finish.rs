//! Ends a sign-in in one commit: session, client link, code, events.
//!
//! When someone changed the session in the meantime, the Actions' commands (not the Actions) are applied to the
//! newest one; when it ended in the meantime, the sign-in starts over.

use std::mem;

use domain::event::EventKind;
use domain::limits::{CODE_MEMORY_MS, CODE_MS};
use domain::logout::Initiator;
use domain::metadata::MetadataError;
use domain::resource_server::ResourceServer;
use domain::scope::Scopes;
use domain::session::Session;
use domain::sign_in::{Prompt, SignIn};
use domain::token::{AuthorizationCode, Grant};
use domain::user::User;
use protocol::access_token::userinfo_audience;
use protocol::error::{OAuthError, OAuthErrorCode};
use store::{Key, Tx};

use super::commands::Ending;
use super::post_login::{METADATA_REFUSED, custom_claims};
use super::{ClientAnswer, CookieChange, NextStep, Origin, Working, hash, told};
use crate::actions::progress::Progress;
use crate::actions::run::TriggerRun;
use crate::roles::access::Held;
use crate::sign_out::{BoundTokens, SessionEnd};
use crate::{Engine, Error, RequestFacts};

/// How often a sign-in is begun anew because its session ended under it.
const RESTARTS_MAX: usize = 3;

/// What a commit came to.
enum Finished {
    Done {
        code: String,
        session: Box<Session>,
    },
    /// The session that it built on ended, or the user was blocked or deleted.
    SessionEnded,
    /// The Actions' metadata does not fit the newest session's.
    MetadataRefused(MetadataError),
    /// The user does not belong to the organization, or it does not let them in this way.
    Refused(OAuthError),
}

impl Engine {
    /// From a known user to the answer to the client.
    pub(crate) async fn complete(&self, working: Working, facts: &RequestFacts) -> Result<NextStep, Error> {
        // On the heap: the largest of all steps would else be a part of every step before it.
        Box::pin(self.complete_from(working, Progress::default(), facts)).await
    }

    /// The same where some Actions have run already.
    pub(super) async fn complete_from(
        &self,
        mut working: Working,
        mut progress: Progress,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        if let Err(error) = working.session.link_client(&working.client.id) {
            let error = OAuthError::new(OAuthErrorCode::AccessDenied, error.to_string());
            return self.refuse(&working.request, &working.client, error, facts).await;
        }
        match self.resource_server_for(&working).await? {
            Ok(found) => working.resource_server = found,
            Err(error) => return self.refuse(&working.request, &working.client, error, facts).await,
        }
        if working.session.organization_id.is_none() {
            working.session.organization_id = working.organization.as_ref().map(|found| found.id.clone());
        }
        for _ in 0..RESTARTS_MAX {
            let (run, before) = self.run_post_login(&mut working, mem::take(&mut progress), facts).await?;
            if run.effects.ending.is_some() {
                return self.denied(working, run, facts).await;
            }
            if let Some(url) = run.effects.redirect.clone() {
                return Box::pin(self.pause(working, before, run, &url, facts)).await;
            }
            match self.commit(&working, &run, facts).await? {
                Finished::Done { code, session } => {
                    if working.replaces().is_some() {
                        self.logouts_may_wait();
                    }
                    let mut fields = vec![("code", code)];
                    let session_state = working.session_state(&session, &self.secret_text());
                    fields.extend(session_state.map(|state| ("session_state", state)));
                    let answer = working.answer(fields);
                    let cookie = working.cookie(&session, self.now());
                    return Ok(NextStep::Answer { answer, cookie });
                }
                Finished::MetadataRefused(error) => {
                    let mut run = run;
                    let description = format!("{METADATA_REFUSED}{error}");
                    run.effects.ending = Some(Ending::denied(description));
                    return self.denied(working, run, facts).await;
                }
                Finished::Refused(error) => {
                    return self.refuse(&working.request, &working.client, error, facts).await;
                }
                Finished::SessionEnded => match self.start_over(working, facts).await? {
                    Ok(again) => working = *again,
                    Err(next) => return Ok(next),
                },
            }
        }
        Err(Error::Unavailable("the session ended again and again during one sign-in".to_owned()))
    }

    /// The API that the request names, or the tenant's default.
    async fn resource_server_for(
        &self,
        working: &Working,
    ) -> Result<Result<Option<ResourceServer>, OAuthError>, Error> {
        let asked = working.request.audience.as_deref().or(working.tenant.default_audience.as_deref());
        let userinfo = userinfo_audience(self.issuer());
        let Some(audience) = asked.filter(|audience| !audience.is_empty() && *audience != userinfo) else {
            return Ok(Ok(None));
        };
        let found = self.store().find::<ResourceServer>("identifier", &Key::of(audience)).await?;
        let unknown =
            || OAuthError::new(OAuthErrorCode::AccessDenied, format!("Service not found: {audience}"));
        Ok(found.map(Some).ok_or_else(unknown))
    }

    /// The session ended during the sign-in. With a password just proved a new one is made; without, or where what
    /// was proved no longer counts, the user is asked, or the client told.
    async fn start_over(
        &self,
        mut working: Working,
        facts: &RequestFacts,
    ) -> Result<Result<Box<Working>, NextStep>, Error> {
        let user = self.store().get::<User>(&Key::of(&working.user.id)).await?.filter(|user| !user.blocked);
        let is_reused = working.is_unproved();
        let is_outdated = user.as_ref().is_some_and(|user| is_outdated(&working, user));
        if user.is_none() || (is_reused && working.request.asks(Prompt::None)) {
            let error = OAuthError::new(OAuthErrorCode::LoginRequired, "Login required");
            return Ok(Err(self.refuse(&working.request, &working.client, error, facts).await?));
        }
        // A provider vouched for the session that ended, not for the next one.
        if is_reused || is_outdated || working.session.upstream.is_some() {
            return Ok(Err(self.wait_for_user(working.request, working.browser_secret.as_deref()).await?));
        }
        let cookie_secret = self.secret_text();
        let mut session =
            self.new_session(&working.user, &working.connection, &working.tenant, &cookie_secret, facts);
        session.organization_id = working.organization.as_ref().map(|found| found.id.clone());
        session.clients.push(working.client.id.clone());
        session.record_method(Self::password_method(self.now()));
        working.session = session;
        working.origin = Origin::New { cookie_secret, replaces: None };
        Ok(Ok(Box::new(working)))
    }

    async fn commit(
        &self,
        working: &Working,
        run: &TriggerRun,
        facts: &RequestFacts,
    ) -> Result<Finished, Error> {
        let code = self.secret_text();
        let finished = self
            .store()
            .transact(async |tx| -> Result<Finished, Error> {
                let Some(base) = self.newest_session(tx, working, facts).await? else {
                    return Ok(Finished::SessionEnded);
                };
                let mut session = base;
                let is_new = working.is_new();
                if !matches!(working.origin, Origin::Reused { .. })
                    && self.upstream_is_over(tx, &session).await?
                {
                    return Ok(Finished::SessionEnded);
                }
                let now = self.now();
                if let Err(error) = run.effects.apply_to_session(&mut session, &working.tenant, is_new, now) {
                    return Ok(Finished::MetadataRefused(error));
                }
                session.heed_upstream();
                let entry = match self.enter(tx, working).await? {
                    Ok(entry) => entry,
                    Err(error) => return Ok(Finished::Refused(error)),
                };
                let user = self.write_user(tx, working, run, facts).await?;
                let Some(user) = user else { return Ok(Finished::SessionEnded) };
                self.end_replaced(tx, working, facts).await?;
                if is_new {
                    tx.insert(session.clone());
                } else {
                    tx.put(session.clone());
                }
                let organization = working.organization.as_ref().map(|found| &found.id);
                let api = working.resource_server.as_ref();
                let held = self.held_at(api, &session.user_id, organization).await?;
                tx.insert(self.new_code(&code, working, run, &session, held.as_ref()));
                if let Some(sign_in) = &working.sign_in {
                    tx.delete::<SignIn>(&Key::of(&sign_in.id));
                }
                entry.write(tx);
                self.record_success(tx, working, run, (&user, entry.makes_a_member()), &session, facts);
                Ok(Finished::Done { code: code.clone(), session: Box::new(session) })
            })
            .await?;
        Ok(finished)
    }

    /// The session to build on: as it is now in the store, with what this sign-in itself changes.
    async fn newest_session(
        &self,
        tx: &mut Tx,
        working: &Working,
        facts: &RequestFacts,
    ) -> Result<Option<Session>, Error> {
        if working.is_new() {
            if !self.still_vouches(tx, working).await? {
                return Ok(None);
            }
            let mut fresh = working.session.clone();
            fresh.metadata.evict();
            return Ok(Some(fresh));
        }
        let stored = tx.get::<Session>(&Key::of(&working.session.id)).await?;
        let Some(mut session) = stored.filter(|session| session.is_live(self.now())) else { return Ok(None) };
        let idle_ms = working.tenant.lifetimes(session.cookie_mode).idle_ms;
        session.touch(self.now(), idle_ms, facts.ip.as_deref(), facts.user_agent.as_deref());
        if session.link_client(&working.client.id).is_err() {
            return Ok(None);
        }
        if session.organization_id.is_none() {
            session.organization_id.clone_from(&working.session.organization_id);
        }
        if matches!(working.origin, Origin::Renewed { .. }) {
            session.authenticated_at = working.session.authenticated_at;
            session.cookie_hash.clone_from(&working.session.cookie_hash);
            session.methods.clone_from(&working.session.methods);
            session.connection_id.clone_from(&working.session.connection_id);
            session.upstream.clone_from(&working.session.upstream);
        }
        Ok(Some(session))
    }

    /// Someone else signed in with this browser: the session of the one before is out of reach for good, and ends.
    async fn end_replaced(&self, tx: &mut Tx, working: &Working, facts: &RequestFacts) -> Result<(), Error> {
        if let Some(id) = working.replaces()
            && let Some(other) = tx.get::<Session>(&Key::of(id)).await?
        {
            let _ended =
                self.end_session(tx, &other, Initiator::SessionRevoked, BoundTokens::Keep, facts).await?;
        }
        Ok(())
    }

    /// Counts the sign-in and merges metadata into the newest user. None: the user is gone or blocked, or what they
    /// proved no longer counts.
    async fn write_user(
        &self,
        tx: &mut Tx,
        working: &Working,
        run: &TriggerRun,
        facts: &RequestFacts,
    ) -> Result<Option<User>, Error> {
        let is_reused = matches!(working.origin, Origin::Reused { .. });
        if is_reused && !run.effects.touches_user() {
            return Ok(Some(working.user.clone()));
        }
        let user = tx.get::<User>(&Key::of(&working.user.id)).await?;
        let is_good = |user: &User| !user.blocked && (is_reused || !is_outdated(working, user));
        let Some(mut user) = user.filter(is_good) else { return Ok(None) };
        let now = self.now();
        if !is_reused {
            user.logins_count += 1;
            user.last_login = Some(now);
            user.last_ip.clone_from(&facts.ip);
        }
        if run.effects.touches_user() {
            if !run.effects.apply_to_user(&mut user) {
                let text = "User metadata set by an Action is too large and was not saved";
                self.event(EventKind::Warning, facts)
                    .user(&user)
                    .client(&working.client)
                    .says(text)
                    .record(tx);
            }
            user.updated_at = now;
        }
        tx.put(user.clone());
        Ok(Some(user))
    }

    fn new_code(
        &self,
        code: &str,
        working: &Working,
        run: &TriggerRun,
        session: &Session,
        held: Option<&Held>,
    ) -> AuthorizationCode {
        let now = self.now();
        let request = &working.request;
        let (id_token_claims, access_token_claims) = custom_claims(&run.effects);
        let api = working.resource_server.as_ref();
        let asked = grantable(&request.scopes, api, false);
        let asked = held.map_or_else(|| asked.clone(), |held| held.limit(&asked));
        let mut scopes = grantable(&run.effects.scopes(&asked), api, true);
        if api.is_some_and(|api| api.is_system) {
            // By who signs in where, whatever an Action adds.
            let Working { tenant, client, .. } = working;
            let asked = run.effects.scopes(&request.scopes).only(|scope| request.scopes.contains(scope));
            let held = self.administration_scopes(tenant, client, &session.user_id, &asked);
            scopes = scopes.iter().chain(held.iter()).collect();
        }
        AuthorizationCode {
            hash: hash(code),
            grant: Grant {
                client_id: working.client.id.clone(),
                user_id: session.user_id.clone(),
                session_id: Some(session.id.clone()),
                organization_id: working.organization.as_ref().map(|found| found.id.clone()),
                scopes,
                audience: api.map(|api| api.identifier.clone()),
                authenticated_at: session.authenticated_at,
                methods: session.methods.clone(),
                id_token_claims,
                access_token_claims,
            },
            redirect_uri: request.redirect_uri.clone(),
            nonce: request.nonce.clone(),
            code_challenge: request.code_challenge.clone(),
            expires_at: now.plus_millis(CODE_MS),
            forget_at: now.plus_millis(CODE_MEMORY_MS),
            used: None,
            // Legal: it was applied after each Action, to the same empty map.
            refresh_token: run.effects.refresh_token_wishes().unwrap_or_default(),
        }
    }

    fn record_success(
        &self,
        tx: &mut Tx,
        working: &Working,
        run: &TriggerRun,
        (user, joined): (&User, bool),
        session: &Session,
        facts: &RequestFacts,
    ) {
        for warning in run.effects.warnings(session, &working.tenant, self.now()) {
            self.event(EventKind::Warning, facts)
                .client(&working.client)
                .session(session)
                .says(warning)
                .record(tx);
        }
        let silent = working.request.asks(Prompt::None);
        let kind = if silent { EventKind::SilentAuth } else { EventKind::Login };
        let event = self.event(kind, facts);
        let event = if joined { event.says("The user became a member of the organization") } else { event };
        event
            .client(&working.client)
            .connection(&working.connection)
            .user(user)
            .session(session)
            .organization(working.organization.as_ref())
            .details(told::success(working, run, user, session, self.now()))
            .record(tx);
        if let Some(execution) = &run.execution {
            tx.insert(execution.clone());
        }
    }

    /// An Action denied the sign-in, failed, or revoked the session. The session is not changed (unless revoked);
    /// what Actions before asked for the user's metadata still applies on a plain denial (Auth0: `api.access.deny`).
    pub(super) async fn denied(
        &self,
        working: Working,
        run: TriggerRun,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let Some(ending) = run.effects.ending.clone() else {
            return Err(Error::Bug("a denied sign-in has an ending".to_owned()));
        };
        let (description, revoked) = match &ending {
            Ending::Denied { description, .. } => (description.clone(), None),
            Ending::RefreshTokenRevoked { reason } => (reason.clone(), None),
            Ending::Revoked { reason, preserve_refresh_tokens: true } => {
                (reason.clone(), Some(BoundTokens::Keep))
            }
            Ending::Revoked { reason, .. } => (reason.clone(), Some(BoundTokens::Revoke)),
        };
        let answer: ClientAnswer = working.answer(vec![
            ("error", ending.oauth_code().as_str().to_owned()),
            ("error_description", description.clone()),
        ]);
        let deny = async |tx: &mut Tx| -> Result<bool, Error> {
            if let Some(tokens) = revoked
                && let Some(session) = tx.get::<Session>(&Key::of(working.session_at_hand())).await?
            {
                let initiator = Initiator::SessionRevoked;
                let end = self.end_session(tx, &session, initiator, tokens, facts).await?;
                if end == SessionEnd::TokensLeft {
                    return Ok(false);
                }
            }
            if run.failed.is_none()
                && run.effects.touches_user()
                && let Some(mut user) = tx.get::<User>(&Key::of(&working.user.id)).await?
                && run.effects.apply_to_user(&mut user)
            {
                user.updated_at = self.now();
                tx.put(user);
            }
            if let Some(sign_in) = &working.sign_in {
                tx.delete::<SignIn>(&Key::of(&sign_in.id));
            }
            self.record_denial(tx, &working, &run, &description, ending.oauth_code(), facts);
            Ok(true)
        };
        while !self.store().transact(deny).await? {}
        let cookie = match (&working.origin, revoked) {
            (Origin::Reused { .. } | Origin::Renewed { .. } | Origin::Switched { .. }, Some(_)) => {
                self.logouts_may_wait();
                CookieChange::Clear
            }
            _ => CookieChange::Keep,
        };
        Ok(NextStep::Answer { answer, cookie })
    }

    fn record_denial(
        &self,
        tx: &mut Tx,
        working: &Working,
        run: &TriggerRun,
        description: &str,
        code: OAuthErrorCode,
        facts: &RequestFacts,
    ) {
        let execution_id = run.execution_id();
        let was_silent = code == OAuthErrorCode::InteractionRequired;
        let kind = if was_silent { EventKind::SilentAuthFailed } else { EventKind::LoginFailed };
        self.event(kind, facts)
            .client(&working.client)
            .connection(&working.connection)
            .user(&working.user)
            .session(&working.session)
            .organization(working.organization.as_ref())
            .says(description)
            .details(told::denial(working, run, description, code))
            .record(tx);
        if let Some(failed) = &run.failed {
            self.event(EventKind::ActionsFailed, facts)
                .client(&working.client)
                .connection(&working.connection)
                .user(&working.user)
                .says(description)
                .details(failed.details(execution_id))
                .record(tx);
        }
        if let Some(execution) = &run.execution {
            tx.insert(execution.clone());
        }
    }
}

/// Whether all of the user's sessions were ended after the password was looked up, as a new password does: then what
/// was proved with the old one makes no session.
fn is_outdated(working: &Working, newest: &User) -> bool {
    working.user.sessions_epoch != newest.sessions_epoch
}

/// Scopes about the user and the token itself (OIDC Core 1.0 §5.4 and §11), which belong to no API.
const OPENID_SCOPES: [&str; 7] =
    ["openid", "profile", "email", "phone", "address", "offline_access", "online_access"];

/// Whether a scope is about the user and the token itself.
pub(crate) fn is_openid_scope(scope: &str) -> bool {
    OPENID_SCOPES.contains(&scope)
}

/// The scopes that a user's token may carry. An API's scopes are those that it knows; an Action may add others. The
/// Management API's scopes are for clients with a grant, and for administrators at the dashboard: see `administrators`.
pub(crate) fn grantable(scopes: &Scopes, api: Option<&ResourceServer>, by_action: bool) -> Scopes {
    scopes.only(|scope| match api {
        _ if is_openid_scope(scope) => {
            scope != "offline_access" || api.is_none_or(|api| api.allow_offline_access)
        }
        Some(api) if api.is_system => false,
        Some(api) => by_action || api.knows(scope),
        None => by_action,
    })
}
