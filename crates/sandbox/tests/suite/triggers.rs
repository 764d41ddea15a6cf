//! What `api` is at triggers other than post-login: the methods there are, and no others.

use std::sync::Arc;

use sandbox::{
    CacheView, Command, Event, Failure, Job, Outcome, credentials_exchange, pre_user_registration,
};
use serde_json::json;

use crate::kit::{LIMITS, sandbox};

async fn run(handler: &str, event: Event, body: &str) -> Outcome {
    let code = format!("exports.{handler} = async (event, api) => {{\n{body}\n}};");
    let action_name = "My Action".to_owned();
    let (handler, cache) = (handler.to_owned(), CacheView::default());
    let job = Job { code: Arc::from(code), handler, event, limits: LIMITS, action_name, cache };
    sandbox().run(job).await
}

async fn credentials(body: &str) -> Outcome {
    let mut event = credentials_exchange::Event::default();
    event.access_token.scope = vec!["read:orders".to_owned()];
    run(credentials_exchange::HANDLER, Event::CredentialsExchange(Box::new(event)), body).await
}

async fn registration(body: &str) -> Outcome {
    let mut event = pre_user_registration::Event::default();
    event.user.email = Some("ann@example.com".to_owned());
    run(pre_user_registration::HANDLER, Event::PreUserRegistration(Box::new(event)), body).await
}

fn message(outcome: &Outcome) -> &str {
    match &outcome.failure {
        Some(Failure::Script { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_credentials_exchange_sets_claims_and_denies_with_a_code() {
    let outcome = credentials(
        "api.accessToken.setCustomClaim('https://x/scope', event.accessToken.scope).access.deny('invalid_scope', 'no');",
    )
    .await;
    assert_eq!(outcome.failure, None);
    let expected = [
        Command::SetAccessTokenClaim { name: "https://x/scope".to_owned(), value: json!(["read:orders"]) },
        Command::DenyAccessWithCode { code: "invalid_scope".to_owned(), reason: "no".to_owned() },
    ];
    assert_eq!(outcome.commands, expected);
    let outcome = credentials("api.transaction.addTargetScope('x')").await;
    assert_eq!(message(&outcome), "api.transaction.addTargetScope is not available on this server yet.");
    let outcome =
        credentials("if (api.session || api.user || api.idToken) throw new Error('too much')").await;
    assert_eq!(outcome.failure, None);
    let outcome = credentials("api.access.deny('', 'no')").await;
    assert_eq!(message(&outcome), "The name given to api.access.deny must be a non-empty string.");
}

#[tokio::test]
async fn a_registration_sets_metadata_and_denies_with_words_for_the_user() {
    let outcome = registration(
        "api.user.setUserMetadata('from', event.user.email).user.setAppMetadata('n', 1);
        api.validation.error('code', 'shown'); api.access.deny('reason', 'also shown');",
    )
    .await;
    assert_eq!(outcome.failure, None);
    let denied = |reason: &str, message: &str| Command::DenyRegistration {
        reason: reason.to_owned(),
        user_message: message.to_owned(),
    };
    let expected = [
        Command::SetUserMetadata { name: "from".to_owned(), value: json!("ann@example.com") },
        Command::SetAppMetadata { name: "n".to_owned(), value: json!(1) },
        denied("code", "shown"),
        denied("reason", "also shown"),
    ];
    assert_eq!(outcome.commands, expected);
    let outcome = registration("if (api.session || api.accessToken) throw new Error('too much')").await;
    assert_eq!(outcome.failure, None);
}
