//! What is kept of the `event` of an Action that failed or refused, so that it can be run again.
//!
//! No secrets of the Action's, no tokens of the request's; passwords are in no event. Kept with the execution, which
//! only callers with `read:actions` reach, for as long as that; never in the log.

use domain::limits::ACTION_EVENT_BYTES_MAX;
use sandbox::Event;
use serde_json::Value;

/// Parameters of a request that prove something to whoever holds them.
const TOKENS: &[&str] =
    &["id_token_hint", "session_token", "client_assertion", "client_secret", "refresh_token", "code"];
/// What stands in their place.
const REMOVED: &str = "(removed)";

/// The event as JSON; absent where it is longer than a record may be. It must have been built without secrets.
pub(super) fn of(event: &Event) -> Option<Value> {
    let mut event = serde_json::to_value(event).ok()?;
    for place in ["/request/query", "/request/body"] {
        let Some(Value::Object(parameters)) = event.pointer_mut(place) else { continue };
        for (name, value) in parameters {
            if TOKENS.contains(&name.as_str()) {
                *value = REMOVED.into();
            }
        }
    }
    let bytes = serde_json::to_vec(&event).ok()?.len();
    (bytes <= ACTION_EVENT_BYTES_MAX).then_some(event)
}

#[cfg(test)]
mod tests {
    use domain::limits::ACTION_EVENT_BYTES_MAX;
    use sandbox::post_login::Event;

    use super::of;

    #[test]
    fn tokens_of_the_request_are_removed_and_the_rest_stays() {
        let mut event = Event::default();
        event.request.query.insert("id_token_hint".to_owned(), "eyJ".into());
        event.request.query.insert("prompt".to_owned(), "none".into());
        let kept = of(&event.into()).unwrap();
        assert_eq!(kept["request"]["query"]["id_token_hint"], "(removed)");
        assert_eq!(kept["request"]["query"]["prompt"], "none");
    }

    #[test]
    fn an_event_that_is_too_long_is_left_out() {
        let mut event = Event::default();
        event.user.user_metadata.insert("long".to_owned(), "x".repeat(ACTION_EVENT_BYTES_MAX).into());
        assert_eq!(of(&event.into()), None);
    }
}
