//! What a provider says of itself: asked when a connection is set, and again when a day has passed.
//!
//! Spec: OIDC Discovery 1.0 §4. Every endpoint is held to the rules of egress, wherever it was named.

use domain::connection::Connection;
use domain::id::ConnectionId;
use domain::limits::UPSTREAM_DISCOVERY_MS;
use domain::upstream::{OidcConnection, Provider};
use protocol::upstream::{Refused, discovery};
use store::Key;

use super::http::{Answer, Auth, Request, legal_url};
use super::{Failure, oidc_of};
use crate::{Engine, Error};

impl Engine {
    /// A `GET` without credentials.
    pub(super) async fn ask_provider(&self, url: &str) -> Result<Answer, Failure> {
        let request = Request { url: url.to_owned(), form: None, auth: Auth::None };
        Ok(self.inner.upstream_http.call(request).await?)
    }

    /// Reads a provider's description.
    pub(super) async fn discover(&self, url: &str, issuer: Option<&str>) -> Result<Provider, Failure> {
        let answer = self.ask_provider(url).await?;
        let provider = discovery::read(answer.status, &answer.body, url, issuer)?;
        for (name, endpoint) in endpoints(&provider) {
            legal_url(endpoint, &self.inner.settings.upstream_egress)
                .map_err(|_| Failure::Refused(Refused::Member(name)))?;
        }
        Ok(provider)
    }

    /// The connection with a description that is not too old. Where the provider does not answer, or has become
    /// another one, the old description stands: a sign-in finds out what still works.
    pub(super) async fn with_fresh_description(&self, connection: Connection) -> Result<Connection, Error> {
        let Some(oidc) = oidc_of(&connection) else { return Ok(connection) };
        let Some(url) = oidc.discovery_url.clone() else { return Ok(connection) };
        let age_ms = self.now().millis_since(oidc.discovered_at);
        if age_ms < UPSTREAM_DISCOVERY_MS || !self.inner.provider_keys.may_ask(&connection.id, self.now()) {
            return Ok(connection);
        }
        match self.discover(&url, Some(&oidc.provider.issuer)).await {
            Ok(found) => self
                .store_description(&connection.id, &url, &found)
                .await
                .map(|new| new.unwrap_or(connection)),
            Err(failure) => {
                tracing::warn!(
                    "the provider of the connection {} was not read again: {failure}",
                    connection.name
                );
                Ok(connection)
            }
        }
    }

    async fn store_description(
        &self,
        id: &ConnectionId,
        url: &str,
        found: &Provider,
    ) -> Result<Option<Connection>, Error> {
        self.store()
            .transact(async |tx| -> Result<Option<Connection>, Error> {
                let Some(mut connection) = tx.get::<Connection>(&Key::of(id)).await? else { return Ok(None) };
                let by_hand = super::options::endpoints_by_hand(&connection);
                let Some(oidc) = &mut connection.oidc else { return Ok(None) };
                if oidc.discovery_url.as_deref() != Some(url) || oidc.provider.issuer != found.issuer {
                    return Ok(None);
                }
                take_over(oidc, by_hand.over(found.clone()), self.now());
                tx.put(connection.clone());
                Ok(Some(connection))
            })
            .await
    }
}

/// Every place where a provider is called or a browser is sent.
pub(super) fn endpoints(provider: &Provider) -> Vec<(&'static str, &str)> {
    let optional = [
        ("userinfo_endpoint", provider.userinfo_endpoint.as_deref()),
        ("end_session_endpoint", provider.end_session_endpoint.as_deref()),
    ];
    let mut all = vec![
        ("authorization_endpoint", provider.authorization_endpoint.as_str()),
        ("token_endpoint", &provider.token_endpoint),
        ("jwks_uri", &provider.jwks_uri),
    ];
    all.extend(optional.into_iter().filter_map(|(name, endpoint)| Some((name, endpoint?))));
    all
}

fn take_over(oidc: &mut OidcConnection, provider: Provider, now: domain::time::Timestamp) {
    oidc.provider = provider;
    oidc.discovered_at = now;
}
