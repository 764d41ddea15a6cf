//! Applications: made, read, changed, given a new secret, deleted.
//!
//! Auth0: applications › application settings.

mod changes;
pub mod credentials;
mod urls;

use domain::client::Client;
use domain::grant::ClientGrant;
use domain::id::{ClientId, alphanumeric, base64url_characters};
use domain::organization::OrganizationClient;
use domain::secret::{Sealed, Secret};
use store::{Key, Order, Tx};

pub use self::changes::ClientChanges;
use self::credentials::AUTHENTICATION_PROPERTY;
pub(crate) use self::urls::{check_post_url, check_return_url};
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

const SECRET_PURPOSE: &str = "client.secret";
/// The property that holds a client's secret, as the log names it.
pub const CLIENT_SECRET: &str = "client_secret";
/// The scope of those who may read it.
pub const READ_CLIENT_SECRETS: &str = "read:client_keys";
/// Grants that are looked at in one step when a client goes.
const GRANTS_STEP: usize = 500;

/// Which clients a list shows. An absent filter lets all pass, but for `is_global`: absent means both here, and the
/// boundary decides what a caller who names none gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// Only the one that stands for all applications, or only the others.
    pub is_global: Option<bool>,
    /// Only those of the tenant's owner, or only the others.
    pub is_first_party: Option<bool>,
    /// Only of these types; empty: of any.
    pub app_types: Vec<String>,
}

impl ClientFilter {
    fn keeps(&self, client: &Client) -> bool {
        !client.is_dashboard()
            && self.is_global.is_none_or(|wanted| client.is_global == wanted)
            && self.is_first_party.is_none_or(|wanted| client.is_first_party == wanted)
            && (self.app_types.is_empty()
                || client.app_type.as_ref().is_some_and(|own| self.app_types.contains(own)))
    }
}

impl Engine {
    /// Makes a client.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a property is not legal.
    pub async fn create_client(&self, call: &ApiCall, changes: ClientChanges) -> Result<Client, Error> {
        let id = ClientId::new(alphanumeric(&self.random::<32>()));
        let mut client = Client::new(id, "", self.new_client_secret(), self.now());
        changes.apply(&mut client, self)?;
        if changes.grant_types.is_none() && client.is_public() {
            // A client that cannot prove itself has nothing to ask for on its own behalf.
            client.grant_types.retain(|grant| grant != "client_credentials");
        }
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.insert(client.clone());
                let secrets: &[_] = if shows_secret(&client) { &[CLIENT_SECRET] } else { &[] };
                self.record_api_with_secrets(tx, call, "Create a Client", 201, secrets);
                Ok(())
            })
            .await?;
        Ok(client)
    }

    /// One client.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn client(&self, id: &ClientId) -> Result<Client, Error> {
        let found = self.store().get::<Client>(&Key::of(id)).await?.filter(|client| !client.is_dashboard());
        found.ok_or(Error::NotFound(Resource::Client))
    }

    /// Some of the clients, in the order of their identifiers.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a checkpoint that is none.
    pub async fn clients(&self, slice: &Slice, filter: &ClientFilter) -> Result<Listing<Client>, Error> {
        self.list(Source::table(), slice, |client| filter.keeps(client)).await
    }

    /// Changes a client: each property given replaces the one there.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] when a property is not legal, and then nothing is changed.
    pub async fn update_client(
        &self,
        call: &ApiCall,
        id: &ClientId,
        changes: ClientChanges,
    ) -> Result<Client, Error> {
        self.store()
            .transact(async |tx| {
                let mut client = client_in(tx, id).await?;
                changes.apply(&mut client, self)?;
                tx.put(client.clone());
                let tells = call.caller.scopes.contains(READ_CLIENT_SECRETS) && shows_secret(&client);
                let secrets: &[_] = if tells { &[CLIENT_SECRET] } else { &[] };
                self.record_api_with_secrets(tx, call, "Update a Client", 200, secrets);
                Ok(client)
            })
            .await
    }

    /// Gives a client a new secret; the old one is good no longer.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] where the client proves itself by credentials and has no use for one.
    pub async fn rotate_client_secret(&self, call: &ApiCall, id: &ClientId) -> Result<Client, Error> {
        let secret = self.new_client_secret();
        self.store()
            .transact(async |tx| {
                let mut client = client_in(tx, id).await?;
                if !shows_secret(&client) {
                    let message = format!("The client has no secret: it has {AUTHENTICATION_PROPERTY}.");
                    return Err(Error::Invalid { message, code: None });
                }
                client.secret = secret.clone();
                tx.put(client.clone());
                self.record_api_with_secrets(tx, call, "Rotate a Client Secret", 200, &[CLIENT_SECRET]);
                Ok(client)
            })
            .await
    }

    /// Deletes a client with its credentials and grants, and then takes it from the organizations. One that is not there is
    /// not missed.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the one that stands for all applications.
    pub async fn delete_client(&self, call: &ApiCall, id: &ClientId) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let Some(client) =
                    tx.get::<Client>(&Key::of(id)).await?.filter(|client| !client.is_dashboard())
                else {
                    return Ok(());
                };
                if client.is_global {
                    let message = "The client that stands for all applications cannot be deleted.".to_owned();
                    return Err(Error::Invalid { message, code: Some("invalid_operation") });
                }
                // A grant that is made at this very moment may stay behind: it names nobody, and nobody can use it.
                let mut after = None;
                loop {
                    let page = tx
                        .page::<ClientGrant>(
                            Some("pair"),
                            &Key::of(id),
                            after.as_deref(),
                            GRANTS_STEP,
                            Order::Ascending,
                        )
                        .await?;
                    page.items.iter().for_each(|grant| tx.delete::<ClientGrant>(&Key::of(&grant.id)));
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                tx.delete::<Client>(&Key::of(id));
                self.record_api(tx, call, "Delete a Client", 204);
                Ok(())
            })
            .await?;
        self.leave_organizations::<OrganizationClient>("client", &Key::of(id)).await
    }

    /// The secret of a client in the clear, for an answer of the Management API to someone who may read it.
    ///
    /// # Errors
    /// [`Error::Bug`] when it does not unseal: the master key is another one.
    pub fn reveal_client_secret(&self, client: &Client) -> Result<Secret<String>, Error> {
        self.client_secret(client)
    }

    /// The secret that the client proves itself with.
    ///
    /// # Errors
    /// [`Error::Bug`] when it does not unseal: the master key is another one.
    pub(crate) fn client_secret(&self, client: &Client) -> Result<Secret<String>, Error> {
        let plain = self.store().unseal(SECRET_PURPOSE, &client.secret)?;
        let text = String::from_utf8(plain)
            .map_err(|_| Error::Bug(format!("the secret of {} is no text", client.id)))?;
        Ok(Secret::new(text))
    }

    /// Seals a secret for a client's record.
    pub(crate) fn seal_client_secret(&self, secret: &Secret<String>) -> Sealed {
        self.store().seal(SECRET_PURPOSE, secret.expose().as_bytes())
    }

    /// 64 characters of base64url, sealed: 384 bits.
    pub(crate) fn new_client_secret(&self) -> Sealed {
        self.seal_client_secret(&Secret::new(base64url_characters(&self.random::<64>())))
    }
}

/// Whether an answer may hold the client's secret: where the client proves itself by credentials, no secret counts.
pub fn shows_secret(client: &Client) -> bool {
    client.authentication.is_none()
}

/// The client, or the error that says that there is none. The dashboard's is not the API's to see or to change: with
/// another callback, an administrator's code would go elsewhere.
pub(crate) async fn client_in(tx: &mut Tx, id: &ClientId) -> Result<Client, Error> {
    let found = tx.get::<Client>(&Key::of(id)).await?.filter(|client| !client.is_dashboard());
    found.ok_or(Error::NotFound(Resource::Client))
}
