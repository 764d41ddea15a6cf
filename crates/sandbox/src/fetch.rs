//! The way out that scripts have: what they ask for, what comes back, and the trait of whoever carries it out.
//!
//! A worker has no network. It asks its host over their socket, and the host asks a [`Fetch`]. Which addresses may be
//! reached is that implementation's decision; how many and how long is decided here, for every implementation.

use std::pin::Pin;
use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Fetches of one run; one more is rejected.
pub const FETCHES_MAX: usize = 10;
/// Bytes of a request's body.
pub const REQUEST_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a response's body; a longer one is an error, never cut short.
pub const RESPONSE_BYTES_MAX: usize = 1024 * 1024;
/// Headers of a request, and of a response.
pub const HEADERS_MAX: usize = 100;
/// Bytes of all their names and values together.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;
/// Bytes of a URL.
pub const URL_BYTES_MAX: usize = 16 * 1024;
/// Redirects that are followed.
pub const REDIRECTS_MAX: usize = 5;

/// What to do with a response that points elsewhere (Fetch Standard: redirect mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Redirect {
    /// Go there, at most [`REDIRECTS_MAX`] times.
    Follow,
    /// Answer it as it is.
    Manual,
    /// Fail.
    Error,
}

/// One request of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchRequest {
    /// The method, in capitals where the standard says so.
    pub method: String,
    /// An absolute `http` or `https` URL.
    pub url: String,
    /// Names in small letters, and values; at most [`HEADERS_MAX`].
    pub headers: Vec<(String, String)>,
    /// At most [`REQUEST_BYTES_MAX`] bytes.
    #[serde(default, with = "as_base64")]
    pub body: Vec<u8>,
    /// Whether there is a body at all.
    pub has_body: bool,
    /// What to do with redirects.
    pub redirect: Redirect,
}

impl FetchRequest {
    /// Whether it keeps to the limits: a worker is not believed.
    pub(crate) fn is_within_limits(&self) -> bool {
        let header_bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.body.len() <= REQUEST_BYTES_MAX
            && self.url.len() <= URL_BYTES_MAX
            && self.headers.len() <= HEADERS_MAX
            && header_bytes <= HEADER_BYTES_MAX
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchResponse {
    /// The HTTP status code.
    pub status: u16,
    /// The reason phrase that goes with it; may be empty.
    pub status_text: String,
    /// The URL that answered, after redirects.
    pub url: String,
    /// Whether a redirect was followed.
    pub redirected: bool,
    /// Names in small letters, and values; repeated ones stay apart.
    pub headers: Vec<(String, String)>,
    /// At most [`RESPONSE_BYTES_MAX`] bytes.
    #[serde(default, with = "as_base64")]
    pub body: Vec<u8>,
}

/// Why there was no response. The script sees the text after `fetch failed: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "kind", content = "text", rename_all = "snake_case")]
pub enum FetchError {
    /// The address, or the request, is one that a script must not reach or make.
    #[error("{0}")]
    Refused(String),
    /// No answer in the time that the run had left.
    #[error("no answer in time")]
    Timeout,
    /// Body or headers were longer than a script may receive.
    #[error("the response is longer than a script may receive ({RESPONSE_BYTES_MAX} bytes)")]
    TooLong,
    /// More redirects than are followed.
    #[error("more than {REDIRECTS_MAX} redirects")]
    TooManyRedirects,
    /// No connection, or it broke.
    #[error("{0}")]
    Failed(String),
}

/// The future that [`Fetch::fetch`] gives.
pub type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<FetchResponse, FetchError>> + Send + 'a>>;

/// Carries out scripts' requests. Implementations decide which addresses may be reached, again at each redirect, and
/// keep to [`RESPONSE_BYTES_MAX`], [`HEADERS_MAX`] and [`HEADER_BYTES_MAX`] without reading further.
pub trait Fetch: Send + Sync {
    /// One request, redirects and all, in at most `timeout`. Dropping the future ends it.
    fn fetch(&self, request: FetchRequest, timeout: Duration) -> FetchFuture<'_>;
}

/// No way out at all.
pub(crate) struct NoFetch;

impl Fetch for NoFetch {
    fn fetch(&self, _request: FetchRequest, _timeout: Duration) -> FetchFuture<'_> {
        Box::pin(async { Err(FetchError::Refused("there is no network here".to_owned())) })
    }
}

/// Bytes as base64 text, since the messages are JSON.
mod as_base64 {
    use base64::Engine as _;

    use super::{Deserialize, Deserializer, STANDARD, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        STANDARD.encode(bytes).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
