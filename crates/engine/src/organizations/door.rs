//! Whether a sign-in may go through an organization: for which applications, by which connections, for whom.
//!
//! Auth0: manage users › organizations › define organization behavior. What is looked at before the pages is looked at
//! again in the commit that ends the sign-in ([`Engine::enter`]): who left meanwhile does not get in.

use domain::client::Client;
use domain::connection::Connection;
use domain::id::{ConnectionId, RoleId};
use domain::invitation::Invitation;
use domain::limits::{ORGANIZATION_CONNECTIONS_MAX, USER_ROLES_MAX};
use domain::organization::{
    Membership, Organization, OrganizationClient, OrganizationConnection, OrganizationUsage,
};
use domain::sign_in::AuthorizationRequest;
use domain::user::User;
use protocol::error::{OAuthError, OAuthErrorCode};
use store::{Key, Order, Record, Tx};

use crate::sign_in::Working;
use crate::{Engine, Error};

/// The organization that a sign-in is for, and the ways into it.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    /// The organization.
    pub(crate) organization: Organization,
    /// What invites the user.
    pub(crate) invitation: Option<Invitation>,
    ways: Vec<OrganizationConnection>,
}

impl Door {
    /// How a connection lets people in. None: it does not.
    pub(crate) fn way(&self, id: &ConnectionId) -> Option<&OrganizationConnection> {
        self.ways.iter().find(|way| way.connection_id == *id)
    }

    /// Whether a connection lets people in.
    pub(crate) fn admits(&self, id: &ConnectionId) -> bool {
        self.way(id).is_some()
    }

    /// Whether people may sign themselves up by a connection: not where they would stay strangers. Who is invited may in
    /// any case.
    pub(crate) fn takes_sign_ups(&self, connection: &Connection) -> bool {
        let Some(way) = self.way(&connection.id) else { return false };
        let is_open = way.is_signup_enabled && way.assign_membership_on_login && connection.signup_enabled;
        is_open || self.invitation.is_some()
    }

    /// Why a connection does not do.
    pub(crate) fn shut(&self, connection: &str) -> OAuthError {
        shut(connection, &self.organization)
    }
}

/// What begins and ends when a user goes in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    begins: Option<Membership>,
    /// A membership with roles that an invitation adds.
    widens: Option<Membership>,
    accepts: Option<Invitation>,
}

impl Entry {
    /// Whether the user becomes a member.
    pub(crate) fn makes_a_member(&self) -> bool {
        self.begins.is_some()
    }

    /// Writes it.
    pub(crate) fn write(&self, tx: &mut Tx) {
        if let Some(membership) = &self.begins {
            tx.insert(membership.clone());
        }
        if let Some(membership) = &self.widens {
            tx.put(membership.clone());
        }
        if let Some(invitation) = &self.accepts {
            tx.delete::<Invitation>(&invitation.key());
        }
    }
}

impl Engine {
    /// The door that a request asks for, if it asks for one. Inside, why it is shut.
    pub(crate) async fn door(
        &self,
        request: &AuthorizationRequest,
        client: &Client,
    ) -> Result<Result<Option<Door>, OAuthError>, Error> {
        let usage = OrganizationUsage::of(&client.kept);
        let Some(named) = request.organization.as_deref().filter(|named| !named.is_empty()) else {
            if request.invitation.is_some() {
                return Ok(Err(OAuthError::invalid("parameter organization is required with an invitation")));
            }
            let missing = OAuthError::invalid("parameter organization is required for this client");
            return Ok(if usage == OrganizationUsage::Require { Err(missing) } else { Ok(None) });
        };
        if usage == OrganizationUsage::Deny {
            return Ok(Err(OAuthError::invalid("parameter organization is not allowed for this client")));
        }
        let Some(organization) = self.organization_named(named).await? else {
            return Ok(Err(OAuthError::invalid(format!("parameter organization is invalid: {named}"))));
        };
        let said = self.store().get::<OrganizationClient>(&Key::of((&organization.id, &client.id))).await?;
        if !organization.admits(client, said.as_ref()) {
            let text =
                format!("the client {} has no access to the organization {}", client.id, organization.id);
            return Ok(Err(OAuthError::new(OAuthErrorCode::AccessDenied, text)));
        }
        let invitation = match &request.invitation {
            None => None,
            Some(ticket) => match self.invitation_of_ticket(&organization.id, ticket).await? {
                Some(found) => Some(found),
                None => return Ok(Err(spent())),
            },
        };
        let only = invitation.as_ref().and_then(|invitation| invitation.connection_id.as_ref());
        let (limit, order) = (ORGANIZATION_CONNECTIONS_MAX, Order::Ascending);
        let page = self.store().page(None, &Key::of(&organization.id), None, limit, order).await?;
        let is_way = |way: &OrganizationConnection| {
            way.is_enabled && only.is_none_or(|only| way.connection_id == *only)
        };
        let ways: Vec<OrganizationConnection> = page.items.into_iter().filter(is_way).collect();
        if ways.is_empty() {
            let text = format!("no connections are enabled for the organization {}", organization.id);
            return Ok(Err(OAuthError::invalid(text)));
        }
        Ok(Ok(Some(Door { organization, invitation, ways })))
    }

    /// The organization of that identifier or name.
    pub(crate) async fn organization_named(&self, named: &str) -> Result<Option<Organization>, Error> {
        if let Some(found) = self.store().get::<Organization>(&Key::of(named)).await? {
            return Ok(Some(found));
        }
        Ok(self.store().find::<Organization>("name", &Key::of(named.to_lowercase())).await?)
    }

    /// The connections behind a door, in the order of their names.
    pub(crate) async fn connections_of(&self, door: &Door) -> Result<Vec<Connection>, Error> {
        let keys: Vec<Key> = door.ways.iter().map(|way| Key::of(&way.connection_id)).collect();
        let found = self.store().get_many::<Connection>(&keys).await?;
        let mut connections: Vec<Connection> = found.into_iter().flatten().collect();
        connections.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(connections)
    }

    /// Whether a user who came by this connection may go in: a member may, and so may who comes by a connection that
    /// makes members, or is invited. Answers the organization.
    pub(crate) async fn may_enter(
        &self,
        door: Option<&Door>,
        user: &User,
        by: &ConnectionId,
    ) -> Result<Result<Option<Organization>, OAuthError>, Error> {
        let Some(door) = door else { return Ok(Ok(None)) };
        let Some(way) = door.way(by) else { return Ok(Err(door.shut(by.as_str()))) };
        let organization = &door.organization;
        if let Some(invitation) = &door.invitation {
            return Ok(if invitation.is_for(user) {
                Ok(Some(organization.clone()))
            } else {
                Err(not_invited())
            });
        }
        if way.assign_membership_on_login || self.is_member(organization, user).await? {
            return Ok(Ok(Some(organization.clone())));
        }
        Ok(Err(stranger(organization, user)))
    }

    async fn is_member(&self, organization: &Organization, user: &User) -> Result<bool, Error> {
        let key = Key::of((&organization.id, &user.id));
        Ok(self.store().get::<Membership>(&key).await?.is_some())
    }

    /// Why a user may not go on in somebody else's sign-in to an organization.
    pub(crate) async fn refuse_stranger(
        &self,
        organization: Option<&Organization>,
        user: &User,
    ) -> Result<Option<OAuthError>, Error> {
        let Some(organization) = organization else { return Ok(None) };
        let is_member = self.is_member(organization, user).await?;
        Ok((!is_member).then(|| stranger(organization, user)))
    }

    /// Looks, as part of the commit that ends a sign-in, whether the user may go in: all that it rests on is read here.
    /// Answers what begins and ends with it; inside, why they may not. Nothing is written yet.
    pub(crate) async fn enter(
        &self,
        tx: &mut Tx,
        working: &Working,
    ) -> Result<Result<Entry, OAuthError>, Error> {
        let mut entry = Entry::default();
        let Some(organization) = &working.organization else { return Ok(Ok(entry)) };
        let (id, user) = (&organization.id, &working.user);
        if tx.get::<Organization>(&Key::of(id)).await?.is_none() {
            return Ok(Err(OAuthError::invalid(format!("parameter organization is invalid: {id}"))));
        }
        let connection = &working.connection;
        let way = tx.get::<OrganizationConnection>(&Key::of((id, &connection.id))).await?;
        let Some(way) = way.filter(|way| way.is_enabled) else {
            return Ok(Err(shut(&connection.name, organization)));
        };
        // An Action may have gone on as somebody else, who is a member, and whom nobody invited.
        if let Some(invitation) = working.invitation.as_ref().filter(|invitation| invitation.is_for(user)) {
            let stored = tx.get::<Invitation>(&invitation.key()).await?;
            let Some(stored) = stored.filter(|stored| stored.is_good(self.now())) else {
                return Ok(Err(spent()));
            };
            entry.accepts = Some(stored);
        }
        let roles = entry.accepts.as_ref().map(|invitation| invitation.roles.clone()).unwrap_or_default();
        if let Some(membership) = tx.get::<Membership>(&Key::of((id, &user.id))).await? {
            let room = USER_ROLES_MAX.saturating_sub(membership.roles.len());
            let new: Vec<RoleId> =
                roles.into_iter().filter(|role| !membership.roles.contains(role)).take(room).collect();
            if !new.is_empty() {
                let roles = [membership.roles, new].concat();
                entry.widens = Some(Membership { roles, ..membership });
            }
            return Ok(Ok(entry));
        }
        if !way.assign_membership_on_login && entry.accepts.is_none() {
            return Ok(Err(stranger(organization, user)));
        }
        let (organization_id, user_id) = (id.clone(), user.id.clone());
        entry.begins = Some(Membership { organization_id, user_id, roles, created_at: self.now() });
        Ok(Ok(entry))
    }
}

fn shut(connection: &str, organization: &Organization) -> OAuthError {
    let text = format!("the connection {connection} is not enabled for the organization {}", organization.id);
    OAuthError::invalid(text)
}

fn spent() -> OAuthError {
    OAuthError::invalid("invitation not found or already used")
}

fn not_invited() -> OAuthError {
    OAuthError::new(OAuthErrorCode::AccessDenied, "the invitation is for another address")
}

fn stranger(organization: &Organization, user: &User) -> OAuthError {
    let text = format!("user {} is not part of the {} organization", user.id, organization.id);
    OAuthError::new(OAuthErrorCode::AccessDenied, text)
}
