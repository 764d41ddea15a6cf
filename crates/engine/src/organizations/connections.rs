//! By which connections people sign in to an organization.
//!
//! Auth0: manage users › organizations › enable connections.

use domain::connection::{Connection, STRATEGY_DATABASE};
use domain::id::{ConnectionId, OrganizationId};
use domain::limits::ORGANIZATION_CONNECTIONS_MAX;
use domain::organization::OrganizationConnection;
use store::{Key, Order, Tx};

use super::organization_in;
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

/// How an organization uses a connection; what is absent stays, or is as for a new one.
#[derive(Debug, Clone, Default)]
pub struct ConnectionSettings {
    /// Whether it lets anybody in at present.
    pub is_enabled: Option<bool>,
    /// Whether those who sign in by it become members.
    pub assign_membership_on_login: Option<bool>,
    /// Whether the sign-in page has a button for it.
    pub show_as_button: Option<bool>,
    /// Whether people may sign themselves up by it.
    pub is_signup_enabled: Option<bool>,
    /// What the organization calls it.
    pub name: Option<Option<String>>,
    /// What the organization may change of it.
    pub access_level: Option<Option<String>>,
}

impl ConnectionSettings {
    fn apply(&self, own: &mut OrganizationConnection, connection: &Connection) -> Result<(), Error> {
        if self.is_signup_enabled == Some(true) && connection.strategy != STRATEGY_DATABASE {
            let reason = "people sign themselves up in database connections only";
            return Err(Error::property(reason, "is_signup_enabled"));
        }
        let flags = [
            (self.is_enabled, &mut own.is_enabled),
            (self.assign_membership_on_login, &mut own.assign_membership_on_login),
            (self.show_as_button, &mut own.show_as_button),
            (self.is_signup_enabled, &mut own.is_signup_enabled),
        ];
        for (wanted, flag) in flags {
            *flag = wanted.unwrap_or(*flag);
        }
        if let Some(name) = &self.name {
            own.name.clone_from(name);
        }
        if let Some(access_level) = &self.access_level {
            own.access_level.clone_from(access_level);
        }
        Ok(())
    }
}

impl Engine {
    /// Gives an organization a connection.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization; [`Error::Invalid`] for a connection that is not there or settings that
    /// it cannot have; [`Error::Conflict`] where the organization has it, or too many.
    pub async fn add_organization_connection(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        connection_id: &ConnectionId,
        settings: &ConnectionSettings,
    ) -> Result<(OrganizationConnection, Connection), Error> {
        self.store()
            .transact(async |tx| {
                organization_in(tx, id).await?;
                if tx.get::<OrganizationConnection>(&Key::of((id, connection_id))).await?.is_some() {
                    let message = "The organization connection already exists.".to_owned();
                    return Err(Error::Conflict { message });
                }
                let (limit, order) = (ORGANIZATION_CONNECTIONS_MAX, Order::Ascending);
                let others =
                    tx.page::<OrganizationConnection>(None, &Key::of(id), None, limit, order).await?;
                if others.items.len() >= limit {
                    let message = format!("An organization has at most {limit} connections.");
                    return Err(Error::Conflict { message });
                }
                let made = self.new_organization_connection(tx, id, connection_id, settings).await?;
                tx.insert(made.0.clone());
                self.record_api(tx, call, "Add a Connection to an Organization", 201);
                Ok(made)
            })
            .await
    }

    /// A connection of an organization as it begins.
    pub(super) async fn new_organization_connection(
        &self,
        tx: &mut Tx,
        id: &OrganizationId,
        connection_id: &ConnectionId,
        settings: &ConnectionSettings,
    ) -> Result<(OrganizationConnection, Connection), Error> {
        let Some(connection) = tx.get::<Connection>(&Key::of(connection_id)).await? else {
            let message = "The specified connection does not exist.".to_owned();
            return Err(Error::Invalid { message, code: Some("inexistent_connection") });
        };
        let mut own = OrganizationConnection {
            organization_id: id.clone(),
            connection_id: connection_id.clone(),
            is_enabled: true,
            assign_membership_on_login: false,
            show_as_button: true,
            is_signup_enabled: false,
            name: None,
            access_level: None,
            created_at: self.now(),
        };
        settings.apply(&mut own, &connection)?;
        Ok((own, connection))
    }

    /// One connection of an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn organization_connection(
        &self,
        id: &OrganizationId,
        connection_id: &ConnectionId,
    ) -> Result<(OrganizationConnection, Connection), Error> {
        self.organization(id).await?;
        let absent = || Error::NotFound(Resource::OrganizationConnection);
        let own: OrganizationConnection =
            self.store().get(&Key::of((id, connection_id))).await?.ok_or_else(absent)?;
        let connection = self.store().get(&Key::of(connection_id)).await?.ok_or_else(absent)?;
        Ok((own, connection))
    }

    /// Some of the connections of an organization: those that let people in, those that do not, or all.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a checkpoint that is none.
    pub async fn organization_connections(
        &self,
        id: &OrganizationId,
        slice: &Slice,
        is_enabled: Option<bool>,
    ) -> Result<Listing<(OrganizationConnection, Connection)>, Error> {
        self.organization(id).await?;
        let source = Source { prefix: Key::of(id), ..Source::table() };
        let found = self
            .list(source, slice, |own: &OrganizationConnection| {
                is_enabled.is_none_or(|wanted| own.is_enabled == wanted)
            })
            .await?;
        let keys: Vec<Key> = found.items.iter().map(|own| Key::of(&own.connection_id)).collect();
        let connections = self.store().get_many::<Connection>(&keys).await?;
        let items = found.items.into_iter().zip(connections);
        let items = items.filter_map(|(own, connection)| Some((own, connection?))).collect();
        Ok(Listing { items, start: found.start, limit: found.limit, total: found.total, next: found.next })
    }

    /// Changes how an organization uses a connection.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for settings that the connection cannot have.
    pub async fn update_organization_connection(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        connection_id: &ConnectionId,
        settings: &ConnectionSettings,
    ) -> Result<(OrganizationConnection, Connection), Error> {
        self.store()
            .transact(async |tx| {
                organization_in(tx, id).await?;
                let absent = || Error::NotFound(Resource::OrganizationConnection);
                let mut own: OrganizationConnection =
                    tx.get(&Key::of((id, connection_id))).await?.ok_or_else(absent)?;
                let connection = tx.get(&Key::of(connection_id)).await?.ok_or_else(absent)?;
                settings.apply(&mut own, &connection)?;
                tx.put(own.clone());
                self.record_api(tx, call, "Modify an Organization's Connection", 200);
                Ok((own, connection))
            })
            .await
    }

    /// Takes a connection from an organization. One that it does not have is not missed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization.
    pub async fn remove_organization_connection(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        connection_id: &ConnectionId,
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                organization_in(tx, id).await?;
                tx.delete::<OrganizationConnection>(&Key::of((id, connection_id)));
                self.record_api(tx, call, "Delete a Connection from an Organization", 204);
                Ok(())
            })
            .await
    }
}
