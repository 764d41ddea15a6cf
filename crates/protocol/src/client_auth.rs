//! Who calls the token endpoint: reading a client's credentials and checking them.
//!
//! Spec: RFC 6749 §2.3 and §2.3.1, RFC 7521 §4.2, RFC 7591 §2.
//!
//! A client that has a secret may send it in the header or in the body, whichever of the two it registered: Auth0
//! takes both, its SDKs count on that, and the proof is the same. A client registered as public has no credentials: one
//! that it sends is refused, since a secret that goes unchecked only looks like protection. A client that is set up to
//! prove itself by a key is not believed for a secret. What an assertion must say is in [`crate::client_assertion`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::client::{Client, ClientAuthMethod};
use domain::secret::{Secret, same};

use crate::client_assertion::{ASSERTION_TYPE, Assertion, Expect, claimed_client};
use crate::error::{OAuthError, OAuthErrorCode};
use crate::params::Params;

/// What a client said about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// Who it claims to be.
    pub client_id: String,
    /// Its secret, if it sent one.
    pub secret: Option<Secret<String>>,
    /// Its assertion, if it sent one.
    pub assertion: Option<Secret<String>>,
    /// How it sent its secret, if it did.
    pub method: ClientAuthMethod,
    /// The secret of the header before form decoding, where that differs: many clients do not encode it.
    unencoded: Option<Secret<String>>,
}

impl ClientCredentials {
    /// Credentials as they are meant.
    pub fn new(client_id: impl Into<String>, secret: Option<String>, method: ClientAuthMethod) -> Self {
        let (client_id, secret) = (client_id.into(), secret.map(Secret::new));
        Self { client_id, secret, assertion: None, method, unencoded: None }
    }

    /// Credentials that are an assertion.
    pub fn asserted(client_id: impl Into<String>, assertion: impl Into<String>) -> Self {
        let assertion = Some(Secret::new(assertion.into()));
        Self { assertion, ..Self::new(client_id, None, ClientAuthMethod::None) }
    }

    fn matches(&self, stored_secret: &str) -> bool {
        let is_same = |given: &Secret<String>| same(given.expose().as_bytes(), stored_secret.as_bytes());
        !stored_secret.is_empty() && [&self.secret, &self.unencoded].into_iter().flatten().any(is_same)
    }
}

/// Reads credentials from the value of the `Authorization` header and the request's parameters.
///
/// # Errors
/// `invalid_request` where two places hold credentials or contradict each other, `invalid_client` where there are
/// no credentials or they cannot be read.
pub fn read(authorization: Option<&str>, form: &[(String, String)]) -> Result<ClientCredentials, OAuthError> {
    let params = Params::parse(form.to_vec());
    params.check_once(&["client_id", "client_secret", "client_assertion", "client_assertion_type"])?;
    if let Some(assertion) = params.get("client_assertion") {
        if authorization.is_some() || params.get("client_secret").is_some() {
            return Err(several_places());
        }
        return read_assertion(&params, assertion);
    }
    let Some(header) = authorization else { return read_form(&params) };
    let credentials = read_basic(header)?;
    if params.get("client_secret").is_some() {
        return Err(several_places());
    }
    match params.client_id() {
        Some(other) if other != credentials.client_id => {
            Err(OAuthError::invalid("client_id differs from the one in the Authorization header"))
        }
        _ => Ok(credentials),
    }
}

fn read_assertion(params: &Params, assertion: &str) -> Result<ClientCredentials, OAuthError> {
    if params.require("client_assertion_type")? != ASSERTION_TYPE {
        return Err(refused(&format!("client_assertion_type must be {ASSERTION_TYPE}")));
    }
    let subject = claimed_client(assertion)
        .map_err(|error| refused("client_assertion cannot be read").with_debug(error.to_string()))?;
    match params.client_id() {
        Some(other) if other != subject => {
            Err(OAuthError::invalid("client_id differs from the subject of client_assertion"))
        }
        _ => Ok(ClientCredentials::asserted(subject, assertion)),
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
    let method = ClientAuthMethod::ClientSecretBasic;
    Ok(ClientCredentials { client_id, secret, assertion: None, method, unencoded })
}

fn form_decode(part: &str) -> String {
    // A name without `=` and `&` decodes as one pair; both can only come unencoded, and then stay as they are.
    if part.contains(['=', '&']) {
        return part.to_owned();
    }
    url::form_urlencoded::parse(part.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

/// Whether the credentials are those of the client. `stored_secret` is the client's secret, unsealed. Where it proves
/// itself by an assertion, the answer is that assertion, which counts only if it has not been used before.
///
/// # Errors
/// `invalid_client`; the log learns why, the caller does not.
pub fn verify(
    client: &Client,
    stored_secret: &str,
    given: &ClientCredentials,
    expect: &Expect<'_>,
) -> Result<Option<Assertion>, OAuthError> {
    if given.client_id != client.id.as_str() {
        return Err(unauthenticated("client_id of another client"));
    }
    if let Some(assertion) = &given.assertion {
        let checked = expect.check(client, assertion.expose());
        return checked.map(Some).map_err(|refused| unauthenticated(refused.to_string()));
    }
    match client.authentication {
        Some(_) => Err(unauthenticated("the client must prove itself by a credential")),
        None => verify_secret(client, stored_secret, given).map(|()| None),
    }
}

fn verify_secret(client: &Client, stored_secret: &str, given: &ClientCredentials) -> Result<(), OAuthError> {
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

fn several_places() -> OAuthError {
    OAuthError::invalid("Client credentials must be sent in one place only")
}

fn refused(description: &str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidClient, description)
}

/// Refuses an assertion that was used before.
pub fn used_before() -> OAuthError {
    unauthenticated("the assertion was used before")
}

/// Refuses a client that is not there, in the words of a wrong proof: identifiers are not confirmed to strangers.
pub fn unknown_client() -> OAuthError {
    unauthenticated("unknown client")
}

fn unauthenticated(debug: impl Into<String>) -> OAuthError {
    refused("Client authentication failed").with_debug(debug)
}

#[cfg(test)]
mod tests;
