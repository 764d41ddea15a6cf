//! Appends log events to the same unit of work as the change that they tell of.
//!
//! Auth0: deploy & monitor › logs. No event holds a secret, a password or a token; what is shown of a request is in
//! [`shown`]. How an event reads for those who read the log is in `log_body`.

pub(crate) mod shown;

use domain::client::Client;
use domain::connection::Connection;
use domain::event::{EventKind, LogEvent};
use domain::id::{ConnectionId, LogId, OrganizationId, hexadecimal};
use domain::limits::LOG_RETENTION_DAYS;
use domain::organization::Organization;
use domain::session::Session;
use domain::time::Timestamp;
use domain::user::User;
use serde_json::{Value, json};
use store::Tx;

use crate::{ApiCall, Caller, Engine, Error, RequestFacts};

/// Puts an event together, piece by piece.
pub(crate) struct EventDraft(LogEvent);

impl EventDraft {
    /// Who asked.
    pub(crate) fn client(mut self, client: &Client) -> Self {
        self.0.client_id = Some(client.id.to_string());
        self.0.client_name = Some(client.name.clone());
        self
    }

    /// Who asked, where only an identifier is known.
    pub(crate) fn client_id(mut self, client_id: Option<&str>) -> Self {
        self.0.client_id = client_id.map(str::to_owned);
        self
    }

    /// Who called the Management API. A client that called for itself is no user.
    fn caller(mut self, caller: &Caller) -> Self {
        self.0.client_id.clone_from(&caller.client_id);
        self.0.user_id = (!caller.subject.ends_with("@clients")).then(|| caller.subject.clone());
        self
    }

    /// Whom it is about.
    pub(crate) fn user(mut self, user: &User) -> Self {
        self.0.user_id = Some(user.id.to_string());
        self.0.user_name = user.email.clone().or_else(|| user.username.clone()).or_else(|| user.name.clone());
        self
    }

    /// Whom it is about, where only an identifier is known.
    pub(crate) fn user_id(mut self, user_id: &str) -> Self {
        self.0.user_id = Some(user_id.to_owned());
        self
    }

    /// What they are called, where they are no user (yet).
    pub(crate) fn user_name(mut self, name: &str) -> Self {
        self.0.user_name = Some(name.to_owned());
        self
    }

    /// In which session.
    pub(crate) fn session(mut self, session: &Session) -> Self {
        self.0.session_id = Some(session.id.to_string());
        self
    }

    /// In which session, where only an identifier is known.
    pub(crate) fn session_id(mut self, session_id: &str) -> Self {
        self.0.session_id = Some(session_id.to_owned());
        self
    }

    /// By which connection.
    pub(crate) fn connection(mut self, connection: &Connection) -> Self {
        self.0.connection = Some(connection.name.clone());
        self.0.connection_id = Some(connection.id.to_string());
        self.0.strategy = Some(connection.strategy.clone());
        self
    }

    /// By the connection that the user is of.
    pub(crate) fn identity(mut self, user: &User) -> Self {
        if let Some(identity) = user.identities.first() {
            self.0.connection = Some(identity.connection.clone());
            self.0.connection_id = Some(identity.connection_id.to_string());
            self.0.strategy = Some(identity.provider.clone());
        }
        self
    }

    /// By which connection, where only an identifier is known.
    pub(crate) fn connection_id(mut self, id: &ConnectionId) -> Self {
        self.0.connection_id = Some(id.to_string());
        self
    }

    /// For which organization.
    pub(crate) fn organization(mut self, organization: Option<&Organization>) -> Self {
        self.0.organization_id = organization.map(|organization| organization.id.to_string());
        self.0.organization_name = organization.map(|organization| organization.name.clone());
        self
    }

    /// For which organization, where only an identifier is known.
    pub(crate) fn organization_id(mut self, id: Option<&OrganizationId>) -> Self {
        self.0.organization_id = id.map(OrganizationId::to_string);
        self
    }

    /// For which API and scopes.
    pub(crate) fn token(mut self, audience: Option<&str>, scope: &str) -> Self {
        self.0.audience = audience.map(str::to_owned);
        self.0.scope = Some(scope.to_owned());
        self
    }

    /// In words.
    pub(crate) fn says(mut self, description: impl Into<String>) -> Self {
        self.0.description = Some(description.into());
        self
    }

    /// More, by kind.
    pub(crate) fn details(mut self, details: Value) -> Self {
        self.0.details = details;
        self
    }

    /// Appends it to the unit of work.
    pub(crate) fn record(self, tx: &mut Tx) {
        tx.insert(self.0);
    }
}

impl Engine {
    /// Begins an event that happens now.
    pub(crate) fn event(&self, kind: EventKind, facts: &RequestFacts) -> EventDraft {
        let date = self.now();
        EventDraft(LogEvent {
            id: self.log_id(date),
            date,
            kind,
            description: None,
            client_id: None,
            client_name: None,
            user_id: None,
            user_name: None,
            session_id: None,
            connection: None,
            connection_id: None,
            strategy: None,
            organization_id: None,
            organization_name: None,
            ip: facts.ip.clone(),
            user_agent: facts.user_agent.clone(),
            hostname: facts.hostname.clone(),
            auth0_client: facts.auth0_client.clone(),
            correlation_id: facts.correlation_id.clone(),
            audience: None,
            scope: None,
            details: Value::Null,
            kept_days: Some(self.settings().log_retention_days).filter(|days| *days != LOG_RETENTION_DAYS),
        })
    }

    /// An identifier that sorts by the event's date: `900`, seventeen digits of calendar time, and digits of chance. A
    /// search for dates relies on that.
    fn log_id(&self, date: Timestamp) -> LogId {
        let digits: String = date.to_string().chars().filter(char::is_ascii_digit).collect();
        let chance = u128::from_be_bytes(self.random::<16>());
        LogId::new(format!("900{digits}{:036}", chance % 10_u128.pow(36)))
    }

    /// Records that a write of the Management API succeeded (`sapi`). `status` is what the caller is answered.
    pub(crate) fn record_api(&self, tx: &mut Tx, call: &ApiCall, description: &str, status: u16) {
        self.record_api_with_secrets(tx, call, description, status, &[]);
    }

    /// The same where the answer holds these secrets in the clear.
    pub(crate) fn record_api_with_secrets(
        &self,
        tx: &mut Tx,
        call: &ApiCall,
        description: &str,
        status: u16,
        secrets: &[&str],
    ) {
        let mut details = api_details(call, status);
        details["request"]["body"] = shown::body(&call.body);
        if !secrets.is_empty() {
            details["accessedSecrets"] = json!(secrets);
        }
        self.event(EventKind::ApiOperation, &call.facts)
            .caller(&call.caller)
            .says(description)
            .details(details)
            .record(tx);
    }

    /// Records that a read of the Management API gives secrets in the clear (`mgmt_api_read`); `secrets` are the names
    /// of the properties. Nothing may be answered before it is recorded.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn record_secret_read(
        &self,
        call: &ApiCall,
        description: &str,
        secrets: &[&str],
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let mut details = api_details(call, 200);
                details["accessedSecrets"] = json!(secrets);
                self.event(EventKind::ApiSecretRead, &call.facts)
                    .caller(&call.caller)
                    .says(description)
                    .details(details)
                    .record(tx);
                Ok(())
            })
            .await
    }

    /// 16 hexadecimal digits that tie the traces of one thing together.
    pub(crate) fn trace_id(&self) -> String {
        hexadecimal(&self.random::<8>())
    }
}

/// `details` of a call of the Management API (Auth0: tenant log schema, `sapi` and `mgmt_api_read`).
fn api_details(call: &ApiCall, status: u16) -> Value {
    let facts = &call.facts;
    let scopes: Vec<&str> = call.caller.scopes.iter().collect();
    json!({
        "request": {
            "method": facts.method.to_lowercase(),
            "path": facts.path,
            "query": shown::list_query(&facts.query),
            "userAgent": facts.user_agent.as_deref().unwrap_or_default(),
            "channel": "api",
            "ip": facts.ip.as_deref().unwrap_or_default(),
            "auth": {
                "user": call.caller.subject,
                "strategy": "jwt",
                "credentials": { "jti": call.caller.jti.as_deref().unwrap_or_default(), "scopes": scopes },
            },
        },
        "response": { "statusCode": status, "body": {} },
    })
}
