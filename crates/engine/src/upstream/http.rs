//! The way to other OpenID providers: timeouts, size caps, egress rules, no redirects.

use domain::egress::Egress;
use domain::limits::{UPSTREAM_ANSWER_BYTES_MAX, UPSTREAM_CALL_MS_MAX};
use domain::secret::Secret;
use reqwest::{Client, header};
use url::Url;

use crate::outbound::{callable, guarded_client, unanswered};
use crate::ports::OutboundError;

/// How a call proves who makes it.
pub(super) enum Auth {
    /// Not in a header.
    None,
    /// User and password (RFC 7617), encoded already as RFC 6749 §2.3.1 asks.
    Basic(Secret<(String, String)>),
    /// A bearer token (RFC 6750 §2.1).
    Bearer(Secret<String>),
}

/// A call to a provider.
pub(super) struct Request {
    /// Where.
    pub(super) url: String,
    /// An `application/x-www-form-urlencoded` body to post; without one the call is a `GET`.
    pub(super) form: Option<Secret<String>>,
    /// By whom.
    pub(super) auth: Auth,
}

/// What a provider answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The HTTP status code.
    pub(super) status: u16,
    /// The body, of `domain::limits::UPSTREAM_ANSWER_BYTES_MAX` at most.
    pub(super) body: Vec<u8>,
}

/// Calls providers over HTTPS at public addresses; at others only where the operator allows it.
pub(crate) struct UpstreamHttp {
    client: Client,
    egress: Egress,
}

impl UpstreamHttp {
    /// It calls where `egress` allows it.
    pub(crate) fn new(egress: Egress) -> Result<Self, OutboundError> {
        Ok(Self { client: guarded_client(&egress, UPSTREAM_CALL_MS_MAX)?, egress })
    }

    /// Makes a call. Follows no redirect, waits for `domain::limits::UPSTREAM_CALL_MS_MAX` at most.
    pub(super) async fn call(&self, request: Request) -> Result<Answer, OutboundError> {
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
            Auth::None => call,
            Auth::Basic(pair) => call.basic_auth(&pair.expose().0, Some(&pair.expose().1)),
            Auth::Bearer(token) => call.bearer_auth(token.expose()),
        };
        let failed = |error| unanswered(&error, UPSTREAM_CALL_MS_MAX);
        let mut response = call.header(header::ACCEPT, "application/json").send().await.map_err(failed)?;
        let too_long = || OutboundError::Failed(format!("longer than {UPSTREAM_ANSWER_BYTES_MAX} bytes"));
        if response.content_length().is_some_and(|length| length > UPSTREAM_ANSWER_BYTES_MAX as u64) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > UPSTREAM_ANSWER_BYTES_MAX {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status().as_u16(), body })
    }
}

/// A URL that a provider may be at; otherwise why not. Names are judged where they are resolved.
pub(crate) fn legal_url(text: &str, egress: &Egress) -> Result<Url, String> {
    let url = callable(text, egress)?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("a URL without user, password and fragment is needed".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use domain::egress::Egress;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::{Auth, Request, UpstreamHttp, legal_url};
    use crate::ports::OutboundError;

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
        let request = Request { url, form: None, auth: Auth::None };
        let answer = UpstreamHttp::new(Egress::everywhere_if(true)).unwrap().call(request).await;
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
