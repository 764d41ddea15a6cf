//! `[logout]`: delivery of back-channel logout tokens.

use super::section::section;

section! {
    /// Delivery of back-channel logout tokens.
    "logout" Logout {
        /// Whether logout tokens may go to `http` URLs and to addresses of this machine and of private
        /// networks. For development only: with it, whoever may register a client can make the server call
        /// its neighbours.
        allow_insecure_urls: bool = false;
    }
}

impl Logout {
    /// Tests' relying parties listen on loopback.
    pub fn for_testing() -> Self {
        Self { allow_insecure_urls: true }
    }
}
