//! Looks at an authorization request and at the browser's session: straight on, to a page, or back with an error.
//!
//! Spec: OIDC Core 1.0 §3.1.2.1–§3.1.2.6.

use domain::client::Client;
use domain::event::EventKind;
use domain::id::{SignInId, base64url_characters};
use domain::limits::SIGN_IN_MS;
use domain::session::Session;
use domain::sign_in::{AuthorizationRequest, Prompt, SignIn};
use domain::time::seconds;
use domain::user::User;
use protocol::authorize::{Params, Rejection, Rules};
use protocol::end_session::Hint;
use protocol::error::{OAuthError, OAuthErrorCode};
use serde_json::Value;
use store::Key;
use store::tables::email_key;

use super::ask_organization::asks_for_organization;
use super::{Browser, ClientAnswer, CookieChange, NextStep, Origin, Screen, Working, answer, hash, told};
use crate::organizations::door::Door;
use crate::{Engine, Error, RequestFacts};

/// Why the browser's session does not do for a request.
enum Missing {
    /// There is none, or it is too old, or the client wants a fresh proof.
    Login,
    /// There is one, but the user would have to choose or agree.
    Interaction(&'static str),
}

impl Engine {
    /// `/authorize`.
    ///
    /// # Errors
    /// [`Error::OAuth`], to be shown as a page: the client or its redirect URI is not to be trusted.
    pub async fn authorize(
        &self,
        params: Vec<(String, String)>,
        browser: Browser<'_>,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let params = Params::parse(params);
        let client = match params.client_id() {
            Some(id) => self.store().get::<Client>(&Key::of(id)).await?,
            None => None,
        };
        let request = match protocol::authorize::check(&params, client.as_ref(), &Rules::default()) {
            Ok(request) => request,
            Err(rejection) => return self.reject(rejection, client.as_ref(), &params, facts).await,
        };
        let client = client.ok_or_else(|| Error::Bug("a checked request has a client".to_owned()))?;
        let door = match self.door(&request, &client).await? {
            Ok(door) => door,
            Err(_) if asks_for_organization(&request, &client) => {
                return self.wait_at(Screen::Organization, request, browser.secret).await;
            }
            Err(error) => return self.refuse(&request, &client, error, facts).await,
        };
        let session = self.session_of_cookie(browser.session).await?;
        match self.missing(&request, &client, door.as_ref(), session.as_ref()).await? {
            None => {
                let session = session.ok_or_else(|| Error::Bug("a session that does exists".to_owned()))?;
                self.go_on_with(request, client, door, session, browser, facts).await
            }
            Some(Missing::Interaction(why)) => {
                let code = if request.asks(Prompt::None) {
                    OAuthErrorCode::ConsentRequired
                } else {
                    OAuthErrorCode::AccessDenied
                };
                self.refuse(&request, &client, OAuthError::new(code, why), facts).await
            }
            Some(Missing::Login) => {
                self.ask_for_login(request, &client, door.as_ref(), browser.secret, facts).await
            }
        }
    }

    /// Shows the pages, sends the browser to the provider that the client names, or tells a client that wants none of
    /// this.
    async fn ask_for_login(
        &self,
        request: AuthorizationRequest,
        client: &Client,
        door: Option<&Door>,
        browser_secret: Option<&str>,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        if request.asks(Prompt::None) {
            let error = OAuthError::new(OAuthErrorCode::LoginRequired, "Login required");
            return self.refuse(&request, client, error, facts).await;
        }
        match self.upstream_named_in(&request, client, door).await? {
            Ok(Some(connection)) => self.depart_at_once(request, connection, browser_secret).await,
            Ok(None) => {
                let request = self.with_invitee(request, door).await?;
                self.wait_for_user(request, browser_secret).await
            }
            Err(error) => self.refuse(&request, client, error, facts).await,
        }
    }

    /// An invitation says whom to expect, and whether on the sign-up page.
    async fn with_invitee(
        &self,
        mut request: AuthorizationRequest,
        door: Option<&Door>,
    ) -> Result<AuthorizationRequest, Error> {
        let Some(invitation) = door.and_then(|door| door.invitation.as_ref()) else { return Ok(request) };
        if request.screen_hint.is_none() {
            let connection = self.connection_for(&request, door).await?;
            let known =
                self.store().find::<User>("email", &email_key(&connection.id, &invitation.email)).await?;
            request.screen_hint = known.is_none().then(|| "signup".to_owned());
        }
        request.login_hint = Some(invitation.email.clone());
        Ok(request)
    }

    /// A request that failed its checks: back to the client where its redirect URI is verified, else a page.
    async fn reject(
        &self,
        rejection: Rejection,
        client: Option<&Client>,
        params: &Params,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let error = rejection.error().clone();
        let details = told::refusal(&error, "request-error", params.pairs());
        self.record_refusal(EventKind::LoginFailed, client, &error, details, facts).await?;
        match rejection {
            Rejection::Page(error) => Err(error.into()),
            Rejection::Redirect { redirect_uri, response_mode, state, error } => {
                let parameters = protocol::respond::error_parameters(&error, state.as_deref());
                let fields =
                    parameters.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                let answer = ClientAnswer { redirect_uri, response_mode, fields };
                Ok(NextStep::Answer { answer, cookie: CookieChange::Keep })
            }
        }
    }

    async fn missing(
        &self,
        request: &AuthorizationRequest,
        client: &Client,
        door: Option<&Door>,
        session: Option<&Session>,
    ) -> Result<Option<Missing>, Error> {
        if !client.is_first_party {
            return Ok(Some(Missing::Interaction(
                "Consent pages for third-party applications do not exist yet",
            )));
        }
        let Some(session) = session else { return Ok(Some(Missing::Login)) };
        let age = self.now().millis_since(session.authenticated_at);
        let too_old = request.max_age_seconds.is_some_and(|max_age| age > seconds(max_age));
        if self.hints_at_another_user(request, session) {
            return Ok(Some(Missing::Login));
        }
        if request.asks(Prompt::Login) || request.asks(Prompt::SelectAccount) || too_old {
            return Ok(Some(Missing::Login));
        }
        // Who accepts an invitation says anew who they are: the browser may be somebody else's too.
        if door.is_some_and(|door| !door.admits(&session.connection_id) || door.invitation.is_some()) {
            return Ok(Some(Missing::Login));
        }
        if !self.may_come_from_where_it_does(session, client).await? {
            return Ok(Some(Missing::Login));
        }
        Ok(None)
    }

    /// Whether `id_token_hint` names a user other than the session's (OIDC Core 1.0 §3.1.2.1).
    fn hints_at_another_user(&self, request: &AuthorizationRequest, session: &Session) -> bool {
        let hint = request.query.iter().find(|(name, _)| name == "id_token_hint");
        let Some((_, token)) = hint.filter(|(_, token)| !token.is_empty()) else { return false };
        // A hint that does not verify says nothing about anybody, so nobody is taken at its word.
        let hint = Hint::read(&self.keys().set, token, self.issuer(), self.now());
        hint.map_or(true, |hint| hint.sub.as_deref() != Some(session.user_id.as_str()))
    }

    /// Silent authentication and single sign-on: the browser's session does.
    async fn go_on_with(
        &self,
        request: AuthorizationRequest,
        client: Client,
        door: Option<Door>,
        session: Session,
        browser: Browser<'_>,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let user = self.store().get::<User>(&Key::of(&session.user_id)).await?;
        let Some(user) = user.filter(|user| !user.blocked) else {
            let error = OAuthError::new(OAuthErrorCode::AccessDenied, "user is blocked");
            return self.refuse(&request, &client, error, facts).await;
        };
        if session.epoch != user.sessions_epoch {
            return self.ask_for_login(request, &client, door.as_ref(), browser.secret, facts).await;
        }
        let organization = match self.may_enter(door.as_ref(), &user, &session.connection_id).await? {
            Ok(organization) => organization,
            Err(error) => return self.refuse(&request, &client, error, facts).await,
        };
        let connection = self.connection_by_id(&session.connection_id).await?;
        let tenant = self.tenant().await?;
        let mut session = session;
        let idle_ms = tenant.lifetimes(session.cookie_mode).idle_ms;
        session.touch(self.now(), idle_ms, facts.ip.as_deref(), facts.user_agent.as_deref());
        let working = Working {
            request,
            client,
            tenant,
            connection,
            organization,
            invitation: None,
            resource_server: None,
            user,
            session,
            origin: Origin::Reused { cookie: browser.session.unwrap_or_default().to_owned() },
            transaction_id: SignInId::new(base64url_characters(&self.random::<32>())),
            sign_in: None,
            browser_secret: browser.secret.map(str::to_owned),
            resumed: None,
        };
        self.complete(working, facts).await
    }

    /// Stores the sign-in and sends the browser to the pages.
    pub(crate) async fn wait_for_user(
        &self,
        request: AuthorizationRequest,
        browser_secret: Option<&str>,
    ) -> Result<NextStep, Error> {
        let screen =
            if request.screen_hint.as_deref() == Some("signup") { Screen::SignUp } else { Screen::SignIn };
        self.wait_at(screen, request, browser_secret).await
    }

    async fn wait_at(
        &self,
        screen: Screen,
        request: AuthorizationRequest,
        browser_secret: Option<&str>,
    ) -> Result<NextStep, Error> {
        let browser_secret = self.browser_secret(browser_secret);
        let sign_in = self.new_sign_in(request, &browser_secret);
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.insert(sign_in.clone());
                Ok(())
            })
            .await?;
        Ok(NextStep::Page { sign_in_id: sign_in.id.to_string(), browser_secret, screen })
    }

    /// A sign-in as it begins, of the browser that holds this secret.
    pub(crate) fn new_sign_in(&self, request: AuthorizationRequest, browser_secret: &str) -> SignIn {
        let now = self.now();
        SignIn {
            id: SignInId::new(base64url_characters(&self.random::<32>())),
            browser_hash: hash(browser_secret),
            request,
            attempts: 0,
            created_at: now,
            expires_at: now.plus_millis(SIGN_IN_MS),
        }
    }

    /// One secret for all tabs of a browser: a second sign-in must not end the first one's right to go on.
    pub(crate) fn browser_secret(&self, known: Option<&str>) -> String {
        match known.filter(|secret| secret.len() == 32) {
            Some(secret) => secret.to_owned(),
            None => self.secret_text(),
        }
    }

    /// Sends an error back to the client of a verified request, and records it.
    pub(crate) async fn refuse(
        &self,
        request: &AuthorizationRequest,
        client: &Client,
        error: OAuthError,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let silent = request.asks(Prompt::None);
        let kind = if silent { EventKind::SilentAuthFailed } else { EventKind::LoginFailed };
        let details = told::refusal(&error, "oauth-authorization", &request.query);
        self.record_refusal(kind, Some(client), &error, details, facts).await?;
        let fields =
            vec![("error", error.code.as_str().to_owned()), ("error_description", error.description)];
        Ok(NextStep::Answer { answer: answer(request, fields), cookie: CookieChange::Keep })
    }

    async fn record_refusal(
        &self,
        kind: EventKind,
        client: Option<&Client>,
        error: &OAuthError,
        details: Value,
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let mut event = self.event(kind, facts).says(error.description.clone());
                if let Some(client) = client {
                    event = event.client(client);
                }
                event.details(details.clone()).record(tx);
                Ok(())
            })
            .await
    }
}
