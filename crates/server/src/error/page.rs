//! Errors as people in a browser see them: a page that says what happened and, where it helps, what to do.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::Error;
use protocol::error::OAuthErrorCode;

use super::{Private, RETRY_AFTER_SECONDS};
use crate::http::body::BodyError;
use crate::pages::{self, ErrorView};

/// A failed request for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageError {
    status: StatusCode,
    message: String,
    code: Option<OAuthErrorCode>,
    private: Option<String>,
}

impl PageError {
    /// A page with this status and sentence.
    pub fn plain(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None, private: None }
    }

    /// There is no such page.
    pub fn no_such_page() -> Self {
        Self::plain(StatusCode::NOT_FOUND, "There is no page at this address.")
    }

    /// A form whose proof of origin is not good: its page is too old, or another site posted it.
    pub fn not_our_form() -> Self {
        Self::plain(
            StatusCode::FORBIDDEN,
            "This form is no longer valid. Go back to the application and start again.",
        )
    }
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let private = error.private().map(str::to_owned);
        let (status, message, code) = match error {
            Error::OAuth(oauth) => (oauth_status(oauth.code), oauth.description, Some(oauth.code)),
            Error::NotFound(_) => (StatusCode::NOT_FOUND, "This is no longer here.".to_owned(), None),
            Error::Missing { .. } => (StatusCode::NOT_FOUND, message, None),
            Error::Invalid { .. } => (StatusCode::BAD_REQUEST, message, None),
            Error::Conflict { .. } => (StatusCode::CONFLICT, message, None),
            Error::Precondition { .. } => (StatusCode::PRECONDITION_FAILED, message, None),
            Error::Unauthenticated { .. } => (StatusCode::UNAUTHORIZED, message, None),
            Error::Forbidden { .. } | Error::Refused { .. } | Error::Denied { .. } => {
                (StatusCode::FORBIDDEN, message, None)
            }
            Error::Busy | Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, message, None),
            Error::Bug(_) => {
                let apology = "Something went wrong on our side. It has been recorded.";
                (StatusCode::INTERNAL_SERVER_ERROR, apology.to_owned(), None)
            }
        };
        Self { status, message, code, private }
    }
}

const fn oauth_status(code: OAuthErrorCode) -> StatusCode {
    match code {
        OAuthErrorCode::AccessDenied | OAuthErrorCode::UnauthorizedClient => StatusCode::FORBIDDEN,
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
        | OAuthErrorCode::InvalidClient
        | OAuthErrorCode::InvalidGrant
        | OAuthErrorCode::UnsupportedGrantType
        | OAuthErrorCode::InvalidTarget
        | OAuthErrorCode::UnsupportedTokenType
        | OAuthErrorCode::InvalidToken
        | OAuthErrorCode::InsufficientScope => StatusCode::BAD_REQUEST,
    }
}

impl From<BodyError> for PageError {
    fn from(error: BodyError) -> Self {
        Self::plain(error.status(), format!("{}.", error.message()))
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let title = match self.status {
            StatusCode::NOT_FOUND => "Nothing here",
            StatusCode::SERVICE_UNAVAILABLE => "Please try again in a moment",
            status if status.is_server_error() => "Something went wrong",
            _ => "This did not work",
        };
        let code = self.code.map(OAuthErrorCode::as_str);
        let mut response = pages::error(&ErrorView { title, message: &self.message, code }).into_response();
        *response.status_mut() = self.status;
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
    use engine::Error;
    use protocol::error::{OAuthError, OAuthErrorCode};

    use super::PageError;

    async fn page(error: PageError) -> (u16, String) {
        let response = error.into_response();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 65536).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_page_says_what_happened_and_nothing_that_is_private() {
        let error =
            OAuthError::new(OAuthErrorCode::InvalidRequest, "Unknown client: <b>").with_debug("secret");
        let (status, text) = page(Error::OAuth(error).into()).await;
        assert_eq!(status, 400);
        assert!(text.contains("Unknown client: &lt;b&gt;") && text.contains("invalid_request"), "{text}");
        assert!(!text.contains("secret") && !text.contains("<b>"), "{text}");
        let (status, text) = page(Error::Bug("secret".into()).into()).await;
        assert!(status == 500 && !text.contains("secret"), "{text}");
    }
}
