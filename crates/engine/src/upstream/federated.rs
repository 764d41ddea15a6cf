//! A sign-out that goes on to the provider that the user came from, and back from there.
//!
//! Spec: OIDC RP-Initiated Logout 1.0 §2 and §3, where we are the relying party. Auth0: `federated`. What `state` carries
//! is sealed: nobody can make us send a browser to a place that we did not allow before.

use domain::connection::Connection;
use domain::secret::Sealed;
use domain::session::Session;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::Key;
use url::Url;

use super::oidc_of;
use crate::{Engine, Error};

/// Where providers send browsers after a sign-out, below the issuer.
const CALLBACK: &str = "logout/callback";
/// What the way back is sealed for.
const PURPOSE: &str = "upstream logout state";
/// How long a browser may stay at the provider, in milliseconds. Ours: as long as a sign-in.
const STAY_MS_MAX: i64 = 3600 * 1000;

/// Where to go after the provider, and until when that holds.
#[derive(Serialize, Deserialize)]
struct WayBack {
    to: String,
    until: Timestamp,
}

impl Engine {
    /// The provider's own sign-out, for a session that came from one that has such a thing.
    ///
    /// # Errors
    /// What the store answers.
    pub(crate) async fn federated_logout(
        &self,
        session: &Session,
        redirect: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let Some(upstream) = &session.upstream else { return Ok(None) };
        let connection = self.store().get::<Connection>(&Key::of(&upstream.connection_id)).await?;
        let Some(oidc) = connection.as_ref().and_then(oidc_of) else { return Ok(None) };
        // The one that the session came from, not one that has taken its place in the connection since.
        let endpoint =
            oidc.provider.end_session_endpoint.as_deref().filter(|_| oidc.provider.issuer == upstream.issuer);
        let Some(mut url) = endpoint.and_then(|endpoint| Url::parse(endpoint).ok()) else { return Ok(None) };
        let mut query = url.query_pairs_mut();
        query.append_pair("client_id", &oidc.client_id);
        if let Some(sid) = &upstream.sid {
            query.append_pair("logout_hint", sid);
        }
        if let Some(to) = redirect {
            let back = WayBack { to: to.to_owned(), until: self.now().plus_millis(STAY_MS_MAX) };
            let text = serde_json::to_string(&back).map_err(|error| Error::Bug(error.to_string()))?;
            query.append_pair("post_logout_redirect_uri", &format!("{}{CALLBACK}", self.issuer()));
            query.append_pair("state", &self.store().seal(PURPOSE, text.as_bytes()).0);
        }
        drop(query);
        Ok(Some(url.into()))
    }

    /// Where a browser goes on to that is back from a provider's sign-out; nowhere, if we did not send it there or it
    /// stayed too long.
    pub fn back_from_logout(&self, state: &str) -> Option<String> {
        let bytes = self.store().unseal(PURPOSE, &Sealed(state.to_owned())).ok()?;
        let back: WayBack = serde_json::from_slice(&bytes).ok()?;
        (self.now() < back.until).then_some(back.to)
    }
}
