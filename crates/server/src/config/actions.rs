//! `[actions]`: what tenants' scripts may reach, and what they may bring along.

use std::path::PathBuf;

use super::section::section;

section! {
    /// What tenants' scripts may reach, and what they may bring along.
    "actions" Actions {
        /// Whether `fetch` in an Action may reach this machine and private networks, cloud metadata services among
        /// them. Leave it off wherever people who write Actions are not trusted with all that the server can reach.
        allow_private_addresses: bool = false;
        /// Whether Actions may have npm packages. They are installed at deploy, by the npm of this machine with its
        /// own settings, and run in Node.js; both must be there.
        dependencies: bool = true;
        /// Node.js, 20.19 or newer: a path, or a name to be found on PATH.
        node: PathBuf = PathBuf::from("node");
        /// npm. Unset, it is looked for beside Node.js, then on PATH.
        npm: Option<PathBuf> = None;
    }
}

impl Actions {
    /// Tests' servers listen on loopback.
    pub fn for_testing() -> Self {
        Self { allow_private_addresses: true, ..Self::default() }
    }
}
