//! The authorization request as an ordered table of checks, one file each.
//!
//! Spec: RFC 6749 §3.1 and §4.1.1, OIDC Core 1.0 §3.1.2.1 and §3.1.2.2, RFC 9700 §2.1.
//! Auth0: Authentication API, `/authorize`.
//!
//! The engine loads the client between [`Params::client_id`] and [`check`]. Until the client and its redirect URI
//! are verified every failure is a page; after that every failure is a redirect. Not here: whether the API asked
//! for exists, and whether the user must see a page (both need stored things).

mod answer;
mod client;
mod hints;
mod max_age;
mod once;
mod pkce;
mod prompt;
mod redirect_uri;
mod request_object;
mod response;
mod scope;

use domain::client::Client;
use domain::scope::Scopes;
use domain::sign_in::{AuthorizationRequest, ResponseMode};

use crate::error::OAuthError;
pub use crate::params::Params;

/// What the tenant demands beyond the specifications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether confidential clients must send a code challenge too (RFC 9700 §2.1.1 recommends it).
    pub pkce_for_all_clients: bool,
}

/// A request that failed, and where that may be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// On a page of ours: client or redirect URI are not verified, so nothing is sent anywhere.
    Page(OAuthError),
    /// At the client's verified redirect URI.
    Redirect {
        /// The verified URI.
        redirect_uri: String,
        /// How the answer travels.
        response_mode: ResponseMode,
        /// The request's `state`.
        state: Option<String>,
        /// What went wrong.
        error: OAuthError,
    },
}

/// What a check looks at.
struct Asked<'a> {
    params: &'a Params,
    client: &'a Client,
    rules: &'a Rules,
}

/// One check: refuses the request, or fills in the fields that are its own.
type Check = fn(&Asked<'_>, &mut AuthorizationRequest) -> Result<(), OAuthError>;

/// The checks that may redirect, in order. The order only decides which failure is told first.
const CHECKS: [Check; 9] = [
    once::check,
    request_object::check,
    response::check_type,
    response::check_mode,
    scope::check,
    prompt::check,
    max_age::check,
    pkce::check,
    hints::check,
];

/// Checks a request from a client that was looked up by [`Params::client_id`].
///
/// # Errors
/// A [`Rejection`] that already knows whether it may be redirected.
pub fn check(
    params: &Params,
    client: Option<&Client>,
    rules: &Rules,
) -> Result<AuthorizationRequest, Rejection> {
    let client = client::check(params, client).map_err(Rejection::Page)?;
    let redirect_uri = redirect_uri::check(params, client).map_err(Rejection::Page)?;

    let mut request = empty(client, redirect_uri);
    request.response_mode = answer::mode(params);
    request.state = answer::state(params);
    let asked = Asked { params, client, rules };
    for check in CHECKS {
        if let Err(error) = check(&asked, &mut request) {
            return Err(Rejection::Redirect {
                redirect_uri: request.redirect_uri,
                response_mode: request.response_mode,
                state: request.state,
                error,
            });
        }
    }
    request.query = params.pairs().to_vec();
    Ok(request)
}

fn empty(client: &Client, redirect_uri: String) -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: client.id.clone(),
        redirect_uri,
        response_mode: ResponseMode::Query,
        scopes: Scopes::default(),
        audience: None,
        state: None,
        nonce: None,
        prompts: Vec::new(),
        max_age_seconds: None,
        login_hint: None,
        screen_hint: None,
        connection: None,
        organization: None,
        invitation: None,
        ui_locales: Vec::new(),
        acr_values: Vec::new(),
        code_challenge: None,
        query: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
