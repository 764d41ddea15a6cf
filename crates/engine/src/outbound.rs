//! The real way out: timeouts, size caps, egress rules, no redirects.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::egress;
use domain::limits::LOGOUT_DELIVERY_MS_MAX;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, header, redirect};

use crate::ports::{Answer, Outbound, OutboundError, OutboundFuture, RetryAfter};

/// Posts over HTTPS to public addresses; to others only where the operator allows it.
pub struct HttpOutbound {
    client: Client,
    allow_insecure: bool,
}

impl HttpOutbound {
    /// A client of its own. `allow_insecure` opens plain HTTP and the operator's own network.
    ///
    /// # Errors
    /// [`OutboundError::Failed`] when the TLS set-up fails.
    pub fn new(allow_insecure: bool) -> Result<Self, OutboundError> {
        let failed = |error: &dyn std::error::Error| OutboundError::Failed(error.to_string());
        install_tls_provider();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_millis(LOGOUT_DELIVERY_MS_MAX.unsigned_abs()))
            .connect_timeout(Duration::from_millis(LOGOUT_DELIVERY_MS_MAX.unsigned_abs()))
            .pool_max_idle_per_host(2)
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver { allow_insecure }))
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { client, allow_insecure })
    }

    fn check(&self, url: &str) -> Result<url::Url, OutboundError> {
        let url =
            url::Url::parse(url).map_err(|error| OutboundError::Refused(format!("not a URL: {error}")))?;
        if self.allow_insecure {
            return Ok(url);
        }
        if url.scheme() != "https" {
            return Err(OutboundError::Refused("only https is allowed".to_owned()));
        }
        let literal = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(url::Host::Domain(_)) => None,
            None => return Err(OutboundError::Refused("no host".to_owned())),
        };
        match literal.and_then(egress::refused) {
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
    /// Opens the operator's own network.
    pub(crate) allow_insecure: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_insecure = self.allow_insecure;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| allow_insecure || egress::refused(address.ip()).is_none()).collect();
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
    use super::HttpOutbound;

    #[test]
    fn plain_http_and_inner_addresses_are_refused_unless_allowed() {
        let closed = HttpOutbound::new(false).unwrap();
        for url in
            ["http://example.com/", "https://127.0.0.1/", "https://[::1]:8443/", "https://10.0.0.1/", "x"]
        {
            assert!(closed.check(url).is_err(), "{url}");
        }
        assert!(closed.check("https://rp.example.com/logout").is_ok());
        assert!(HttpOutbound::new(true).unwrap().check("http://localhost:8501/").is_ok());
    }
}
