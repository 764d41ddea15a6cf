//! Scripts' way out: their requests over HTTP, to addresses that the egress rules allow, at each hop anew.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::egress::{self, Egress};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Certificate, Client, Method, StatusCode, redirect};
use sandbox::fetch::{
    Fetch, FetchError, FetchFuture, FetchRequest, FetchResponse, HEADER_BYTES_MAX, HEADERS_MAX,
    REDIRECTS_MAX, RESPONSE_BYTES_MAX, Redirect,
};
use url::{Host, Url};

use crate::outbound::{GuardedResolver, install_tls_provider, root_cause};
use crate::ports::OutboundError;

/// What a connection may take to be made, in milliseconds.
const CONNECT_MS_MAX: u64 = 5_000;
/// Headers that describe the connection or the message's length, which are ours to write.
const OURS: &[&str] =
    &["connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
/// Headers that must not follow a redirect to another origin (Fetch Standard: HTTP-redirect fetch).
const SECRETS: &[&str] = &["authorization", "cookie", "proxy-authorization"];
/// Headers that describe a body, and go with it.
const OF_BODIES: &[&str] = &["content-encoding", "content-language", "content-location", "content-type"];

/// Fetches over HTTP and HTTPS from public addresses; from others only where the operator allows it.
pub struct HttpFetch {
    client: Client,
    allow_private: bool,
}

impl HttpFetch {
    /// A client of its own. `allow_private` opens this machine and the operator's own network to scripts; `authority`
    /// is a certificate in PEM that is trusted beside the machine's own.
    ///
    /// # Errors
    /// [`OutboundError::Failed`] when the TLS set-up fails.
    pub fn new(allow_private: bool, authority: Option<&str>) -> Result<Self, OutboundError> {
        install_tls_provider();
        let failed = |error: reqwest::Error| OutboundError::Failed(error.to_string());
        let authority =
            authority.map(|pem| Certificate::from_pem(pem.as_bytes())).transpose().map_err(failed)?;
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
            .pool_max_idle_per_host(2)
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver { egress: Egress::everywhere_if(allow_private) }))
            .tls_certs_merge(authority)
            .build()
            .map_err(failed)?;
        Ok(Self { client, allow_private })
    }

    /// Whether a URL may be asked at all. Names are judged where they are resolved.
    fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Refused(format!("the scheme {} is not allowed", url.scheme())));
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(FetchError::Refused("the URL has no host".to_owned())),
        };
        match egress::refused(address) {
            Some(reason) if !self.allow_private => {
                Err(FetchError::Refused(format!("{address} must not be reached ({reason})")))
            }
            _ => Ok(()),
        }
    }

    async fn follow(&self, request: FetchRequest) -> Result<FetchResponse, FetchError> {
        let mut hop = Hop::first(&request)?;
        for redirects in 0..=REDIRECTS_MAX {
            self.check(&hop.url)?;
            let response = self.send(&hop).await?;
            let target = target_of(&response, &hop.url);
            match (target, request.redirect) {
                (Some(_), Redirect::Error) => {
                    return Err(FetchError::Failed("the response is a redirect".to_owned()));
                }
                (Some(next), Redirect::Follow) => hop.go_to(next?, response.status()),
                (None, _) | (_, Redirect::Manual) => return read(response, &hop.url, redirects > 0).await,
            }
        }
        Err(FetchError::TooManyRedirects)
    }

    async fn send(&self, hop: &Hop) -> Result<reqwest::Response, FetchError> {
        let mut request =
            self.client.request(hop.method.clone(), hop.url.clone()).headers(hop.headers.clone());
        if let Some(body) = &hop.body {
            request = request.body(body.clone());
        }
        request.send().await.map_err(|error| match error.is_timeout() {
            true => FetchError::Timeout,
            false => FetchError::Failed(root_cause(&error)),
        })
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, request: FetchRequest, timeout: Duration) -> FetchFuture<'_> {
        Box::pin(async move {
            match tokio::time::timeout(timeout, self.follow(request)).await {
                Ok(result) => result,
                Err(_) => Err(FetchError::Timeout),
            }
        })
    }
}

/// The request as it stands before the next hop.
struct Hop {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<bytes::Bytes>,
}

impl Hop {
    fn first(request: &FetchRequest) -> Result<Self, FetchError> {
        let refused = |text: &str| FetchError::Refused(text.to_owned());
        let url = Url::parse(&request.url).map_err(|_| refused("the URL can't be read"))?;
        let method =
            Method::from_bytes(request.method.as_bytes()).map_err(|_| refused("the method can't be used"))?;
        if method == Method::CONNECT || method == Method::TRACE {
            return Err(refused("the method can't be used"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            if OURS.contains(&name.as_str()) || name.starts_with("proxy-") {
                continue;
            }
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| refused("a header's name can't be used"))?;
            // A script's text holds a byte in each character (Fetch Standard: header value).
            let bytes: Result<Vec<u8>, _> =
                value.chars().map(|letter| u8::try_from(u32::from(letter))).collect();
            let value = bytes.ok().and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
            headers.append(name, value.ok_or_else(|| refused("a header's value can't be used"))?);
        }
        let body = request.has_body.then(|| request.body.clone().into());
        Ok(Self { method, url, headers, body })
    }

    /// What the next request is after a redirect (Fetch Standard: HTTP-redirect fetch).
    fn go_to(&mut self, next: Url, status: StatusCode) {
        let becomes_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::GET && self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = None;
            OF_BODIES.iter().for_each(|name| {
                self.headers.remove(*name);
            });
        }
        if next.origin() != self.url.origin() {
            SECRETS.iter().for_each(|name| {
                self.headers.remove(*name);
            });
        }
        self.url = next;
    }
}

/// Where a response points, if it is a redirect.
fn target_of(response: &reqwest::Response, from: &Url) -> Option<Result<Url, FetchError>> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    let next = location.to_str().ok().and_then(|location| from.join(location).ok());
    Some(next.ok_or_else(|| FetchError::Failed("the redirect can't be read".to_owned())))
}

/// Takes a response in, and no more of it than a script may have.
async fn read(
    mut response: reqwest::Response,
    url: &Url,
    redirected: bool,
) -> Result<FetchResponse, FetchError> {
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), value.as_bytes().iter().copied().map(char::from).collect())
        })
        .collect();
    let header_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > HEADERS_MAX || header_bytes > HEADER_BYTES_MAX {
        return Err(FetchError::TooLong);
    }
    if response.content_length().is_some_and(|length| length > RESPONSE_BYTES_MAX as u64) {
        return Err(FetchError::TooLong);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| FetchError::Failed(root_cause(&error)))? {
        if body.len() + chunk.len() > RESPONSE_BYTES_MAX {
            return Err(FetchError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(FetchResponse {
        status: response.status().as_u16(),
        status_text: response.status().canonical_reason().unwrap_or_default().to_owned(),
        url: url.as_str().to_owned(),
        redirected,
        headers,
        body,
    })
}

#[cfg(test)]
mod tests;
