//! Client grants: which scopes of an API a client may ask for on its own behalf.
//!
//! Auth0: applications › application access to APIs (client grants).

use domain::client::Client;
use domain::grant::ClientGrant;
use domain::id::{ClientGrantId, ClientId, alphanumeric};
use domain::resource_server::ResourceServer;
use domain::scope::Scopes;
use serde_json::{Map, Value};
use store::{Key, Tx};

use crate::connections::merge_kept;
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

/// Which grants a list shows; an absent filter lets all pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantFilter {
    /// Only those for this API.
    pub audience: Option<String>,
    /// Only those of this client.
    pub client_id: Option<String>,
}

impl Engine {
    /// Makes a grant.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the client or the API, [`Error::Invalid`] for scopes that the API does not know,
    /// [`Error::Conflict`] when the client has a grant for the API.
    pub async fn create_client_grant(
        &self,
        call: &ApiCall,
        client_id: &ClientId,
        audience: &str,
        scopes: Scopes,
        kept: Map<String, Value>,
    ) -> Result<ClientGrant, Error> {
        let grant = ClientGrant {
            id: ClientGrantId::new(format!("cgr_{}", alphanumeric(&self.random::<16>()))),
            client_id: client_id.clone(),
            audience: audience.to_owned(),
            scopes,
            kept,
            created_at: self.now(),
        };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                if tx.get::<Client>(&Key::of(client_id)).await?.is_none() {
                    return Err(Error::NotFound(Resource::Client));
                }
                check_scopes(tx, audience, &grant.scopes).await?;
                if tx.find::<ClientGrant>("pair", &Key::of((client_id, audience))).await?.is_some() {
                    let message = "A resource with same identifier already exists".to_owned();
                    return Err(Error::Conflict { message });
                }
                tx.insert(grant.clone());
                self.record_api(tx, call, "Create a Client Grant", 201);
                Ok(())
            })
            .await?;
        Ok(grant)
    }

    /// One grant.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn client_grant(&self, id: &ClientGrantId) -> Result<ClientGrant, Error> {
        self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::ClientGrant))
    }

    /// Some of the grants.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a checkpoint that is none.
    pub async fn client_grants(
        &self,
        slice: &Slice,
        filter: &GrantFilter,
    ) -> Result<Listing<ClientGrant>, Error> {
        let source = match &filter.client_id {
            Some(client_id) => Source::index("pair", Key::of(client_id)),
            None => Source::table(),
        };
        self.list(source, slice, |grant: &ClientGrant| {
            filter.audience.as_ref().is_none_or(|audience| grant.audience == *audience)
        })
        .await
    }

    /// Changes a grant: scopes, where given, replace those there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for scopes that the API does not know.
    pub async fn update_client_grant(
        &self,
        call: &ApiCall,
        id: &ClientGrantId,
        scopes: Option<Scopes>,
        kept: Map<String, Value>,
    ) -> Result<ClientGrant, Error> {
        self.store()
            .transact(async |tx| {
                let mut grant: ClientGrant =
                    tx.get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::ClientGrant))?;
                if let Some(scopes) = &scopes {
                    check_scopes(tx, &grant.audience, scopes).await?;
                    grant.scopes.clone_from(scopes);
                }
                merge_kept(&mut grant.kept, &kept);
                tx.put(grant.clone());
                self.record_api(tx, call, "Update a Client Grant", 200);
                Ok(grant)
            })
            .await
    }

    /// Deletes a grant. One that is not there is not missed.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn delete_client_grant(&self, call: &ApiCall, id: &ClientGrantId) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                if tx.get::<ClientGrant>(&Key::of(id)).await?.is_some() {
                    tx.delete::<ClientGrant>(&Key::of(id));
                    self.record_api(tx, call, "Delete a Client Grant", 204);
                }
                Ok(())
            })
            .await
    }
}

/// Refuses scopes that the API does not know.
async fn check_scopes(tx: &mut Tx, audience: &str, scopes: &Scopes) -> Result<(), Error> {
    let server = tx.find::<ResourceServer>("identifier", &Key::of(audience)).await?;
    let server = server.ok_or(Error::NotFound(Resource::ResourceServer))?;
    let unknown: Vec<&str> = scopes.iter().filter(|scope| !server.knows(scope)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let message = format!(
        "The following scopes do not exist in the resource server with identifier {audience}: {}.",
        unknown.join(", ")
    );
    Err(Error::Invalid { message, code: Some("invalid_body") })
}
