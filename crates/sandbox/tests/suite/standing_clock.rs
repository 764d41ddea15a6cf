//! A run whose clock stands at a time that its caller names.

use domain::time::Timestamp;
use sandbox::post_login::Event;
use sandbox::{CacheView, Job};

use crate::kit::{action, job, sandbox};

/// 2 March 2026, ten o'clock.
const NOW_MS: i64 = 1_772_445_600_000;

async fn lines_at(now_ms: Option<i64>, body: &str) -> Vec<String> {
    let (sandbox, job) = (sandbox(), job(&action(body), Event::default()));
    let outcome = match now_ms {
        Some(now_ms) => {
            let cache = CacheView { now: Timestamp(now_ms), ..CacheView::default() };
            sandbox.run_at(Job { cache, ..job }, now_ms).await
        }
        None => sandbox.run(job).await,
    };
    assert_eq!(outcome.failure, None, "{body}");
    outcome.console.into_iter().map(|line| line.text).collect()
}

#[tokio::test]
async fn every_way_to_ask_for_the_time_gets_the_same_answer() {
    let told = lines_at(
        Some(NOW_MS),
        r#"
        await new Promise((done) => setTimeout(done, 20));
        class Mine extends Date {}
        console.log([Date.now(), new Date().getTime(), Date.parse(Date()), Number(new Mine())].join(" "));
        console.log(new Intl.DateTimeFormat("en-GB", { dateStyle: "short" }).format());
        "#,
    )
    .await;
    assert_eq!(told, [[NOW_MS.to_string().as_str(); 4].join(" "), "02/03/2026".to_owned()]);
}

#[tokio::test]
async fn tokens_for_redirects_and_the_cache_go_by_the_same_clock() {
    let told = lines_at(
        Some(NOW_MS),
        r#"
        await new Promise((done) => setTimeout(done, 20));
        const token = api.redirect.encodeToken({ secret: "s", payload: {} });
        console.log(JSON.parse(atob(token.split(".")[1])).iat);
        api.cache.set("a", "1", { expires_at: Date.now() + 1 });
        console.log(api.cache.get("a").expires_at);
        "#,
    )
    .await;
    assert_eq!(told, ["1772445600", "1772445600001"]);
}

#[tokio::test]
async fn other_times_are_what_they_always_were() {
    let told = lines_at(
        Some(NOW_MS),
        r#"
        const date = new Date(2000, 0, 31, 12);
        console.log(date.toISOString(), new Date(5).getTime(), Date.UTC(2001, 1), Date.parse("2002-01-01"));
        console.log(date instanceof Date, date.constructor === Date, Date.name, Date.length, structuredClone(date) instanceof Date);
        "#,
    )
    .await;
    assert_eq!(told, ["2000-01-31T12:00:00.000Z 5 980985600000 1009843200000", "true true Date 7 true"]);
}

#[tokio::test]
async fn the_clock_goes_where_no_time_is_named() {
    let told = lines_at(
        None,
        r"
        const before = Date.now();
        await new Promise((done) => setTimeout(done, 20));
        console.log(Date.now() > before, before !== 1772445600000);
        ",
    )
    .await;
    assert_eq!(told, ["true true"]);
}
