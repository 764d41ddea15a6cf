//! The triggers that nobody waits for: what their scripts are told, and that `api` holds nothing but the cache.

use std::sync::Arc;

use sandbox::{
    CacheView, Command, Event, Failure, Job, Outcome, post_change_password, post_login,
    post_user_registration,
};

use crate::kit::{LIMITS, sandbox};

async fn run(handler: &str, event: Event, body: &str) -> Outcome {
    let code = format!("exports.{handler} = async (event, api) => {{\n{body}\n}};");
    let action_name = "My Action".to_owned();
    let (handler, cache, modules) = (handler.to_owned(), CacheView::default(), Vec::new());
    let code = Arc::from(code);
    sandbox().run(Job { code, handler, event, limits: LIMITS, action_name, cache, modules }).await
}

fn registered(event: post_user_registration::Event) -> Event {
    Event::PostUserRegistration(Box::new(event))
}

async fn registration(event: post_user_registration::Event, body: &str) -> Outcome {
    run(post_user_registration::HANDLER, registered(event), body).await
}

async fn password(body: &str) -> Outcome {
    let mut event = post_change_password::Event::default();
    event.user.user_id = "auth0|1".to_owned();
    event.request.ip = "192.0.2.1".to_owned();
    run(post_change_password::HANDLER, Event::PostChangePassword(Box::new(event)), body).await
}

/// The only console line of a run that ended well.
fn line(outcome: &Outcome) -> &str {
    assert_eq!(outcome.failure, None);
    &outcome.console[0].text
}

const METHODS: &str = "console.log(Object.keys(api).join(), Object.keys(api.cache).join())";

#[tokio::test]
async fn there_is_nothing_to_ask_for_but_the_cache() {
    let nothing = post_user_registration::Event::default();
    assert_eq!(line(&registration(nothing.clone(), METHODS).await), "cache get,set,delete");
    assert_eq!(line(&password(METHODS).await), "cache get,set,delete");
    let outcome = registration(nothing, "api.cache.set('k', 'v'); api.access.deny('no')").await;
    assert!(matches!(outcome.failure, Some(Failure::Script { .. })), "{:?}", outcome.failure);
    assert!(matches!(&*outcome.commands, [Command::SetCache { key, .. }] if key == "k"));
}

#[tokio::test]
async fn a_registration_tells_the_request_only_where_a_person_made_it() {
    let body = "console.log('request' in event, 'transaction' in event, event.user.user_id, event.user.email_verified)";
    let mut event = post_user_registration::Event::default();
    event.user.user_id = "auth0|1".to_owned();
    assert_eq!(line(&registration(event.clone(), body).await), "false false auth0|1 false");
    event.request = Some(post_login::Request::default());
    event.transaction = Some(post_user_registration::Transaction::default());
    assert_eq!(line(&registration(event, body).await), "true true auth0|1 false");
}

#[tokio::test]
async fn a_changed_password_tells_whose_and_from_where() {
    let outcome =
        password("console.log(event.user.user_id, event.request.ip, 'password' in event.user)").await;
    assert_eq!(line(&outcome), "auth0|1 192.0.2.1 false");
}

#[tokio::test]
async fn the_handler_has_its_own_name() {
    let event = registered(post_user_registration::Event::default());
    let outcome = sandbox()
        .run(Job {
            code: Arc::from("exports.onExecutePostLogin = async () => {};"),
            handler: post_user_registration::HANDLER.to_owned(),
            event,
            limits: LIMITS,
            action_name: "My Action".to_owned(),
            cache: CacheView::default(),
            modules: Vec::new(),
        })
        .await;
    assert_eq!(outcome.failure, Some(Failure::NoHandler));
}
