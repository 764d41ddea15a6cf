//! Roles, and the permissions that users have through them or directly.
//!
//! Auth0: manage users › access control › RBAC. Nothing here is taken away by being deleted row by row: a role's
//! identifier never comes back, and a scope that does is another scope (`ScopeDefinition::since`), so what refers to one
//! that went counts no more from that moment on. Why: `docs/adr/0034-what-refers-to-a-deleted-role-counts-no-more.md`.

use serde::{Deserialize, Serialize};

use crate::id::{ResourceServerId, RoleId, UserId};
use crate::resource_server::ResourceServer;
use crate::time::Timestamp;

/// A scope of an API that a role or a user has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// The API.
    pub resource_server_id: ResourceServerId,
    /// The scope.
    pub name: String,
    /// Which scope of that name it is: the one that the API got with this revision.
    #[serde(default)]
    pub since: u64,
}

impl Permission {
    /// The permission for a scope that the API knows now.
    pub fn of(server: &ResourceServer, name: &str) -> Option<Self> {
        let scope = server.scopes.iter().find(|scope| scope.value == name)?;
        Some(Self { resource_server_id: server.id.clone(), name: name.to_owned(), since: scope.since })
    }

    /// Whether the API has still the scope that was meant.
    pub fn counts_at(&self, server: &ResourceServer) -> bool {
        self.resource_server_id == server.id
            && server.scopes.iter().any(|scope| scope.value == self.name && scope.since == self.since)
    }
}

/// A set of permissions that users get together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// The record.
    pub id: RoleId,
    /// Unique name, which Actions see.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// What it allows.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// That a user has a role in the whole tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleMember {
    /// The role.
    pub role_id: RoleId,
    /// The user.
    pub user_id: UserId,
    /// Since when.
    pub created_at: Timestamp,
}

/// What a user may do without a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPermissions {
    /// The user.
    pub user_id: UserId,
    /// What they may do.
    pub permissions: Vec<Permission>,
}

/// A role that was deleted, while rows of its members may still be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedRole {
    /// The role that was.
    pub id: RoleId,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Permission;
    use crate::resource_server::{ResourceServer, ScopeDefinition};

    fn scope(value: &str) -> ScopeDefinition {
        ScopeDefinition { value: value.to_owned(), description: None, since: 0 }
    }

    fn server() -> ResourceServer {
        let record = json!({
            "id": "a", "identifier": "https://a.test/", "signing_algorithm": "RS256", "token_seconds": 1,
            "token_seconds_for_web": 1, "created_at": 0, "scopes": [{ "value": "read" }, { "value": "write" }],
        });
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn a_scope_that_went_and_came_again_is_not_the_one_that_was_allowed() {
        let mut api = server();
        let (read, write) = (Permission::of(&api, "read").unwrap(), Permission::of(&api, "write").unwrap());
        assert_eq!(Permission::of(&api, "delete"), None);
        api.replace_scopes(&[scope("write"), scope("read"), scope("delete")]);
        assert!(read.counts_at(&api) && write.counts_at(&api));
        api.replace_scopes(&[scope("write")]);
        assert!(!read.counts_at(&api) && write.counts_at(&api));
        api.replace_scopes(&[scope("write"), scope("read")]);
        assert!(!read.counts_at(&api) && write.counts_at(&api));
        assert!(Permission::of(&api, "read").unwrap().counts_at(&api));
    }

    #[test]
    fn a_permission_counts_at_its_own_api_only() {
        let api = server();
        let other = ResourceServer { id: "b".into(), ..server() };
        assert!(!Permission::of(&api, "read").unwrap().counts_at(&other));
    }
}
