//! Sends a browser to another OpenID provider: at once where the client names it, or by a button of the sign-in page.
//!
//! Spec: OIDC Core 1.0 §3.1.2.1, RFC 7636 §4. The `state` is bound to the sign-in under way and its cookie
//! ([ADR 27](../../../../docs/adr/0027-the-callback-belongs-to-a-sign-in-and-a-browser.md)).

use domain::client::Client;
use domain::connection::{Connection, STRATEGY_OIDC};
use domain::id::{SignInId, base64url_characters};
use domain::limits::UPSTREAM_BUTTONS_MAX;
use domain::secret::Sealed;
use domain::sign_in::{AuthorizationRequest, SignIn};
use domain::upstream::UpstreamAttempt;
use protocol::error::{OAuthError, OAuthErrorCode};
use protocol::pkce::challenge_of;
use protocol::upstream::authorization::Request;
use serde_json::Value;
use store::{Key, Order};

use super::{is_enabled_for, oidc_of};
use crate::organizations::door::Door;
use crate::sign_in::{Browser, NextStep, hash};
use crate::{Engine, Error, RequestFacts};

/// Where browsers come back, below the issuer (Auth0: the callback of identity providers).
pub const CALLBACK: &str = "login/callback";
/// What code verifiers are sealed for.
const PURPOSE: &str = "upstream code verifier";
/// Connections looked at for buttons.
const LOOKED_AT_MAX: usize = 200;

/// A button of the sign-in page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionButton {
    /// The connection.
    pub name: String,
    /// What people call it.
    pub label: String,
}

impl Engine {
    /// The provider that a request names. Inside, why it cannot be used.
    pub(crate) async fn upstream_named_in(
        &self,
        request: &AuthorizationRequest,
        client: &Client,
        door: Option<&Door>,
    ) -> Result<Result<Option<Connection>, OAuthError>, Error> {
        let Some(name) = &request.connection else { return Ok(Ok(None)) };
        let found = self.store().find::<Connection>("name", &Key::of(name)).await?;
        if let (Some(found), Some(door)) = (&found, door)
            && !door.admits(&found.id)
        {
            return Ok(Err(door.shut(name)));
        }
        let Some(connection) = found.filter(|found| oidc_of(found).is_some()) else { return Ok(Ok(None)) };
        if !is_enabled_for(&connection, &client.id) {
            return Ok(Err(not_enabled(name)));
        }
        Ok(Ok(Some(connection)))
    }

    /// Straight from the authorization request to the provider.
    pub(crate) async fn depart_at_once(
        &self,
        request: AuthorizationRequest,
        connection: Connection,
        browser_secret: Option<&str>,
    ) -> Result<NextStep, Error> {
        let browser_secret = self.browser_secret(browser_secret);
        let sign_in = self.new_sign_in(request, &browser_secret);
        self.depart(sign_in, true, connection, browser_secret).await
    }

    /// The button of a connection on the sign-in page.
    ///
    /// # Errors
    /// [`Error::OAuth`], to be shown as a page, when the sign-in is over or the connection cannot be used.
    pub async fn sign_in_with_connection(
        &self,
        id: &str,
        browser: Browser<'_>,
        name: &str,
        facts: &RequestFacts,
    ) -> Result<NextStep, Error> {
        let pending = self.pending(id, browser.secret).await?;
        let request =
            AuthorizationRequest { connection: Some(name.to_owned()), ..pending.sign_in.request.clone() };
        match self.upstream_named_in(&request, &pending.client, pending.door.as_ref()).await? {
            Ok(Some(connection)) => {
                let browser_secret = self.browser_secret(browser.secret);
                self.depart(pending.sign_in, false, connection, browser_secret).await
            }
            Ok(None) => self.refuse(&request, &pending.client, not_enabled(name), facts).await,
            Err(error) => self.refuse(&request, &pending.client, error, facts).await,
        }
    }

    /// The providers that the sign-in page of a request offers; in an organization, those of its own that have a button there.
    pub(crate) async fn connection_buttons(
        &self,
        request: &AuthorizationRequest,
        client: &Client,
        door: Option<&Door>,
    ) -> Result<Vec<ConnectionButton>, Error> {
        let found = match door {
            Some(door) => self.connections_of(door).await?,
            None => {
                let (prefix, order) = (Key::of(STRATEGY_OIDC), Order::Ascending);
                self.store().page(Some("strategy"), &prefix, None, LOOKED_AT_MAX, order).await?.items
            }
        };
        let has_button = |connection: &Connection| match door {
            Some(door) => door.way(&connection.id).is_some_and(|way| way.show_as_button),
            None => connection.kept.get("show_as_button") != Some(&Value::Bool(false)),
        };
        let is_offered = |connection: &Connection| {
            oidc_of(connection).is_some()
                && is_enabled_for(connection, &client.id)
                && match &request.connection {
                    Some(named) => *named == connection.name,
                    None => has_button(connection),
                }
        };
        let button = |connection: Connection| {
            let label = connection.kept.get("display_name").and_then(Value::as_str);
            ConnectionButton { label: label.unwrap_or(&connection.name).to_owned(), name: connection.name }
        };
        Ok(found.into_iter().filter(is_offered).take(UPSTREAM_BUTTONS_MAX).map(button).collect())
    }

    async fn depart(
        &self,
        sign_in: SignIn,
        is_new: bool,
        connection: Connection,
        browser_secret: String,
    ) -> Result<NextStep, Error> {
        let connection = self.with_fresh_description(connection).await?;
        let oidc = oidc_of(&connection).ok_or_else(|| Error::Bug("a provider has settings".to_owned()))?;
        let verifier = oidc.pkce.then(|| base64url_characters(&self.random::<43>()));
        let attempt = UpstreamAttempt {
            id: SignInId::new(base64url_characters(&self.random::<32>())),
            sign_in_id: sign_in.id.clone(),
            browser_hash: hash(&browser_secret),
            connection_id: connection.id.clone(),
            nonce: self.secret_text(),
            code_verifier: verifier.as_ref().map(|text| self.store().seal(PURPOSE, text.as_bytes())),
            created_at: self.now(),
            expires_at: sign_in.expires_at,
        };
        let challenge = verifier.as_deref().map(challenge_of);
        let request = Request {
            endpoint: &oidc.provider.authorization_endpoint,
            client_id: &oidc.client_id,
            redirect_uri: &self.callback_url(),
            scope: &oidc.scope,
            state: attempt.id.as_str(),
            nonce: &attempt.nonce,
            code_challenge: challenge.as_deref(),
            wishes: &sign_in.request,
        };
        let url = request.url().ok_or_else(|| Error::Bug("a provider's endpoint is a URL".to_owned()))?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                if is_new {
                    tx.insert(sign_in.clone());
                }
                tx.insert(attempt.clone());
                Ok(())
            })
            .await?;
        Ok(NextStep::Away { url, browser_secret })
    }

    /// The address to which providers send browsers back.
    pub(super) fn callback_url(&self) -> String {
        format!("{}{CALLBACK}", self.issuer())
    }

    /// The verifier of an attempt.
    pub(super) fn code_verifier(&self, sealed: &Sealed) -> Result<String, Error> {
        let bytes = self.store().unseal(PURPOSE, sealed)?;
        String::from_utf8(bytes).map_err(|_| Error::Bug("a code verifier is not text".to_owned()))
    }
}

pub(super) fn not_enabled(name: &str) -> OAuthError {
    OAuthError::new(
        OAuthErrorCode::InvalidRequest,
        format!("the connection {name} is not enabled for this application"),
    )
}
