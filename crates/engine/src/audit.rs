//! Appends log events to the same unit of work as the change that they tell of.
//!
//! Auth0: deploy & monitor › logs. No event holds a secret, a password or a token.

use domain::client::Client;
use domain::connection::Connection;
use domain::event::{EventKind, LogEvent};
use domain::id::{LogId, hexadecimal};
use domain::session::Session;
use domain::user::User;
use serde_json::{Map, Value, json};
use store::Tx;

use crate::{ApiCall, Engine, RequestFacts};

/// Names of body properties whose values never reach the log.
const SECRET_NAMES: &[&str] = &[
    "password",
    "client_secret",
    "secret",
    "value",
    "access_token",
    "refresh_token",
    "id_token",
    "signing_secret",
    "httpAuthorization",
];

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
            id: self.log_id(),
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
            ip: facts.ip.clone(),
            user_agent: facts.user_agent.clone(),
            hostname: facts.hostname.clone(),
            audience: None,
            scope: None,
            details: Value::Null,
        })
    }

    /// An identifier that sorts by time: `900`, seventeen digits of calendar time, and digits of chance.
    fn log_id(&self) -> LogId {
        let digits: String = self.now().to_string().chars().filter(char::is_ascii_digit).collect();
        let chance = u128::from_be_bytes(self.random::<16>());
        LogId::new(format!("900{digits}{:036}", chance % 10_u128.pow(36)))
    }

    /// Records that a write of the Management API succeeded (`sapi`). `status` is what the caller is answered.
    pub(crate) fn record_api(&self, tx: &mut Tx, call: &ApiCall, description: &str, status: u16) {
        let facts = &call.facts;
        let body = without_secrets(&call.body);
        let scopes: Vec<&str> = call.caller.scopes.iter().collect();
        let mut details = json!({
            "request": {
                "method": facts.method.to_lowercase(),
                "path": facts.path,
                "query": {},
                "userAgent": facts.user_agent,
                "body": body,
                "channel": "api",
                "ip": facts.ip,
                "auth": {
                    "user": { "user_id": call.caller.subject },
                    "strategy": "jwt",
                    "credentials": { "jti": call.caller.jti, "scopes": scopes },
                },
            },
            "response": { "statusCode": status, "body": {} },
        });
        if let Some(correlation_id) = &facts.correlation_id {
            details["references"] = json!({ "correlation_id": correlation_id });
        }
        self.event(EventKind::ApiOperation, facts)
            .client_id(call.caller.client_id.as_deref())
            .says(description)
            .details(details)
            .record(tx);
    }

    /// 16 hexadecimal digits that tie the traces of one thing together.
    pub(crate) fn trace_id(&self) -> String {
        hexadecimal(&self.random::<8>())
    }
}

/// The values of a map replaced by stars: the log tells which keys were set, not to what.
fn starred(value: &Value) -> Value {
    match value {
        Value::Object(entries) => entries.keys().map(|key| (key.clone(), json!("*****"))).collect(),
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => json!("*****"),
    }
}

/// The body with each secret replaced by stars, and with the values of session metadata, which are for the log only
/// where the tenant says so.
fn without_secrets(body: &Value) -> Value {
    match body {
        Value::Object(properties) => Value::Object(
            properties
                .iter()
                .map(|(name, value)| {
                    if name == "session_metadata" {
                        return (name.clone(), starred(value));
                    }
                    let hidden = SECRET_NAMES.contains(&name.as_str()) && !value.is_null();
                    (name.clone(), if hidden { json!("*****") } else { without_secrets(value) })
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_secrets).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => body.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::without_secrets;

    #[test]
    fn secrets_are_starred_at_any_depth() {
        let body = json!({"name": "a", "password": "p", "secrets": [{"name": "k", "value": "v"}]});
        let expect = json!({"name": "a", "password": "*****", "secrets": [{"name": "k", "value": "*****"}]});
        assert_eq!(without_secrets(&body), expect);
        let body = json!({"session_metadata": {"device": "phone"}});
        assert_eq!(without_secrets(&body), json!({"session_metadata": {"device": "*****"}}));
    }
}
