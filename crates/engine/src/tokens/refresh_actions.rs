//! The post-login trigger of a refresh token's exchange: there is no browser, and no session.
//!
//! Auth0: Actions › post-login runs on every exchange of a refresh token.

use domain::action::{TRIGGER_POST_LOGIN, TriggerBindings};
use domain::client::Client;
use domain::connection::Connection;
use domain::id::RefreshTokenId;
use domain::organization::Organization;
use domain::scope::Scopes;
use domain::token::RefreshToken;
use domain::user::User;
use protocol::error::OAuthError;
use protocol::token::refresh::{check, narrow};
use sandbox::post_login::{self as js, HANDLER};
use serde_json::Map;
use store::Key;

use crate::actions::run::{Stage, TriggerRun};
use crate::sign_in::commands::{Effects, Ending};
use crate::sign_in::event;
use crate::sign_in::post_login::REFRESH_TOKEN_METADATA_REFUSED;
use crate::{Engine, Error, RequestFacts};

struct ExchangeStage<'a> {
    token: RefreshToken,
    before: RefreshToken,
    client: &'a Client,
    user: User,
    connection: Option<Connection>,
    organization: Option<Organization>,
    roles: Vec<String>,
    scopes: Scopes,
    body: Vec<(String, String)>,
    tenant_id: &'a str,
    facts: &'a RequestFacts,
}

impl Stage for ExchangeStage<'_> {
    const TRIGGER: &'static str = TRIGGER_POST_LOGIN;
    const HANDLER: &'static str = HANDLER;

    fn event(&self, effects: &Effects, secrets: sandbox::Secrets) -> sandbox::Event {
        let grant = &self.token.grant;
        let requested_scopes = self.scopes.iter().map(str::to_owned).collect();
        js::Event {
            authentication: js::Authentication { methods: event::methods(&grant.methods) },
            authorization: js::Authorization { roles: self.roles.clone() },
            client: event::client(self.client),
            configuration: Map::new(),
            connection: self.connection.as_ref().map(event::connection).unwrap_or_default(),
            organization: self.organization.as_ref().map(event::organization),
            refresh_token: Some(shown(&self.token)),
            request: event::request(self.facts, &[], &self.body),
            resource_server: grant.audience.clone().map(|identifier| js::ResourceServer { identifier }),
            secrets,
            session: None,
            stats: js::Stats { logins_count: self.user.logins_count },
            tenant: js::Tenant { id: self.tenant_id.to_owned() },
            transaction: js::Transaction {
                locale: "en".to_owned(),
                protocol: "oauth2-refresh-token".to_owned(),
                requested_scopes,
                metadata: effects.transaction_metadata.clone(),
                ..js::Transaction::default()
            },
            user: event::user(&self.user),
        }
        .into()
    }

    fn absorb(&mut self, effects: &Effects) -> Result<(), String> {
        let mut token = self.before.clone();
        effects
            .apply_to_refresh_token(&mut token)
            .map_err(|error| format!("{REFRESH_TOKEN_METADATA_REFUSED}{error}"))?;
        self.token = token;
        Ok(())
    }
}

/// `event.refresh_token`
fn shown(token: &RefreshToken) -> js::RefreshToken {
    let grant = &token.grant;
    let resource_server = |audience: &String| js::RefreshTokenResourceServer {
        audience: audience.clone(),
        scopes: grant.scopes.to_string(),
    };
    js::RefreshToken {
        id: token.id.to_string(),
        client_id: grant.client_id.to_string(),
        user_id: grant.user_id.to_string(),
        created_at: token.created_at.to_string(),
        expires_at: token.expires_at.map(|at| at.to_string()),
        idle_expires_at: token.idle_expires_at.map(|at| at.to_string()),
        last_exchanged_at: token.last_exchanged_at.map(|at| at.to_string()),
        rotating: token.rotating,
        resource_servers: grant.audience.iter().map(resource_server).collect(),
        session_id: grant.session_id.as_ref().map(ToString::to_string),
        device: event::device(&token.device),
        metadata: Some(token.metadata.entries().clone()),
        access: "offline".to_owned(),
    }
}

impl Engine {
    /// Runs what is bound, for a token that is good at this moment. None: nothing is bound, or the token is not good,
    /// which the exchange itself will find and answer.
    pub(super) async fn run_exchange_actions(
        &self,
        client: &Client,
        id: &RefreshTokenId,
        presented_hash: &str,
        asked: Option<&Scopes>,
        facts: &RequestFacts,
    ) -> Result<Option<TriggerRun>, Error> {
        let bound = self.store().get::<TriggerBindings>(&Key::of(TRIGGER_POST_LOGIN)).await?;
        if bound.is_none_or(|bound| bound.bindings.is_empty()) {
            return Ok(None);
        }
        let Some(token) = self.store().get::<RefreshToken>(&Key::of(id)).await? else { return Ok(None) };
        let leeway = client.refresh_token.leeway_seconds;
        if check(&token, presented_hash, &client.id, leeway, self.now()).is_err() {
            return Ok(None);
        }
        let scopes = narrow(&token.grant.scopes, asked)?;
        let user = self.user_of(&token.grant.user_id).await?;
        if token.is_outdated(&user) {
            return Ok(None);
        }
        let connection = match user.identities.first() {
            Some(identity) => self.store().get::<Connection>(&Key::of(&identity.connection_id)).await?,
            None => None,
        };
        let organization = match &token.grant.organization_id {
            Some(id) => self.store().get::<Organization>(&Key::of(id)).await?,
            None => None,
        };
        let access = self.access_of(&user.id, token.grant.organization_id.as_ref()).await?;
        let roles = access.role_names();
        let mut body = vec![
            ("grant_type".to_owned(), "refresh_token".to_owned()),
            ("client_id".to_owned(), client.id.to_string()),
        ];
        body.extend(asked.map(|scopes| ("scope".to_owned(), scopes.to_string())));
        let mut stage = ExchangeStage {
            before: token.clone(),
            token,
            client,
            user,
            connection,
            organization,
            roles,
            scopes,
            body,
            tenant_id: &self.inner.settings.tenant,
            facts,
        };
        self.run_trigger(&mut stage).await.map(Some)
    }

    /// The Actions refused the exchange, failed, or revoked the token. What was asked for the user's metadata before
    /// still applies on a plain denial.
    pub(super) async fn refuse_exchange(
        &self,
        client: &Client,
        id: &RefreshTokenId,
        run: &TriggerRun,
        ending: &Ending,
        facts: &RequestFacts,
    ) -> Result<OAuthError, Error> {
        let (description, revokes) = match ending {
            Ending::Denied { description, .. } => (description, false),
            // There is no session to end: the token is what this transaction holds.
            Ending::RefreshTokenRevoked { reason } | Ending::Revoked { reason, .. } => (reason, true),
        };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let token = tx.get::<RefreshToken>(&Key::of(id)).await?;
                if let Some(token) = &token {
                    if revokes {
                        tx.delete::<RefreshToken>(&Key::of(id));
                        let event = self.refresh_token_revoked(token, facts).client(client);
                        event.says(description.clone()).record(tx);
                    }
                    if run.failed.is_none() {
                        self.write_user_metadata(tx, &token.grant.user_id, &run.effects, client, facts)
                            .await?;
                    }
                }
                self.record_run(tx, run, client, token.as_ref().map(|token| &token.grant.user_id), facts);
                Ok(())
            })
            .await?;
        Ok(OAuthError::new(ending.oauth_code(), description.clone()))
    }
}
