//! Who administers through the dashboard: the one client whose tokens may carry scopes of the Management API for a person.
//!
//! Why so: `docs/adr/0037-the-dashboards-tokens-alone-carry-management-scopes.md`. Who they are is not to be changed through the
//! Management API: the first start names one, the operator's configuration may name others.

use domain::client::{Client, ClientAuthMethod, DASHBOARD_CLIENT_ID};
use domain::id::{ClientId, SessionId, UserId};
use domain::scope::Scopes;
use domain::session::Session;
use domain::tenant::Tenant;
use domain::user::User;
use store::tables::tenant_key;
use store::{Key, Tx};

use crate::first_start::management_scopes;
use crate::{ApiCall, Engine, Error};

/// Where the dashboard is, from the issuer.
const DASHBOARD_PATH: &str = "manage/";

impl Engine {
    /// Where the dashboard is, with a slash at the end: its client's only callback.
    pub fn dashboard_url(&self) -> String {
        format!("{}{DASHBOARD_PATH}", self.issuer())
    }

    /// Makes the dashboard's client, or gives it today's address and whatever else may have been changed back.
    pub(crate) async fn ensure_dashboard_client(&self) -> Result<(), Error> {
        let fresh = self.dashboard_client();
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                match tx.get::<Client>(&Key::of(&fresh.id)).await? {
                    None => tx.insert(fresh.clone()),
                    Some(known) => {
                        let wanted = Client {
                            secret: known.secret.clone(),
                            created_at: known.created_at,
                            ..fresh.clone()
                        };
                        if wanted != known {
                            tx.put(wanted);
                        }
                    }
                }
                Ok(())
            })
            .await
    }

    fn dashboard_client(&self) -> Client {
        let id = ClientId::new(DASHBOARD_CLIENT_ID);
        let mut client = Client::new(id, "Dashboard", self.new_client_secret(), self.now());
        client.app_type = Some("spa".to_owned());
        client.auth_method = Some(ClientAuthMethod::None);
        client.callbacks = vec![self.dashboard_url()];
        client.allowed_logout_urls = vec![self.dashboard_url()];
        client.grant_types = vec!["authorization_code".to_owned()];
        client
    }

    /// Whether a user is named as an administrator, whether or not they exist.
    pub(crate) fn is_administrator(&self, tenant: &Tenant, id: &UserId) -> bool {
        tenant.administrators.contains(id) || self.settings().administrators.contains(id)
    }

    /// What a person's token for the Management API may carry of what was asked for: for an administrator at the
    /// dashboard all of it, else nothing.
    pub(crate) fn administration_scopes(
        &self,
        tenant: &Tenant,
        client: &Client,
        user: &UserId,
        asked: &Scopes,
    ) -> Scopes {
        if !client.is_dashboard() || !self.is_administrator(tenant, user) {
            return Scopes::default();
        }
        let all = management_scopes();
        asked.only(|scope| all.contains(scope))
    }

    /// Whether a person's token is good for the Management API at this moment: made for the dashboard, of somebody who
    /// still is an administrator and not blocked, in a session that has not ended.
    pub(crate) async fn may_administer(
        &self,
        client_id: Option<&str>,
        user: &UserId,
        session: Option<&SessionId>,
    ) -> Result<bool, Error> {
        let (Some(DASHBOARD_CLIENT_ID), Some(session)) = (client_id, session) else { return Ok(false) };
        let tenant = self.store().get::<Tenant>(&tenant_key()).await?;
        if !tenant.is_some_and(|tenant| self.is_administrator(&tenant, user)) {
            return Ok(false);
        }
        let found = self.store().get::<User>(&Key::of(user)).await?.filter(|user| !user.blocked);
        let session = self.store().get::<Session>(&Key::of(session)).await?;
        Ok(match (found, session) {
            (Some(user), Some(session)) => {
                session.user_id == user.id
                    && session.is_live(self.now())
                    && session.epoch == user.sessions_epoch
            }
            _ => false,
        })
    }

    /// Refuses to let a caller who may change users make, change or delete one who may change everything: a new
    /// password would be all it takes to become one.
    pub(crate) async fn protect_administrator(
        &self,
        tx: &mut Tx,
        call: &ApiCall,
        id: &UserId,
    ) -> Result<(), Error> {
        let caller = &call.caller;
        let may_all = || management_scopes().iter().all(|scope| caller.scopes.contains(scope));
        let tenant = tx.get::<Tenant>(&tenant_key()).await?;
        if !tenant.is_some_and(|tenant| self.is_administrator(&tenant, id))
            || caller.is_administrator
            || may_all()
        {
            return Ok(());
        }
        let message = "This user is an administrator: only another administrator, or a client with every scope of the \
                       Management API, may change them.";
        Err(Error::Refused { message: message.to_owned(), code: Some("insufficient_scope") })
    }
}
