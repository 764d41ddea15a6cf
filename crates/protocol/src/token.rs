//! The token request, read into one of the grants that are taken here.
//!
//! Spec: RFC 6749 §3.2, §4.1.3, §4.4.2 and §6. Auth0: `/oauth/token`.
//! Not here: the client's credentials ([`crate::client_auth`]) and everything that needs stored records.

pub mod client_credentials;
pub mod code;
pub mod refresh;
pub mod scope;

use domain::client::Client;
use domain::scope::Scopes;

use crate::error::{OAuthError, OAuthErrorCode};
use crate::params::Params;

/// What a client wants tokens for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRequest {
    /// A code from the authorization endpoint (RFC 6749 §4.1.3).
    AuthorizationCode {
        /// The code.
        code: String,
        /// The redirect URI of the authorization request.
        redirect_uri: Option<String>,
        /// The PKCE verifier.
        code_verifier: Option<String>,
    },
    /// A refresh token (RFC 6749 §6).
    RefreshToken {
        /// The token.
        refresh_token: String,
        /// Fewer scopes than were granted.
        scope: Option<Scopes>,
        /// The API.
        audience: Option<String>,
    },
    /// The client on its own behalf (RFC 6749 §4.4.2).
    ClientCredentials {
        /// The API.
        audience: Option<String>,
        /// Fewer scopes than were granted.
        scope: Option<Scopes>,
        /// For which organization, by identifier or name (Auth0: machine-to-machine access for organizations).
        organization: Option<String>,
    },
}

const NAMES: [&str; 8] = [
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "audience",
    "organization",
];

impl TokenRequest {
    /// Reads decoded pairs of a form, or the members of a JSON object turned into pairs.
    ///
    /// # Errors
    /// `invalid_request` naming the parameter, `invalid_scope`, or `unsupported_grant_type`.
    pub fn parse(pairs: &[(String, String)]) -> Result<Self, OAuthError> {
        let params = Params::parse(pairs.to_vec());
        params.check_once(&NAMES)?;
        let text = |name: &str| params.get(name).map(str::to_owned);
        let scopes = || params.get("scope").map(scope::parse).transpose();
        match params.require("grant_type")? {
            "authorization_code" => Ok(Self::AuthorizationCode {
                code: params.require("code")?.to_owned(),
                redirect_uri: text("redirect_uri"),
                code_verifier: text("code_verifier"),
            }),
            "refresh_token" => Ok(Self::RefreshToken {
                refresh_token: params.require("refresh_token")?.to_owned(),
                scope: scopes()?,
                audience: text("audience"),
            }),
            "client_credentials" => {
                let organization = text("organization").filter(|named| !named.is_empty());
                Ok(Self::ClientCredentials { audience: text("audience"), scope: scopes()?, organization })
            }
            other => Err(OAuthError::new(
                OAuthErrorCode::UnsupportedGrantType,
                "Unsupported grant type. Supported: authorization_code, refresh_token, client_credentials",
            )
            .with_debug(format!("grant_type {other:?}"))),
        }
    }

    /// The `grant_type` on the wire.
    pub const fn grant_type(&self) -> &'static str {
        match self {
            Self::AuthorizationCode { .. } => "authorization_code",
            Self::RefreshToken { .. } => "refresh_token",
            Self::ClientCredentials { .. } => "client_credentials",
        }
    }

    /// Whether the client may use this grant at all.
    ///
    /// # Errors
    /// `unauthorized_client`.
    pub fn check_allowed(&self, client: &Client) -> Result<(), OAuthError> {
        let grant_type = self.grant_type();
        let is_for_nobody = matches!(self, Self::ClientCredentials { .. }) && client.is_public();
        if client.may_use(grant_type) && !is_for_nobody {
            return Ok(());
        }
        let text = format!("Grant type '{grant_type}' not allowed for the client.");
        Err(OAuthError::new(OAuthErrorCode::UnauthorizedClient, text))
    }
}

#[cfg(test)]
mod tests {
    use domain::scope::Scopes;

    use super::TokenRequest;
    use crate::params::decode;

    fn check(form: &str, expect: Result<TokenRequest, &str>) {
        let got = TokenRequest::parse(&decode(form)).map_err(|error| error.to_string());
        assert_eq!(got, expect.map_err(str::to_owned), "{form}");
    }

    #[test]
    fn each_grant_is_read_and_each_gap_is_named() {
        let code =
            |redirect_uri: Option<&str>, code_verifier: Option<&str>| TokenRequest::AuthorizationCode {
                code: "c".into(),
                redirect_uri: redirect_uri.map(str::to_owned),
                code_verifier: code_verifier.map(str::to_owned),
            };
        check("grant_type=authorization_code&code=c", Ok(code(None, None)));
        check(
            "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Frp%2F&code_verifier=v",
            Ok(code(Some("https://rp/"), Some("v"))),
        );
        check(
            "grant_type=refresh_token&refresh_token=r&scope=a+b",
            Ok(TokenRequest::RefreshToken {
                refresh_token: "r".into(),
                scope: Some(Scopes::parse("a b")),
                audience: None,
            }),
        );
        check(
            "grant_type=client_credentials&audience=https%3A%2F%2Fapi&organization=acme",
            Ok(TokenRequest::ClientCredentials {
                audience: Some("https://api".into()),
                scope: None,
                organization: Some("acme".into()),
            }),
        );
        for (form, error) in [
            ("", "invalid_request: Missing required parameter: grant_type"),
            ("grant_type=authorization_code", "invalid_request: Missing required parameter: code"),
            ("grant_type=refresh_token", "invalid_request: Missing required parameter: refresh_token"),
            (
                "grant_type=authorization_code&code=a&code=b",
                "invalid_request: Parameter given more than once: code",
            ),
            (
                "grant_type=password",
                "unsupported_grant_type: Unsupported grant type. Supported: authorization_code, refresh_token, \
                 client_credentials",
            ),
            (
                "grant_type=client_credentials&scope=%22",
                "invalid_scope: scope has a character that scopes cannot have",
            ),
        ] {
            check(form, Err(error));
        }
    }
}
