//! Errors as the Management API answers them: `{"statusCode","error","message","errorCode"}`.
//!
//! Auth0: Management API v2, errors.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::{Error, Resource};
use serde::Serialize;

use super::{Private, RETRY_AFTER_SECONDS};
use crate::http::body::BodyError;

/// A failed call of the Management API.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    status: StatusCode,
    message: String,
    code: Option<&'static str>,
    private: Option<String>,
}

/// The body. Auth0 writes its members in this order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    status_code: u16,
    error: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
}

impl ApiError {
    /// An error that has no counterpart in the engine.
    pub fn new(status: StatusCode, message: impl Into<String>, code: Option<&'static str>) -> Self {
        Self { status, message: message.into(), code, private: None }
    }

    /// An unknown path below `/api/v2`.
    pub fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found", None)
    }
}

/// The reason phrase of a status, which is the body's `error`.
pub fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

/// What Auth0 says when a thing is not there: the text, and the error code where one is known.
const fn absent(resource: Resource) -> (&'static str, Option<&'static str>) {
    match resource {
        Resource::Session => ("The session does not exist.", None),
        Resource::User => ("The user does not exist.", Some("inexistent_user")),
        Resource::Client => ("The client does not exist", Some("inexistent_client")),
        Resource::ClientCredential => ("The credential does not exist.", None),
        Resource::ClientGrant => ("The grant does not exist.", Some("inexistent_client_grant")),
        Resource::ResourceServer => {
            ("The resource server does not exist", Some("inexistent_resource_server"))
        }
        Resource::Role => ("The role does not exist.", None),
        Resource::Connection => ("The connection does not exist", Some("inexistent_connection")),
        Resource::Organization => ("No organization found by that id or name", None),
        Resource::DiscoveryDomain => ("The organization discovery domain does not exist.", None),
        Resource::Invitation => ("The invitation does not exist.", None),
        Resource::OrganizationClient => ("The organization client does not exist.", None),
        Resource::OrganizationConnection => ("The organization connection does not exist.", None),
        Resource::Action => ("That action does not exist.", None),
        Resource::ActionVersion => ("That action version does not exist.", None),
        Resource::Module => ("The action module does not exist.", None),
        Resource::ModuleVersion => ("The action module version does not exist.", None),
        Resource::Execution => ("That execution does not exist.", None),
        Resource::Trigger => ("That trigger does not exist.", None),
        Resource::SigningKey => ("The signing key does not exist.", None),
        Resource::LogoutDelivery => ("The logout delivery does not exist.", None),
        Resource::Log => ("The log does not exist.", None),
        Resource::LogStream => ("The log stream does not exist.", None),
        Resource::RefreshToken => ("The refresh token does not exist.", None),
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let private = error.private().map(str::to_owned);
        let (status, message, code) = match error {
            Error::NotFound(resource) => {
                let (message, code) = absent(resource);
                (StatusCode::NOT_FOUND, message.to_owned(), code)
            }
            Error::Missing { message } => (StatusCode::NOT_FOUND, message, None),
            Error::Invalid { message, code } => (StatusCode::BAD_REQUEST, message, code),
            Error::Conflict { message } => (StatusCode::CONFLICT, message, None),
            Error::Precondition { message } => (StatusCode::PRECONDITION_FAILED, message, None),
            Error::Unauthenticated { message } => (StatusCode::UNAUTHORIZED, message, None),
            Error::Forbidden { .. } => (StatusCode::FORBIDDEN, error.to_string(), Some("insufficient_scope")),
            Error::Refused { message, code } => (StatusCode::FORBIDDEN, message, code),
            Error::Denied { description, .. } => (StatusCode::BAD_REQUEST, description, None),
            Error::OAuth(oauth) => (StatusCode::BAD_REQUEST, oauth.description, Some("invalid_body")),
            Error::Busy | Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string(), None),
            Error::Bug(_) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), None),
        };
        Self { status, message, code, private }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let code = matches!(error, BodyError::Malformed).then_some("invalid_body");
        Self::new(error.status(), error.message(), code)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Body {
            status_code: self.status.as_u16(),
            error: reason(self.status),
            message: &self.message,
            error_code: self.code,
        };
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        let text = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (self.status, [(CONTENT_TYPE, json)], text).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        if let Some(private) = self.private {
            response.extensions_mut().insert(Private(private));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use engine::{Error, Resource};
    use protocol::error::{OAuthError, OAuthErrorCode};

    use super::ApiError;
    use crate::error::Private;

    async fn text(error: Error) -> String {
        let response = ApiError::from(error).into_response();
        let bytes = axum::body::to_bytes(response.into_body(), 65536).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn bodies_are_those_that_auth0_documents() {
        for (error, expected) in [
            (
                Error::NotFound(Resource::Client),
                r#"{"statusCode":404,"error":"Not Found","message":"The client does not exist","errorCode":"inexistent_client"}"#,
            ),
            (
                Error::NotFound(Resource::Session),
                r#"{"statusCode":404,"error":"Not Found","message":"The session does not exist."}"#,
            ),
            (
                Error::Forbidden { needs: vec!["read:users", "read:user_idp_tokens"] },
                r#"{"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:users,read:user_idp_tokens","errorCode":"insufficient_scope"}"#,
            ),
            (
                Error::Invalid {
                    message:
                        "Metadata must not exceed 25 entries. Each key and value must be ≤ 255 characters."
                            .into(),
                    code: None,
                },
                r#"{"statusCode":400,"error":"Bad Request","message":"Metadata must not exceed 25 entries. Each key and value must be ≤ 255 characters."}"#,
            ),
            (
                Error::Unauthenticated { message: "Invalid token".into() },
                r#"{"statusCode":401,"error":"Unauthorized","message":"Invalid token"}"#,
            ),
            (
                Error::Conflict { message: "The user already exists.".into() },
                r#"{"statusCode":409,"error":"Conflict","message":"The user already exists."}"#,
            ),
            (
                Error::Bug("secret detail".into()),
                r#"{"statusCode":500,"error":"Internal Server Error","message":"Internal error"}"#,
            ),
        ] {
            assert_eq!(text(error).await, expected);
        }
    }

    #[test]
    fn what_is_private_is_left_to_the_log() {
        let error = OAuthError::new(OAuthErrorCode::ServerError, "no").with_debug("detail");
        let response = ApiError::from(Error::OAuth(error)).into_response();
        assert_eq!(response.extensions().get::<Private>(), Some(&Private("detail".into())));
        let busy = ApiError::from(Error::Busy).into_response();
        assert_eq!((busy.status().as_u16(), &busy.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    }
}
