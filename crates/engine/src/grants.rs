//! Client grants: which scopes of an API a client may ask for on its own behalf.
//!
//! Auth0: applications › application access to APIs (client grants).

use domain::client::Client;
use domain::grant::ClientGrant;
use domain::id::{ClientGrantId, ClientId, alphanumeric};
use domain::organization::OrganizationGrant;
use domain::resource_server::ResourceServer;
use domain::scope::Scopes;
use serde_json::{Map, Value};
use store::Key;

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
    /// Only those that are good for every organization, or only the others.
    pub allow_any_organization: Option<bool>,
    /// Only those for clients themselves (`client`), or only those for their users (`user`).
    pub for_users: Option<bool>,
    /// Only those of all third-party clients.
    pub default_for_third_parties: bool,
}

impl Engine {
    /// Makes a grant. Without a client it is for all third-party clients. Scopes that the API does not know count once it
    /// does.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the client or the API, [`Error::Conflict`] when the client has a grant for the API.
    pub async fn create_client_grant(
        &self,
        call: &ApiCall,
        client_id: Option<&ClientId>,
        audience: &str,
        scopes: Scopes,
        kept: Map<String, Value>,
    ) -> Result<ClientGrant, Error> {
        let grant = ClientGrant {
            id: ClientGrantId::new(format!("cgr_{}", alphanumeric(&self.random::<16>()))),
            client_id: client_id.cloned(),
            audience: audience.to_owned(),
            scopes,
            kept,
            created_at: self.now(),
        };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                if let Some(client_id) = client_id
                    && tx.get::<Client>(&Key::of(client_id)).await?.is_none()
                {
                    return Err(Error::NotFound(Resource::Client));
                }
                if tx.find::<ResourceServer>("identifier", &Key::of(audience)).await?.is_none() {
                    return Err(Error::NotFound(Resource::ResourceServer));
                }
                let owner = client_id.map_or("", ClientId::as_str);
                if tx.find::<ClientGrant>("pair", &Key::of((owner, audience))).await?.is_some() {
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
                && filter.allow_any_organization.is_none_or(|any| grant.allows_any_organization() == any)
                && filter.for_users.is_none_or(|users| grant.is_for_users() == users)
                && (!filter.default_for_third_parties || grant.client_id.is_none())
        })
        .await
    }

    /// Changes a grant: scopes, where given, replace those there.
    ///
    /// # Errors
    /// [`Error::NotFound`].
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
                    grant.scopes.clone_from(scopes);
                }
                merge_kept(&mut grant.kept, &kept);
                tx.put(grant.clone());
                self.record_api(tx, call, "Update a Client Grant", 200);
                Ok(grant)
            })
            .await
    }

    /// Deletes a grant, and then takes it from the organizations. One that is not there is not missed.
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
            .await?;
        self.leave_organizations::<OrganizationGrant>("grant", &Key::of(id)).await
    }
}
