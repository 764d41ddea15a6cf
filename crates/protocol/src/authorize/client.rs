//! Check: the request names a client, once, and that client exists.
//!
//! Spec: RFC 6749 §4.1.1, §4.1.2.1.

use domain::client::Client;

use crate::error::OAuthError;
use crate::params::Params;

pub(super) fn check<'a>(params: &Params, client: Option<&'a Client>) -> Result<&'a Client, OAuthError> {
    params.check_once(&["client_id"])?;
    let asked = params.require("client_id")?;
    match client {
        Some(client) if client.id.as_str() == asked => Ok(client),
        _ => Err(OAuthError::invalid("Unknown client").with_debug(format!("client_id {asked:?}"))),
    }
}
