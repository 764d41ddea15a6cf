//! Checks a password, or signs someone up. A wrong password is a page and an event, never a redirect.

use domain::connection::Connection;
use domain::event::EventKind;
use domain::id::{ActionId, SessionId, base64url_characters, hexadecimal};
use domain::secret::Secret;
use domain::session::{Device, Session};
use domain::time::Timestamp;
use domain::upstream::UpstreamSession;
use domain::user::{Identity, User, is_email};
use protocol::error::{OAuthError, OAuthErrorCode};
use serde_json::json;
use store::tables::{email_key, username_key};

use super::pending::Pending;
use super::{Browser, NextStep, Origin, Working, hash};
use crate::passwords::refuse_password;
use crate::upstream::depart::ConnectionButton;
use crate::users::registered::SignUp;
use crate::users::registration::Registration;
use crate::{Engine, Error, RequestFacts};

/// What a sign-in page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageView {
    /// The client's name.
    pub client_name: String,
    /// What people call the tenant.
    pub tenant_name: Option<String>,
    /// URL of the tenant's logo.
    pub tenant_logo: Option<String>,
    /// Whom the client expects.
    pub login_hint: Option<String>,
    /// Whether people may sign themselves up.
    pub signup_enabled: bool,
    /// Whether people have a password here.
    pub takes_password: bool,
    /// Other providers at which they may sign in instead.
    pub connections: Vec<ConnectionButton>,
    /// Where the answer will go: the page's form must be allowed to end there.
    pub redirect_uri: String,
    /// The user's languages, first choice first.
    pub ui_locales: Vec<String>,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Not right; the page comes again with this sentence.
    Again {
        /// What the page shows.
        view: PageView,
        /// What to tell the user.
        message: String,
    },
    /// Too many tries failed, so that this one was not taken; the page comes again with this sentence.
    TurnedAway {
        /// What the page shows.
        view: PageView,
        /// What to tell the user.
        message: String,
        /// After how many seconds the next one is taken, where time helps.
        wait_seconds: Option<u64>,
    },
    /// The user is known; the sign-in went on.
    Next(NextStep),
}

/// By what a user is known.
pub(crate) enum Proven {
    /// Their password.
    Password,
    /// A provider's word.
    Upstream(UpstreamSession),
}

impl Proven {
    /// Notes the proof in the session that rests on it. A provider that vouched for it before may still end it.
    fn note(self, session: &mut Session, connection: &Connection, now: Timestamp) {
        session.connection_id = connection.id.clone();
        match self {
            Self::Password => session.record_method(Engine::password_method(now)),
            Self::Upstream(upstream) => {
                session.record_method(Engine::federated_method(now));
                session.upstream = Some(upstream);
                session.heed_upstream();
            }
        }
    }
}

impl Engine {
    /// What the page of a waiting sign-in shows.
    ///
    /// # Errors
    /// [`Error::OAuth`], to be shown as a page, when the sign-in is over or belongs to another browser.
    pub async fn sign_in_page(&self, id: &str, browser_secret: Option<&str>) -> Result<PageView, Error> {
        let pending = self.pending(id, browser_secret).await?;
        self.with_connections(&pending).await
    }

    /// The page with a button for each other provider.
    pub(super) async fn with_connections(&self, pending: &Pending) -> Result<PageView, Error> {
        let Pending { sign_in, client, door, .. } = pending;
        let connections = self.connection_buttons(&sign_in.request, client, door.as_ref()).await?;
        Ok(PageView { connections, ..pending.view.clone() })
    }

    /// The sign-in form: an address or a user name, and a password.
    ///
    /// # Errors
    /// [`Error::OAuth`], to be shown as a page, when the sign-in is over; [`Error::Busy`].
    pub async fn sign_in_with_password(
        &self,
        id: &str,
        browser: Browser<'_>,
        username: &str,
        password: Secret<String>,
        facts: &RequestFacts,
    ) -> Result<Proof, Error> {
        let pending = self.pending(id, browser.secret).await?;
        let user = self.user_by_name(&pending.connection, username).await?;
        let guard = self.guard(&pending.connection, user.as_ref(), username, facts).await?;
        if let Some(too_many) = self.too_many(&guard).await? {
            return self.turn_away(pending, user, username, too_many, facts).await;
        }
        let known = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let checked = self.check_password(password, known, guard.looks_for_breaches()).await?;
        let user = match user {
            Some(user) if checked.right => user,
            other => return self.wrong_password(pending, &guard, other, username, facts).await,
        };
        if let Some(too_many) = self.forgive(&guard).await? {
            return self.turn_away(pending, Some(user), username, too_many, facts).await;
        }
        if user.blocked {
            let error = OAuthError::new(OAuthErrorCode::AccessDenied, "user is blocked");
            let next = self.refuse(&pending.sign_in.request, &pending.client, error, facts).await?;
            return Ok(Proof::Next(next));
        }
        if checked.breached
            && let Some(refusal) = self.breached(&pending, &guard, &user, facts).await?
        {
            return Ok(refusal);
        }
        Ok(Proof::Next(self.proved(pending, user, Proven::Password, browser, facts).await?))
    }

    async fn user_by_name(&self, connection: &Connection, name: &str) -> Result<Option<User>, Error> {
        let name = name.trim();
        if name.is_empty() || name.len() > 320 {
            return Ok(None);
        }
        if is_email(name) {
            return Ok(self.store().find::<User>("email", &email_key(&connection.id, name)).await?);
        }
        Ok(self.store().find::<User>("username", &username_key(&connection.id, name)).await?)
    }

    /// The sign-up form.
    ///
    /// # Errors
    /// As [`Engine::sign_in_with_password`].
    pub async fn sign_up(
        &self,
        id: &str,
        browser: Browser<'_>,
        email: &str,
        password: Secret<String>,
        facts: &RequestFacts,
    ) -> Result<Proof, Error> {
        let pending = self.pending(id, browser.secret).await?;
        let email = email.trim();
        let refusal = if !pending.view.signup_enabled || !pending.view.takes_password {
            Some("Sign-up is closed.".to_owned())
        } else if pending.invitation().is_some_and(|invitation| !invitation.is_to(email)) {
            Some("The invitation is for another address.".to_owned())
        } else if !is_email(email) {
            Some("Enter a valid email address.".to_owned())
        } else {
            refuse_password(password.expose())
        };
        if let Some(message) = refusal {
            return Ok(sign_up_again(pending, email, message));
        }
        let guard = self.guard(&pending.connection, None, email, facts).await?;
        if let Some(refusal) = self.count_sign_up(&pending, &guard, email, facts).await? {
            return Ok(refusal);
        }
        if self.sign_up_is_breached(&pending, &guard, email, &password, facts).await? {
            let message = "This password is known from a breach of some other service. Choose another one.";
            return Ok(sign_up_again(pending, email, message.to_owned()));
        }
        // Hashed before the look-up, so that a taken address takes as long as a free one.
        let password_hash = self.hash_password(password).await?;
        let mut user = self.new_database_user(&pending.connection, email, password_hash);
        if let Some(invitation) = pending.invitation() {
            user.user_metadata.clone_from(&invitation.user_metadata);
            user.app_metadata.clone_from(&invitation.app_metadata);
        }
        let (client, connection) = (&pending.client, &pending.connection);
        let (user, run) = match self.run_registration_actions(Some(client), connection, &user, facts).await? {
            Registration::Allowed { user, run } => (*user, run),
            Registration::Refused { user_message } => return Ok(sign_up_again(pending, email, user_message)),
        };
        let taken = self
            .store()
            .transact(async |tx| -> Result<bool, Error> {
                let found = tx.find::<User>("email", &email_key(&pending.connection.id, email)).await?;
                let event = if found.is_some() {
                    self.event(EventKind::SignUpFailed, facts)
                        .user_name(email)
                        .says("The user already exists.")
                } else {
                    tx.insert(user.clone());
                    self.record_run(tx, &run, &pending.client, Some(&user.id), facts);
                    let sign_up = SignUp { client, request: &pending.sign_in.request };
                    let run = self.queue_registered(tx, &user, connection, Some(sign_up), facts).await?;
                    let executions = executions_detail(&[], run.as_ref().map(ActionId::as_str));
                    let event = self.event(EventKind::SignUp, facts).user(&user);
                    event.details(json!({
                        "actions": executions,
                        "body": {
                            "client_id": client.id,
                            "connection": connection.name,
                            "email": email,
                            "tenant": self.settings().tenant,
                        },
                        "transaction_id": pending.sign_in.id,
                    }))
                };
                event.client(&pending.client).connection(&pending.connection).record(tx);
                Ok(found.is_some())
            })
            .await?;
        self.actions_may_wait();
        if taken {
            return Ok(sign_up_again(
                pending,
                email,
                "Something went wrong. Is this address signed up already?".into(),
            ));
        }
        Ok(Proof::Next(self.proved(pending, user, Proven::Password, browser, facts).await?))
    }

    /// A user of a database connection who has nothing but an address and a password yet.
    pub(crate) fn new_database_user(
        &self,
        connection: &Connection,
        email: &str,
        password_hash: String,
    ) -> User {
        let identity = Identity::of_database(connection, hexadecimal(&self.random::<12>()));
        self.pictured(User {
            email: Some(email.to_owned()),
            name: Some(email.to_owned()),
            nickname: email.split('@').next().map(str::to_owned),
            password_hash: Some(password_hash),
            ..User::new(identity, self.now())
        })
    }

    /// The user proved who they are: make or renew the session, and go on to the Actions.
    pub(crate) async fn proved(
        &self,
        pending: Pending,
        user: User,
        proof: Proven,
        browser: Browser<'_>,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let request = pending.sign_in.request.clone();
        let organization = match self.may_enter(pending.door.as_ref(), &user, &pending.connection.id).await? {
            Ok(organization) => organization,
            Err(error) => return self.refuse(&request, &pending.client, error, facts).await,
        };
        let invitation = pending.invitation().cloned();
        let tenant = self.tenant().await?;
        let before = self.session_of_cookie(browser.session).await?;
        // One that ended with all others, and only waits for its turn, does not go on.
        let before =
            before.filter(|session| session.user_id != user.id || session.epoch == user.sessions_epoch);
        let cookie_secret = self.secret_text();
        let (mut session, origin) = match before {
            Some(session) if session.user_id == user.id => {
                (self.renewed(session, &tenant, &cookie_secret, facts), Origin::Renewed { cookie_secret })
            }
            other => {
                let replaces = other.map(|session| session.id);
                let session = self.new_session(&user, &pending.connection, &tenant, &cookie_secret, facts);
                (session, Origin::New { cookie_secret, replaces })
            }
        };
        proof.note(&mut session, &pending.connection, self.now());
        let mut user = user;
        user.logins_count += 1;
        let working = Working {
            request,
            client: pending.client,
            tenant,
            connection: pending.connection,
            organization,
            invitation,
            resource_server: None,
            user,
            session,
            origin,
            transaction_id: pending.sign_in.id.clone(),
            sign_in: Some(pending.sign_in),
            browser_secret: browser.secret.map(str::to_owned),
            resumed: None,
        };
        self.complete(working, facts).await
    }

    /// A session as it begins, yet without a word on how the user proved who they are.
    pub(crate) fn new_session(
        &self,
        user: &User,
        connection: &Connection,
        tenant: &domain::tenant::Tenant,
        cookie_secret: &str,
        facts: &RequestFacts,
    ) -> Session {
        let now = self.now();
        let lifetimes = tenant.lifetimes(tenant.cookie_mode);
        Session {
            id: SessionId::new(base64url_characters(&self.random::<32>())),
            user_id: user.id.clone(),
            connection_id: connection.id.clone(),
            organization_id: None,
            cookie_hash: hash(cookie_secret),
            created_at: now,
            updated_at: now,
            authenticated_at: now,
            last_interacted_at: now,
            idle_expires_at: now.plus_millis(lifetimes.idle_ms),
            expires_at: now.plus_millis(lifetimes.absolute_ms),
            cookie_mode: tenant.cookie_mode,
            device: Device::first_seen(facts.ip.as_deref(), facts.user_agent.as_deref()),
            clients: Vec::new(),
            methods: Vec::new(),
            epoch: user.sessions_epoch,
            upstream: None,
            metadata: domain::metadata::SessionMetadata::default(),
        }
    }

    /// The same user proved again who they are: the session goes on under a new cookie.
    fn renewed(
        &self,
        mut session: Session,
        tenant: &domain::tenant::Tenant,
        cookie_secret: &str,
        facts: &RequestFacts,
    ) -> Session {
        let now = self.now();
        let idle_ms = tenant.lifetimes(session.cookie_mode).idle_ms;
        session.touch(now, idle_ms, facts.ip.as_deref(), facts.user_agent.as_deref());
        session.authenticated_at = now;
        session.cookie_hash = hash(cookie_secret);
        session
    }
}

fn sign_up_again(pending: Pending, email: &str, message: String) -> Proof {
    let view = PageView { login_hint: Some(email.to_owned()), ..pending.view };
    Proof::Again { view, message }
}

/// What a log event tells of the Actions that ran: their records, one for each time that they were resumed.
pub(crate) fn executions_detail(earlier: &[ActionId], execution_id: Option<&str>) -> serde_json::Value {
    let earlier = earlier.iter().map(ActionId::as_str);
    json!({ "executions": earlier.chain(execution_id).collect::<Vec<_>>() })
}
