//! Tables of roles, of who has them, and of what users may do without one.

use domain::role::{DeletedRole, Role, RoleMember, UserPermissions};

use crate::key::Key;
use crate::table::{IndexEntry, Record};

impl Record for Role {
    const SPACE: &'static str = "role";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::unique("name", Key::of(&self.name))]
    }
}

impl Record for RoleMember {
    const SPACE: &'static str = "role_member";

    fn key(&self) -> Key {
        Key::of((&self.role_id, &self.user_id))
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::many("user", Key::of(&self.user_id))]
    }
}

impl Record for UserPermissions {
    const SPACE: &'static str = "user_permissions";

    fn key(&self) -> Key {
        Key::of(&self.user_id)
    }
}

impl Record for DeletedRole {
    const SPACE: &'static str = "deleted_role";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }
}
