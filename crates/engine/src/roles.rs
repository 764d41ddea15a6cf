//! Roles: made, found, changed, deleted, by those who administer the tenant.
//!
//! Auth0: manage users › access control. What roles and users may do is in [`permissions`], who has a role in
//! [`members`], what comes of it for tokens and Actions in `access`.

pub(crate) mod access;
pub mod members;
pub mod permissions;

use domain::id::{RoleId, alphanumeric};
use domain::limits::ROLES_MAX;
use domain::role::{DeletedRole, Role, RoleMember};
use store::{Key, Order, Record, Tx};

use crate::listing::{Listing, Slice, Source};
use crate::users::refuse_far_offset;
use crate::{ApiCall, Engine, Error, Resource};

/// Characters of a role's name. Ours: long enough for a sentence; it is part of a key.
const NAME_CHARACTERS_MAX: usize = 255;
/// Characters of a role's description. Ours.
const DESCRIPTION_CHARACTERS_MAX: usize = 1_000;
/// Deleted roles that one sweep clears up after.
const DELETED_ROLES_PER_SWEEP: usize = 20;
/// Rows of a deleted role that go in one commit.
const MEMBERS_STEP: usize = 500;
/// Such commits for one role in one sweep.
const MEMBER_STEPS_MAX: usize = 20;

/// Properties that are to change; absent ones stay.
#[derive(Debug, Clone, Default)]
pub struct RoleChanges {
    /// Unique name.
    pub name: Option<String>,
    /// What it is for; none takes it away.
    pub description: Option<Option<String>>,
}

impl RoleChanges {
    fn apply(&self, role: &mut Role) -> Result<(), Error> {
        let check = |text: &str, range: std::ops::RangeInclusive<usize>, property: &str| {
            if range.contains(&text.chars().count()) {
                return Ok(());
            }
            let reason = format!("the length must be {} to {} characters", range.start(), range.end());
            Err(Error::property(&reason, property))
        };
        if let Some(name) = &self.name {
            check(name, 1..=NAME_CHARACTERS_MAX, "name")?;
            role.name.clone_from(name);
        }
        if let Some(description) = &self.description {
            check(description.as_deref().unwrap_or_default(), 0..=DESCRIPTION_CHARACTERS_MAX, "description")?;
            role.description.clone_from(description);
        }
        Ok(())
    }
}

impl Engine {
    /// Makes a role, which allows nothing yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a property that is not legal, [`Error::Conflict`] for a name that is taken,
    /// [`Error::Refused`] where there are as many roles as there may be.
    pub async fn create_role(&self, call: &ApiCall, changes: RoleChanges) -> Result<Role, Error> {
        let mut role = Role {
            id: RoleId::new(format!("rol_{}", alphanumeric(&self.random::<16>()))),
            name: String::new(),
            description: None,
            permissions: Vec::new(),
            created_at: self.now(),
        };
        changes.apply(&mut role)?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                refuse_taken(tx, &role).await?;
                let known = self.store().count_entries::<Role>("name", &Key::all(), ROLES_MAX).await?;
                if known >= ROLES_MAX {
                    let message = format!("There are {ROLES_MAX} roles already, and more there cannot be.");
                    return Err(Error::Refused { message, code: Some("too_many_entities") });
                }
                tx.insert(role.clone());
                self.record_api(tx, call, "Create a role", 200);
                Ok(())
            })
            .await?;
        Ok(role)
    }

    /// One role.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn role(&self, id: &RoleId) -> Result<Role, Error> {
        self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Role))
    }

    /// Some of the roles, by name; those whose names hold the text, if one is given, whatever its case.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a slice out of reach.
    pub async fn roles(&self, slice: &Slice, name_filter: Option<&str>) -> Result<Listing<Role>, Error> {
        refuse_far_offset(slice)?;
        let wanted = name_filter.map(str::to_lowercase);
        self.list(Source::index("name", Key::all()), slice, |role: &Role| {
            wanted.as_ref().is_none_or(|wanted| role.name.to_lowercase().contains(wanted))
        })
        .await
    }

    /// Changes a role: each property given replaces the one there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Conflict`] for a name that is taken.
    pub async fn update_role(
        &self,
        call: &ApiCall,
        id: &RoleId,
        changes: RoleChanges,
    ) -> Result<Role, Error> {
        self.store()
            .transact(async |tx| {
                let mut role = role_in(tx, id).await?;
                changes.apply(&mut role)?;
                refuse_taken(tx, &role).await?;
                tx.put(role.clone());
                self.record_api(tx, call, "Update a role", 200);
                Ok(role)
            })
            .await
    }

    /// Deletes a role. From this commit on nobody has it, however many had it; their rows go later.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_role(&self, call: &ApiCall, id: &RoleId) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                role_in(tx, id).await?;
                tx.delete::<Role>(&Key::of(id));
                tx.put(DeletedRole { id: id.clone() });
                self.record_api(tx, call, "Delete a role", 200);
                Ok(())
            })
            .await
    }

    /// Removes rows of members of roles that are gone.
    pub(crate) async fn sweep_deleted_roles(&self) -> Result<(), Error> {
        let (all, order) = (Key::all(), Order::Ascending);
        let deleted =
            self.store().page::<DeletedRole>(None, &all, None, DELETED_ROLES_PER_SWEEP, order).await?;
        for role in deleted.items {
            for _ in 0..MEMBER_STEPS_MAX {
                if self.forget_some_members(&role.id).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Answers whether none is left.
    async fn forget_some_members(&self, id: &RoleId) -> Result<bool, Error> {
        self.store()
            .transact(async |tx| -> Result<bool, Error> {
                let (prefix, order) = (Key::of(id), Order::Ascending);
                let page = tx.page::<RoleMember>(None, &prefix, None, MEMBERS_STEP, order).await?;
                page.items.iter().for_each(|member| tx.delete::<RoleMember>(&member.key()));
                let is_last = page.next.is_none();
                if is_last {
                    tx.delete::<DeletedRole>(&prefix);
                }
                Ok(is_last)
            })
            .await
    }
}

async fn role_in(tx: &mut Tx, id: &RoleId) -> Result<Role, Error> {
    tx.get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Role))
}

async fn refuse_taken(tx: &mut Tx, role: &Role) -> Result<(), Error> {
    let other = tx.find::<Role>("name", &Key::of(&role.name)).await?;
    if other.is_some_and(|other| other.id != role.id) {
        return Err(Error::Conflict { message: "The role already exists.".to_owned() });
    }
    Ok(())
}
