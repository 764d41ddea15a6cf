//! `[server]`: where it listens, under which name, and behind which proxies.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use url::Url;

use super::TrustedProxy;
use super::section::section;

section! {
    /// Where the server listens and under which name it is known.
    "server" Server {
        /// The folder that holds the database, the keys and the certificates. It is made if it is missing, and
        /// only its owner may read it.
        data: PathBuf = PathBuf::from("data");
        /// The address and port to listen on. Port 0 takes a free one.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8443));
        /// The host name (with the port, unless it is 443) under which browsers and applications reach the
        /// server. The issuer is `https://{domain}/`, the audience of the Management API
        /// `https://{domain}/api/v2/`. Tokens carry it, so changing it invalidates them. Unset, it is
        /// `localhost` with the port in use.
        domain: Option<String> = None;
        /// The URL under which browsers and applications reach the server, such as `https://id.example.com/`. It
        /// takes the place of `domain` and says the scheme too: set one or the other.
        public_url: Option<Url> = None;
        /// Addresses or networks of proxies whose `X-Forwarded-For` is believed, such as
        /// `["10.0.0.0/8"]`. With none, the address of the connection is the client's.
        trusted_proxies: Vec<TrustedProxy> = Vec::new();
        /// Identifiers of users, such as `["auth0|5f7c"]`, who may use the dashboard beside the administrator that the
        /// first start makes.
        administrators: Vec<String> = Vec::new();
        /// Connections open at once. Further ones wait to be accepted.
        connections_max: usize = 10_000;
        /// Seconds that requests under way are given to finish when the server is told to stop.
        drain_seconds: u32 = 20;
    }
}

impl Server {
    /// A free port on loopback.
    pub fn for_testing(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            drain_seconds: 5,
            ..Self::default()
        }
    }
}
