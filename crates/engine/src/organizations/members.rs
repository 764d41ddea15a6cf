//! Who belongs to an organization.
//!
//! Auth0: manage users › organizations › members.

use domain::id::{OrganizationId, UserId};
use domain::organization::{Membership, Organization};
use domain::user::User;
use store::{Key, read};

use super::organization_in;
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

/// Members added or removed by one request. Auth0: organization members.
const MEMBERS_PER_REQUEST_MAX: usize = 100;

impl Engine {
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
                        tx.put(Membership {
                            organization_id,
                            user_id,
                            roles: Vec::new(),
                            created_at: self.now(),
                        });
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

    /// Some of the users who belong to an organization. A checkpoint stands behind the last one given, also where that
    /// is the last there is, as at Auth0.
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
        let end = found.next.or_else(|| keys.last().map(read::cursor_after));
        let next = end.filter(|_| matches!(slice, Slice::Checkpoint { .. }));
        Ok(Listing { items, start: found.start, limit: found.limit, total: found.total, next })
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

fn refuse_crowd(users: &[UserId]) -> Result<(), Error> {
    if (1..=MEMBERS_PER_REQUEST_MAX).contains(&users.len()) {
        return Ok(());
    }
    Err(Error::property(&format!("it must have 1 to {MEMBERS_PER_REQUEST_MAX} items"), "members"))
}
