//! Bodies and queries: read within limits of size and time, into pairs in the order in which they came.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use domain::limits::{API_BODY_BYTES_MAX, AUTHORIZE_QUERY_BYTES_MAX, FORM_BODY_BYTES_MAX};
use serde_json::Value;

use crate::error::{ApiError, OAuthFailure, PageError};

/// How long a body may take to arrive, in milliseconds. Ours: 1 MiB over a slow line.
const BODY_MS_MAX: u64 = 20_000;

/// Why a body is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// It did not arrive in time.
    Slow,
    /// The connection broke.
    Broken,
    /// It is of a type that is not taken here.
    Unsupported,
    /// It is not what its type says.
    Malformed,
}

impl BodyError {
    /// The status that answers it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Broken | Self::Malformed => StatusCode::BAD_REQUEST,
        }
    }

    /// What the caller is told.
    pub const fn message(self) -> &'static str {
        match self {
            Self::TooLarge => "The request body is too large",
            Self::Slow => "The request body took too long to arrive",
            Self::Broken => "The request body did not arrive",
            Self::Unsupported => "The content type of the request is not supported",
            Self::Malformed => "Invalid request payload format",
        }
    }
}

/// Reads a body of at most so many bytes.
///
/// # Errors
/// [`BodyError`].
pub async fn read(request: Request, bytes_max: usize) -> Result<Bytes, BodyError> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > bytes_max) {
        return Err(BodyError::TooLarge);
    }
    let body = axum::body::to_bytes(request.into_body(), bytes_max);
    match tokio::time::timeout(Duration::from_millis(BODY_MS_MAX), body).await {
        Err(_) => Err(BodyError::Slow),
        Ok(Ok(bytes)) => Ok(bytes),
        // Of a body without an announced length the limit is the likely end; a broken one hears nothing anyway.
        Ok(Err(_)) if announced.is_none() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Broken),
    }
}

fn is_type(headers: &HeaderMap, name: &str) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(name)
}

fn form_pairs(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

/// The members of a JSON object as pairs. Numbers and booleans become text, `null` counts as absent.
fn json_pairs(bytes: &[u8]) -> Result<Vec<(String, String)>, BodyError> {
    let object: serde_json::Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|_| BodyError::Malformed)?;
    let mut pairs = Vec::with_capacity(object.len());
    for (name, value) in object {
        match value {
            Value::Null => {}
            Value::String(text) => pairs.push((name, text)),
            Value::Bool(_) | Value::Number(_) => pairs.push((name, value.to_string())),
            Value::Array(_) | Value::Object(_) => return Err(BodyError::Malformed),
        }
    }
    Ok(pairs)
}

/// A posted form of one of our pages; a refusal is a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageForm(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for PageForm {
    type Rejection = PageError;

    async fn from_request(request: Request, _: &S) -> Result<Self, PageError> {
        if !is_type(request.headers(), "application/x-www-form-urlencoded") {
            return Err(BodyError::Unsupported.into());
        }
        Ok(Self(form_pairs(&read(request, FORM_BODY_BYTES_MAX).await?)))
    }
}

/// The parameters posted to an OAuth endpoint, as a form or as JSON; a refusal is an OAuth error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthForm(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for OAuthForm {
    type Rejection = OAuthFailure;

    async fn from_request(request: Request, _: &S) -> Result<Self, OAuthFailure> {
        let json = is_type(request.headers(), "application/json");
        if !json && !is_type(request.headers(), "application/x-www-form-urlencoded") {
            return Err(BodyError::Unsupported.into());
        }
        let bytes = read(request, FORM_BODY_BYTES_MAX).await?;
        Ok(Self(if json { json_pairs(&bytes)? } else { form_pairs(&bytes) }))
    }
}

/// The JSON body of a Management API call; an empty one is `null`. A refusal is the API's error body.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiBody(pub Value);

impl<S: Send + Sync> FromRequest<S> for ApiBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let typed = request.headers().contains_key(CONTENT_TYPE);
        let json = is_type(request.headers(), "application/json");
        let bytes = read(request, API_BODY_BYTES_MAX).await?;
        if bytes.is_empty() {
            return Ok(Self(Value::Null));
        }
        if typed && !json {
            return Err(BodyError::Unsupported.into());
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|_| BodyError::Malformed.into())
    }
}

/// The pairs of the query; one that is too long is refused with a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(pub Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        let query = parts.uri.query().unwrap_or_default();
        if query.len() > AUTHORIZE_QUERY_BYTES_MAX {
            return Err(PageError::plain(StatusCode::URI_TOO_LONG, "The address of this page is too long."));
        }
        Ok(Self(form_pairs(query.as_bytes())))
    }
}

/// The value of a field, if it is there; the first, if it is there twice.
pub fn field<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::{Body, Bytes};
    use axum::extract::{FromRequest, Request};
    use axum::response::IntoResponse;
    use hyper::body::Frame;

    use super::{ApiBody, BodyError, OAuthForm, PageForm, json_pairs, read};

    fn request(media: &str, body: &str) -> Request {
        Request::builder().header("content-type", media).body(Body::from(body.to_owned())).unwrap()
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[tokio::test]
    async fn forms_and_json_become_pairs_in_order() {
        let form = request("application/x-www-form-urlencoded; charset=UTF-8", "b=1&a=x%20y&b=2");
        let expected = pairs(&[("b", "1"), ("a", "x y"), ("b", "2")]);
        assert_eq!(PageForm::from_request(form, &()).await.unwrap().0, expected);
        let json = request("application/json", r#"{"grant_type":"x","n":1,"t":true,"z":null}"#);
        let expected = pairs(&[("grant_type", "x"), ("n", "1"), ("t", "true")]);
        assert_eq!(OAuthForm::from_request(json, &()).await.unwrap().0, expected);
    }

    #[tokio::test]
    async fn refusals_have_the_status_that_says_why() {
        let large = "a".repeat(65 * 1024);
        for (media, body, expected) in [
            ("text/plain", "a=b", 415),
            ("application/json", "[1]", 400),
            ("application/json", r#"{"a":{}}"#, 400),
            ("application/x-www-form-urlencoded", large.as_str(), 413),
        ] {
            let refusal = OAuthForm::from_request(request(media, body), &()).await.unwrap_err();
            assert_eq!(refusal.into_response().status(), expected, "{media}");
        }
        let refusal = ApiBody::from_request(request("application/json", "{"), &()).await.unwrap_err();
        assert_eq!(refusal.into_response().status(), 400);
    }

    #[tokio::test]
    async fn a_body_of_unannounced_length_is_held_to_the_limit_too() {
        let request = Request::builder().body(Body::new(OnePiece(Some("a".repeat(100).into())))).unwrap();
        assert_eq!(read(request, 99).await, Err(BodyError::TooLarge));
        assert_eq!(json_pairs(b"{}"), Ok(vec![]));
    }

    /// A body of one piece, whose length is not announced.
    struct OnePiece(Option<Bytes>);

    impl hyper::body::Body for OnePiece {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.take().map(|piece| Ok(Frame::data(piece))))
        }
    }
}
