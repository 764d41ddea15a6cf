//! An organization, who belongs to it, and what is set up for it: connections, applications, grants.
//!
//! Auth0: manage users › organizations. Invitations and domains are in `organization_invitation` and
//! `discovery_domain`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::Client;
use crate::id::{ClientGrantId, ClientId, ConnectionId, OrganizationId, RoleId, UserId};
use crate::time::Timestamp;

/// A business customer of the tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// The `org_id` claim.
    pub id: OrganizationId,
    /// Unique short name.
    pub name: String,
    /// What people call it.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Small strings that Actions see as `event.organization.metadata`.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Logo and colours.
    #[serde(default)]
    pub branding: Option<Value>,
    /// Whether third-party applications may be used for it, where nothing is said of the single one.
    #[serde(default)]
    pub admits_third_parties: bool,
    /// Whether only those applications may be used by its members that it names (Auth0: per-application access).
    #[serde(default)]
    pub names_its_clients: bool,
    /// Accepted, given back, without effect here.
    #[serde(default)]
    pub kept: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Organization {
    /// Whether people may sign in to it through a client; `named` is what it says of that client.
    pub fn admits(&self, client: &Client, named: Option<&OrganizationClient>) -> bool {
        match named.filter(|_| self.names_its_clients) {
            Some(named) => named.use_for_member_access,
            None if client.is_first_party => !self.names_its_clients,
            None => self.admits_third_parties,
        }
    }
}

/// That a user belongs to an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The user.
    pub user_id: UserId,
    /// Roles that the user has when they sign in to this organization.
    #[serde(default)]
    pub roles: Vec<RoleId>,
    /// Since when.
    pub created_at: Timestamp,
}

/// A connection by which people sign in to an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationConnection {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The connection.
    pub connection_id: ConnectionId,
    /// Whether it lets anybody in at present.
    pub is_enabled: bool,
    /// Whether those who sign in by it become members.
    #[serde(default)]
    pub assign_membership_on_login: bool,
    /// Whether the sign-in page has a button for it.
    pub show_as_button: bool,
    /// Whether people may sign themselves up by it; of our own accounts only.
    #[serde(default)]
    pub is_signup_enabled: bool,
    /// What the organization calls it; without effect here.
    #[serde(default)]
    pub name: Option<String>,
    /// What the organization may change of it; without effect here.
    #[serde(default)]
    pub access_level: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

/// An application that an organization names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationClient {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The application.
    pub client_id: ClientId,
    /// Whether members may sign in to it.
    pub use_for_member_access: bool,
    /// Since when.
    pub created_at: Timestamp,
}

/// A client grant that may be used for an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationGrant {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The grant.
    pub grant_id: ClientGrantId,
    /// Since when.
    pub created_at: Timestamp,
}

/// Whether something is used for organizations: a client, or a client's grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrganizationUsage {
    /// Never.
    #[default]
    Deny,
    /// With or without one.
    Allow,
    /// Always.
    Require,
}

impl OrganizationUsage {
    /// The property that says it.
    pub const PROPERTY: &str = "organization_usage";

    /// What the properties of a client or a grant say; what they do not say is forbidden.
    pub fn of(properties: &Map<String, Value>) -> Self {
        let told = properties.get(Self::PROPERTY).and_then(Value::as_str);
        told.and_then(Self::parse).unwrap_or_default()
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "deny" => Some(Self::Deny),
            "allow" => Some(Self::Allow),
            "require" => Some(Self::Require),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::{Organization, OrganizationClient, OrganizationUsage};
    use crate::client::Client;
    use crate::secret::Sealed;
    use crate::time::Timestamp;

    #[test]
    fn who_names_its_clients_admits_no_other_first_party() {
        let now = Timestamp::from_millis(0);
        let named = |use_for_member_access| OrganizationClient {
            organization_id: "org_1".into(),
            client_id: "c".into(),
            use_for_member_access,
            created_at: now,
        };
        // names its clients, admits third parties, is first party, what is said of the client; admitted?
        for (names, thirds, first_party, said, expected) in [
            (false, false, true, None, true),
            (false, false, true, Some(false), true),
            (false, false, false, Some(true), false),
            (false, true, false, None, true),
            (true, true, true, None, false),
            (true, false, true, Some(true), true),
            (true, false, true, Some(false), false),
            (true, true, false, None, true),
            (true, true, false, Some(false), false),
            (true, false, false, Some(true), true),
        ] {
            let organization = Organization {
                id: "org_1".into(),
                name: "acme".to_owned(),
                display_name: None,
                metadata: Map::new(),
                branding: None,
                admits_third_parties: thirds,
                names_its_clients: names,
                kept: Map::new(),
                created_at: now,
            };
            let mut client = Client::new("c".into(), "C", Sealed(String::new()), now);
            client.is_first_party = first_party;
            let got = organization.admits(&client, said.map(named).as_ref());
            assert_eq!(got, expected, "{names} {thirds} {first_party} {said:?}");
        }
    }

    #[test]
    fn what_nobody_said_of_organizations_is_forbidden() {
        let of =
            |value: Value| OrganizationUsage::of(&Map::from_iter([("organization_usage".into(), value)]));
        assert_eq!(OrganizationUsage::of(&Map::new()), OrganizationUsage::Deny);
        assert_eq!(of(Value::Null), OrganizationUsage::Deny);
        assert_eq!(of("allow".into()), OrganizationUsage::Allow);
        assert_eq!(of("require".into()), OrganizationUsage::Require);
        assert_eq!(of("perhaps".into()), OrganizationUsage::Deny);
    }
}
