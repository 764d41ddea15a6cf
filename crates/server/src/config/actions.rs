//! `[actions]`: what tenants' scripts may reach.

use super::section::section;

section! {
    /// What tenants' scripts may reach.
    "actions" Actions {
        /// Whether `fetch` in an Action may reach this machine and private networks, cloud metadata services among
        /// them. Leave it off wherever people who write Actions are not trusted with all that the server can reach.
        allow_private_addresses: bool = false;
    }
}

impl Actions {
    /// Tests' servers listen on loopback.
    pub fn for_testing() -> Self {
        Self { allow_private_addresses: true }
    }
}
