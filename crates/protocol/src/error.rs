//! What an OAuth endpoint can answer instead of what was asked for: a closed set of codes with their texts.
//!
//! Spec: RFC 6749 §4.1.2.1 and §5.2, OIDC Core 1.0 §3.1.2.6, RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 8707 §2.
//! Not here: the HTTP status, and whether the answer is a redirect, a JSON body or a page.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// An error code as it is registered for OAuth.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum OAuthErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl OAuthErrorCode {
            /// Each code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// A parameter is missing, repeated, or not legal (RFC 6749 §4.1.2.1, §5.2).
    InvalidRequest => "invalid_request",
    /// The client may not use this grant or response type (RFC 6749 §4.1.2.1, §5.2).
    UnauthorizedClient => "unauthorized_client",
    /// The user or a rule of the server said no (RFC 6749 §4.1.2.1).
    AccessDenied => "access_denied",
    /// The response type is not one that is given here (RFC 6749 §4.1.2.1).
    UnsupportedResponseType => "unsupported_response_type",
    /// A scope is malformed, unknown, or more than was granted (RFC 6749 §4.1.2.1, §5.2).
    InvalidScope => "invalid_scope",
    /// The server met a condition that it did not expect (RFC 6749 §4.1.2.1).
    ServerError => "server_error",
    /// The server is too busy (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable => "temporarily_unavailable",
    /// The user would have to sign in, and no page may be shown (OIDC Core 1.0 §3.1.2.6).
    LoginRequired => "login_required",
    /// Some other page would have to be shown, and none may (OIDC Core 1.0 §3.1.2.6).
    InteractionRequired => "interaction_required",
    /// Consent would have to be asked for, and no page may be shown (OIDC Core 1.0 §3.1.2.6).
    ConsentRequired => "consent_required",
    /// Request objects are not taken (OIDC Core 1.0 §3.1.2.6).
    RequestNotSupported => "request_not_supported",
    /// Request objects by reference are not taken (OIDC Core 1.0 §3.1.2.6).
    RequestUriNotSupported => "request_uri_not_supported",
    /// Client authentication failed (RFC 6749 §5.2).
    InvalidClient => "invalid_client",
    /// A code or refresh token is not good, or belongs to another client (RFC 6749 §5.2).
    InvalidGrant => "invalid_grant",
    /// The grant type is not one that is taken here (RFC 6749 §5.2).
    UnsupportedGrantType => "unsupported_grant_type",
    /// The API asked for is not known (RFC 8707 §2).
    InvalidTarget => "invalid_target",
    /// Tokens of this kind cannot be revoked (RFC 7009 §2.2.1).
    UnsupportedTokenType => "unsupported_token_type",
    /// The bearer token is expired, revoked or malformed (RFC 6750 §3.1).
    InvalidToken => "invalid_token",
    /// The bearer token does not reach that far (RFC 6750 §3.1).
    InsufficientScope => "insufficient_scope",
}

impl fmt::Display for OAuthErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One failure with two texts: what the caller may read, and what only the log may hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct OAuthError {
    /// `error`.
    pub code: OAuthErrorCode,
    /// `error_description`; the caller may read it.
    pub description: String,
    /// For the log only.
    pub debug: Option<String>,
}

impl OAuthError {
    /// A failure that has nothing to hide.
    pub fn new(code: OAuthErrorCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), debug: None }
    }

    /// Adds what only the log may hold.
    #[must_use]
    pub fn with_debug(mut self, debug: impl Into<String>) -> Self {
        self.debug = Some(debug.into());
        self
    }

    /// A required parameter is not there.
    pub fn missing(parameter: &str) -> Self {
        Self::new(OAuthErrorCode::InvalidRequest, format!("Missing required parameter: {parameter}"))
    }

    /// A parameter's value is not legal.
    pub fn invalid(description: impl Into<String>) -> Self {
        Self::new(OAuthErrorCode::InvalidRequest, description)
    }
}

#[cfg(test)]
mod tests {
    use super::{OAuthError, OAuthErrorCode};

    #[test]
    fn every_code_is_spelled_once_in_lower_case() {
        let mut seen = std::collections::BTreeSet::new();
        for code in OAuthErrorCode::ALL {
            assert!(seen.insert(code.as_str()), "{code} twice");
            assert!(code.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
        }
    }

    #[test]
    fn what_is_for_the_log_is_not_in_the_text() {
        let error = OAuthError::missing("code").with_debug("secret detail");
        assert_eq!(error.to_string(), "invalid_request: Missing required parameter: code");
    }
}
