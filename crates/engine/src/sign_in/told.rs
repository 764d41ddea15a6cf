//! What the log tells of a sign-in, by kind of event.
//!
//! Auth0: tenant log schema, `s`, `ssa`, `f`, `fsa`.

use domain::id::ActionId;
use domain::session::Session;
use domain::time::Timestamp;
use domain::user::User;
use protocol::error::{OAuthError, OAuthErrorCode};
use serde_json::{Value, json};

use super::Working;
use super::prove::executions_detail;
use crate::actions::run::TriggerRun;
use crate::audit::shown;

/// `details` of a sign-in that ended well.
pub(super) fn success(
    working: &Working,
    run: &TriggerRun,
    user: &User,
    session: &Session,
    now: Timestamp,
) -> Value {
    let execution_id = run.execution_id().map(ActionId::as_str);
    let mut details = json!({
        "session_id": session.id,
        "session": { "cookie": { "mode": session.cookie_mode.as_str() } },
        "actions": executions_detail(working.earlier_executions(), execution_id),
        "stats": { "loginsCount": user.logins_count },
        "transaction_id": working.transaction_id,
    });
    if let Some(sign_in) = &working.sign_in {
        details["initiatedAt"] = json!(sign_in.created_at.as_millis());
        details["completedAt"] = json!(now.as_millis());
        details["elapsedTime"] = json!(now.millis_since(sign_in.created_at));
        if !working.is_unproved() {
            details["prompts"] = json!([prompt(working, user, session, sign_in.created_at)]);
        }
    }
    details
}

/// The page on which the user proved who they are.
fn prompt(working: &Working, user: &User, session: &Session, begun: Timestamp) -> Value {
    let proved = session.authenticated_at;
    let own_id = user.identities.iter().find(|identity| identity.connection_id == working.connection.id);
    json!({
        "name": "prompt-authenticate",
        "flow": "login",
        "initiatedAt": begun.as_millis(),
        "completedAt": proved.as_millis(),
        "elapsedTime": proved.millis_since(begun),
        "connection": working.connection.name,
        "connection_id": working.connection.id,
        "strategy": working.connection.strategy,
        "identity": own_id.map_or("", |identity| identity.user_id.as_str()),
        "performed_amr": session.methods.iter().map(|method| method.name.as_str()).collect::<Vec<_>>(),
        "requiredCaptcha": false,
        "session_id": session.id,
        "user_id": user.id,
    })
}

/// `details` of a sign-in that Actions refused or failed. The payload holds what the client was told.
pub(super) fn denial(working: &Working, run: &TriggerRun, description: &str, code: OAuthErrorCode) -> Value {
    let request = &working.request;
    let attempts = working.sign_in.as_ref().map_or(0, |sign_in| sign_in.attempts);
    json!({
        "error": {
            "message": description,
            "oauthError": code.as_str(),
            "type": "oauth-authorization",
            "payload": {
                "error": code.as_str(),
                "error_description": description,
                "state": request.state,
                "attempt": attempts + 1,
                "authorized": [],
                "clientID": working.client.id,
                "code": code.as_str(),
                "message": description,
                "name": if run.failed.is_some() { "ActionFailed" } else { "ActionDenied" },
                "status": "denied",
            },
        },
        "qs": shown::authorize_query(&request.query),
        "session_id": working.session.id,
        "session": { "cookie": { "mode": working.session.cookie_mode.as_str() } },
        "transaction_id": working.transaction_id,
        "actions": executions_detail(
            working.earlier_executions(),
            run.execution_id().map(ActionId::as_str),
        ),
    })
}

/// `details` of a request that was refused before anybody signed in. `kind` says by whom: `request-error` where the
/// request is not legal, `oauth-authorization` where its client was told.
pub(crate) fn refusal(error: &OAuthError, kind: &str, query: &[(String, String)]) -> Value {
    let mut details = json!({
        "error": { "message": error.description, "oauthError": error.code.as_str(), "type": kind },
        "qs": shown::authorize_query(query),
    });
    if let Some(debug) = &error.debug {
        details["debug"] = json!(debug);
    }
    details
}
