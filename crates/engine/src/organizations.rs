//! Organizations and their members.
//!
//! Auth0: manage users › organizations.

use domain::id::{OrganizationId, UserId, alphanumeric};
use domain::organization::{Membership, Organization};
use domain::user::User;
use serde_json::{Map, Value};
use store::{Key, Order, Record, Tx};

use crate::connections::{check_strings, merge_kept};
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

/// Characters of an organization's name. Auth0: organization `name`.
const NAME_CHARACTERS_MAX: usize = 50;
/// Characters of an organization's display name. Auth0: organization `display_name`.
const DISPLAY_NAME_CHARACTERS_MAX: usize = 255;
/// Entries in an organization's metadata. Auth0: organization `metadata`.
const METADATA_ENTRIES_MAX: usize = 25;
/// Members added or removed by one request. Auth0: organization members.
const MEMBERS_PER_REQUEST_MAX: usize = 100;
/// Memberships that go in one commit.
const MEMBERSHIPS_STEP: usize = 500;

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
        merge_kept(&mut organization.kept, &self.kept);
        Ok(())
    }
}

impl Engine {
    /// Makes an organization.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a property that is not legal, [`Error::Conflict`] for a name that is taken.
    pub async fn create_organization(
        &self,
        call: &ApiCall,
        changes: OrganizationChanges,
    ) -> Result<Organization, Error> {
        let mut organization = Organization {
            id: OrganizationId::new(format!("org_{}", alphanumeric(&self.random::<16>()))),
            name: String::new(),
            display_name: None,
            metadata: Map::new(),
            branding: None,
            kept: Map::new(),
            created_at: self.now(),
        };
        changes.apply(&mut organization)?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                refuse_taken(tx, &organization).await?;
                tx.insert(organization.clone());
                self.record_api(tx, call, "Create an Organization", 201);
                Ok(())
            })
            .await?;
        Ok(organization)
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

    /// Some of the organizations.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a checkpoint that is none.
    pub async fn organizations(&self, slice: &Slice) -> Result<Listing<Organization>, Error> {
        self.list(Source::table(), slice, |_| true).await
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

    /// Deletes an organization and its memberships. One that is not there is not missed.
    ///
    /// # Errors
    /// What the store answers; memberships that went before stay gone.
    pub async fn delete_organization(&self, call: &ApiCall, id: &OrganizationId) -> Result<(), Error> {
        loop {
            let done = self
                .store()
                .transact(async |tx| -> Result<bool, Error> {
                    if tx.get::<Organization>(&Key::of(id)).await?.is_none() {
                        return Ok(true);
                    }
                    let members = tx
                        .page::<Membership>(None, &Key::of(id), None, MEMBERSHIPS_STEP, Order::Ascending)
                        .await?;
                    members.items.iter().for_each(|membership| tx.delete::<Membership>(&membership.key()));
                    if members.next.is_some() {
                        return Ok(false);
                    }
                    tx.delete::<Organization>(&Key::of(id));
                    self.record_api(tx, call, "Delete an Organization", 204);
                    Ok(true)
                })
                .await?;
            if done {
                return Ok(());
            }
        }
    }

    /// Adds users to an organization. Those who belong to it already stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization or one of the users, and then none is added.
    pub async fn add_members(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        users: &[UserId],
    ) -> Result<(), Error> {
        refuse_crowd(users)?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                organization_in(tx, id).await?;
                let keys: Vec<Key> = users.iter().map(Key::of).collect();
                if tx.get_many::<User>(&keys).await?.iter().any(Option::is_none) {
                    return Err(Error::NotFound(Resource::User));
                }
                for user_id in users {
                    let key = Key::of((id, user_id));
                    if tx.get::<Membership>(&key).await?.is_none() {
                        let (organization_id, user_id) = (id.clone(), user_id.clone());
                        tx.put(Membership { organization_id, user_id, created_at: self.now() });
                    }
                }
                self.record_api(tx, call, "Add Members to an Organization", 204);
                Ok(())
            })
            .await
    }

    /// Takes users out of an organization. Those who do not belong to it are not missed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization.
    pub async fn remove_members(
        &self,
        call: &ApiCall,
        id: &OrganizationId,
        users: &[UserId],
    ) -> Result<(), Error> {
        refuse_crowd(users)?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                organization_in(tx, id).await?;
                users.iter().for_each(|user_id| tx.delete::<Membership>(&Key::of((id, user_id))));
                self.record_api(tx, call, "Delete Members from an Organization", 204);
                Ok(())
            })
            .await
    }

    /// Some of the users who belong to an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a checkpoint that is none.
    pub async fn members(&self, id: &OrganizationId, slice: &Slice) -> Result<Listing<User>, Error> {
        self.organization(id).await?;
        let source = Source { prefix: Key::of(id), ..Source::table() };
        let found = self.list::<Membership>(source, slice, |_| true).await?;
        let keys: Vec<Key> = found.items.iter().map(|membership| Key::of(&membership.user_id)).collect();
        let users = self.store().get_many::<User>(&keys).await?;
        let items = users.into_iter().flatten().collect();
        Ok(Listing { items, start: found.start, limit: found.limit, total: found.total, next: found.next })
    }

    /// Some of the organizations that a user belongs to.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a checkpoint that is none.
    pub async fn organizations_of_user(
        &self,
        id: &UserId,
        slice: &Slice,
    ) -> Result<Listing<Organization>, Error> {
        self.user(id).await?;
        let found = self.list::<Membership>(Source::index("user", Key::of(id)), slice, |_| true).await?;
        let keys: Vec<Key> =
            found.items.iter().map(|membership| Key::of(&membership.organization_id)).collect();
        let organizations = self.store().get_many::<Organization>(&keys).await?;
        let items = organizations.into_iter().flatten().collect();
        Ok(Listing { items, start: found.start, limit: found.limit, total: found.total, next: found.next })
    }
}

async fn organization_in(tx: &mut Tx, id: &OrganizationId) -> Result<Organization, Error> {
    tx.get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Organization))
}

async fn refuse_taken(tx: &mut Tx, organization: &Organization) -> Result<(), Error> {
    let other = tx.find::<Organization>("name", &Key::of(&organization.name)).await?;
    if other.is_some_and(|other| other.id != organization.id) {
        return Err(Error::Conflict { message: "An organization with this name already exists.".to_owned() });
    }
    Ok(())
}

fn refuse_crowd(users: &[UserId]) -> Result<(), Error> {
    if (1..=MEMBERS_PER_REQUEST_MAX).contains(&users.len()) {
        return Ok(());
    }
    Err(Error::property(&format!("it must have 1 to {MEMBERS_PER_REQUEST_MAX} items"), "members"))
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
