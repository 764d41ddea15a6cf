//! The revocation request.
//!
//! Spec: RFC 7009 §2.1. Auth0: `/oauth/revoke`. Not here: the client's credentials ([`crate::client_auth`]). The
//! answer is the same for a token that nobody knows (§2.2).

use crate::error::OAuthError;
use crate::params::Params;

/// What kind of token the client says it is; only a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenTypeHint {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
}

/// A token that is to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationRequest {
    /// The token.
    pub token: String,
    /// What the client says it is. A hint that is not known counts as none.
    pub token_type_hint: Option<TokenTypeHint>,
}

impl RevocationRequest {
    /// Reads decoded pairs of a form, or the members of a JSON object turned into pairs.
    ///
    /// # Errors
    /// `invalid_request` where the token is missing or a parameter repeats.
    pub fn parse(pairs: &[(String, String)]) -> Result<Self, OAuthError> {
        let params = Params::parse(pairs.to_vec());
        params.check_once(&["token", "token_type_hint"])?;
        let token_type_hint = match params.get("token_type_hint") {
            Some("access_token") => Some(TokenTypeHint::AccessToken),
            Some("refresh_token") => Some(TokenTypeHint::RefreshToken),
            _ => None,
        };
        Ok(Self { token: params.require("token")?.to_owned(), token_type_hint })
    }
}

#[cfg(test)]
mod tests {
    use super::{RevocationRequest, TokenTypeHint};
    use crate::params::decode;

    #[test]
    fn a_token_is_needed_and_its_kind_is_only_a_hint() {
        for (form, expect) in [
            ("token=t", Ok(None)),
            ("token=t&token_type_hint=refresh_token", Ok(Some(TokenTypeHint::RefreshToken))),
            ("token=t&token_type_hint=access_token", Ok(Some(TokenTypeHint::AccessToken))),
            ("token=t&token_type_hint=other", Ok(None)),
            ("token=", Err("invalid_request: Missing required parameter: token")),
            ("token=a&token=b", Err("invalid_request: Parameter given more than once: token")),
        ] {
            let got = RevocationRequest::parse(&decode(form));
            let got = got.map(|request| request.token_type_hint).map_err(|error| error.to_string());
            assert_eq!(got, expect.map_err(str::to_owned), "{form}");
        }
    }
}
