//! `api.refreshToken`: its commands, what the event shows, the texts it throws.

use sandbox::post_login::{Event, RefreshToken};
use sandbox::{Command, Failure, Outcome};

use crate::kit::{action, commands, job, message, sandbox};

const PREFIX: &str = "Failed to set refresh token metadata: Invalid metadata: ";

fn set(key: &str, value: &str) -> Command {
    Command::SetRefreshTokenMetadata { key: key.to_owned(), value: value.to_owned() }
}

fn delete(key: &str) -> Command {
    Command::DeleteRefreshTokenMetadata { key: key.to_owned() }
}

/// Runs a body in an exchange of a refresh token with one entry.
async fn exchange(body: &str) -> Outcome {
    let metadata = Some([("old".to_owned(), "1".to_owned())].into());
    let token = RefreshToken { id: "rt_1".to_owned(), metadata, ..RefreshToken::default() };
    sandbox().run(job(&action(body), Event { refresh_token: Some(token), ..Event::default() })).await
}

#[tokio::test]
async fn metadata_can_be_set_before_there_is_a_token_and_the_event_stays() {
    let body = "api.refreshToken.setMetadata('a', '1'); api.refreshToken.setMetadata('a', null);
        api.refreshToken.deleteMetadata('absent'); api.refreshToken.evictMetadata();
        if (event.refresh_token !== undefined) throw new Error('made up');";
    assert_eq!(commands(body).await, [set("a", "1"), delete("a"), Command::EvictRefreshTokenMetadata]);
}

#[tokio::test]
async fn the_event_of_an_exchange_shows_each_change_at_once() {
    let outcome = exchange(
        "const seen = () => console.log(JSON.stringify(event.refresh_token.metadata));
        api.refreshToken.setMetadata('k', 'v'); seen();
        event.refresh_token.metadata.spoiled = 'x';
        api.refreshToken.deleteMetadata('old'); seen();
        api.refreshToken.evictMetadata(); seen();",
    )
    .await;
    let lines: Vec<_> = outcome.console.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, [r#"{"old":"1","k":"v"}"#, r#"{"k":"v"}"#, "{}"]);
    assert_eq!(outcome.commands, [set("k", "v"), delete("old"), Command::EvictRefreshTokenMetadata]);
}

#[tokio::test]
async fn the_rules_are_a_sessions_under_a_prefix_of_their_own() {
    for (arguments, text) in [
        ("5, 'v'", "Metadata key must be a string"),
        ("'k', 5", "Metadata value must be a string"),
        ("'k'", "Metadata value must be a string"),
        ("'bad key!', 'v'", "Metadata keys may only include letters, numbers, underscores, or hyphens"),
        ("'k', 'x'.repeat(256)", "All metadata values must be at most 255 characters long"),
        ("'k', 'v\\0'", "Metadata values must not contain null bytes (\\x00)"),
    ] {
        let got = message(&format!("api.refreshToken.setMetadata({arguments})")).await;
        assert_eq!(got, format!("{PREFIX}{text}"), "{arguments}");
    }
    let got = message("for (let n = 0; n < 26; n++) api.refreshToken.setMetadata('k' + n, 'v')").await;
    assert_eq!(got, format!("{PREFIX}Metadata must not contain more than 25 entries"));
    let body = "try { api.refreshToken.setMetadata('bad key!', 'v') } catch {}
        api.refreshToken.setMetadata('good', 'v');";
    assert_eq!(commands(body).await, [set("good", "v")]);
}

#[tokio::test]
async fn patched_built_ins_do_not_bend_the_rules() {
    let body = "Object.prototype.toJSON = () => 'forged';
        Object.defineProperty(Array.prototype, '0', { set() { throw new Error('patched') } });
        api.refreshToken.setMetadata('k', 'v');";
    assert_eq!(commands(body).await, [set("k", "v")]);
}

#[tokio::test]
async fn lifetimes_want_milliseconds_and_a_revocation_its_reason() {
    let body =
        "api.refreshToken.setExpiresAt(1700000000000); api.refreshToken.setIdleExpiresAt(1600000000000.7);
        api.refreshToken.revoke('gone');";
    let expected = [
        Command::SetRefreshTokenExpiresAt { at_ms: 1_700_000_000_000 },
        Command::SetRefreshTokenIdleExpiresAt { at_ms: 1_600_000_000_000 },
        Command::RevokeRefreshToken { reason: "gone".to_owned() },
    ];
    assert_eq!(commands(body).await, expected);
    let missing = "Either inactivity or absolute expiration time must be provided";
    assert_eq!(message("api.refreshToken.setExpiresAt(0)").await, missing);
    assert_eq!(message("api.refreshToken.setIdleExpiresAt()").await, missing);
    let wrong = exchange("api.refreshToken.setExpiresAt('soon')").await;
    assert!(matches!(wrong.failure, Some(Failure::Script { name, .. }) if name == "TypeError"));
}
