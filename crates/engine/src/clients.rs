//! Applications: made, read, changed, given a new secret, deleted.
//!
//! Auth0: applications › application settings.

use domain::client::Client;
use domain::secret::Secret;

use crate::{Engine, Error};

const SECRET_PURPOSE: &str = "client.secret";

impl Engine {
    /// The secret that the client proves itself with.
    ///
    /// # Errors
    /// [`Error::Bug`] when it does not unseal: the master key is another one.
    pub(crate) fn client_secret(&self, client: &Client) -> Result<Secret<String>, Error> {
        let plain = self.store().unseal(SECRET_PURPOSE, &client.secret)?;
        let text = String::from_utf8(plain).map_err(|_| Error::Bug(format!("the secret of {} is no text", client.id)))?;
        Ok(Secret::new(text))
    }
}
