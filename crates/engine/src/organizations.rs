//! Organizations: made, found, changed, deleted with all that hangs on them.
//!
//! | what | module |
//! | --- | --- |
//! | who belongs to one | [`members`] |
//! | by which connections people sign in to it | [`connections`] |
//! | which applications they may use there | [`clients`] |
//! | which client grants are good for it | [`client_grants`] |
//! | its domains | [`discovery_domains`] |
//! | invitations to it | [`invitations`] |
//! | whether a sign-in may go through it | `door` |
//!
//! Auth0: manage users › organizations.

pub mod client_grants;
pub mod clients;
pub mod connections;
pub mod discovery_domains;
pub(crate) mod door;
pub mod invitations;
pub mod members;

use domain::discovery_domain::DiscoveryDomain;
use domain::id::{ConnectionId, OrganizationId, alphanumeric};
use domain::invitation::Invitation;
use domain::limits::ORGANIZATION_CONNECTIONS_MAX;
use domain::organization::{
    Membership, Organization, OrganizationClient, OrganizationConnection, OrganizationGrant,
};
use serde_json::{Map, Value};
use store::{Key, Order, Record, Tx};

use self::connections::ConnectionSettings;
use crate::connections::{check_strings, merge_kept};
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

/// Characters of an organization's name. Auth0: organization `name`.
const NAME_CHARACTERS_MAX: usize = 50;
/// Characters of an organization's display name. Auth0: organization `display_name`.
const DISPLAY_NAME_CHARACTERS_MAX: usize = 255;
/// Entries in an organization's metadata. Auth0: organization `metadata`.
const METADATA_ENTRIES_MAX: usize = 25;
/// Records that go in one commit.
const DELETE_STEP: usize = 500;

/// In which order organizations are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrganizationOrder {
    /// By what.
    pub by: OrganizationSort,
    /// Whether the last comes first.
    pub descending: bool,
}

/// By what organizations are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationSort {
    /// `name`
    Name,
    /// `display_name`
    DisplayName,
    /// `created_at`
    CreatedAt,
}

/// Properties that are to change; absent ones stay.
#[derive(Debug, Clone, Default)]
pub struct OrganizationChanges {
    /// Unique short name.
    pub name: Option<String>,
    /// What people call it.
    pub display_name: Option<String>,
    /// Small strings for Actions; replaces what is there.
    pub metadata: Option<Map<String, Value>>,
    /// Logo and colours.
    pub branding: Option<Value>,
    /// Whether third-party applications may be used for it.
    pub admits_third_parties: Option<bool>,
    /// Whether only those applications may be used that it names.
    pub names_its_clients: Option<bool>,
    /// Properties without effect: null removes.
    pub kept: Map<String, Value>,
}

impl OrganizationChanges {
    fn apply(&self, organization: &mut Organization) -> Result<(), Error> {
        if let Some(name) = &self.name {
            if !is_organization_name(name) {
                let reason = format!("Object didn't pass validation for format organization-name: {name}");
                return Err(Error::property(&reason, "name"));
            }
            organization.name.clone_from(name);
        }
        if let Some(display_name) = &self.display_name {
            let length = display_name.chars().count();
            if !(1..=DISPLAY_NAME_CHARACTERS_MAX).contains(&length) {
                let reason = format!("the length must be 1 to {DISPLAY_NAME_CHARACTERS_MAX} characters");
                return Err(Error::property(&reason, "display_name"));
            }
            organization.display_name = Some(display_name.clone());
        }
        if let Some(metadata) = &self.metadata {
            check_strings("metadata", metadata, METADATA_ENTRIES_MAX)?;
            organization.metadata.clone_from(metadata);
        }
        if let Some(branding) = &self.branding {
            organization.branding = Some(branding.clone()).filter(|branding| !branding.is_null());
        }
        if let Some(admits) = self.admits_third_parties {
            organization.admits_third_parties = admits;
        }
        if let Some(names) = self.names_its_clients {
            organization.names_its_clients = names;
        }
        merge_kept(&mut organization.kept, &self.kept);
        Ok(())
    }
}

impl Engine {
    /// Makes an organization, with these connections.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a property that is not legal or a connection that is not there, [`Error::Conflict`] for
    /// a name that is taken.
    pub async fn create_organization(
        &self,
        call: &ApiCall,
        changes: OrganizationChanges,
        connections: &[(ConnectionId, ConnectionSettings)],
    ) -> Result<(Organization, Vec<OrganizationConnection>), Error> {
        if connections.len() > ORGANIZATION_CONNECTIONS_MAX {
            let reason =
                format!("Array is too long ({}), maximum {ORGANIZATION_CONNECTIONS_MAX}", connections.len());
            return Err(Error::property(&reason, "enabled_connections"));
        }
        let mut organization = Organization {
            id: OrganizationId::new(format!("org_{}", alphanumeric(&self.random::<16>()))),
            name: String::new(),
            display_name: None,
            metadata: Map::new(),
            branding: None,
            admits_third_parties: false,
            names_its_clients: false,
            kept: Map::new(),
            created_at: self.now(),
        };
        changes.apply(&mut organization)?;
        let made = self
            .store()
            .transact(async |tx| -> Result<Vec<OrganizationConnection>, Error> {
                refuse_taken(tx, &organization).await?;
                let mut made = Vec::with_capacity(connections.len());
                for (connection_id, settings) in connections {
                    let (own, _) = self
                        .new_organization_connection(tx, &organization.id, connection_id, settings)
                        .await?;
                    tx.insert(own.clone());
                    made.push(own);
                }
                tx.insert(organization.clone());
                self.record_api(tx, call, "Create an Organization", 201);
                Ok(made)
            })
            .await?;
        Ok((organization, made))
    }

    /// One organization.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn organization(&self, id: &OrganizationId) -> Result<Organization, Error> {
        self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Organization))
    }

    /// The organization of that name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn organization_by_name(&self, name: &str) -> Result<Organization, Error> {
        self.store().find("name", &Key::of(name)).await?.ok_or(Error::NotFound(Resource::Organization))
    }

    /// Some of the organizations, in this order or in that of their identifiers.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a checkpoint that is none.
    pub async fn organizations(
        &self,
        slice: &Slice,
        order: Option<OrganizationOrder>,
    ) -> Result<Listing<Organization>, Error> {
        let source = match order {
            None => Source::table(),
            Some(OrganizationOrder { by, descending }) => {
                let index = match by {
                    OrganizationSort::Name => "name",
                    OrganizationSort::DisplayName => "display_name",
                    OrganizationSort::CreatedAt => "made",
                };
                let order = if descending { Order::Descending } else { Order::Ascending };
                Source { order, ..Source::index(index, Key::all()) }
            }
        };
        self.list(source, slice, |_| true).await
    }

    /// Changes an organization: each property given replaces the one there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Conflict`] for a name that is taken.
    pub async fn update_organization(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        changes: OrganizationChanges,
    ) -> Result<Organization, Error> {
        self.store()
            .transact(async |tx| {
                let mut organization = organization_in(tx, id).await?;
                changes.apply(&mut organization)?;
                refuse_taken(tx, &organization).await?;
                tx.put(organization.clone());
                self.record_api(tx, call, "Update an Organization", 200);
                Ok(organization)
            })
            .await
    }

    /// Deletes an organization with its memberships and all that was set up for it. One that is not there is not missed.
    ///
    /// # Errors
    /// What the store answers; what went before stays gone.
    pub async fn delete_organization(&self, call: &ApiCall, id: &OrganizationId) -> Result<(), Error> {
        loop {
            let done = self
                .store()
                .transact(async |tx| -> Result<bool, Error> {
                    if tx.get::<Organization>(&Key::of(id)).await?.is_none() {
                        return Ok(true);
                    }
                    // What is added at this very moment may stay behind: it names no organization, and counts for nothing.
                    let mut room = DELETE_STEP;
                    let done = delete_some::<Membership>(tx, None, &Key::of(id), &mut room).await?
                        && delete_some::<OrganizationConnection>(tx, None, &Key::of(id), &mut room).await?
                        && delete_some::<OrganizationClient>(tx, None, &Key::of(id), &mut room).await?
                        && delete_some::<OrganizationGrant>(tx, None, &Key::of(id), &mut room).await?
                        && delete_some::<DiscoveryDomain>(tx, None, &Key::of(id), &mut room).await?
                        && delete_some::<Invitation>(tx, None, &Key::of(id), &mut room).await?;
                    if done {
                        tx.delete::<Organization>(&Key::of(id));
                        self.record_api(tx, call, "Delete an Organization", 204);
                    }
                    Ok(done)
                })
                .await?;
            if done {
                return Ok(());
            }
        }
    }

    /// Deletes, in bounded commits, what organizations hold of something that is gone itself.
    pub(crate) async fn leave_organizations<R: Record>(
        &self,
        index: &'static str,
        key: &Key,
    ) -> Result<(), Error> {
        let step = async |tx: &mut Tx| -> Result<bool, Error> {
            delete_some::<R>(tx, Some(index), key, &mut { DELETE_STEP }).await
        };
        while !self.store().transact(step).await? {}
        Ok(())
    }
}

/// Deletes as many of the records under a key as there is room for; answers whether those were all.
async fn delete_some<R: Record>(
    tx: &mut Tx,
    index: Option<&str>,
    key: &Key,
    room: &mut usize,
) -> Result<bool, Error> {
    if *room == 0 {
        return Ok(false);
    }
    let page = tx.page::<R>(index, key, None, *room, Order::Ascending).await?;
    page.items.iter().for_each(|record| tx.delete::<R>(&record.key()));
    *room -= page.items.len();
    Ok(page.next.is_none())
}

pub(crate) async fn organization_in(tx: &mut Tx, id: &OrganizationId) -> Result<Organization, Error> {
    tx.get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Organization))
}

async fn refuse_taken(tx: &mut Tx, organization: &Organization) -> Result<(), Error> {
    let other = tx.find::<Organization>("name", &Key::of(&organization.name)).await?;
    if other.is_some_and(|other| other.id != organization.id) {
        return Err(Error::Conflict { message: "An organization with this name already exists.".to_owned() });
    }
    Ok(())
}

/// Lower-case letters, digits, `-` and `_`, beginning with a letter or digit.
fn is_organization_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    (1..=NAME_CHARACTERS_MAX).contains(&name.len())
        && name.chars().all(inner)
        && !name.starts_with(['-', '_'])
        && !name.starts_with("org_")
}

#[cfg(test)]
mod tests {
    use super::is_organization_name;

    #[test]
    fn names_are_lower_case_and_never_look_like_an_identifier() {
        for good in ["acme", "a-1_b", "7"] {
            assert!(is_organization_name(good), "{good}");
        }
        for bad in ["", "Acme", "-a", "a b", "org_acme", &"a".repeat(51)] {
            assert!(!is_organization_name(bad), "{bad}");
        }
    }
}
