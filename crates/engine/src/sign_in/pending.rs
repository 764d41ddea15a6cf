//! Finds a sign-in that waits for a browser, with all that belongs to it.

use domain::client::Client;
use domain::connection::{CONNECTION_DEFAULT, Connection, STRATEGY_DATABASE};
use domain::id::SignInId;
use domain::invitation::Invitation;
use domain::secret::same;
use domain::sign_in::{AuthorizationRequest, SignIn};
use protocol::error::OAuthError;
use store::Key;

use super::hash;
use super::prove::PageView;
use crate::organizations::door::Door;
use crate::{Engine, Error};

/// A sign-in that waits for this browser, with what belongs to it.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) sign_in: SignIn,
    pub(crate) client: Client,
    pub(crate) connection: Connection,
    /// The organization that the sign-in is for.
    pub(crate) door: Option<Door>,
    /// What its page shows, but for the buttons of other providers.
    pub(super) view: PageView,
}

impl Pending {
    /// What invites the user.
    pub(super) fn invitation(&self) -> Option<&Invitation> {
        self.door.as_ref()?.invitation.as_ref()
    }
}

impl Engine {
    /// The sign-in that waits for this browser, and its client.
    pub(super) async fn waiting(
        &self,
        id: &str,
        browser_secret: Option<&str>,
    ) -> Result<(SignIn, Client), Error> {
        let over = || {
            Error::OAuth(OAuthError::invalid(
                "This sign-in is over or was begun in another browser. Go back to the application and start again.",
            ))
        };
        let sign_in = self.store().get::<SignIn>(&Key::of(SignInId::new(id))).await?.ok_or_else(over)?;
        let browser_hash = hash(browser_secret.unwrap_or_default());
        let same_browser = same(sign_in.browser_hash.as_bytes(), browser_hash.as_bytes());
        if !same_browser || sign_in.expires_at <= self.now() {
            return Err(over());
        }
        let client =
            self.store().get::<Client>(&Key::of(&sign_in.request.client_id)).await?.ok_or_else(over)?;
        Ok((sign_in, client))
    }

    pub(crate) async fn pending(&self, id: &str, browser_secret: Option<&str>) -> Result<Pending, Error> {
        let (sign_in, client) = self.waiting(id, browser_secret).await?;
        let door = self.door(&sign_in.request, &client).await??;
        let connection = self.connection_for(&sign_in.request, door.as_ref()).await?;
        let signup_enabled =
            door.as_ref().map_or(connection.signup_enabled, |door| door.takes_sign_ups(&connection));
        let tenant = self.tenant().await?;
        let view = PageView {
            client_name: client.name.clone(),
            tenant_name: tenant.friendly_name,
            tenant_logo: tenant.picture_url,
            login_hint: sign_in.request.login_hint.clone(),
            signup_enabled,
            takes_password: connection.strategy == STRATEGY_DATABASE,
            connections: Vec::new(),
            redirect_uri: sign_in.request.redirect_uri.clone(),
            ui_locales: sign_in.request.ui_locales.clone(),
        };
        Ok(Pending { sign_in, client, connection, door, view })
    }

    /// The connection that a request asks for, or the tenant's own database; in an organization one of its own, first of
    /// all a database.
    pub(crate) async fn connection_for(
        &self,
        request: &AuthorizationRequest,
        door: Option<&Door>,
    ) -> Result<Connection, Error> {
        if let (None, Some(door)) = (&request.connection, door) {
            let mut own = self.connections_of(door).await?;
            own.sort_by_key(|own| (own.strategy != STRATEGY_DATABASE, own.name != CONNECTION_DEFAULT));
            let gone = || OAuthError::invalid("the connections of the organization are gone");
            return Ok(own.into_iter().next().ok_or_else(gone)?);
        }
        let name = request.connection.as_deref().unwrap_or(CONNECTION_DEFAULT);
        let found = self.store().find::<Connection>("name", &Key::of(name)).await?;
        let found = found.ok_or_else(|| {
            Error::OAuth(OAuthError::invalid(format!("the connection {name} was not found")))
        })?;
        match door.filter(|door| !door.admits(&found.id)) {
            Some(door) => Err(door.shut(name).into()),
            None => Ok(found),
        }
    }

    pub(crate) async fn connection_by_id(&self, id: &domain::id::ConnectionId) -> Result<Connection, Error> {
        let found = self.store().get::<Connection>(&Key::of(id)).await?;
        found.ok_or_else(|| Error::OAuth(OAuthError::invalid("the connection of this session is gone")))
    }
}
