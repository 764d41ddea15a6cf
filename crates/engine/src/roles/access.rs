//! What a user may do at this moment: the roles that count, and the permissions that follow.
//!
//! Auth0: enable role-based access control for APIs. Who signs in to an organization has the roles of a member of it
//! beside those of the whole tenant; elsewhere those of the tenant only.

use std::collections::BTreeSet;

use domain::id::{OrganizationId, RoleId, UserId};
use domain::organization::Membership;
use domain::resource_server::ResourceServer;
use domain::role::{Permission, Role, RoleMember, UserPermissions};
use domain::scope::Scopes;
use store::{Key, Order};

use crate::sign_in::finish::is_openid_scope;
use crate::{Engine, Error};

/// Rows of a user's roles that are read at once.
const ROLES_STEP: usize = 200;

/// What a user has.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Access {
    /// Roles that exist.
    pub(crate) roles: Vec<Role>,
    /// What the user may do without one; some of it may count no more.
    pub(crate) direct: Vec<Permission>,
}

impl Access {
    /// Names of the roles, sorted.
    pub(crate) fn role_names(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self.roles.iter().map(|role| &role.name).collect();
        names.into_iter().cloned().collect()
    }

    /// What the user may do at an API.
    fn at(&self, api: &ResourceServer) -> BTreeSet<String> {
        let through_roles = self.roles.iter().flat_map(|role| &role.permissions);
        let all = self.direct.iter().chain(through_roles);
        all.filter(|held| held.counts_at(api)).map(|held| held.name.clone()).collect()
    }
}

/// What an API that enforces permissions lets a user do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held(BTreeSet<String>);

impl Held {
    /// The scopes among these that the user may have: those that are permissions, and those about the user.
    pub(crate) fn limit(&self, scopes: &Scopes) -> Scopes {
        scopes.only(|scope| is_openid_scope(scope) || self.0.contains(scope))
    }

    /// The claim `permissions`.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

impl Engine {
    /// The roles and permissions of a user who signed in to this organization, or to none.
    pub(crate) async fn access_of(
        &self,
        user: &UserId,
        organization: Option<&OrganizationId>,
    ) -> Result<Access, Error> {
        let mut ids = self.role_ids_of(user).await?;
        if let Some(organization) = organization {
            let membership = self.store().get::<Membership>(&Key::of((organization, user))).await?;
            ids.extend(membership.into_iter().flat_map(|membership| membership.roles));
        }
        let direct = self.store().get::<UserPermissions>(&Key::of(user)).await?;
        Ok(Access {
            roles: self.existing_roles(&ids).await?,
            direct: direct.map(|own| own.permissions).unwrap_or_default(),
        })
    }

    /// Those of these roles that exist, each once.
    pub(crate) async fn existing_roles(&self, ids: &BTreeSet<RoleId>) -> Result<Vec<Role>, Error> {
        let mut roles = Vec::with_capacity(ids.len());
        let keys: Vec<Key> = ids.iter().map(Key::of).collect();
        for step in keys.chunks(ROLES_STEP) {
            roles.extend(self.store().get_many::<Role>(step).await?.into_iter().flatten());
        }
        Ok(roles)
    }

    /// Roles that a user was given in the whole tenant; some may be gone.
    pub(crate) async fn role_ids_of(&self, user: &UserId) -> Result<BTreeSet<RoleId>, Error> {
        let (mut ids, mut after) = (BTreeSet::new(), None::<String>);
        loop {
            let (index, key, order) = (Some("user"), Key::of(user), Order::Ascending);
            let page =
                self.store().page::<RoleMember>(index, &key, after.as_deref(), ROLES_STEP, order).await?;
            ids.extend(page.items.into_iter().map(|member| member.role_id));
            after = page.next;
            if after.is_none() {
                return Ok(ids);
            }
        }
    }

    /// What limits a user's token for an API; none where the API leaves it to the scopes that are asked for.
    pub(crate) async fn held_at(
        &self,
        api: Option<&ResourceServer>,
        user: &UserId,
        organization: Option<&OrganizationId>,
    ) -> Result<Option<Held>, Error> {
        let Some(api) = api.filter(|api| api.enforces_policies() && !api.is_system) else { return Ok(None) };
        Ok(Some(Held(self.access_of(user, organization).await?.at(api))))
    }
}
