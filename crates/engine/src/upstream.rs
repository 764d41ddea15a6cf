//! Users who come from another OpenID provider, and its word that a session there is over.
//!
//! | step | module |
//! | --- | --- |
//! | what is set about a provider | [`options`] |
//! | what it says of itself, read and read again | [`discovery`] |
//! | its keys, for as long as they hold | [`keys`] |
//! | send the browser there | [`depart`] |
//! | it is back: code, ID token, user | [`arrive`] |
//! | whose account it is | [`user`] |
//! | the provider ended a session | [`logout`] |
//! | the user wants the session there to end too | `federated` |
//! | the way there | [`http`] |
//!
//! What the specifications demand of its answers is in `protocol::upstream`.

pub mod arrive;
pub mod depart;
mod discovery;
mod federated;
pub(crate) mod http;
pub(crate) mod keys;
pub mod logout;
pub(crate) mod options;
mod user;

use domain::client::Client;
use domain::connection::{Connection, STRATEGY_OIDC};
use domain::id::ClientId;
use domain::session::Session;
use domain::upstream::OidcConnection;
use protocol::error::{OAuthError, OAuthErrorCode};
use protocol::upstream::Refused;
use store::Key;

use crate::connections::enabled_clients;
use crate::ports::OutboundError;
use crate::{Engine, Error};

/// Why a provider is no help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// It cannot be asked.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(#[from] OutboundError),
    /// What it said last is not enough, and it is too soon to ask again.
    #[error("the provider was asked for its keys a moment ago")]
    TooSoon,
    /// What it answered does not count.
    #[error("{0}")]
    Refused(#[from] Refused),
}

impl Failure {
    /// What our client is told: whether to try again. What was wrong is for the tenant's log.
    fn for_client(&self) -> OAuthError {
        let error = match self {
            Self::Unreachable(_) | Self::TooSoon => OAuthError::new(
                OAuthErrorCode::TemporarilyUnavailable,
                "The identity provider cannot be reached",
            ),
            Self::Refused(_) => OAuthError::new(
                OAuthErrorCode::AccessDenied,
                "The identity provider's answer was not accepted",
            ),
        };
        error.with_debug(self.to_string())
    }
}

/// The provider of a connection, if it is one of that kind.
pub(crate) fn oidc_of(connection: &Connection) -> Option<&OidcConnection> {
    connection.oidc.as_ref().filter(|_| connection.strategy == STRATEGY_OIDC)
}

impl Engine {
    /// Whether a session may be used for a client: single sign-on opens no application to a provider's users that was
    /// not opened to the provider.
    pub(crate) async fn may_come_from_where_it_does(
        &self,
        session: &Session,
        client: &Client,
    ) -> Result<bool, Error> {
        if session.upstream.is_none() {
            return Ok(true);
        }
        let connection = self.store().get::<Connection>(&Key::of(&session.connection_id)).await?;
        Ok(connection.is_some_and(|found| oidc_of(&found).is_none() || is_enabled_for(&found, &client.id)))
    }
}

/// Whether a client's users may come by a connection (Auth0: `enabled_clients`; none are, until they are named).
fn is_enabled_for(connection: &Connection, client_id: &ClientId) -> bool {
    enabled_clients(connection).iter().any(|enabled| enabled == client_id.as_str())
}
