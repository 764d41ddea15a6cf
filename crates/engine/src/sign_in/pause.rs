//! Sends the browser away for an Action, and goes on when it comes back.
//!
//! Auth0: Actions › redirect with Actions. Everything is in the store meanwhile, so any node can go on, also after a
//! restart. The `state` is good once and only in the same browser; who takes it, deletes it, before any Action runs.

use domain::client::Client;
use domain::id::{SignInId, base64url_characters};
use domain::limits::{SIGN_IN_MS, SIGN_IN_PAUSE_MS, SIGN_IN_PAUSED_BYTES_MAX, SIGN_IN_PAUSES_MAX};
use domain::paused::{PausedOrigin, PausedSignIn};
use domain::secret::same;
use domain::session::Session;
use domain::sign_in::SignIn;
use domain::tenant::Tenant;
use domain::user::User;
use protocol::error::{OAuthError, OAuthErrorCode};
use store::Key;
use url::Url;

use super::commands::{Effects, Ending};
use super::{Browser, NextStep, Origin, Resumed, Working, hash};
use crate::actions::progress::Progress;
use crate::actions::run::TriggerRun;
use crate::{Engine, Error, RequestFacts};

/// The parameter in which the browser carries the identifier of what waits for it.
const STATE: &str = "state";

impl Engine {
    /// The browser goes where the last Action sends it. `before` is the session without what Actions asked for.
    pub(super) async fn pause(
        &self,
        working: Working,
        before: Session,
        mut run: TriggerRun,
        url: &str,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let browser_secret = self.browser_secret(working.browser_secret.as_deref());
        let Some(paused) = self.paused(&working, before, &run, &browser_secret)? else {
            let text = "The Actions of this sign-in redirect too often or hold too much meanwhile";
            run.effects.ending = Some(Ending::denied(text.to_owned()));
            return self.denied(working, run, facts).await;
        };
        let url = with_state(url, &paused.id)?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.insert(paused.clone());
                tx.delete::<SignIn>(&Key::of(&paused.sign_in.id));
                if let Some(execution) = &run.execution {
                    tx.insert(execution.clone());
                }
                Ok(())
            })
            .await?;
        Ok(NextStep::Away { url, browser_secret })
    }

    /// What is kept. None: it would be too much.
    fn paused(
        &self,
        working: &Working,
        before: Session,
        run: &TriggerRun,
        browser_secret: &str,
    ) -> Result<Option<PausedSignIn>, Error> {
        let now = self.now();
        let bug = |text: String| Error::Bug(format!("a sign-in cannot wait: {text}"));
        let sign_in = working.sign_in.clone().unwrap_or_else(|| SignIn {
            id: working.transaction_id.clone(),
            browser_hash: String::new(),
            request: working.request.clone(),
            attempts: 0,
            created_at: now,
            expires_at: now.plus_millis(SIGN_IN_MS),
        });
        let mut executions = working.earlier_executions().to_vec();
        executions.extend(run.execution_id().cloned());
        let paused = PausedSignIn {
            id: SignInId::new(base64url_characters(&self.random::<32>())),
            sign_in: SignIn { browser_hash: hash(browser_secret), ..sign_in },
            user_id: working.user.id.clone(),
            user_epoch: working.user.sessions_epoch,
            session: before,
            origin: kept(&working.origin),
            action_id: run.done.last().cloned().ok_or_else(|| bug("no Action ran".to_owned()))?,
            done: run.done.clone(),
            effects: serde_json::to_value(&run.effects).map_err(|error| bug(error.to_string()))?,
            executions,
            expires_at: now.plus_millis(SIGN_IN_PAUSE_MS),
        };
        let bytes = serde_json::to_vec(&paused).map_err(|error| bug(error.to_string()))?.len();
        let fits = bytes <= SIGN_IN_PAUSED_BYTES_MAX && paused.executions.len() <= SIGN_IN_PAUSES_MAX;
        Ok(fits.then_some(paused))
    }

    /// `/continue`: the browser is back, with these parameters in query and body.
    ///
    /// # Errors
    /// [`Error::OAuth`], to be shown as a page, when nothing waits under this `state` for this browser.
    pub async fn continue_sign_in(
        &self,
        query: Vec<(String, String)>,
        body: Vec<(String, String)>,
        browser: Browser<'_>,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let state = query.iter().chain(&body).find(|(name, _)| name == STATE);
        let paused = self.take_paused(state.map_or("", |(_, value)| value), browser.secret).await?;
        let request = paused.sign_in.request.clone();
        let client = self.store().get::<Client>(&Key::of(&request.client_id)).await?.ok_or_else(over)?;
        let user = self.store().get::<User>(&Key::of(&paused.user_id)).await?;
        let Some(mut user) = user.filter(|user| !user.blocked) else {
            let error = OAuthError::new(OAuthErrorCode::AccessDenied, "user is blocked");
            return self.refuse(&request, &client, error, facts).await;
        };
        let door = match self.door(&request, &client).await? {
            Ok(door) => door,
            Err(error) => return self.refuse(&request, &client, error, facts).await,
        };
        let by = &paused.session.connection_id;
        let organization = match self.may_enter(door.as_ref(), &user, by).await? {
            Ok(organization) => organization,
            Err(error) => return self.refuse(&request, &client, error, facts).await,
        };
        let tenant = self.tenant().await?;
        let session = self.session_after(&paused, &tenant, browser, facts).await?;
        let Some((session, origin)) = session.filter(|_| user.sessions_epoch == paused.user_epoch) else {
            return self.wait_for_user(request, browser.secret).await;
        };
        if !matches!(origin, Origin::Reused { .. }) {
            user.logins_count += 1;
        }
        let effects: Effects = serde_json::from_value(paused.effects)
            .map_err(|error| Error::Bug(format!("what Actions asked for does not decode: {error}")))?;
        let working = Working {
            request,
            client,
            tenant,
            connection: self.connection_by_id(&session.connection_id).await?,
            organization,
            invitation: door.and_then(|door| door.invitation),
            resource_server: None,
            user,
            session,
            origin,
            transaction_id: paused.sign_in.id.clone(),
            sign_in: Some(paused.sign_in),
            browser_secret: browser.secret.map(str::to_owned),
            resumed: Some(Resumed { query, body, executions: paused.executions }),
        };
        let progress = Progress { effects, continues: Some(paused.action_id), done: paused.done };
        Box::pin(self.complete_from(working, progress, facts)).await
    }

    /// Takes what waits, so that nobody takes it again.
    async fn take_paused(&self, state: &str, browser_secret: Option<&str>) -> Result<PausedSignIn, Error> {
        let key = Key::of(SignInId::new(state));
        let browser_hash = hash(browser_secret.unwrap_or_default());
        self.store()
            .transact(async |tx| -> Result<PausedSignIn, Error> {
                let paused = tx.get::<PausedSignIn>(&key).await?.ok_or_else(over)?;
                let same_browser = same(paused.sign_in.browser_hash.as_bytes(), browser_hash.as_bytes());
                if !same_browser || paused.expires_at <= self.now() {
                    return Err(over());
                }
                tx.delete::<PausedSignIn>(&key);
                Ok(paused)
            })
            .await
    }

    /// The session to go on with. None: the browser no longer holds what the sign-in rests on.
    async fn session_after(
        &self,
        paused: &PausedSignIn,
        tenant: &Tenant,
        browser: Browser<'_>,
        facts: &RequestFacts,
    ) -> Result<Option<(Session, Origin)>, Error> {
        let held = self.session_of_cookie(browser.session).await?;
        let cookie_secret = self.secret_text();
        let (mut session, origin) = match (&paused.origin, held) {
            (PausedOrigin::New, held) => {
                let replaces = held.map(|held| held.id);
                (paused.session.clone(), Origin::New { cookie_secret, replaces })
            }
            (PausedOrigin::Switched { from, proved }, held) => {
                if !proved && held.is_none_or(|held| held.id != *from) {
                    return Ok(None);
                }
                let (from, proved) = (from.clone(), *proved);
                (paused.session.clone(), Origin::Switched { cookie_secret, from, proved })
            }
            (PausedOrigin::Renewed, Some(mut held)) if held.id == paused.session.id => {
                held.authenticated_at = held.authenticated_at.max(paused.session.authenticated_at);
                paused.session.methods.iter().for_each(|method| held.record_method(method.clone()));
                held.connection_id.clone_from(&paused.session.connection_id);
                held.upstream.clone_from(&paused.session.upstream);
                (held, Origin::Renewed { cookie_secret })
            }
            (PausedOrigin::Reused, Some(held)) if held.id == paused.session.id => {
                (held, Origin::Reused { cookie: browser.session.unwrap_or_default().to_owned() })
            }
            (PausedOrigin::Renewed | PausedOrigin::Reused, _) => return Ok(None),
        };
        if let Origin::New { cookie_secret, .. }
        | Origin::Renewed { cookie_secret }
        | Origin::Switched { cookie_secret, .. } = &origin
        {
            session.cookie_hash = hash(cookie_secret);
        }
        let idle_ms = tenant.lifetimes(session.cookie_mode).idle_ms;
        session.touch(self.now(), idle_ms, facts.ip.as_deref(), facts.user_agent.as_deref());
        Ok(Some((session, origin)))
    }
}

fn kept(origin: &Origin) -> PausedOrigin {
    match origin {
        Origin::New { .. } => PausedOrigin::New,
        Origin::Renewed { .. } => PausedOrigin::Renewed,
        Origin::Reused { .. } => PausedOrigin::Reused,
        Origin::Switched { from, proved, .. } => {
            PausedOrigin::Switched { from: from.clone(), proved: *proved }
        }
    }
}

fn over() -> Error {
    Error::OAuth(OAuthError::invalid(
        "This sign-in is over or was begun in another browser. Go back to the application and start again.",
    ))
}

/// The URL with our `state`, and with no other.
fn with_state(url: &str, id: &SignInId) -> Result<String, Error> {
    let mut url = Url::parse(url).map_err(|error| Error::Bug(format!("a redirect's URL: {error}")))?;
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != STATE)
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(STATE, id.as_str());
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::with_state;

    #[test]
    fn a_redirect_carries_our_state_and_no_other() {
        let url = with_state("https://a.example/x?state=theirs&b=1%202#end", &"ours".into()).unwrap();
        assert_eq!(url, "https://a.example/x?b=1+2&state=ours#end");
        assert_eq!(with_state("https://a.example", &"s".into()).unwrap(), "https://a.example/?state=s");
    }
}
