//! The real way out: timeouts, size caps, egress rules, no redirects.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::egress::Egress;
use domain::limits::LOGOUT_DELIVERY_MS_MAX;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, header, redirect};

use crate::ports::{Answer, Outbound, OutboundError, OutboundFuture, RetryAfter};

/// Posts over HTTPS to public addresses; elsewhere only where the operator allows it.
pub struct HttpOutbound {
    client: Client,
    egress: Egress,
}

impl HttpOutbound {
    /// A client of its own, which calls where `egress` allows it.
    ///
    /// # Errors
    /// [`OutboundError::Failed`] when the TLS set-up fails.
    pub fn new(egress: Egress) -> Result<Self, OutboundError> {
        let failed = |error: &dyn std::error::Error| OutboundError::Failed(error.to_string());
        install_tls_provider();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_millis(LOGOUT_DELIVERY_MS_MAX.unsigned_abs()))
            .connect_timeout(Duration::from_millis(LOGOUT_DELIVERY_MS_MAX.unsigned_abs()))
            .pool_max_idle_per_host(2)
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver { egress: egress.clone() }))
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { client, egress })
    }

    fn check(&self, url: &str) -> Result<url::Url, OutboundError> {
        let url =
            url::Url::parse(url).map_err(|error| OutboundError::Refused(format!("not a URL: {error}")))?;
        let literal = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(url::Host::Domain(_)) => None,
            None => return Err(OutboundError::Refused("no host".to_owned())),
        };
        let vouched = match literal {
            Some(address) => self.egress.vouches_for_address(address),
            None => url.host_str().is_some_and(|name| self.egress.vouches_for(name)),
        };
        if url.scheme() != "https" && !vouched {
            return Err(OutboundError::Refused("only https is allowed".to_owned()));
        }
        match literal.and_then(|address| self.egress.refused(address)) {
            Some(reason) => Err(OutboundError::Refused(format!("address not allowed ({reason})"))),
            None => Ok(url),
        }
    }
}

impl Outbound for HttpOutbound {
    fn post_form<'a>(&'a self, url: &'a str, body: String) -> OutboundFuture<'a> {
        Box::pin(async move {
            let url = self.check(url)?;
            let request = self
                .client
                .post(url)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::CACHE_CONTROL, "no-store")
                .body(body);
            let response = request.send().await.map_err(|error| {
                if error.is_timeout() {
                    OutboundError::Timeout(LOGOUT_DELIVERY_MS_MAX)
                } else {
                    OutboundError::Failed(root_cause(&error))
                }
            })?;
            let retry_after = response.headers().get(header::RETRY_AFTER);
            let retry_after = retry_after.and_then(|value| RetryAfter::parse(value.to_str().ok()?));
            // The body is dropped unread: only the status counts, and an endless one must not hold us.
            Ok(Answer { status: response.status().as_u16(), retry_after })
        })
    }
}

/// Names the TLS stack's cryptography, once for the process.
pub fn install_tls_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another caller may have been faster; either provider is the same one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

/// The innermost cause, which names what happened; the outer ones repeat the URL.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Resolves names, and leaves out addresses that must not be reached: the check stands where the connection is
/// made, so that a name cannot answer one thing to a check and another to the connection.
pub(crate) struct GuardedResolver {
    /// Which of them may be.
    pub(crate) egress: Egress,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = self.egress.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let vouched = egress.vouches_for(name.as_str());
            let allowed: Vec<SocketAddr> =
                found.filter(|address| vouched || egress.refused(address.ip()).is_none()).collect();
            if allowed.is_empty() {
                return Err(format!("{} has no address that may be reached", name.as_str()).into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::egress::{AllowedHost, Egress};

    use super::HttpOutbound;

    #[test]
    fn plain_http_and_inner_addresses_are_refused_unless_allowed() {
        let closed = HttpOutbound::new(Egress::default()).unwrap();
        for url in
            ["http://example.com/", "https://127.0.0.1/", "https://[::1]:8443/", "https://10.0.0.1/", "x"]
        {
            assert!(closed.check(url).is_err(), "{url}");
        }
        assert!(closed.check("https://rp.example.com/logout").is_ok());
        assert!(
            HttpOutbound::new(Egress::everywhere_if(true)).unwrap().check("http://localhost:8501/").is_ok()
        );
    }

    #[test]
    fn hosts_that_the_operator_lists_are_called_and_their_neighbours_are_not() {
        let allowed = ["rp.internal", "10.1.0.0/16"].map(|text| AllowedHost::parse(text).unwrap());
        let listed = HttpOutbound::new(Egress { everywhere: false, allowed: allowed.to_vec() }).unwrap();
        for url in
            ["http://rp.internal/", "https://rp.internal/", "http://10.1.2.3/", "https://10.1.2.3:8443/"]
        {
            assert!(listed.check(url).is_ok(), "{url}");
        }
        for url in ["http://other.internal/", "http://10.2.0.1/", "https://10.2.0.1/", "http://127.0.0.1/"] {
            assert!(listed.check(url).is_err(), "{url}");
        }
    }
}
