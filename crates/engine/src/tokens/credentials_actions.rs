//! The credentials-exchange trigger: Actions that shape or refuse a client's own token.
//!
//! Auth0: Actions › credentials-exchange.

use domain::action::TRIGGER_CREDENTIALS_EXCHANGE;
use domain::client::Client;
use domain::organization::Organization;
use domain::scope::Scopes;
use protocol::error::{OAuthError, OAuthErrorCode};
use sandbox::credentials_exchange::{self as js, HANDLER};
use sandbox::post_login::{ResourceServer, Tenant};

use crate::actions::run::{Stage, TriggerRun};
use crate::sign_in::commands::{Effects, Ending};
use crate::sign_in::event;
use crate::{Engine, Error, RequestFacts};

/// What a client asks for.
pub(super) struct AskedFor<'a> {
    /// Of which API.
    pub(super) audience: &'a str,
    /// Which scopes, where it says so.
    pub(super) scopes: Option<&'a Scopes>,
    /// For which organization.
    pub(super) organization: Option<&'a Organization>,
}

struct CredentialsStage<'a> {
    client: &'a Client,
    asked: &'a AskedFor<'a>,
    scopes: &'a Scopes,
    tenant_id: &'a str,
    facts: &'a RequestFacts,
}

impl Stage for CredentialsStage<'_> {
    const TRIGGER: &'static str = TRIGGER_CREDENTIALS_EXCHANGE;
    const HANDLER: &'static str = HANDLER;

    fn event(&self, effects: &Effects, secrets: sandbox::Secrets) -> sandbox::Event {
        let names = |scopes: &Scopes| scopes.iter().map(str::to_owned).collect();
        let AskedFor { audience, scopes: asked, organization } = *self.asked;
        let mut body = vec![
            ("grant_type".to_owned(), "client_credentials".to_owned()),
            ("client_id".to_owned(), self.client.id.to_string()),
            ("audience".to_owned(), audience.to_owned()),
        ];
        body.extend(asked.map(|scopes| ("scope".to_owned(), scopes.to_string())));
        body.extend(organization.map(|found| ("organization".to_owned(), found.id.to_string())));
        let event = js::Event {
            access_token: js::AccessToken {
                custom_claims: effects.access_token_claims.clone(),
                scope: names(self.scopes),
            },
            client: event::client(self.client),
            organization: organization.map(event::organization),
            request: event::request(self.facts, &[], &body),
            resource_server: ResourceServer { identifier: audience.to_owned() },
            secrets,
            tenant: Tenant { id: self.tenant_id.to_owned() },
            transaction: js::Transaction { requested_scopes: asked.map(names).unwrap_or_default() },
        };
        sandbox::Event::CredentialsExchange(Box::new(event))
    }

    fn absorb(&mut self, _: &Effects) -> Result<(), String> {
        Ok(())
    }
}

impl Engine {
    /// Runs what is bound, before the token is made.
    ///
    /// # Errors
    /// What the Actions refused with; the run is then recorded already.
    pub(super) async fn run_credentials_actions(
        &self,
        client: &Client,
        asked: &AskedFor<'_>,
        scopes: &Scopes,
        facts: &RequestFacts,
    ) -> Result<TriggerRun, Error> {
        let tenant_id = &self.inner.settings.tenant;
        let mut stage = CredentialsStage { client, asked, scopes, tenant_id, facts };
        let run = self.run_trigger(&mut stage).await?;
        let Some(ending) = &run.effects.ending else { return Ok(run) };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                self.record_run(tx, &run, client, None, facts);
                Ok(())
            })
            .await?;
        let (code, description) = match ending {
            Ending::Denied { description, code, .. } => (code.as_deref(), description),
            Ending::Revoked { reason, .. } | Ending::RefreshTokenRevoked { reason } => (None, reason),
        };
        let code = code.unwrap_or(OAuthErrorCode::AccessDenied.as_str());
        Err(match OAuthErrorCode::ALL.iter().find(|known| known.as_str() == code) {
            Some(known) => OAuthError::new(*known, description.clone()).into(),
            None => Error::Denied { code: code.to_owned(), description: description.clone() },
        })
    }
}
