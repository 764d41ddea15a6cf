//! Which applications the members of an organization may use, where it names them.
//!
//! Auth0: manage users › organizations › grant application access.

use domain::client::Client;
use domain::id::{ClientId, OrganizationId};
use domain::limits::ORGANIZATION_CLIENTS_MAX;
use domain::organization::OrganizationClient;
use store::{Key, Order};

use super::organization_in;
use crate::clients::client_in;
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

/// Applications named or taken away by one request. Ours: as many as an organization may name.
const CLIENTS_PER_REQUEST_MAX: usize = ORGANIZATION_CLIENTS_MAX;

impl Engine {
    /// Names applications. Of those that are named already, what is said is replaced.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization or one of the applications; [`Error::Conflict`] where there would be too
    /// many. Then none is named.
    pub async fn add_organization_clients(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        clients: &[(ClientId, bool)],
    ) -> Result<Vec<(OrganizationClient, Client)>, Error> {
        refuse_crowd(clients.len())?;
        self.store()
            .transact(async |tx| {
                organization_in(tx, id).await?;
                let (limit, order) = (ORGANIZATION_CLIENTS_MAX, Order::Ascending);
                let known = tx.page::<OrganizationClient>(None, &Key::of(id), None, limit, order).await?;
                let is_new =
                    |client_id: &ClientId| known.items.iter().all(|known| known.client_id != *client_id);
                if known.items.len() + clients.iter().filter(|(id, _)| is_new(id)).count() > limit {
                    let message = format!("An organization names at most {limit} applications.");
                    return Err(Error::Conflict { message });
                }
                let mut made = Vec::with_capacity(clients.len());
                for (client_id, use_for_member_access) in clients {
                    let client = client_in(tx, client_id).await?;
                    let own = OrganizationClient {
                        organization_id: id.clone(),
                        client_id: client_id.clone(),
                        use_for_member_access: *use_for_member_access,
                        created_at: self.now(),
                    };
                    tx.put(own.clone());
                    made.push((own, client));
                }
                self.record_api(tx, call, "Add Clients to an Organization", 201);
                Ok(made)
            })
            .await
    }

    /// What an organization says of an application.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn organization_client(
        &self,
        id: &OrganizationId,
        client_id: &ClientId,
    ) -> Result<(OrganizationClient, Client), Error> {
        self.organization(id).await?;
        let own = self.store().get(&Key::of((id, client_id))).await?;
        let own = own.ok_or(Error::NotFound(Resource::OrganizationClient))?;
        Ok((own, self.client(client_id).await?))
    }

    /// Some of the applications that an organization names.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a checkpoint that is none.
    pub async fn organization_clients(
        &self,
        id: &OrganizationId,
        slice: &Slice,
    ) -> Result<Listing<(OrganizationClient, Client)>, Error> {
        self.organization(id).await?;
        let source = Source { prefix: Key::of(id), ..Source::table() };
        let found = self.list::<OrganizationClient>(source, slice, |_| true).await?;
        let keys: Vec<Key> = found.items.iter().map(|own| Key::of(&own.client_id)).collect();
        let clients = self.store().get_many::<Client>(&keys).await?;
        let items = found.items.into_iter().zip(clients);
        let items = items.filter_map(|(own, client)| Some((own, client?))).collect();
        Ok(Listing { items, start: found.start, limit: found.limit, total: found.total, next: found.next })
    }

    /// Changes what an organization says of an application.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn update_organization_client(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        client_id: &ClientId,
        use_for_member_access: Option<bool>,
    ) -> Result<(OrganizationClient, Client), Error> {
        self.store()
            .transact(async |tx| {
                organization_in(tx, id).await?;
                let own = tx.get::<OrganizationClient>(&Key::of((id, client_id))).await?;
                let mut own = own.ok_or(Error::NotFound(Resource::OrganizationClient))?;
                let client = client_in(tx, client_id).await?;
                own.use_for_member_access = use_for_member_access.unwrap_or(own.use_for_member_access);
                tx.put(own.clone());
                self.record_api(tx, call, "Update a Client of an Organization", 200);
                Ok((own, client))
            })
            .await
    }

    /// Takes applications from an organization. Those that it does not name are not missed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization.
    pub async fn remove_organization_clients(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        clients: &[ClientId],
    ) -> Result<(), Error> {
        refuse_crowd(clients.len())?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                organization_in(tx, id).await?;
                clients
                    .iter()
                    .for_each(|client_id| tx.delete::<OrganizationClient>(&Key::of((id, client_id))));
                self.record_api(tx, call, "Delete Clients from an Organization", 204);
                Ok(())
            })
            .await
    }
}

fn refuse_crowd(count: usize) -> Result<(), Error> {
    if (1..=CLIENTS_PER_REQUEST_MAX).contains(&count) {
        return Ok(());
    }
    Err(Error::property(&format!("it must have 1 to {CLIENTS_PER_REQUEST_MAX} items"), "clients"))
}
