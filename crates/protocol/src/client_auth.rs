//! Who calls the token endpoint: reading a client's credentials and checking them.
//!
//! Spec: RFC 6749 §2.3 and §2.3.1, RFC 7591 §2.
//!
//! A client that has a secret may send it in the header or in the body, whichever of the two it registered: Auth0
//! takes both, its SDKs count on that, and the proof is the same. A client registered as public has no credentials: one that it sends is refused, since a secret
//! that goes unchecked only looks like protection. Assertions (RFC 7523) are not taken.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::client::{Client, ClientAuthMethod};
use domain::secret::{Secret, same};

use crate::error::{OAuthError, OAuthErrorCode};
use crate::params::Params;

/// What a client said about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// Who it claims to be.
    pub client_id: String,
    /// Its secret, if it sent one.
    pub secret: Option<Secret<String>>,
    /// How it sent them.
    pub method: ClientAuthMethod,
    /// The secret of the header before form decoding, where that differs: many clients do not encode it.
    unencoded: Option<Secret<String>>,
}

impl ClientCredentials {
    /// Credentials as they are meant.
    pub fn new(client_id: impl Into<String>, secret: Option<String>, method: ClientAuthMethod) -> Self {
        Self { client_id: client_id.into(), secret: secret.map(Secret::new), method, unencoded: None }
    }

    fn matches(&self, stored_secret: &str) -> bool {
        let is_same = |given: &Secret<String>| same(given.expose().as_bytes(), stored_secret.as_bytes());
        !stored_secret.is_empty() && [&self.secret, &self.unencoded].into_iter().flatten().any(is_same)
    }
}

/// Reads credentials from the value of the `Authorization` header and the request's parameters.
///
/// # Errors
/// `invalid_request` where both places hold a secret or contradict each other, `invalid_client` where there are
/// no credentials or the header cannot be read.
pub fn read(authorization: Option<&str>, form: &[(String, String)]) -> Result<ClientCredentials, OAuthError> {
    let params = Params::parse(form.to_vec());
    params.check_once(&["client_id", "client_secret", "client_assertion", "client_assertion_type"])?;
    if params.get("client_assertion").is_some() {
        return Err(refused("client_assertion is not supported"));
    }
    let Some(header) = authorization else { return read_form(&params) };
    let credentials = read_basic(header)?;
    if params.get("client_secret").is_some() {
        return Err(OAuthError::invalid("Client credentials must be sent in one place only"));
    }
    match params.client_id() {
        Some(other) if other != credentials.client_id => {
            Err(OAuthError::invalid("client_id differs from the one in the Authorization header"))
        }
        _ => Ok(credentials),
    }
}

fn read_form(params: &Params) -> Result<ClientCredentials, OAuthError> {
    let client_id = params.require("client_id")?;
    let secret = params.get("client_secret").map(str::to_owned);
    let method = if secret.is_some() { ClientAuthMethod::ClientSecretPost } else { ClientAuthMethod::None };
    Ok(ClientCredentials::new(client_id, secret, method))
}

/// Reads `Basic` credentials, whose two parts are form-encoded before they are joined.
fn read_basic(header: &str) -> Result<ClientCredentials, OAuthError> {
    let unreadable = |why: &str| refused("Authorization header cannot be read").with_debug(why);
    let (scheme, encoded) = header.trim().split_once(' ').ok_or_else(|| unreadable("no scheme"))?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(refused("Authorization header must use the scheme Basic"));
    }
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| unreadable("not base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable("not UTF-8"))?;
    let (client_id, secret) = text.split_once(':').ok_or_else(|| unreadable("no colon"))?;
    let client_id = form_decode(client_id);
    if client_id.is_empty() {
        return Err(unreadable("no client_id"));
    }
    let decoded = form_decode(secret);
    let unencoded = (decoded != secret).then(|| Secret::new(secret.to_owned()));
    let secret = (!decoded.is_empty()).then(|| Secret::new(decoded));
    Ok(ClientCredentials { client_id, secret, method: ClientAuthMethod::ClientSecretBasic, unencoded })
}

fn form_decode(part: &str) -> String {
    // A name without `=` and `&` decodes as one pair; both can only come unencoded, and then stay as they are.
    if part.contains(['=', '&']) {
        return part.to_owned();
    }
    url::form_urlencoded::parse(part.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

/// Whether the credentials are those of the client. `stored_secret` is the client's secret, unsealed.
///
/// # Errors
/// `invalid_client`; the log learns why, the caller does not.
pub fn verify(client: &Client, stored_secret: &str, given: &ClientCredentials) -> Result<(), OAuthError> {
    if given.client_id != client.id.as_str() {
        return Err(unauthenticated("client_id of another client"));
    }
    let is_good = match client.auth_method {
        Some(ClientAuthMethod::None) => {
            return match given.secret {
                None => Ok(()),
                Some(_) => Err(unauthenticated("a public client sent a secret")),
            };
        }
        Some(ClientAuthMethod::ClientSecretPost | ClientAuthMethod::ClientSecretBasic) | None => {
            given.matches(stored_secret)
        }
    };
    if is_good { Ok(()) } else { Err(unauthenticated("secret missing or wrong")) }
}

fn refused(description: &str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidClient, description)
}

fn unauthenticated(debug: impl Into<String>) -> OAuthError {
    refused("Client authentication failed").with_debug(debug)
}

#[cfg(test)]
mod tests;
