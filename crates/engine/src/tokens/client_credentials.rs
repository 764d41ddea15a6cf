//! Gives a client a token on its own behalf (RFC 6749 §4.4). Auth0: client credentials flow, client grants.

use domain::client::Client;
use domain::event::EventKind;
use domain::grant::ClientGrant;
use domain::id::ActionId;
use domain::limits::ACCESS_TOKEN_SECONDS_MAX;
use domain::scope::Scopes;
use protocol::access_token::{self, AccessTokenInput, GrantKind, Subject};
use protocol::error::{OAuthError, OAuthErrorCode};
use serde_json::json;
use store::Key;

use super::Tokens;
use super::credentials_actions::AskedFor;
use crate::sign_in::prove::executions_detail;
use crate::{Engine, Error, RequestFacts};

impl Engine {
    pub(super) async fn client_credentials(
        &self,
        client: &Client,
        audience: Option<&str>,
        asked: Option<&Scopes>,
        organization: Option<&str>,
        facts: &RequestFacts,
    ) -> Result<Tokens, Error> {
        let default = match audience {
            Some(_) => None,
            None => self.tenant().await?.default_audience,
        };
        let Some(audience) = audience.or(default.as_deref()) else {
            let text = "Non-global clients are not allowed access to APIs without an audience: name one in 'audience'";
            return Err(OAuthError::new(OAuthErrorCode::AccessDenied, text).into());
        };
        let api =
            self.api_of(Some(audience)).await?.ok_or_else(|| Error::Bug("an audience has an API".into()))?;
        let mut grant = self.grant_of(client, audience).await?;
        if let Some(grant) = &mut grant {
            // A grant may hold scopes that the API knows no longer, or not yet.
            grant.scopes = grant.scopes.only(|scope| api.knows(scope));
        }
        let scopes = protocol::token::client_credentials::scopes(audience, grant.as_ref(), asked)?;
        let organization = match &grant {
            Some(grant) => self.organization_of_grant(client, grant, organization).await??,
            None => None,
        };
        let asked = AskedFor { audience, scopes: asked, organization: organization.as_ref() };
        let run = self.run_credentials_actions(client, &asked, &scopes, facts).await?;
        let ttl_seconds = api.token_seconds.clamp(1, ACCESS_TOKEN_SECONDS_MAX);
        let jti = domain::id::alphanumeric(&self.random::<24>());
        let made = access_token::claims(&AccessTokenInput {
            issuer: self.issuer(),
            audience: Some(audience),
            subject: Subject::Client,
            client_id: &client.id,
            scopes: &scopes,
            permissions: api.enforces_policies().then(|| scopes.iter().map(str::to_owned).collect()),
            organization_id: organization.as_ref().map(|found| &found.id),
            session_id: None,
            kind: GrantKind::ClientCredentials,
            custom_claims: &run.effects.access_token_claims,
            is_system_api: api.is_system,
            dialect: api.token_dialect,
            authenticated_at: None,
            jti: &jti,
            now: self.now(),
            ttl_seconds,
        });
        let access_token = self.sign(api.signing_algorithm, made.typ, &made.claims).await?;
        let scope = scopes.to_string();
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                self.event(EventKind::ClientCredentials, facts)
                    .client(client)
                    .organization(organization.as_ref())
                    .token(Some(audience), &scope)
                    .details(json!({
                        "access_token_jti": jti,
                        "actions": executions_detail(&[], run.execution_id().map(ActionId::as_str)),
                    }))
                    .record(tx);
                self.record_run(tx, &run, client, None, facts);
                Ok(())
            })
            .await?;
        let scope = Some(scope).filter(|scope| !scope.is_empty());
        Ok(Tokens { access_token, expires_in: ttl_seconds, id_token: None, refresh_token: None, scope })
    }

    /// What a client may ask of an API on its own behalf: its own grant, or that of all third-party clients.
    async fn grant_of(&self, client: &Client, audience: &str) -> Result<Option<ClientGrant>, Error> {
        let own = self.store().find::<ClientGrant>("pair", &Key::of((&client.id, audience))).await?;
        if own.is_some() || client.is_first_party {
            return Ok(own.filter(|grant| !grant.is_for_users()));
        }
        let shared = self.store().find::<ClientGrant>("pair", &Key::of(("", audience))).await?;
        Ok(shared.filter(|grant| !grant.is_for_users()))
    }
}
