//! Who has which role: in the whole tenant, or as a member of an organization.
//!
//! An assignment writes the user, though unchanged: a deletion of the user that is under way has listed the rows
//! already, and must conflict and see this one, or a later user of the same identifier would have the role.

use std::collections::BTreeSet;

use domain::id::{OrganizationId, RoleId, UserId};
use domain::limits::{ROLE_USERS_PER_REQUEST_MAX, USER_ROLES_MAX};
use domain::organization::Membership;
use domain::role::{Role, RoleMember};
use domain::user::User;
use store::{Key, Order, Record, Tx};

use super::role_in;
use crate::listing::{Listing, Slice, Source};
use crate::users::refuse_far_offset;
use crate::{ApiCall, Engine, Error, Resource};

/// Rows of a user that go in one commit.
const ROLES_STEP: usize = 500;

impl Engine {
    /// Some of the users who have a role in the whole tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a checkpoint that is none, or a slice out of reach.
    pub async fn users_of_role(&self, id: &RoleId, slice: &Slice) -> Result<Listing<User>, Error> {
        refuse_far_offset(slice)?;
        self.role(id).await?;
        let source = Source { prefix: Key::of(id), ..Source::table() };
        let found = self.list::<RoleMember>(source, slice, |_| true).await?;
        let keys: Vec<Key> = found.items.iter().map(|member| Key::of(&member.user_id)).collect();
        let items = self.store().get_many::<User>(&keys).await?.into_iter().flatten().collect();
        Ok(Listing { items, start: found.start, limit: found.limit, total: found.total, next: found.next })
    }

    /// Gives a role to users. Those who have it keep it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the role; [`Error::Missing`] naming the first user who is not there, and then nobody gets
    /// it; [`Error::Invalid`] for too many users, or one who has as many roles as one may.
    pub async fn give_role(&self, call: &ApiCall, id: &RoleId, users: &[UserId]) -> Result<(), Error> {
        if users.len() > ROLE_USERS_PER_REQUEST_MAX {
            let reason = format!("Array is too long ({}), maximum {ROLE_USERS_PER_REQUEST_MAX}", users.len());
            return Err(Error::property(&reason, "users"));
        }
        let users: Vec<UserId> = users.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                role_in(tx, id).await?;
                let keys: Vec<Key> = users.iter().map(Key::of).collect();
                for (user_id, user) in users.iter().zip(tx.get_many::<User>(&keys).await?) {
                    let Some(user) = user else { return Err(missing_user(user_id)) };
                    self.add_roles(tx, user, &BTreeSet::from([id.clone()])).await?;
                }
                self.record_api(tx, call, "Assign users to a role", 200);
                Ok(())
            })
            .await
    }

    /// Some of the roles that a user has in the whole tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn roles_of_user(&self, id: &UserId, slice: &Slice) -> Result<Listing<Role>, Error> {
        self.user(id).await?;
        let roles = self.existing_roles(&self.role_ids_of(id).await?).await?;
        Ok(listed(roles, slice))
    }

    /// Gives roles to a user, in the whole tenant. Those that the user has stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the user; [`Error::Missing`] naming the first role that is not there, and then none is
    /// given; [`Error::Invalid`] for more than a user may have.
    pub async fn give_roles(&self, call: &ApiCall, id: &UserId, roles: &[RoleId]) -> Result<(), Error> {
        let wanted = wanted(roles)?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let user = tx.get::<User>(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::User))?;
                refuse_unknown(tx, &wanted).await?;
                self.add_roles(tx, user, &wanted).await?;
                self.record_api(tx, call, "Assign roles to a user", 204);
                Ok(())
            })
            .await
    }

    /// Takes roles from a user. Those that the user does not have are not missed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the user.
    pub async fn take_roles(&self, call: &ApiCall, id: &UserId, roles: &[RoleId]) -> Result<(), Error> {
        let unwanted = wanted(roles)?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.get::<User>(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::User))?;
                unwanted.iter().for_each(|role| tx.delete::<RoleMember>(&Key::of((role, id))));
                self.record_api(tx, call, "Removes roles from a user", 204);
                Ok(())
            })
            .await
    }

    /// Adds rows for roles that exist.
    async fn add_roles(&self, tx: &mut Tx, user: User, wanted: &BTreeSet<RoleId>) -> Result<(), Error> {
        let id = user.id.clone();
        let mut all = self.role_ids_of(&id).await?;
        all.extend(wanted.iter().cloned());
        if all.len() > USER_ROLES_MAX && self.existing_roles(&all).await?.len() > USER_ROLES_MAX {
            let message =
                format!("No more roles can be assigned to this user; {USER_ROLES_MAX} are the limit.");
            return Err(Error::Invalid { message, code: Some("invalid_body") });
        }
        for role_id in wanted {
            let key = Key::of((role_id, &id));
            if tx.get::<RoleMember>(&key).await?.is_none() {
                let (role_id, user_id) = (role_id.clone(), id.clone());
                tx.put(RoleMember { role_id, user_id, created_at: self.now() });
            }
        }
        tx.put(user);
        Ok(())
    }

    /// Some of the roles that a user has as a member of an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization, or a user who does not belong to it.
    pub async fn roles_of_member(
        &self,
        organization: &OrganizationId,
        user: &UserId,
        slice: &Slice,
    ) -> Result<Listing<Role>, Error> {
        self.organization(organization).await?;
        let membership = self.store().get::<Membership>(&Key::of((organization, user))).await?;
        let Some(membership) = membership else { return Err(not_a_member(organization, user)) };
        let roles = self.existing_roles(&membership.roles.into_iter().collect()).await?;
        Ok(listed(roles, slice))
    }

    /// Gives roles to a member of an organization. Those that the member has stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the organization; [`Error::Missing`] naming the user, if they do not belong to it, or the
    /// first role that is not there; [`Error::Conflict`] for more than a member may have.
    pub async fn give_roles_to_member(
        &self,
        call: &ApiCall,
        organization: &OrganizationId,
        user: &UserId,
        roles: &[RoleId],
    ) -> Result<(), Error> {
        let wanted = wanted(roles)?;
        self.organization(organization).await?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let mut membership = membership_in(tx, organization, user).await?;
                refuse_unknown(tx, &wanted).await?;
                let mut all: BTreeSet<RoleId> = membership.roles.iter().cloned().collect();
                all.extend(wanted.iter().cloned());
                let existing = self.existing_roles(&all).await?;
                if existing.len() > USER_ROLES_MAX {
                    let message = "No more roles can be assigned to this organization member.".to_owned();
                    return Err(Error::Conflict { message });
                }
                membership.roles = existing.into_iter().map(|role| role.id).collect();
                tx.put(membership);
                self.record_api(tx, call, "Assign user roles to an Organization member", 204);
                Ok(())
            })
            .await
    }

    /// Takes roles from a member of an organization. Those that the member does not have are not missed.
    ///
    /// # Errors
    /// As [`Engine::give_roles_to_member`].
    pub async fn take_roles_from_member(
        &self,
        call: &ApiCall,
        organization: &OrganizationId,
        user: &UserId,
        roles: &[RoleId],
    ) -> Result<(), Error> {
        let unwanted = wanted(roles)?;
        self.organization(organization).await?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let mut membership = membership_in(tx, organization, user).await?;
                membership.roles.retain(|role| !unwanted.contains(role));
                tx.put(membership);
                self.record_api(tx, call, "Delete user roles from an Organization member", 204);
                Ok(())
            })
            .await
    }

    /// The roles of members of an organization, for each of these users in turn.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn roles_of_members(
        &self,
        organization: &OrganizationId,
        users: &[UserId],
    ) -> Result<Vec<Vec<Role>>, Error> {
        let keys: Vec<Key> = users.iter().map(|user| Key::of((organization, user))).collect();
        let memberships = self.store().get_many::<Membership>(&keys).await?;
        let ids = memberships.iter().flatten().flat_map(|membership| membership.roles.iter().cloned());
        let roles = self.existing_roles(&ids.collect()).await?;
        let of = |membership: Option<Membership>| -> Vec<Role> {
            let own = membership.map(|membership| membership.roles).unwrap_or_default();
            roles.iter().filter(|role| own.contains(&role.id)).cloned().collect()
        };
        Ok(memberships.into_iter().map(of).collect())
    }
}

/// Deletes up to so many rows of a user's roles; answers whether there may be more.
pub(crate) async fn delete_roles_of_user(tx: &mut Tx, id: &UserId) -> Result<bool, Error> {
    let page = tx.page::<RoleMember>(Some("user"), &Key::of(id), None, ROLES_STEP, Order::Ascending).await?;
    page.items.iter().for_each(|member| tx.delete::<RoleMember>(&member.key()));
    Ok(page.next.is_some())
}

/// A slice of roles by name.
fn listed(mut roles: Vec<Role>, slice: &Slice) -> Listing<Role> {
    roles.sort_by(|left, right| left.name.cmp(&right.name));
    Listing::of_all(roles, slice, |role| role.id.to_string())
}

/// The roles of a request, each once.
pub(crate) fn wanted(roles: &[RoleId]) -> Result<BTreeSet<RoleId>, Error> {
    if roles.is_empty() {
        return Err(Error::property("Array is too short (0), minimum 1", "roles"));
    }
    if roles.len() > USER_ROLES_MAX {
        let reason = format!("Array is too long ({}), maximum {USER_ROLES_MAX}", roles.len());
        return Err(Error::property(&reason, "roles"));
    }
    Ok(roles.iter().cloned().collect())
}

pub(crate) async fn refuse_unknown(tx: &mut Tx, wanted: &BTreeSet<RoleId>) -> Result<(), Error> {
    let keys: Vec<Key> = wanted.iter().map(Key::of).collect();
    let found = tx.get_many::<Role>(&keys).await?;
    match wanted.iter().zip(found).find(|(_, role)| role.is_none()) {
        None => Ok(()),
        Some((id, _)) => Err(Error::Missing { message: format!("The role does not exist: '{id}'") }),
    }
}

async fn membership_in(
    tx: &mut Tx,
    organization: &OrganizationId,
    user: &UserId,
) -> Result<Membership, Error> {
    let found = tx.get::<Membership>(&Key::of((organization, user))).await?;
    found.ok_or_else(|| not_a_member(organization, user))
}

fn not_a_member(organization: &OrganizationId, user: &UserId) -> Error {
    Error::Missing { message: format!("The user {user} is not a member of the organization {organization}.") }
}

fn missing_user(id: &UserId) -> Error {
    Error::Missing { message: format!("The user does not exist: '{id}'") }
}
