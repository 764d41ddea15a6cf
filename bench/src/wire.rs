//! One HTTP/1.1 connection that is kept open, and what it says and hears.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::Result;

/// How long one answer may take, in milliseconds.
const ANSWER_MS_MAX: u64 = 20_000;
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A request, kept so that it can be said again.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Ask {
    /// A request without a body.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A form.
    pub(crate) fn form(path: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self { method: Method::POST, body: body.into(), ..Self::get(path) }
            .with("content-type", "application/x-www-form-urlencoded")
    }

    /// A JSON body.
    pub(crate) fn json(method: Method, path: impl Into<String>, body: &Value) -> Self {
        Self { method, body: body.to_string().into(), ..Self::get(path) }
            .with("content-type", "application/json")
    }

    /// With one more header, whose value is ours and legal.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.append(HeaderName::from_static(name), value);
        }
        self
    }

    /// With cookies.
    pub(crate) fn cookies(self, cookies: &str) -> Self {
        self.with("cookie", cookies)
    }
}

/// An answer, read to its end.
pub(crate) struct Heard {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Heard {
    /// The answer, if it has the status that was hoped for.
    pub(crate) fn expect(self, status: u16) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        Err(format!("{} instead of {status}: {}", self.status, String::from_utf8_lossy(&self.body)).into())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// A query parameter of the place that the answer sends the browser to.
    pub(crate) fn sent_with(&self, name: &str) -> Result<String> {
        let location = self.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let query = location.split_once('?').map_or("", |(_, query)| query);
        let found = url::form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
        Ok(found.ok_or_else(|| format!("no {name} in {location}"))?.1.into_owned())
    }

    /// The value of a cookie that the answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let all = self.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = all.filter_map(|text| text.split(';').next()?.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    }

    /// Bytes of the body and of the header fields.
    fn bytes(&self) -> usize {
        self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
            + self.body.len()
    }
}

/// A connection.
pub(crate) struct Wire {
    host: HeaderValue,
    sender: SendRequest<Body>,
    /// What was said, each with the bytes of its answer, while someone listens.
    pub(crate) tape: Option<Vec<(Ask, usize)>>,
}

impl Wire {
    /// Connects. Must be called on the thread that makes the load.
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::task::spawn_local(connection);
        let port = address.rsplit_once(':').map_or("", |(_, port)| port);
        Ok(Self { host: HeaderValue::try_from(format!("localhost:{port}"))?, sender, tape: None })
    }

    /// Says a request and hears the answer.
    pub(crate) async fn ask(&mut self, ask: Ask) -> Result<Heard> {
        let taped = self.tape.is_some().then(|| ask.clone());
        let mut request = Request::new(Body::from(ask.body));
        *request.method_mut() = ask.method;
        *request.uri_mut() = ask.path.parse()?;
        *request.headers_mut() = ask.headers;
        request.headers_mut().insert(HOST, self.host.clone());
        let answer = async {
            let (head, body) = self.sender.send_request(request).await?.into_parts();
            let body = to_bytes(Body::new(body), ANSWER_BYTES_MAX).await?;
            Result::Ok(Heard { status: head.status, headers: head.headers, body })
        };
        let heard = tokio::time::timeout(Duration::from_millis(ANSWER_MS_MAX), answer).await??;
        if let (Some(tape), Some(ask)) = (&mut self.tape, taped) {
            tape.push((ask, heard.bytes()));
        }
        Ok(heard)
    }
}
