//! `[upstream]`: other OpenID providers that users come from.

use domain::egress::{AllowedHost, Egress};

use super::section::section;

section! {
    /// Other OpenID providers that users come from.
    "upstream" Upstream {
        /// Whether connections may name providers at `http` URLs and at addresses of this machine and of private
        /// networks. For development only: with it, whoever may make a connection can make the server call its
        /// neighbours.
        allow_insecure_urls: bool = false;
        /// Hosts of yours at which providers may be although they are private, by `http` too; see `logout.allow_hosts`.
        allow_hosts: Vec<AllowedHost> = Vec::new();
    }
}

impl Upstream {
    /// Tests' providers listen on loopback.
    pub fn for_testing() -> Self {
        Self { allow_insecure_urls: true, ..Self::default() }
    }

    /// Where providers may be.
    pub fn egress(&self) -> Egress {
        Egress { everywhere: self.allow_insecure_urls, allowed: self.allow_hosts.clone() }
    }
}
