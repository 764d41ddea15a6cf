//! The browser is back from another OpenID provider: the code becomes an ID token, and the ID token a user.
//!
//! Spec: OIDC Core 1.0 §3.1.2.5–§3.1.3.7 and §5.3, RFC 9207. Whatever does not check out signs nobody in.

use domain::client::Client;
use domain::connection::Connection;
use domain::event::EventKind;
use domain::id::SignInId;
use domain::secret::{Secret, same};
use domain::sign_in::{Prompt, SignIn};
use domain::upstream::{OidcConnection, UpstreamAttempt, UpstreamSession};
use protocol::error::{OAuthError, OAuthErrorCode};
use protocol::params::Params;
use protocol::upstream::authorization::{self, Answer};
use protocol::upstream::exchange::{self, Exchange, Tokens};
use protocol::upstream::id_token::{Expect, IdToken};
use protocol::upstream::profile::{self, Profile};
use serde_json::json;
use store::Key;

use super::depart::not_enabled;
use super::http::{Auth, Request};
use super::user::Arrived;
use super::{Failure, is_enabled_for, oidc_of};
use crate::sign_in::prove::Proven;
use crate::sign_in::{Browser, CookieChange, NextStep, answer, hash, told};
use crate::{Engine, Error, RequestFacts};

/// Why nobody is signed in.
enum NotArrived {
    /// The provider, or the user there, said no; in the provider's words.
    ByAnswer(OAuthError),
    /// Its answer does not count, or there is none.
    ByFailure(Failure),
}

impl<F: Into<Failure>> From<F> for NotArrived {
    fn from(failure: F) -> Self {
        Self::ByFailure(failure.into())
    }
}

impl Engine {
    /// `/login/callback`: the browser is back, with these parameters in its query or form.
    ///
    /// # Errors
    /// [`Error::OAuth`], to be shown as a page, when nothing waits under this `state` for this browser.
    pub async fn arrive(
        &self,
        params: Vec<(String, String)>,
        browser: Browser<'_>,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let params = Params::parse(params);
        let attempt = self.take_attempt(params.get("state").unwrap_or_default(), browser.secret).await?;
        let mut pending = self.pending(attempt.sign_in_id.as_str(), browser.secret).await?;
        let connection = self.connection_by_id(&attempt.connection_id).await?;
        let oidc = oidc_of(&connection).ok_or_else(over)?;
        // Asked when the browser left; it may have been taken away since.
        if !is_enabled_for(&connection, &pending.client.id) {
            let error = not_enabled(&connection.name);
            return self.refuse_arrival(&pending.sign_in, &pending.client, &connection, error, facts).await;
        }
        if let Some(door) = pending.door.as_ref().filter(|door| !door.admits(&connection.id)) {
            let error = door.shut(&connection.name);
            return self.refuse_arrival(&pending.sign_in, &pending.client, &connection, error, facts).await;
        }
        let (token, profile) =
            match self.judge(&params, &connection, oidc, &attempt, &pending.sign_in).await? {
                Ok(found) => found,
                Err(why) => {
                    let error = match why {
                        NotArrived::ByAnswer(error) => error,
                        NotArrived::ByFailure(failure) => failure.for_client(),
                    };
                    return self
                        .refuse_arrival(&pending.sign_in, &pending.client, &connection, error, facts)
                        .await;
                }
            };
        let arrived = Arrived { connection: &connection, oidc, token: &token, profile: &profile };
        let user = self.user_from(&arrived, &pending.client, facts).await?;
        if user.blocked {
            let error = OAuthError::new(OAuthErrorCode::AccessDenied, "user is blocked");
            return self.refuse_arrival(&pending.sign_in, &pending.client, &connection, error, facts).await;
        }
        let upstream = UpstreamSession {
            connection_id: connection.id.clone(),
            issuer: oidc.provider.issuer.clone(),
            subject: token.subject,
            sid: token.sid,
            issued_at_s: token.issued_at_s,
            expires_at: token.session_expires_at,
        };
        pending.connection = connection;
        self.proved(pending, user, Proven::Upstream(upstream), browser, facts).await
    }

    /// Takes what waits, so that nobody takes it again. Only the browser that was sent away can.
    async fn take_attempt(
        &self,
        state: &str,
        browser_secret: Option<&str>,
    ) -> Result<UpstreamAttempt, Error> {
        let key = Key::of(SignInId::new(state));
        let browser_hash = hash(browser_secret.unwrap_or_default());
        self.store()
            .transact(async |tx| -> Result<UpstreamAttempt, Error> {
                let attempt = tx.get::<UpstreamAttempt>(&key).await?.ok_or_else(over)?;
                let same_browser = same(attempt.browser_hash.as_bytes(), browser_hash.as_bytes());
                if !same_browser || attempt.expires_at <= self.now() {
                    return Err(over());
                }
                tx.delete::<UpstreamAttempt>(&key);
                Ok(attempt)
            })
            .await
    }

    /// From the answer to a checked ID token and what is told of the user.
    async fn judge(
        &self,
        params: &Params,
        connection: &Connection,
        oidc: &OidcConnection,
        attempt: &UpstreamAttempt,
        sign_in: &SignIn,
    ) -> Result<Result<(IdToken, Profile), NotArrived>, Error> {
        let code = match authorization::read(params, &oidc.provider) {
            Ok(Answer::Code(code)) => code,
            Ok(Answer::Error { code, description }) => {
                return Ok(Err(NotArrived::ByAnswer(OAuthError::new(code, description))));
            }
            Err(refused) => return Ok(Err(refused.into())),
        };
        let secret = self.upstream_secret(oidc)?;
        let verifier = attempt.code_verifier.as_ref().map(|sealed| self.code_verifier(sealed)).transpose()?;
        let redirect_uri = self.callback_url();
        let exchange = Exchange {
            code: &code,
            redirect_uri: &redirect_uri,
            code_verifier: verifier.as_deref(),
            client_id: &oidc.client_id,
            client_secret: secret.as_ref(),
            auth_method: oidc.auth_method,
        };
        let request = &sign_in.request;
        let asked_anew = request.asks(Prompt::Login).then_some(attempt.created_at);
        Ok(async {
            let tokens = self.redeem_upstream(oidc, &exchange).await?;
            let expect = Expect {
                issuer: &oidc.provider.issuer,
                client_id: &oidc.client_id,
                algorithms: &oidc.algorithms,
                nonce: &attempt.nonce,
                max_age_seconds: request.max_age_seconds,
                proved_since: asked_anew,
                access_token: tokens.access_token.as_ref().map(|token| token.expose().as_str()),
                now: self.now(),
            };
            let text = tokens.id_token.expose();
            let mut token =
                self.check_with_keys(&connection.id, &oidc.provider, |keys| expect.check(keys, text)).await?;
            self.add_userinfo(oidc, &mut token, tokens.access_token.as_ref()).await?;
            let profile = Profile::of(&token.claims);
            Ok((token, profile))
        }
        .await
        .map_err(NotArrived::ByFailure))
    }

    async fn redeem_upstream(
        &self,
        oidc: &OidcConnection,
        exchange: &Exchange<'_>,
    ) -> Result<Tokens, Failure> {
        let (form, basic) = exchange.request();
        let auth = basic.map_or(Auth::None, Auth::Basic);
        let url = oidc.provider.token_endpoint.clone();
        let request = Request { url, form: Some(Secret::new(form)), auth };
        let answer = self.inner.upstream_http.call(request).await?;
        Ok(exchange::read(answer.status, &answer.body)?)
    }

    /// Where the ID token says too little of the user, the provider is asked for the rest.
    async fn add_userinfo(
        &self,
        oidc: &OidcConnection,
        token: &mut IdToken,
        access_token: Option<&Secret<String>>,
    ) -> Result<(), Failure> {
        let (Some(url), Some(access_token)) = (&oidc.provider.userinfo_endpoint, access_token) else {
            return Ok(());
        };
        if !profile::is_thin(&token.claims) {
            return Ok(());
        }
        let auth = Auth::Bearer(access_token.clone());
        let request = Request { url: url.clone(), form: None, auth };
        let answer = self.inner.upstream_http.call(request).await?;
        Ok(profile::add_userinfo(&mut token.claims, &token.subject, answer.status, &answer.body)?)
    }

    /// Back to the client with an error; the sign-in is over, and the log tells why.
    async fn refuse_arrival(
        &self,
        sign_in: &SignIn,
        client: &Client,
        connection: &Connection,
        error: OAuthError,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let mut details = told::refusal(&error, "oauth-authorization", &sign_in.request.query);
        details["transaction_id"] = json!(sign_in.id);
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.delete::<SignIn>(&Key::of(&sign_in.id));
                self.event(EventKind::LoginFailed, facts)
                    .client(client)
                    .connection(connection)
                    .says(error.description.clone())
                    .details(details.clone())
                    .record(tx);
                Ok(())
            })
            .await?;
        let fields =
            vec![("error", error.code.as_str().to_owned()), ("error_description", error.description)];
        let answer = answer(&sign_in.request, fields);
        Ok(NextStep::Answer { answer, cookie: CookieChange::Keep })
    }
}

pub(super) fn over() -> Error {
    Error::OAuth(OAuthError::invalid(
        "This sign-in is over or was begun in another browser. Go back to the application and start again.",
    ))
}
