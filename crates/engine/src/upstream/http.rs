//! The way to other OpenID providers: timeouts, size caps, egress rules, no redirects.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::egress::Egress;
use domain::limits::{UPSTREAM_ANSWER_BYTES_MAX, UPSTREAM_CALL_MS_MAX};
use reqwest::{Client, header, redirect};
use url::{Host, Url};

use crate::outbound::{GuardedResolver, install_tls_provider, root_cause};
use crate::ports::{OutboundError, Upstream, UpstreamAnswer, UpstreamAuth, UpstreamFuture, UpstreamRequest};

/// Calls providers over HTTPS at public addresses; at others only where the operator allows it.
pub struct HttpUpstream {
    client: Client,
    egress: Egress,
}

impl HttpUpstream {
    /// A client of its own, which calls where `egress` allows it.
    ///
    /// # Errors
    /// [`OutboundError::Failed`] when the TLS set-up fails.
    pub fn new(egress: Egress) -> Result<Self, OutboundError> {
        install_tls_provider();
        let limit = Duration::from_millis(UPSTREAM_CALL_MS_MAX.unsigned_abs());
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(limit)
            .connect_timeout(limit)
            .pool_max_idle_per_host(2)
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver { egress: egress.clone() }))
            .build()
            .map_err(|error| OutboundError::Failed(error.to_string()))?;
        Ok(Self { client, egress })
    }

    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamAnswer, OutboundError> {
        let url = legal_url(&request.url, &self.egress).map_err(OutboundError::Refused)?;
        let mut call = match &request.form {
            Some(form) => self
                .client
                .post(url)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.expose().clone()),
            None => self.client.get(url),
        };
        call = match &request.auth {
            UpstreamAuth::None => call,
            UpstreamAuth::Basic(pair) => call.basic_auth(&pair.expose().0, Some(&pair.expose().1)),
            UpstreamAuth::Bearer(token) => call.bearer_auth(token.expose()),
        };
        let mut response = call.header(header::ACCEPT, "application/json").send().await.map_err(failure)?;
        let too_long = || OutboundError::Failed(format!("longer than {UPSTREAM_ANSWER_BYTES_MAX} bytes"));
        if response.content_length().is_some_and(|length| length > UPSTREAM_ANSWER_BYTES_MAX as u64) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if body.len() + chunk.len() > UPSTREAM_ANSWER_BYTES_MAX {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(UpstreamAnswer { status: response.status().as_u16(), body })
    }
}

impl Upstream for HttpUpstream {
    fn call(&self, request: UpstreamRequest) -> UpstreamFuture<'_> {
        Box::pin(self.send(request))
    }
}

fn failure(error: reqwest::Error) -> OutboundError {
    match error.is_timeout() {
        true => OutboundError::Timeout(UPSTREAM_CALL_MS_MAX),
        false => OutboundError::Failed(root_cause(&error)),
    }
}

/// A URL that a provider may be at; otherwise why not. Names are judged where they are resolved.
pub(crate) fn legal_url(text: &str, egress: &Egress) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("a URL without user, password and fragment is needed".to_owned());
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err("the URL has no host".to_owned()),
    };
    let vouched = match address {
        Some(address) => egress.vouches_for_address(address),
        None => url.host_str().is_some_and(|name| egress.vouches_for(name)),
    };
    if !(url.scheme() == "https" || vouched && url.scheme() == "http") {
        return Err("only https is allowed".to_owned());
    }
    match address.and_then(|address| egress.refused(address)) {
        Some(reason) => Err(format!("the address is not allowed ({reason})")),
        _ => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use domain::egress::Egress;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::{HttpUpstream, legal_url};
    use crate::ports::{OutboundError, Upstream, UpstreamAuth, UpstreamRequest};

    #[test]
    fn providers_are_at_public_addresses_over_https() {
        for url in [
            "http://up.example/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.1/",
            "ftp://up.example/",
            "https://user:word@up.example/",
            "https://up.example/#x",
            "up.example",
            "file:///etc/passwd",
        ] {
            assert!(legal_url(url, &Egress::default()).is_err(), "{url}");
        }
        assert!(legal_url("https://up.example/x?a=1", &Egress::default()).is_ok());
        assert!(legal_url("http://localhost:8080/", &Egress::everywhere_if(true)).is_ok());
        assert!(legal_url("file:///etc/passwd", &Egress::everywhere_if(true)).is_err());
    }

    async fn answer_of(head: &'static str, body_chunks: usize) -> Result<u16, OutboundError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _read = stream.read(&mut request).await;
            let _written = stream.write_all(head.as_bytes()).await;
            for _ in 0..body_chunks {
                if stream.write_all(&[b' '; 64 * 1024]).await.is_err() {
                    return;
                }
            }
        });
        let request = UpstreamRequest { url, form: None, auth: UpstreamAuth::None };
        let answer = HttpUpstream::new(Egress::everywhere_if(true)).unwrap().call(request).await;
        serving.abort();
        answer.map(|answer| answer.status)
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_cut_off_and_a_redirect_is_not_followed() {
        let endless = answer_of("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", 1000).await;
        assert!(matches!(endless, Err(OutboundError::Failed(_))), "{endless:?}");
        let announced = answer_of("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n", 0).await;
        assert!(matches!(announced, Err(OutboundError::Failed(_))), "{announced:?}");
        let moved =
            answer_of("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 0)
                .await;
        assert_eq!(moved, Ok(302));
    }
}
