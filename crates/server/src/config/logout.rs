//! `[logout]`: delivery of back-channel logout tokens.

use domain::egress::{AllowedHost, Egress};

use super::section::section;

section! {
    /// Delivery of back-channel logout tokens.
    "logout" Logout {
        /// Whether logout tokens may go to `http` URLs and to addresses of this machine and of private
        /// networks. For development only: with it, whoever may register a client can make the server call
        /// its neighbours.
        allow_insecure_urls: bool = false;
        /// Hosts of yours to which logout tokens may go although they are private, by `http` too: names such as
        /// `rp.internal`, whatever they resolve to, and addresses or networks such as `10.1.0.0/16`. A name that
        /// is not listed but resolves into a listed network is called by `https` only.
        allow_hosts: Vec<AllowedHost> = Vec::new();
    }
}

impl Logout {
    /// Tests' relying parties listen on loopback.
    pub fn for_testing() -> Self {
        Self { allow_insecure_urls: true, ..Self::default() }
    }

    /// Where logout tokens may go.
    pub fn egress(&self) -> Egress {
        Egress { everywhere: self.allow_insecure_urls, allowed: self.allow_hosts.clone() }
    }
}
