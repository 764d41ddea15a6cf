//! Who calls the token or the revocation endpoint: the client is loaded, its proof is checked, and an assertion is spent.
//!
//! Spec: RFC 6749 §2.3, RFC 7523 §3 (an assertion is good once). What a proof must be is `protocol::client_auth`'s.

use domain::client::Client;
use domain::client_credential::UsedAssertion;
use domain::event::EventKind;
use protocol::client_assertion::{Assertion, Expect};
use protocol::client_auth;
use protocol::error::OAuthError;
use store::Key;

use super::told;
use crate::sign_in::hash;
use crate::{Engine, Error, RequestFacts};

impl Engine {
    /// The client that the credentials of a request prove.
    pub(super) async fn authenticated_client(
        &self,
        params: &[(String, String)],
        authorization: Option<&str>,
    ) -> Result<Client, Error> {
        let given = client_auth::read(authorization, params)?;
        let client =
            self.store().get::<Client>(&Key::of(&*given.client_id)).await?.filter(|found| !found.is_global);
        let client = client.ok_or_else(client_auth::unknown_client)?;
        let expect = Expect { issuer: self.issuer(), now: self.now() };
        let secret = self.client_secret(&client)?;
        if let Some(assertion) = client_auth::verify(&client, secret.expose(), &given, &expect)? {
            self.spend(&client, &assertion).await?;
        }
        Ok(client)
    }

    /// Remembers an assertion before it is good for anything. Of several requests with the same one, at whatever nodes,
    /// one gets by. Only who holds the client's key can make this grow, and each entry goes within minutes.
    async fn spend(&self, client: &Client, assertion: &Assertion) -> Result<(), Error> {
        let used = UsedAssertion {
            client_id: client.id.clone(),
            hash: hash(&assertion.id),
            expires_at: assertion.forget_at,
        };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let before = tx.get::<UsedAssertion>(&Key::of((&used.client_id, &used.hash))).await?;
                // A name may come again once the assertion that had it is over.
                if before.is_some_and(|before| self.now() < before.expires_at) {
                    return Err(client_auth::used_before().into());
                }
                tx.put(used.clone());
                Ok(())
            })
            .await
    }

    /// A client of ours did not prove itself: somebody has its secret wrong, or guesses. Who names no client of ours
    /// leaves no trace here.
    pub(super) async fn record_failed_proof(
        &self,
        params: &[(String, String)],
        authorization: Option<&str>,
        error: &OAuthError,
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        let grant = params.iter().find(|(name, _)| name == "grant_type");
        let kind = match grant.map(|(_, grant)| grant.as_str()) {
            Some("authorization_code") => EventKind::CodeExchangeFailed,
            Some("refresh_token") => EventKind::RefreshExchangeFailed,
            Some("client_credentials") => EventKind::ClientCredentialsFailed,
            _ => return Ok(()),
        };
        let Ok(given) = client_auth::read(authorization, params) else { return Ok(()) };
        let client = self.store().get::<Client>(&Key::of(&*given.client_id)).await?;
        let Some(client) = client.filter(|client| !client.is_global) else { return Ok(()) };
        let details = told::failure(error.code.as_str(), &error.description, error.debug.as_deref());
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let event = self.event(kind, facts).client(&client).says(error.description.clone());
                event.details(details.clone()).record(tx);
                Ok(())
            })
            .await
    }
}
