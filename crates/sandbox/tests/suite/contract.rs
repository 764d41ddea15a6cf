//! Each method of `api`: the command it appends, what the script sees afterwards, the texts it throws.

use sandbox::post_login::Event;
use sandbox::{Command, CookieMode, Failure};
use serde_json::json;

use crate::kit::{action, commands, event_with_session, job, message, run, sandbox};

const PREFIX: &str = "Failed to set session metadata: ";

fn set(key: &str, value: &str) -> Command {
    Command::SetSessionMetadata { key: key.to_owned(), value: value.to_owned() }
}

fn delete(key: &str) -> Command {
    Command::DeleteSessionMetadata { key: key.to_owned() }
}

/// Runs a body in an event without a session.
async fn without_session(body: &str) -> sandbox::Outcome {
    sandbox().run(job(&action(body), Event::default())).await
}

#[tokio::test]
async fn metadata_commands_keep_their_order() {
    let body = "api.session.setMetadata('b', '2'); api.session.deleteMetadata('old');
        api.session.setMetadata('a', '1'); api.session.setMetadata('b', null); api.session.evictMetadata();
        api.session.setMetadata('c', '');";
    let expected = [
        set("b", "2"),
        delete("old"),
        set("a", "1"),
        delete("b"),
        Command::EvictSessionMetadata,
        set("c", ""),
    ];
    assert_eq!(commands(body).await, expected);
}

#[tokio::test]
async fn the_event_shows_each_change_at_once_as_a_fresh_copy() {
    let body = "const before = event.session.metadata;
        const seen = () => JSON.stringify(event.session.metadata);
        api.session.setMetadata('k', 'v');
        console.log(seen(), JSON.stringify(before), before === event.session.metadata);
        event.session.metadata.spoiled = 'x';
        api.session.deleteMetadata('old');
        console.log(seen());
        api.session.evictMetadata();
        console.log(seen());
        api.session.setMetadata('__proto__', 'own');
        console.log(seen(), Object.getPrototypeOf(event.session.metadata) === Object.prototype);";
    let outcome = run(body).await;
    assert_eq!(outcome.failure, None);
    let lines: Vec<_> = outcome.console.iter().map(|line| line.text.as_str()).collect();
    let expected =
        [r#"{"k":"v","old":"1"} {"old":"1"} false"#, r#"{"k":"v"}"#, "{}", r#"{"__proto__":"own"} true"#];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn each_metadata_rule_throws_auth0s_text() {
    let long = "'x'.repeat(256)";
    let rules = [
        ("5, 'v'".to_owned(), "Metadata key must be a string"),
        ("'k'".to_owned(), "Metadata value must be a string"),
        ("'k', 5".to_owned(), "Metadata value must be a string"),
        ("'k', ['v']".to_owned(), "Metadata value must be a string"),
        (format!("{long}, 'v'"), "All metadata keys must be at most 255 characters long"),
        ("'a\\0', 'v'".to_owned(), "Metadata keys must not contain null bytes (\\x00)"),
        ("'', 'v'".to_owned(), "Metadata keys may only include letters, numbers, underscores, or hyphens"),
        (
            "'bad key!', 'v'".to_owned(),
            "Metadata keys may only include letters, numbers, underscores, or hyphens",
        ),
        (
            "'\\ud800', 'v'".to_owned(),
            "Metadata keys may only include letters, numbers, underscores, or hyphens",
        ),
        (format!("'k', {long}"), "All metadata values must be at most 255 characters long"),
        ("'k', 'v\\0'".to_owned(), "Metadata values must not contain null bytes (\\x00)"),
    ];
    for (arguments, text) in rules {
        let got = message(&format!("api.session.setMetadata({arguments})")).await;
        assert_eq!(got, format!("{PREFIX}Invalid metadata: {text}"), "{arguments}");
    }
    let got = message("for (let n = 0; n < 26; n++) api.session.setMetadata('k' + n, 'v')").await;
    assert_eq!(got, format!("{PREFIX}Invalid metadata: Metadata must not contain more than 25 entries"));
}

#[tokio::test]
async fn the_key_is_checked_before_the_value_and_the_session_before_both() {
    let got = message("api.session.setMetadata(5, 5)").await;
    assert!(got.ends_with("Metadata key must be a string"), "{got}");
    let got = message("api.session.setMetadata(5, null)").await;
    assert!(got.ends_with("Metadata key must be a string"), "{got}");
    let outcome = without_session("api.session.setMetadata(5, 5)").await;
    let expected = format!("{PREFIX}Cannot set metadata on a session that does not exist.");
    assert!(matches!(&outcome.failure, Some(Failure::Script { message, .. }) if *message == expected));
    assert_eq!(outcome.failure.unwrap().to_string(), expected);
}

#[tokio::test]
async fn a_null_value_deletes_without_any_check_of_the_key() {
    assert_eq!(commands("api.session.setMetadata('bad key!', null)").await, []);
    assert_eq!(commands("api.session.setMetadata('old', null)").await, [delete("old")]);
}

#[tokio::test]
async fn after_a_caught_refusal_the_map_is_unharmed() {
    let body = "try { api.session.setMetadata('bad key!', 'v') } catch {}
        api.session.setMetadata('good', 'v');
        if (Object.keys(event.session.metadata).length !== 2) throw new Error('harmed');";
    assert_eq!(commands(body).await, [set("good", "v")]);
}

#[tokio::test]
async fn deleting_and_evicting_without_a_session_do_nothing() {
    let body = "api.session.deleteMetadata('k'); api.session.evictMetadata(); api.session.setCookieMode('persistent');
        api.session.setExpiresAt(5); api.session.setIdleExpiresAt(5);";
    let outcome = without_session(body).await;
    assert_eq!((outcome.failure, outcome.commands), (None, vec![]));
    assert_eq!(commands("api.session.deleteMetadata('absent')").await, []);
}

#[tokio::test]
async fn session_expiry_wants_milliseconds() {
    let got =
        commands("api.session.setExpiresAt(1700000000000); api.session.setIdleExpiresAt(1600000000000.7)")
            .await;
    let expected = [
        Command::SetSessionExpiresAt { at_ms: 1_700_000_000_000 },
        Command::SetSessionIdleExpiresAt { at_ms: 1_600_000_000_000 },
    ];
    assert_eq!(got, expected);
    let missing = "Either inactivity or absolute expiration time must be provided";
    for call in ["setExpiresAt()", "setExpiresAt(0)", "setIdleExpiresAt(null)", "setIdleExpiresAt(NaN)"] {
        assert_eq!(message(&format!("api.session.{call}")).await, missing, "{call}");
    }
    let got = message("api.session.setExpiresAt(new Date())").await;
    assert!(got.contains("milliseconds"), "{got}");
}

#[tokio::test]
async fn the_cookie_mode_is_one_of_two_and_shows_in_the_event() {
    let body = "api.session.setCookieMode('non-persistent');
        if (event.session.cookie.mode !== 'non-persistent') throw new Error('not shown');
        api.session.setCookieMode('persistent');";
    let mode = |mode| Command::SetSessionCookieMode { mode };
    assert_eq!(commands(body).await, [mode(CookieMode::NonPersistent), mode(CookieMode::Persistent)]);
    assert_eq!(message("api.session.setCookieMode()").await, "Cookie mode must be provided");
    assert_eq!(
        message("api.session.setCookieMode('x')").await,
        "Invalid cookie mode: x. Valid values are 'persistent' and 'non-persistent'."
    );
}

#[tokio::test]
async fn denial_and_revocation_carry_their_reasons() {
    let revoke = |reason: &str, preserve_refresh_tokens| Command::RevokeSession {
        reason: reason.to_owned(),
        preserve_refresh_tokens,
    };
    let got = commands(
        "api.access.deny('go away').access.deny();
        api.session.revoke('stolen'); api.session.revoke('moved', { preserveRefreshTokens: true });",
    )
    .await;
    let deny = |reason: &str| Command::DenyAccess { reason: reason.to_owned() };
    assert_eq!(got, [deny("go away"), deny(""), revoke("stolen", false), revoke("moved", true)]);
}

#[tokio::test]
async fn claims_and_user_metadata_carry_any_json_and_chain() {
    let got = commands(
        "api.idToken.setCustomClaim('https://x/roles', ['a', { b: 1 }])
            .accessToken.setCustomClaim('n', 1.5)
            .user.setUserMetadata('theme', 'dark').user.setAppMetadata('old', null)
            .idToken.setCustomClaim('none', undefined);",
    )
    .await;
    let expected = [
        Command::SetIdTokenClaim { name: "https://x/roles".to_owned(), value: json!(["a", { "b": 1 }]) },
        Command::SetAccessTokenClaim { name: "n".to_owned(), value: json!(1.5) },
        Command::SetUserMetadata { name: "theme".to_owned(), value: json!("dark") },
        Command::SetAppMetadata { name: "old".to_owned(), value: json!(null) },
        Command::SetIdTokenClaim { name: "none".to_owned(), value: json!(null) },
    ];
    assert_eq!(got, expected);
    for (value, part) in [
        ("() => 1", "must be JSON"),
        ("5n", "BigInt"),
        ("(() => { const a = {}; a.a = a; return a })()", "circular"),
    ] {
        let got = message(&format!("api.idToken.setCustomClaim('k', {value})")).await;
        assert!(got.to_lowercase().contains(&part.to_lowercase()), "{value}: {got}");
    }
    let got = message("api.user.setUserMetadata(5, 5)").await;
    assert_eq!(got, "The name given to api.user.setUserMetadata must be a non-empty string.");
}

#[tokio::test]
async fn scopes_are_added_and_removed_and_hold_no_spaces() {
    let got = commands(
        "if (api.accessToken.addScope('read:x') !== undefined) throw new Error('chained');
        api.accessToken.removeScope('write:x')",
    )
    .await;
    let expected = [
        Command::AddScope { scope: "read:x".to_owned() },
        Command::RemoveScope { scope: "write:x".to_owned() },
    ];
    assert_eq!(got, expected);
    for value in ["'a b'", "''", "5", "'x'.repeat(281)"] {
        let got = message(&format!("api.accessToken.addScope({value})")).await;
        assert!(got.starts_with("The scope given to api.accessToken.addScope"), "{got}");
    }
}

#[tokio::test]
async fn transaction_metadata_holds_small_scalars_and_shows_at_once() {
    let body = "api.transaction.setMetadata('s', 'x'); api.transaction.setMetadata('n', 2);
        api.transaction.setMetadata('b', true); api.transaction.setMetadata('s', null);
        if (JSON.stringify(event.transaction.metadata) !== '{\"n\":2,\"b\":true}') throw new Error('not shown');";
    let set = |key: &str, value| Command::SetTransactionMetadata { key: key.to_owned(), value };
    let expected = [set("s", json!("x")), set("n", json!(2)), set("b", json!(true)), set("s", json!(null))];
    assert_eq!(commands(body).await, expected);
    for arguments in
        ["'k', {}", "'k', undefined", "'k', NaN", "'', 'v'", "'x'.repeat(65), 'v'", "'k', 'v'.repeat(8193)"]
    {
        let got = message(&format!("api.transaction.setMetadata({arguments})")).await;
        assert!(got.contains("api.transaction.setMetadata"), "{arguments}: {got}");
    }
    let got = message("for (const k of 'abc') api.transaction.setMetadata(k, 'v'.repeat(8000))").await;
    assert!(got.contains("too long"), "{got}");
}

#[tokio::test]
async fn a_validation_error_carries_code_and_message() {
    let expected = Command::ValidationError { code: "c".to_owned(), message: "m".to_owned() };
    assert_eq!(commands("if (api.validation.error('c', 'm') !== api) throw 1").await, [expected]);
}

#[tokio::test]
async fn what_is_missing_says_so_by_name() {
    let calls = [
        "multifactor.enable",
        "samlResponse.setAttribute",
        "samlResponse.setRelayState",
        "prompt.render",
        "authentication.challengeWith",
        "groups.getUserGroups",
        "roles.getUserEffectiveRoles",
        "rules.wasExecuted",
        "transaction.addTargetScope",
    ];
    let body: String = calls
        .iter()
        .map(|call| {
            format!(
                "try {{ api.{call}('x'); console.log('silent') }} catch (e) {{ console.log(e.message) }}\n"
            )
        })
        .collect();
    let outcome = run(&body).await;
    assert_eq!(outcome.failure, None);
    for (call, line) in calls.iter().zip(&outcome.console) {
        assert_eq!(line.text, format!("api.{call} is not available on this server yet."));
    }
    assert_eq!(outcome.console.len(), calls.len());
}

#[tokio::test]
async fn a_script_that_patches_built_ins_changes_neither_rules_nor_commands() {
    let body = "
        const evil = () => { throw new Error('patched') };
        for (const prototype of [Array.prototype, String.prototype, Map.prototype, Set.prototype, RegExp.prototype]) {
            for (const name of Object.getOwnPropertyNames(prototype)) {
                if (name === 'constructor' || name === 'length') continue;
                try { prototype[name] = evil } catch {}
            }
        }
        Array.prototype[Symbol.iterator] = evil;
        Object.prototype.toJSON = () => ({ k: 'forged' });
        JSON.parse = JSON.stringify = Reflect.apply = Reflect.defineProperty = evil;
        Function.prototype.call = Function.prototype.apply = Function.prototype.bind = evil;
        Object.defineProperty(Object.prototype, 'value', { get: evil, set: evil, configurable: true });
        globalThis.Error = globalThis.String = globalThis.Promise = undefined;
        let refused = false;
        try { api.session.setMetadata('bad key!', 'v') } catch { refused = true }
        if (!refused) throw 'not refused';
        api.session.setMetadata('k', 'v');
        if (event.session.metadata.k !== 'v') throw 'not shown';
        delete Object.prototype.toJSON;
        api.idToken.setCustomClaim('c', { a: [1] });
        console.log('still %s', 'here');";
    let outcome = run(body).await;
    assert_eq!(outcome.failure, None);
    let claim = Command::SetIdTokenClaim { name: "c".to_owned(), value: json!({ "a": [1] }) };
    assert_eq!(outcome.commands, [set("k", "v"), claim]);
    assert_eq!(outcome.console[0].text, "still here");
}

#[tokio::test]
async fn a_script_that_replaces_its_event_misleads_only_itself() {
    let body = "Object.freeze(event.session);
        api.session.setMetadata('frozen', 'v');
        event.session = { get metadata() { return { forged: 'x' } } };
        api.session.setMetadata('k', 'v');";
    assert_eq!(commands(body).await, [set("frozen", "v"), set("k", "v")]);
}

#[tokio::test]
async fn commands_of_a_failed_run_are_reported_beside_the_failure() {
    let outcome = run("api.session.setMetadata('k', 'v'); throw new TypeError('late')").await;
    assert_eq!(outcome.commands, [set("k", "v")]);
    assert!(matches!(&outcome.failure, Some(Failure::Script { name, .. }) if name == "TypeError"));
}

#[tokio::test]
async fn a_flood_of_commands_is_refused() {
    let outcome = run("for (;;) api.access.deny('x')").await;
    assert_eq!(outcome.commands.len(), 1_000);
    assert!(outcome.failure.unwrap().to_string().contains("at most 1000"));
}

#[tokio::test]
async fn the_event_holds_what_the_struct_holds_and_absent_is_absent() {
    let mut event = event_with_session(&[("a", "1")]);
    event.user.user_id = "auth0|1".to_owned();
    event.secrets = std::collections::BTreeMap::from([("KEY".to_owned(), "s3cret".to_owned())]).into();
    event.stats.logins_count = 7;
    assert!(!format!("{event:?}").contains("s3cret"));
    let body = "console.log(event.user.user_id, event.secrets.KEY, event.stats.logins_count, event.session.metadata.a,
        'organization' in event, 'email' in event.user, 'refresh_token' in event);";
    let outcome = sandbox().run(job(&action(body), event)).await;
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.console[0].text, "auth0|1 s3cret 7 1 false false false");
}
