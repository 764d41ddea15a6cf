//! What a tenant starts with: a user database, the Management API, and its first administrator.

use domain::client::{Client, ClientAuthMethod, GLOBAL_CLIENT_ID};
use domain::connection::{CONNECTION_DEFAULT, Connection, STRATEGY_DATABASE};
use domain::grant::ClientGrant;
use domain::id::{ClientGrantId, ClientId, ConnectionId, ResourceServerId, alphanumeric, hexadecimal};
use domain::key::SigningAlgorithm;
use domain::limits::ACCESS_TOKEN_SECONDS_DEFAULT;
use domain::resource_server::{ResourceServer, ScopeDefinition, TokenDialect};
use domain::scope::Scopes;
use domain::secret::Secret;
use domain::tenant::Tenant;
use serde_json::Map;
use store::tables::tenant_key;
use store::{Key, Order, Tx};

use crate::{Engine, Error};

/// What the Management API's scopes are about.
const SCOPE_OBJECTS: &[&str] = &[
    "actions",
    "anomaly_blocks",
    "attack_protection",
    "branding",
    "client_credentials",
    "client_grants",
    "client_keys",
    "clients",
    "connection_profiles",
    "connections",
    "connections_keys",
    "connections_options",
    "custom_domains",
    "directory_provisionings",
    "email_provider",
    "email_templates",
    "event_streams",
    "flows",
    "flows_vault_connections",
    "forms",
    "groups",
    "guardian_factors",
    "hooks",
    "log_streams",
    "logout_deliveries",
    "logs",
    "mfa_policies",
    "network_acls",
    "organization_client_grants",
    "organization_clients",
    "organization_connections",
    "organization_discovery_domains",
    "organization_invitations",
    "organization_member_roles",
    "organization_members",
    "organizations",
    "phone_providers",
    "phone_templates",
    "prompts",
    "rate_limit_policies",
    "refresh_tokens",
    "resource_servers",
    "role_members",
    "roles",
    "rules",
    "rules_configs",
    "scim_config",
    "scim_token",
    "self_service_profiles",
    "sessions",
    "signing_keys",
    "tenant_settings",
    "token_exchange_profiles",
    "user_attribute_profiles",
    "users",
    "users_app_metadata",
    "vdcs_templates",
];
/// Grants looked at in one step when new scopes are given to those that had all.
const GRANTS_STEP: usize = 100;
/// What the Management API's scopes let one do.
const SCOPE_VERBS: &[&str] = &["read", "create", "update", "delete"];
/// How Auth0's page on session metadata spells `update:sessions`; a grant may spell it so too.
const SCOPE_UPDATE_SESSION: &str = "update:session";

/// How to get in for the first time.
#[derive(Debug, Clone)]
pub struct FirstAdministrator {
    /// A machine client that may do everything.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret<String>,
    /// The administrator's identifier.
    pub user_id: String,
    /// The administrator's address.
    pub email: String,
    /// Their password.
    pub password: Secret<String>,
}

/// Every scope of the Management API.
pub fn management_scopes() -> Scopes {
    let names: Vec<String> = SCOPE_OBJECTS
        .iter()
        .flat_map(|object| SCOPE_VERBS.iter().map(move |verb| format!("{verb}:{object}")))
        .collect();
    names.iter().map(String::as_str).chain([SCOPE_UPDATE_SESSION]).collect()
}

impl Engine {
    /// Makes the tenant on the first start. Later starts find it and answer nothing.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn ensure_tenant(&self) -> Result<Option<FirstAdministrator>, Error> {
        if self.store().get::<Tenant>(&tenant_key()).await?.is_some() {
            self.ensure_management_api().await?;
            self.ensure_dashboard_client().await?;
            self.ensure_global_client().await?;
            return Ok(None);
        }
        let password = Secret::new(alphanumeric(&self.random::<20>()));
        let password_hash = self.hash_password(password.clone()).await?;
        let host = self.settings().domain.rsplit_once(':').map_or(&*self.settings().domain, |(host, _)| host);
        let email = format!("admin@{host}");
        let connection = self.default_connection();
        let user = self.new_database_user(&connection, &email, password_hash);
        let mut client = self.machine_client("Administrator");
        client.description =
            Some("Made on the first start; may do everything through the Management API".into());
        let api = self.management_api();
        let grant = self.grant_for(&client.id, &api.identifier, management_scopes());
        let client_secret = self.client_secret(&client)?;
        let client_id = client.id.to_string();
        let made = self
            .store()
            .transact(async |tx| -> Result<bool, Error> {
                if tx.get::<Tenant>(&tenant_key()).await?.is_some() {
                    return Ok(false);
                }
                tx.insert(Tenant { administrators: vec![user.id.clone()], ..Tenant::default() });
                tx.insert(connection.clone());
                tx.insert(user.clone());
                tx.insert(api.clone());
                tx.insert(client.clone());
                tx.insert(grant.clone());
                Ok(true)
            })
            .await?;
        self.ensure_dashboard_client().await?;
        self.ensure_global_client().await?;
        Ok(made.then_some(FirstAdministrator {
            client_id,
            client_secret,
            user_id: user.id.to_string(),
            email,
            password,
        }))
    }

    /// The Management API of today's domain: a server that moved to another one gets its API there too.
    async fn ensure_management_api(&self) -> Result<(), Error> {
        let identifier = self.management_audience();
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let key = Key::of(&*identifier);
                match tx.find::<ResourceServer>("identifier", &key).await? {
                    None => tx.insert(self.management_api()),
                    // Made by hand before the move: it must not stay an API whose scopes any user may be given.
                    Some(api) if !api.is_system => {
                        tx.put(ResourceServer {
                            id: api.id,
                            created_at: api.created_at,
                            ..self.management_api()
                        });
                    }
                    Some(api) => self.add_new_scopes(tx, api).await?,
                }
                Ok(())
            })
            .await
    }

    async fn ensure_global_client(&self) -> Result<(), Error> {
        let id = ClientId::new(GLOBAL_CLIENT_ID);
        let mut client = Client::new(id, "All Applications", self.new_client_secret(), self.now());
        client.is_global = true;
        client.grant_types = Vec::new();
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                if tx.get::<Client>(&Key::of(&client.id)).await?.is_none() {
                    tx.insert(client.clone());
                }
                Ok(())
            })
            .await
    }

    /// Gives an API that an older release made the scopes that it does not know yet, and gives them to those clients
    /// too that had every scope so far: who may do everything still may after an upgrade.
    async fn add_new_scopes(&self, tx: &mut Tx, mut api: ResourceServer) -> Result<(), Error> {
        let known: Scopes = api.scopes.iter().map(|scope| scope.value.as_str()).collect();
        let all = management_scopes();
        let new: Vec<&str> = all.iter().filter(|scope| !known.contains(scope)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut after = None;
        loop {
            let page = tx
                .page::<ClientGrant>(None, &Key::all(), after.as_deref(), GRANTS_STEP, Order::Ascending)
                .await?;
            for found in page.items.iter().filter(|grant| grant.audience == api.identifier) {
                let Some(grant) = tx.get::<ClientGrant>(&Key::of(&found.id)).await? else { continue };
                if known.iter().all(|scope| grant.scopes.contains(scope)) {
                    let scopes = grant.scopes.iter().chain(new.iter().copied()).collect();
                    tx.put(ClientGrant { scopes, ..grant });
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let since = api.revision;
        let definition =
            |value: &&str| ScopeDefinition { value: (*value).to_owned(), description: None, since };
        api.scopes.extend(new.iter().map(definition));
        tx.put(api);
        Ok(())
    }

    fn default_connection(&self) -> Connection {
        Connection {
            id: ConnectionId::new(format!("con_{}", alphanumeric(&self.random::<16>()))),
            name: CONNECTION_DEFAULT.to_owned(),
            strategy: STRATEGY_DATABASE.to_owned(),
            metadata: Map::new(),
            signup_enabled: true,
            oidc: None,
            kept: Map::new(),
            created_at: self.now(),
        }
    }

    fn management_api(&self) -> ResourceServer {
        let scopes = management_scopes();
        ResourceServer {
            id: ResourceServerId::new(hexadecimal(&self.random::<12>())),
            identifier: self.management_audience(),
            // By this name deploy tools know that the API is no one of the tenant's, and leave it alone.
            name: Some("Auth0 Management API".to_owned()),
            scopes: scopes
                .iter()
                .map(|value| ScopeDefinition { value: value.to_owned(), description: None, since: 0 })
                .collect(),
            revision: 0,
            enforce_policies: None,
            signing_algorithm: SigningAlgorithm::Rs256,
            token_seconds: ACCESS_TOKEN_SECONDS_DEFAULT,
            token_seconds_for_web: 7200,
            allow_offline_access: false,
            token_dialect: TokenDialect::AccessToken,
            is_system: true,
            kept: Map::new(),
            created_at: self.now(),
        }
    }

    /// A client that acts on its own behalf.
    pub(crate) fn machine_client(&self, name: &str) -> Client {
        let id = ClientId::new(alphanumeric(&self.random::<32>()));
        let mut client = Client::new(id, name, self.new_client_secret(), self.now());
        client.app_type = Some("non_interactive".to_owned());
        client.auth_method = Some(ClientAuthMethod::ClientSecretPost);
        client.grant_types = vec!["client_credentials".to_owned()];
        client
    }

    /// A client's right to ask for scopes of an API.
    pub(crate) fn grant_for(&self, client_id: &ClientId, audience: &str, scopes: Scopes) -> ClientGrant {
        ClientGrant {
            id: ClientGrantId::new(format!("cgr_{}", alphanumeric(&self.random::<16>()))),
            client_id: Some(client_id.clone()),
            audience: audience.to_owned(),
            scopes,
            kept: Map::new(),
            created_at: self.now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::egress::Egress;
    use domain::grant::ClientGrant;
    use domain::resource_server::ResourceServer;
    use domain::scope::Scopes;
    use store::{Key, Order};

    use super::management_scopes;
    use crate::ports::SystemEntropy;
    use crate::{Engine, Error, Ports, Settings};

    #[test]
    fn the_administrator_may_do_everything_with_sessions() {
        let scopes = management_scopes();
        for scope in
            ["read:sessions", "update:sessions", "update:session", "delete:sessions", "read:client_keys"]
        {
            assert!(scopes.contains(scope), "{scope}");
        }
    }

    async fn grants(engine: &Engine) -> Vec<ClientGrant> {
        engine.store().page(None, &Key::all(), None, 10, Order::Ascending).await.unwrap().items
    }

    #[tokio::test]
    async fn after_an_upgrade_those_who_could_do_everything_still_can_and_nobody_else_can_more() {
        let ports = Ports { entropy: Arc::new(SystemEntropy), ..Ports::real(Egress::default()).unwrap() };
        let engine = Engine::open(Settings::for_testing(), ports).await.unwrap();
        engine.ensure_tenant().await.unwrap();
        let known: Scopes =
            management_scopes().iter().filter(|scope| !scope.ends_with("logout_deliveries")).collect();
        let audience = engine.management_audience();
        let reader = engine.grant_for(&"reader".into(), &audience, ["read:logs"].into_iter().collect());
        let older_release = engine.store().transact(async |tx| -> Result<(), Error> {
            let api = tx.find::<ResourceServer>("identifier", &Key::of(&*audience)).await?.unwrap();
            let scopes = api.scopes.iter().filter(|scope| known.contains(&scope.value)).cloned().collect();
            tx.put(ResourceServer { scopes, ..api });
            for grant in grants(&engine).await {
                tx.put(ClientGrant { scopes: known.clone(), ..grant });
            }
            tx.insert(reader.clone());
            Ok(())
        });
        older_release.await.unwrap();

        engine.ensure_tenant().await.unwrap();
        let api =
            engine.store().find::<ResourceServer>("identifier", &Key::of(&*audience)).await.unwrap().unwrap();
        assert!(api.scopes.iter().any(|scope| scope.value == "update:logout_deliveries"));
        for grant in grants(&engine).await {
            let is_reader = grant.client_id == reader.client_id;
            assert_eq!(
                grant.scopes.contains("update:logout_deliveries"),
                !is_reader,
                "{:?}",
                grant.client_id
            );
        }
        assert_eq!(grants(&engine).await.len(), 2);
    }
}
