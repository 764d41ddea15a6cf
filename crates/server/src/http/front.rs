//! What every request passes: a request id, a length and a time limit, panics caught, common headers, one log line
//! per failure.

use std::any::Any;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use domain::limits::AUTHORIZE_QUERY_BYTES_MAX;
use tower::Service;

use super::cors;
use super::facts::Peer;
use crate::error::{Private, fallback};

/// Bytes of a request's path and query. Ours: the longest legal query and a path.
const URI_BYTES_MAX: usize = AUTHORIZE_QUERY_BYTES_MAX + 4 * 1024;
/// How long a request may take, in milliseconds. Ours: twice what all Actions of one sign-in may take, and some
/// waiting for a password's turn.
const REQUEST_MS_MAX: u64 = 60_000;

/// Names one request in the log and to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// The door that all connections share.
pub struct Front {
    router: Router,
    hsts: bool,
    first_id: u64,
    requests: AtomicU64,
}

impl Front {
    /// A door to these routes. `hsts` asks browsers never to come back unencrypted; `first_id` is random, so that two
    /// runs do not share ids.
    pub fn new(router: Router, hsts: bool, first_id: u64) -> Self {
        Self { router, hsts, first_id, requests: AtomicU64::new(0) }
    }

    /// Answers one request.
    pub async fn answer(&self, peer: SocketAddr, mut request: Request<Body>) -> Response {
        // Weyl's sequence: as cheap as counting, and consecutive ids look different.
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:016x}", self.first_id.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let open = cors::applies(uri.path(), request.headers());
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(RequestId(id.clone()));
        let mut response = match self.refusal(&method, &uri, &request) {
            Some(refusal) => refusal,
            None => self.call(request, &uri).await,
        };
        if let Some(Private(text)) = response.extensions().get::<Private>() {
            tracing::error!(request_id = id, %method, path = uri.path(), status = response.status().as_u16(), "{text}");
        }
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
        if self.hsts {
            headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        if open {
            cors::open(headers);
        }
        response
    }

    fn refusal(&self, method: &Method, uri: &Uri, request: &Request<Body>) -> Option<Response> {
        let length = uri.path_and_query().map_or(0, |both| both.as_str().len());
        if length > URI_BYTES_MAX {
            return Some(StatusCode::URI_TOO_LONG.into_response());
        }
        cors::preflight(method, uri.path(), request.headers())
    }

    async fn call(&self, request: Request<Body>, uri: &Uri) -> Response {
        let mut router = self.router.clone();
        let mut answer = pin!(async move { router.call(request).await });
        let caught = std::future::poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(Ok(response))) => Poll::Ready(Ok(response)),
                Ok(Poll::Ready(Err(never))) => match never {},
                Err(panic) => Poll::Ready(Err(panic_text(panic.as_ref()))),
            }
        });
        match tokio::time::timeout(Duration::from_millis(REQUEST_MS_MAX), caught).await {
            Ok(Ok(response)) => response,
            Ok(Err(text)) => fallback::failed(uri.path(), engine::Error::Bug(format!("panic: {text}"))),
            Err(_) => {
                fallback::failed(uri.path(), engine::Error::Unavailable("the request took too long".into()))
            }
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::response::Response;
    use axum::routing::get;

    use super::Front;

    async fn boom() -> &'static str {
        panic!("boom")
    }

    async fn ask(uri: &str) -> Response {
        let router = Router::new().route("/boom", get(boom)).route("/fine", get(async || "fine"));
        let front = Front::new(router, true, 7);
        let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        front.answer("127.0.0.1:1".parse().unwrap(), request).await
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_with_a_request_id_and_without_its_text() {
        let response = ask("/boom").await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["x-request-id"].len(), 16);
        let body = axum::body::to_bytes(response.into_body(), 65536).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("boom"));
    }

    #[tokio::test]
    async fn every_answer_carries_the_common_headers() {
        let response = ask("/fine").await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
    }

    #[tokio::test]
    async fn an_address_that_is_too_long_is_refused() {
        assert_eq!(ask(&format!("/fine?{}", "a".repeat(21 * 1024))).await.status(), 414);
    }
}
