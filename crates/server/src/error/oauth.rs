//! Errors as the OAuth endpoints answer them in JSON: `error`, `error_description`, and a challenge where one is due.
//!
//! Spec: RFC 6749 §5.2, RFC 6750 §3, RFC 7235 §2.1. Statuses are Auth0's. Not here: errors that travel to the client by redirect
//! (`protocol::respond`), and pages.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::Error;
use protocol::error::{OAuthError, OAuthErrorCode};
use serde::Serialize;

use super::{Private, RETRY_AFTER_SECONDS};
use crate::http::body::BodyError;

/// How the caller tried to authenticate, which decides the challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Challenge {
    /// In the body, or not at all.
    #[default]
    None,
    /// With `Authorization: Basic`.
    Basic,
    /// With a bearer token.
    Bearer,
}

/// A failed request to an OAuth endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct OAuthFailure {
    error: OAuthError,
    status: StatusCode,
    challenge: Challenge,
    /// An Action's own code, in place of the error's.
    code: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: &'a str,
}

impl OAuthFailure {
    /// Adds the challenge that fits how the caller tried to authenticate.
    #[must_use]
    pub fn challenging(mut self, challenge: Challenge) -> Self {
        self.challenge = challenge;
        self
    }
}

const fn status(code: OAuthErrorCode) -> StatusCode {
    match code {
        OAuthErrorCode::InvalidClient | OAuthErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        OAuthErrorCode::InvalidGrant
        | OAuthErrorCode::UnauthorizedClient
        | OAuthErrorCode::AccessDenied
        | OAuthErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        OAuthErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        OAuthErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        OAuthErrorCode::InvalidRequest
        | OAuthErrorCode::UnsupportedResponseType
        | OAuthErrorCode::InvalidScope
        | OAuthErrorCode::LoginRequired
        | OAuthErrorCode::InteractionRequired
        | OAuthErrorCode::ConsentRequired
        | OAuthErrorCode::RequestNotSupported
        | OAuthErrorCode::RequestUriNotSupported
        | OAuthErrorCode::UnsupportedGrantType
        | OAuthErrorCode::InvalidTarget
        | OAuthErrorCode::UnsupportedTokenType => StatusCode::BAD_REQUEST,
    }
}

impl From<OAuthError> for OAuthFailure {
    fn from(error: OAuthError) -> Self {
        Self { status: status(error.code), error, challenge: Challenge::None, code: None }
    }
}

impl From<Error> for OAuthFailure {
    fn from(error: Error) -> Self {
        use OAuthErrorCode as Code;
        let public = error.to_string();
        let private = error.private().map(str::to_owned);
        let code = match error {
            Error::OAuth(error) => return error.into(),
            Error::Denied { code, description } => {
                return Self { code: Some(code), ..OAuthError::invalid(description).into() };
            }
            Error::NotFound(_)
            | Error::Missing { .. }
            | Error::Invalid { .. }
            | Error::Conflict { .. }
            | Error::Precondition { .. } => Code::InvalidRequest,
            Error::Unauthenticated { .. } => Code::InvalidToken,
            Error::Forbidden { .. } => Code::InsufficientScope,
            Error::Refused { .. } => Code::AccessDenied,
            Error::Busy | Error::Unavailable(_) => Code::TemporarilyUnavailable,
            Error::Bug(_) => Code::ServerError,
        };
        OAuthError { code, description: public, debug: private }.into()
    }
}

impl From<BodyError> for OAuthFailure {
    fn from(error: BodyError) -> Self {
        let status = error.status();
        Self { error: OAuthError::invalid(error.message()), status, challenge: Challenge::None, code: None }
    }
}

impl IntoResponse for OAuthFailure {
    fn into_response(self) -> Response {
        let code = self.error.code;
        let body = Body {
            error: self.code.as_deref().unwrap_or(code.as_str()),
            error_description: &self.error.description,
        };
        let text = serde_json::to_string(&body).unwrap_or_default();
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(CONTENT_TYPE, json)], text).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let challenge = match self.challenge {
            Challenge::None => None,
            Challenge::Basic if code == OAuthErrorCode::InvalidClient => {
                Some("Basic realm=\"oauth\", charset=\"UTF-8\"".to_owned())
            }
            Challenge::Basic => None,
            Challenge::Bearer => Some(bearer(&self.error)),
        };
        if let Some(Ok(challenge)) = challenge.map(HeaderValue::try_from) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        // Most refusals are the client's fault and stand in the tenant's log; only ours go to the operator's.
        if self.status.is_server_error()
            && let Some(private) = self.error.debug
        {
            response.extensions_mut().insert(Private(private));
        }
        response
    }
}

/// The challenge of RFC 6750 §3; a description is left out where it holds a character that the header may not.
fn bearer(error: &OAuthError) -> String {
    let legal = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let description = match &error.description {
        text if text.bytes().all(legal) => format!(", error_description=\"{text}\""),
        _ => String::new(),
    };
    format!("Bearer error=\"{}\"{description}", error.code)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use engine::Error;
    use protocol::error::{OAuthError, OAuthErrorCode};

    use super::{Challenge, OAuthFailure};
    use crate::error::Private;

    #[test]
    fn statuses_are_those_of_auth0() {
        for (code, expected) in [
            (OAuthErrorCode::InvalidGrant, 403),
            (OAuthErrorCode::InvalidClient, 401),
            (OAuthErrorCode::UnauthorizedClient, 403),
            (OAuthErrorCode::InvalidRequest, 400),
            (OAuthErrorCode::UnsupportedGrantType, 400),
            (OAuthErrorCode::InvalidToken, 401),
            (OAuthErrorCode::ServerError, 500),
        ] {
            let response = OAuthFailure::from(OAuthError::new(code, "why")).into_response();
            assert_eq!(response.status(), expected, "{code}");
            assert_eq!(response.headers()["cache-control"], "no-store");
        }
    }

    #[test]
    fn a_client_that_used_basic_is_challenged_to_do_so() {
        let failure = || OAuthFailure::from(OAuthError::new(OAuthErrorCode::InvalidClient, "no"));
        let response = failure().challenging(Challenge::Basic).into_response();
        assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic realm="));
        assert!(!failure().into_response().headers().contains_key("www-authenticate"));
    }

    #[test]
    fn a_bearer_challenge_names_the_error_and_leaves_out_what_a_header_may_not_hold() {
        for (description, expected) in [
            ("The token expired", "Bearer error=\"invalid_token\", error_description=\"The token expired\""),
            ("a \"quote\"", "Bearer error=\"invalid_token\""),
            ("a\r\nb", "Bearer error=\"invalid_token\""),
        ] {
            let failure = OAuthFailure::from(OAuthError::new(OAuthErrorCode::InvalidToken, description));
            let response = failure.challenging(Challenge::Bearer).into_response();
            assert_eq!(response.headers()["www-authenticate"], expected);
        }
    }

    #[tokio::test]
    async fn what_went_wrong_inside_is_for_the_log_only() {
        let response = OAuthFailure::from(Error::Bug("secret detail".into())).into_response();
        assert_eq!(response.extensions().get::<Private>(), Some(&Private("secret detail".into())));
        let body = axum::body::to_bytes(response.into_body(), 65536).await.unwrap();
        assert_eq!(&body[..], br#"{"error":"server_error","error_description":"Internal error"}"#);
    }
}
