//! `api.cache`: what a script finds, keeps and forgets, and what it is told where that does not go.

use domain::action_cache::{ActionCache, CacheLifetime};
use domain::time::Timestamp;
use sandbox::post_login::Event;
use sandbox::{CacheView, Command, Job, Outcome};

use crate::kit::{action, commands, job, message, sandbox};

/// Far from the machine's own time, so that a test sees whose clock counts.
const NOW: Timestamp = Timestamp(2_000_000_000_000);

/// Runs a body that finds one value, kept for a minute yet.
async fn with_one(body: &str) -> Outcome {
    let mut entries = ActionCache::default();
    let minute = CacheLifetime { ttl_ms: Some(60_000.0), expires_at_ms: None };
    entries.set("known", "1".to_owned(), minute, NOW).unwrap();
    let cache = CacheView { entries, now: NOW };
    sandbox().run(Job { cache, ..job(&action(body), Event::default()) }).await
}

fn lines(outcome: &Outcome) -> Vec<&str> {
    assert_eq!(outcome.failure, None);
    outcome.console.iter().map(|line| line.text.as_str()).collect()
}

#[tokio::test]
async fn a_script_reads_what_is_there_and_what_it_kept_itself() {
    let outcome = with_one(
        "const show = (value) => console.log(JSON.stringify(value) ?? 'undefined');
        show(api.cache.get('known')); show(api.cache.get('other'));
        const kept = api.cache.set('other', 'ü', { ttl: 5000.5 });
        console.log(kept.type, kept.record.value, kept.record.expires_at - api.cache.get('known').expires_at < -54000);
        console.log(api.cache.get('other').value, api.cache.get('other').expires_at === kept.record.expires_at);
        show(api.cache.delete('known')); show(api.cache.get('known')); show(api.cache.delete('known'));",
    )
    .await;
    let expected = [
        r#"{"expires_at":2000000060000,"value":"1"}"#,
        "undefined",
        "success ü true",
        "ü true",
        r#"{"type":"success"}"#,
        "undefined",
        r#"{"code":"CacheKeyDoesNotExist","type":"error"}"#,
    ];
    assert_eq!(lines(&outcome), expected);
    let [Command::SetCache { key, value, expires_at_ms }, Command::DeleteCache { key: deleted }] =
        &*outcome.commands
    else {
        panic!("{:?}", outcome.commands)
    };
    assert_eq!((&**key, &**value, &**deleted), ("other", "ü", "known"));
    let ttl_ms = expires_at_ms - NOW.as_millis();
    assert!((5_000..15_000).contains(&ttl_ms), "the caller's clock and what the run took: {ttl_ms}");
}

#[tokio::test]
async fn what_is_not_kept_is_told_by_code_and_is_no_command() {
    let outcome = with_one(
        "const code = (result) => console.log(result.type, result.code);
        code(api.cache.set('k'.repeat(65), ''));
        code(api.cache.set('k', 'ü'.repeat(2049)));
        code(api.cache.set('k', '', { ttl: 0 }));
        code(api.cache.set('k', '', { expires_at: 2000000000000 }));
        code(api.cache.set('k', '', { ttl: '5' }));
        code(api.cache.set('k', '', { expires_at: null }));
        code(api.cache.set('k', '', { ttl: Infinity }));
        for (let n = 0; n < 19; n++) if (api.cache.set('k' + n, '').type !== 'success') throw new Error('full');
        code(api.cache.set('k19', ''));
        code(api.cache.delete('k19'));",
    )
    .await;
    let expected = [
        "error CacheKeySizeExceeded",
        "error CacheValueSizeExceeded",
        "error ItemAlreadyExpired",
        "error ItemAlreadyExpired",
        "error InvalidExpiry",
        "error InvalidExpiry",
        "error InvalidExpiry",
        "error CacheSizeExceeded",
        "error CacheKeyDoesNotExist",
    ];
    assert_eq!(lines(&outcome), expected);
    assert_eq!(outcome.commands.len(), 19);
}

#[tokio::test]
async fn too_many_changes_are_told_by_code_too() {
    let body = "let last; for (let n = 0; n < 1001; n++) last = api.cache.set('k', String(n));
        if (last.code !== 'MaxSideEffectsExceeded' || api.cache.get('k').value !== '999') throw new Error(last.code);
        if (api.cache.delete('k').code !== 'MaxSideEffectsExceeded') throw new Error('deleted');";
    assert_eq!(commands(body).await.len(), 1_000);
}

#[tokio::test]
async fn keys_and_values_are_strings() {
    let expected = "The key given to api.cache.get must be a string.";
    assert_eq!(message("api.cache.get(1)").await, expected);
    assert_eq!(
        message("api.cache.set('k', { a: 1 })").await,
        "The value given to api.cache.set must be a string."
    );
    assert_eq!(message("api.cache.delete()").await, "The key given to api.cache.delete must be a string.");
}

#[tokio::test]
async fn a_value_ends_while_the_script_still_runs() {
    let body = "api.cache.set('k', '1', { ttl: 20 });
        if (!api.cache.get('k')) throw new Error('gone at once');
        await new Promise((done) => setTimeout(done, 40));
        if (api.cache.get('k')) throw new Error('still there');";
    assert_eq!(commands(body).await.len(), 1);
}
