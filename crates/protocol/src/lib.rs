//! What the specifications demand, as pure functions: no I/O, no clock, nothing async; time is an argument.
//!
//! | specification | module |
//! | --- | --- |
//! | RFC 6749 §3.1, §4.1.1; OIDC Core 1.0 §3.1.2.1 (authorization request) | [`authorize`] |
//! | RFC 6749 §4.1.2; OAuth 2.0 Multiple Response Types; Form Post Response Mode | [`respond`] |
//! | RFC 6749 §4.1.2.1, §5.2; OIDC Core 1.0 §3.1.2.6; RFC 6750 §3.1 (errors) | [`error`] |
//! | RFC 7636 (PKCE) | [`pkce`] |
//! | RFC 6749 §2.3 (client authentication) | [`client_auth`] |
//! | RFC 7523 §2.2, §3; OIDC Core 1.0 §9 (`private_key_jwt`) | [`client_assertion`] |
//! | RFC 6749 §4.1.3, §4.4.2, §6 (token request) | [`token`] |
//! | RFC 7515, 7517, 7518, 7519, 7638, 8725 (keys and tokens) | [`jose`] |
//! | OIDC Core 1.0 §2 (ID token) | [`id_token`] |
//! | RFC 9068 and Auth0's own profile (access token) | [`access_token`] |
//! | OIDC Core 1.0 §5.1, §5.3, §5.4 (claims about the user) | [`userinfo`] |
//! | Auth0: create custom claims | [`custom_claims`] |
//! | OIDC Back-Channel Logout 1.0 §2.4, §2.6 | [`logout_token`] |
//! | OIDC RP-Initiated Logout 1.0; Auth0: `/v2/logout` | [`end_session`] |
//! | OIDC Front-Channel Logout 1.0 §2 | [`front_channel_logout`] |
//! | OIDC Session Management 1.0 §3.2 | [`session_state`] |
//! | RFC 7009 (revocation) | [`revocation`] |
//! | OIDC Discovery 1.0 §3; RFC 8414 §2 | [`discovery`] |
//! | OIDC Core 1.0, OIDC Discovery 1.0, OIDC Back-Channel Logout 1.0, RFC 9207: where we are the client | [`upstream`] |
//! | RFC 6749 §3.1, §3.2 (each parameter at most once) | [`params`] |

pub mod access_token;
pub mod authorize;
pub mod client_assertion;
pub mod client_auth;
pub mod custom_claims;
pub mod discovery;
pub mod end_session;
pub mod error;
pub mod front_channel_logout;
pub mod id_token;
pub mod jose;
pub mod logout_token;
pub mod params;
pub mod pkce;
pub mod respond;
pub mod revocation;
pub mod session_state;
pub mod token;
pub mod upstream;
pub mod userinfo;
