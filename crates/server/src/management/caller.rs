//! Who calls the Management API: reads the bearer token, and gathers what the log will tell of the call.
//!
//! Auth0: Management API v2 › access tokens. Spec: RFC 6750 §2.1, §3.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::limits::REQUEST_PARAMETERS_MAX;
use engine::{ApiCall, Caller, Error, RequestFacts};
use serde_json::Value;

use crate::App;
use crate::error::ApiError;

/// A caller with a good token. A handler that takes it cannot forget to ask who calls.
#[derive(Debug, Clone)]
pub struct Call {
    caller: Caller,
    facts: RequestFacts,
}

impl Call {
    /// Lets the call pass if the token has any one of these scopes.
    ///
    /// # Errors
    /// 403, naming them all.
    pub fn require_any(&self, needs: &[&'static str]) -> Result<(), Error> {
        self.caller.require_any(needs)
    }

    /// Whether the token has the scope.
    pub fn has(&self, scope: &str) -> bool {
        self.caller.scopes.contains(scope)
    }

    /// Where the call comes from.
    pub fn facts(&self) -> &RequestFacts {
        &self.facts
    }

    /// The call as the engine records a read.
    pub fn read(&self) -> ApiCall {
        self.clone().with_body(Value::Null)
    }

    /// The call with its body, as the engine records it.
    pub fn with_body(self, body: Value) -> ApiCall {
        ApiCall { caller: self.caller, facts: self.facts, body }
    }
}

/// Why there is no caller: 401 with the challenge that RFC 6750 §3 asks for.
#[derive(Debug)]
pub struct NoCaller(ApiError);

impl IntoResponse for NoCaller {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        if response.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"Management API\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl FromRequestParts<App> for Call {
    type Rejection = NoCaller;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, NoCaller> {
        let refuse = |error: Error| NoCaller(ApiError::from(error));
        let missing = || Error::Unauthenticated { message: "Missing authentication".to_owned() };
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(bearer).ok_or_else(|| refuse(missing()))?.to_owned();
        let Ok(mut facts) = RequestFacts::from_request_parts(parts, app).await;
        if let Some(query) = parts.uri.query() {
            let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
            facts.query = pairs.take(REQUEST_PARAMETERS_MAX).collect();
        }
        let caller = app.engine().management_caller(&token).await.map_err(refuse)?;
        Ok(Self { caller, facts })
    }
}

/// The token of a `Bearer` header; the scheme's case does not matter (RFC 9110 §11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn only_a_bearer_header_has_a_token() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for bad in ["Basic abc", "Bearer", "Bearer ", "abc", ""] {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }
}
