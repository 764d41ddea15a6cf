//! The metadata document, derived from what is really there.
//!
//! Spec: OIDC Discovery 1.0 §3, RFC 8414 §2, OIDC Back-Channel Logout 1.0 §2.1, OIDC RP-Initiated Logout 1.0 §2.1,
//! OIDC Front-Channel Logout 1.0 §3, OIDC Session Management 1.0 §3.3.
//! Auth0: `/.well-known/openid-configuration`.

use domain::client::ClientAuthMethod;
use domain::client_credential::{AssertionAlgorithm, CredentialMethod};
use domain::key::SigningAlgorithm;
use domain::sign_in::{Prompt, ResponseMode};
use serde::Serialize;

use crate::userinfo;

/// What is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// Whether the document names the end-session endpoint.
    pub end_session_endpoint: bool,
    /// Whether clients can watch the session from a frame.
    pub session_management: bool,
}

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each member is named and described by OIDC Discovery 1.0 §3 or RFC 8414 §2")]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub userinfo_endpoint: String,
    pub jwks_uri: String,
    pub revocation_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_session_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_session_iframe: Option<String>,
    pub scopes_supported: Vec<&'static str>,
    pub response_types_supported: Vec<&'static str>,
    pub response_modes_supported: Vec<&'static str>,
    pub grant_types_supported: Vec<&'static str>,
    pub prompt_values_supported: Vec<&'static str>,
    pub code_challenge_methods_supported: Vec<&'static str>,
    pub subject_types_supported: Vec<&'static str>,
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub claims_supported: Vec<&'static str>,
    pub claims_parameter_supported: bool,
    pub request_parameter_supported: bool,
    pub request_uri_parameter_supported: bool,
    pub backchannel_logout_supported: bool,
    pub backchannel_logout_session_supported: bool,
    pub frontchannel_logout_supported: bool,
    pub frontchannel_logout_session_supported: bool,
}

/// The URL of the token endpoint of the server with this issuer, which ends with a slash.
pub fn token_endpoint(issuer: &str) -> String {
    format!("{issuer}oauth/token")
}

/// Claims of tokens that are not about the user's profile.
const TOKEN_CLAIMS: [&str; 10] =
    ["iss", "aud", "iat", "exp", "auth_time", "nonce", "sid", "acr", "amr", "org_id"];

impl Metadata {
    /// The document of the server with this issuer, which ends with a slash.
    pub fn new(issuer: &str, features: Features) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        let methods = vec![
            ClientAuthMethod::ClientSecretBasic.as_str(),
            ClientAuthMethod::ClientSecretPost.as_str(),
            CredentialMethod::PrivateKeyJwt.as_str(),
            ClientAuthMethod::None.as_str(),
        ];
        let assertions = AssertionAlgorithm::ALL.map(AssertionAlgorithm::as_str).to_vec();
        let modes = [ResponseMode::Query, ResponseMode::Fragment, ResponseMode::FormPost];
        let prompts = [Prompt::None, Prompt::Login, Prompt::Consent, Prompt::SelectAccount];
        let algorithms = [SigningAlgorithm::Rs256, SigningAlgorithm::Es256];
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: at("authorize"),
            token_endpoint: token_endpoint(issuer),
            userinfo_endpoint: at("userinfo"),
            jwks_uri: at(".well-known/jwks.json"),
            revocation_endpoint: at("oauth/revoke"),
            end_session_endpoint: features.end_session_endpoint.then(|| at("oidc/logout")),
            check_session_iframe: features.session_management.then(|| at("oidc/check-session")),
            scopes_supported: vec!["openid", "profile", "email", "phone", "offline_access"],
            response_types_supported: vec!["code"],
            response_modes_supported: modes.map(ResponseMode::as_str).to_vec(),
            grant_types_supported: vec!["authorization_code", "refresh_token", "client_credentials"],
            prompt_values_supported: prompts.map(Prompt::as_str).to_vec(),
            code_challenge_methods_supported: vec!["S256"],
            subject_types_supported: vec!["public"],
            id_token_signing_alg_values_supported: algorithms.map(SigningAlgorithm::as_str).to_vec(),
            token_endpoint_auth_methods_supported: methods.clone(),
            token_endpoint_auth_signing_alg_values_supported: assertions.clone(),
            revocation_endpoint_auth_methods_supported: methods,
            revocation_endpoint_auth_signing_alg_values_supported: assertions,
            claims_supported: TOKEN_CLAIMS.into_iter().chain(userinfo::CLAIMS).collect(),
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            frontchannel_logout_supported: true,
            frontchannel_logout_session_supported: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Features, Metadata};

    #[test]
    fn the_document_names_only_what_is_there() {
        let document = |all| {
            let features = Features { end_session_endpoint: all, session_management: all };
            serde_json::to_value(Metadata::new("https://id.example/", features)).unwrap()
        };
        let full = document(true);
        for (member, expect) in [
            ("issuer", "https://id.example/"),
            ("token_endpoint", "https://id.example/oauth/token"),
            ("jwks_uri", "https://id.example/.well-known/jwks.json"),
            ("end_session_endpoint", "https://id.example/oidc/logout"),
            ("check_session_iframe", "https://id.example/oidc/check-session"),
        ] {
            assert_eq!(full[member], expect);
        }
        let methods =
            serde_json::json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]);
        for endpoint in ["token", "revocation"] {
            assert_eq!(full[format!("{endpoint}_endpoint_auth_methods_supported")], methods);
            let algorithms = &full[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
            assert_eq!(*algorithms, serde_json::json!(["RS256", "RS384", "PS256"]));
        }
        assert_eq!(full["response_types_supported"], serde_json::json!(["code"]));
        assert_eq!(full["code_challenge_methods_supported"], serde_json::json!(["S256"]));
        assert_eq!(full["response_modes_supported"], serde_json::json!(["query", "fragment", "form_post"]));
        for absent in ["end_session_endpoint", "check_session_iframe"] {
            assert!(document(false).get(absent).is_none(), "{absent}");
        }
    }
}
