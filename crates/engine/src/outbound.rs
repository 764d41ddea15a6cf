//! The real way out: timeouts, size caps, egress rules, no redirects.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::egress::Egress;
use domain::limits::LOGOUT_DELIVERY_MS_MAX;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, RequestBuilder, header, redirect};
use url::{Host, Url};

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
        Ok(Self { client: guarded_client(&egress, LOGOUT_DELIVERY_MS_MAX)?, egress })
    }
}

impl Outbound for HttpOutbound {
    fn post_form<'a>(&'a self, url: &'a str, body: String) -> OutboundFuture<'a> {
        Box::pin(async move {
            let url = callable(url, &self.egress).map_err(OutboundError::Refused)?;
            let request = self
                .client
                .post(url)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::CACHE_CONTROL, "no-store")
                .body(body);
            status_of(request, LOGOUT_DELIVERY_MS_MAX).await
        })
    }
}

/// A client of its own for one purpose, so that nobody waits for another's calls: no redirects, no proxy, and no address
/// that `egress` does not allow. A call takes `limit_ms` at most.
pub(crate) fn guarded_client(egress: &Egress, limit_ms: i64) -> Result<Client, OutboundError> {
    install_tls_provider();
    let limit = Duration::from_millis(limit_ms.unsigned_abs());
    Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(limit)
        .connect_timeout(limit)
        .pool_max_idle_per_host(2)
        .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .dns_resolver(Arc::new(GuardedResolver { egress: egress.clone() }))
        .build()
        .map_err(|error| OutboundError::Failed(error.to_string()))
}

/// A URL that may be called, as far as its text tells; otherwise why not. Other names than `localhost` are judged where
/// they are resolved.
pub(crate) fn callable(text: &str, egress: &Egress) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => {
            Some(IpAddr::V4(Ipv4Addr::LOCALHOST))
        }
        Some(Host::Domain(_)) => None,
        None => return Err("it has no host".to_owned()),
    };
    let vouched = url.host_str().is_some_and(|name| egress.vouches_for(name))
        || address.is_some_and(|address| egress.vouches_for_address(address));
    if !(url.scheme() == "https" || vouched && url.scheme() == "http") {
        return Err("it must be an https URL".to_owned());
    }
    match address.and_then(|address| egress.refused(address)) {
        Some(reason) if !vouched => Err(format!("the address is not public ({reason})")),
        _ => Ok(url),
    }
}

/// Makes a call of which only the status counts: the body is dropped unread, an endless one must not hold us.
pub(crate) async fn status_of(request: RequestBuilder, limit_ms: i64) -> Result<Answer, OutboundError> {
    let response = request.send().await.map_err(|error| unanswered(&error, limit_ms))?;
    let retry_after = response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| RetryAfter::parse(value.to_str().ok()?));
    Ok(Answer { status: response.status().as_u16(), retry_after })
}

/// Why a call that may take `limit_ms` gave no answer.
pub(crate) fn unanswered(error: &reqwest::Error, limit_ms: i64) -> OutboundError {
    match error.is_timeout() {
        true => OutboundError::Timeout(limit_ms),
        false => OutboundError::Failed(root_cause(error)),
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

    use super::callable;

    #[test]
    fn plain_http_and_inner_addresses_are_refused_unless_allowed() {
        let closed = Egress::default();
        for url in [
            "http://example.com/",
            "https://127.0.0.1/",
            "https://[::1]:8443/",
            "https://10.0.0.1/",
            "https://localhost/",
            "https://rp.localhost/",
            "x",
        ] {
            assert!(callable(url, &closed).is_err(), "{url}");
        }
        assert!(callable("https://rp.example.com/logout", &closed).is_ok());
        let open = Egress::everywhere_if(true);
        assert!(callable("http://localhost:8501/", &open).is_ok());
        assert!(
            callable("ftp://localhost/", &open).is_err() && callable("file:///etc/passwd", &open).is_err()
        );
    }

    #[test]
    fn hosts_that_the_operator_lists_are_called_and_their_neighbours_are_not() {
        let allowed =
            ["rp.internal", "localhost", "10.1.0.0/16"].map(|text| AllowedHost::parse(text).unwrap());
        let listed = Egress { everywhere: false, allowed: allowed.to_vec() };
        for url in [
            "http://rp.internal/",
            "https://rp.internal/",
            "http://localhost/",
            "http://10.1.2.3/",
            "https://10.1.2.3:8443/",
        ] {
            assert!(callable(url, &listed).is_ok(), "{url}");
        }
        for url in ["http://other.internal/", "http://10.2.0.1/", "https://10.2.0.1/", "http://127.0.0.1/"] {
            assert!(callable(url, &listed).is_err(), "{url}");
        }
    }
}
