//! What roles and users may do: scopes of APIs, given and taken.
//!
//! Auth0: manage users › access control › manage permissions. A permission counts as long as its API has the scope that
//! was meant; what counts no more is not shown, and leaves a record when the record is next written.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::{ResourceServerId, RoleId, UserId};
use domain::limits::{ROLE_PERMISSIONS_MAX, USER_PERMISSIONS_MAX};
use domain::resource_server::ResourceServer;
use domain::role::{Permission, UserPermissions};
use domain::user::User;
use store::{Key, Tx};

use super::role_in;
use crate::listing::{Listing, Slice};
use crate::{ApiCall, Engine, Error, Resource};

/// A permission as callers name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionName {
    /// The API's identifier.
    pub api: String,
    /// The scope.
    pub name: String,
}

/// Where a user has a permission from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermissionSource {
    /// Given to the user.
    Direct,
    /// Of a role that the user has.
    Role {
        /// The role.
        id: RoleId,
        /// Its name.
        name: String,
    },
}

/// A permission that counts, with what its API says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPermission {
    /// The API's identifier.
    pub api: String,
    /// The API's name.
    pub api_name: Option<String>,
    /// The scope.
    pub name: String,
    /// What it allows.
    pub description: Option<String>,
    /// Where a user has it from; of a role's permissions it tells nothing.
    pub sources: Vec<PermissionSource>,
}

/// What somebody holds, and where from.
type Held<'a> = (&'a Permission, Option<PermissionSource>);

impl Engine {
    /// Some of a role's permissions.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn permissions_of_role(
        &self,
        id: &RoleId,
        slice: &Slice,
    ) -> Result<Listing<KnownPermission>, Error> {
        let role = self.role(id).await?;
        let held: Vec<Held<'_>> = role.permissions.iter().map(|permission| (permission, None)).collect();
        Ok(listed(self.known(&held).await?, slice))
    }

    /// Adds permissions to a role. Those that it has stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the role; [`Error::Missing`] naming the first API or scope that is not there, and then
    /// none is added; [`Error::Invalid`] for more than a role may have.
    pub async fn add_permissions_to_role(
        &self,
        call: &ApiCall,
        id: &RoleId,
        names: &[PermissionName],
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let mut role = role_in(tx, id).await?;
                add(tx, &mut role.permissions, names, (ROLE_PERMISSIONS_MAX, "role")).await?;
                tx.put(role);
                self.record_api(tx, call, "Associate permissions with a role", 201);
                Ok(())
            })
            .await
    }

    /// Takes permissions from a role. Those that it does not have are not missed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the role.
    pub async fn remove_permissions_from_role(
        &self,
        call: &ApiCall,
        id: &RoleId,
        names: &[PermissionName],
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let mut role = role_in(tx, id).await?;
                remove(tx, &mut role.permissions, names).await?;
                tx.put(role);
                self.record_api(tx, call, "Remove permissions from a role", 204);
                Ok(())
            })
            .await
    }

    /// Some of a user's permissions: those given, and those of roles in the whole tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn permissions_of_user(
        &self,
        id: &UserId,
        slice: &Slice,
    ) -> Result<Listing<KnownPermission>, Error> {
        self.user(id).await?;
        let access = self.access_of(id, None).await?;
        let mut held: Vec<Held<'_>> =
            access.direct.iter().map(|permission| (permission, Some(PermissionSource::Direct))).collect();
        for role in &access.roles {
            let source = PermissionSource::Role { id: role.id.clone(), name: role.name.clone() };
            held.extend(role.permissions.iter().map(|permission| (permission, Some(source.clone()))));
        }
        Ok(listed(self.known(&held).await?, slice))
    }

    /// Gives permissions to a user. Those given before stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the user; [`Error::Missing`] naming the first API or scope that is not there, and then
    /// none is given; [`Error::Invalid`] for more than a user may have.
    pub async fn give_permissions(
        &self,
        call: &ApiCall,
        id: &UserId,
        names: &[PermissionName],
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.get::<User>(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::User))?;
                let mut own = own_permissions(tx, id).await?;
                add(tx, &mut own.permissions, names, (USER_PERMISSIONS_MAX, "user")).await?;
                tx.put(own);
                self.record_api(tx, call, "Assign permissions to a user", 201);
                Ok(())
            })
            .await
    }

    /// Takes permissions from a user. Those that were not given are not missed; those of roles stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the user.
    pub async fn take_permissions(
        &self,
        call: &ApiCall,
        id: &UserId,
        names: &[PermissionName],
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.get::<User>(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::User))?;
                let mut own = own_permissions(tx, id).await?;
                remove(tx, &mut own.permissions, names).await?;
                if own.permissions.is_empty() {
                    tx.delete::<UserPermissions>(&Key::of(id));
                } else {
                    tx.put(own);
                }
                self.record_api(tx, call, "Remove permissions from a user", 204);
                Ok(())
            })
            .await
    }

    /// The permissions that count, each once, with every source given.
    async fn known(&self, held: &[Held<'_>]) -> Result<Vec<KnownPermission>, Error> {
        let ids: BTreeSet<&ResourceServerId> =
            held.iter().map(|(permission, _)| &permission.resource_server_id).collect();
        let keys: Vec<Key> = ids.iter().map(Key::of).collect();
        let mut servers = Vec::with_capacity(keys.len());
        for step in keys.chunks(SERVERS_STEP) {
            servers.extend(self.store().get_many::<ResourceServer>(step).await?.into_iter().flatten());
        }
        let mut known = BTreeMap::<(&str, &str), KnownPermission>::new();
        for (permission, source) in held {
            let Some(server) = servers.iter().find(|server| permission.counts_at(server)) else { continue };
            let scope = server.scopes.iter().find(|scope| scope.value == permission.name);
            let entry = known.entry((&server.identifier, &permission.name));
            let found = entry.or_insert_with(|| KnownPermission {
                api: server.identifier.clone(),
                api_name: server.name.clone(),
                name: permission.name.clone(),
                description: scope.and_then(|scope| scope.description.clone()),
                sources: Vec::new(),
            });
            found.sources.extend(source.clone());
        }
        Ok(known.into_values().collect())
    }
}

/// APIs that are read at once.
const SERVERS_STEP: usize = 500;

fn listed(all: Vec<KnownPermission>, slice: &Slice) -> Listing<KnownPermission> {
    Listing::of_all(all, slice, |permission| format!("{} {}", permission.api, permission.name))
}

/// What was given to a user. Forgotten with the user: whoever gives more at that moment conflicts, because the user
/// was read.
async fn own_permissions(tx: &mut Tx, id: &UserId) -> Result<UserPermissions, Error> {
    let found = tx.get::<UserPermissions>(&Key::of(id)).await?;
    Ok(found.unwrap_or_else(|| UserPermissions { user_id: id.clone(), permissions: Vec::new() }))
}

/// Adds permissions to those that still count.
async fn add(
    tx: &mut Tx,
    own: &mut Vec<Permission>,
    names: &[PermissionName],
    (max, whose): (usize, &str),
) -> Result<(), Error> {
    if names.len() > max {
        let reason = format!("Array is too long ({}), maximum {max}", names.len());
        return Err(Error::property(&reason, "permissions"));
    }
    let mut apis = BTreeMap::new();
    let mut new = Vec::with_capacity(names.len());
    for PermissionName { api, name } in names {
        let server = match apis.remove(api) {
            Some(known) => known,
            None => find_api(tx, api).await?,
        };
        let Some(permission) = Permission::of(&server, name) else {
            let message = format!("The permission does not exist: '{name}' of the resource server '{api}'");
            return Err(Error::Missing { message });
        };
        new.push(permission);
        apis.insert(api.clone(), server);
    }
    keep_what_counts(tx, own).await?;
    for permission in new {
        if !own.contains(&permission) {
            own.push(permission);
        }
    }
    if own.len() > max {
        let message = format!("No more permissions can be assigned to this {whose}; {max} are the limit.");
        return Err(Error::Invalid { message, code: Some("invalid_body") });
    }
    Ok(())
}

async fn find_api(tx: &mut Tx, identifier: &str) -> Result<ResourceServer, Error> {
    let found = tx.find::<ResourceServer>("identifier", &Key::of(identifier)).await?;
    found.ok_or_else(|| Error::Missing {
        message: format!("The resource server does not exist: '{identifier}'"),
    })
}

async fn remove(tx: &mut Tx, own: &mut Vec<Permission>, names: &[PermissionName]) -> Result<(), Error> {
    let mut ids = BTreeMap::<&str, Option<ResourceServerId>>::new();
    for api in names.iter().map(|name| &*name.api).collect::<BTreeSet<_>>() {
        let found = tx.find::<ResourceServer>("identifier", &Key::of(api)).await?;
        ids.insert(api, found.map(|server| server.id));
    }
    let unwanted: BTreeSet<(&str, &str)> = names
        .iter()
        .filter_map(|name| Some((ids.get(&*name.api)?.as_ref()?.as_str(), &*name.name)))
        .collect();
    own.retain(|held| !unwanted.contains(&(held.resource_server_id.as_str(), &held.name)));
    keep_what_counts(tx, own).await
}

/// Drops what refers to an API or a scope that went.
async fn keep_what_counts(tx: &mut Tx, own: &mut Vec<Permission>) -> Result<(), Error> {
    let ids: BTreeSet<&ResourceServerId> = own.iter().map(|held| &held.resource_server_id).collect();
    let keys: Vec<Key> = ids.into_iter().map(Key::of).collect();
    let servers: Vec<ResourceServer> = tx.get_many(&keys).await?.into_iter().flatten().collect();
    own.retain(|held| servers.iter().any(|server| held.counts_at(server)));
    Ok(())
}
