//! An event as those who read the log get it: what is stored, and what follows from it.
//!
//! Auth0: tenant log schema; `GET /api/v2/logs`. The members that the schema asks for are always there, empty where
//! there is nothing to say. Readers of the Management API get [`Engine::log_body`] as it is.

use domain::connection::STRATEGY_DATABASE;
use domain::event::{EventKind, LogEvent};
use serde_json::{Value, json};

use crate::Engine;

/// Words of a user agent that stand for something small (MDN: browser detection using the user agent).
const MOBILE_WORDS: [&str; 5] = ["Mobi", "Android", "iPhone", "iPad", "iPod"];

impl Engine {
    /// The event with Auth0's names.
    pub fn log_body(&self, event: &LogEvent) -> Value {
        let text = |value: &Option<String>| value.as_deref().unwrap_or_default().to_owned();
        let strategy = text(&event.strategy);
        let mut body = json!({
            "date": event.date.to_string(),
            "type": event.kind.code(),
            "description": text(&event.description),
            "log_id": event.id,
            "_id": event.id,
            "isMobile": event.user_agent.as_deref().is_some_and(is_mobile),
            "client_name": text(&event.client_name),
            "hostname": text(&event.hostname),
            "strategy_type": strategy_type(&strategy),
            "strategy": strategy,
            "tenant_name": self.settings().tenant,
            "environment_name": self.settings().domain,
            "details": if event.details.is_null() { json!({}) } else { event.details.clone() },
        });
        let texts = [
            ("client_id", &event.client_id),
            ("user_id", &event.user_id),
            ("user_name", &event.user_name),
            ("session_id", &event.session_id),
            ("connection", &event.connection),
            ("connection_id", &event.connection_id),
            ("organization_id", &event.organization_id),
            ("organization_name", &event.organization_name),
            ("ip", &event.ip),
            ("user_agent", &event.user_agent),
            ("audience", &event.audience),
            ("scope", &event.scope),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                body[name] = value.as_str().into();
            }
        }
        if event.audience.is_none() && tells_audience(event.kind) {
            body["audience"] = "".into();
        }
        if let Some(client) = &event.auth0_client {
            body["auth0_client"] = client.clone();
        }
        if let Some(id) = &event.correlation_id {
            body["references"] = json!({ "correlation_id": id });
        }
        body
    }
}

/// Auth0's category of a strategy.
pub(crate) fn strategy_type(strategy: &str) -> &'static str {
    match strategy {
        "" => "",
        STRATEGY_DATABASE => "database",
        _ => "enterprise",
    }
}

fn is_mobile(user_agent: &str) -> bool {
    MOBILE_WORDS.iter().any(|word| user_agent.contains(word))
}

/// Whether the schema asks for an audience, even where none is known.
const fn tells_audience(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::SilentAuthFailed
            | EventKind::CodeExchange
            | EventKind::ClientCredentials
            | EventKind::ClientCredentialsFailed
            | EventKind::RefreshExchange
            | EventKind::RefreshExchangeFailed
            | EventKind::RefreshReuse
            | EventKind::Warning
    )
}

#[cfg(test)]
mod tests {
    use super::{is_mobile, strategy_type};

    #[test]
    fn small_things_are_told_by_their_user_agent() {
        assert!(is_mobile("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148"));
        assert!(is_mobile("Mozilla/5.0 (Linux; Android 14; Pixel 8)"));
        assert!(!is_mobile("Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"));
    }

    #[test]
    fn a_strategy_has_a_category() {
        assert_eq!(
            (strategy_type("auth0"), strategy_type("oidc"), strategy_type("")),
            ("database", "enterprise", "")
        );
    }
}
