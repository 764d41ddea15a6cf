//! `fetch` from a script's side, over a way out that the tests make up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sandbox::fetch::{Fetch, FetchError, FetchFuture, FetchRequest, FetchResponse, RESPONSE_BYTES_MAX};
use sandbox::{Failure, Job, Limits, Outcome, Sandbox};

use crate::kit::{LIMITS, action, event_with_session, job, settings};

/// Answers by the URL's path, and counts.
#[derive(Default)]
struct MadeUp {
    asked: AtomicUsize,
}

impl Fetch for MadeUp {
    fn fetch(&self, request: FetchRequest, timeout: Duration) -> FetchFuture<'_> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let mut response = FetchResponse {
                status: 200,
                status_text: "OK".to_owned(),
                url: request.url.clone(),
                redirected: false,
                headers: vec![
                    header("content-type", "application/json"),
                    header("x-a", "1"),
                    header("x-a", "2"),
                ],
                body: Vec::new(),
            };
            match request.url.rsplit('/').next().unwrap_or_default() {
                "silent" => std::future::pending().await,
                "refused" => return Err(FetchError::Refused("127.0.0.1 must not be reached".to_owned())),
                "huge" => response.body = vec![b'x'; RESPONSE_BYTES_MAX],
                "missing" => response.status = 404,
                "nothing" => response.status = 204,
                _ => {
                    assert!(timeout <= Duration::from_millis(LIMITS.wall_ms + 100));
                    response.body = serde_json::to_vec(&request).unwrap();
                }
            }
            Ok(response)
        })
    }
}

fn pool() -> (Sandbox, Arc<MadeUp>) {
    let fetch = Arc::new(MadeUp::default());
    (Sandbox::start_with_fetch(settings(1, 16), Arc::<MadeUp>::clone(&fetch)), fetch)
}

async fn run_on(sandbox: &Sandbox, limits: Limits, body: &str) -> Outcome {
    sandbox.run(Job { limits, ..job(&action(body), event_with_session(&[])) }).await
}

async fn lines(body: &str) -> Vec<String> {
    let outcome = run_on(&pool().0, LIMITS, body).await;
    assert_eq!(outcome.failure, None, "{body}");
    outcome.console.into_iter().map(|line| line.text).collect()
}

async fn message(body: &str) -> String {
    match run_on(&pool().0, LIMITS, body).await.failure {
        Some(Failure::Script { message, .. }) => message,
        other => panic!("{body}: {other:?}"),
    }
}

#[tokio::test]
async fn a_request_goes_out_as_the_script_made_it() {
    let got = lines(
        "const r = await fetch('https://a.example/x#y', { method: 'post', headers: { 'X-B': ' b ' }, body: new URLSearchParams({ k: 'v w' }) });
        const seen = await r.json();
        console.log(seen.method, seen.url, seen.headers.flat().join(), Buffer.from(seen.body, 'base64').toString());
        console.log(r.ok, r.status, r.statusText, r.url, r.headers.get('X-A'), [...r.headers.keys()].join(), r.bodyUsed);
        const other = await (await fetch(new Request('https://a.example/', { method: 'PUT', body: new Uint8Array([1, 2]) }))).json();
        console.log(other.method, other.body, other.has_body, other.redirect);",
    )
    .await;
    assert_eq!(
        got,
        [
            "POST https://a.example/x content-type,application/x-www-form-urlencoded;charset=UTF-8,x-b,b k=v+w",
            "true 200 OK https://a.example/x 1, 2 content-type,x-a true",
            "PUT AQI= true follow",
        ]
    );
}

#[tokio::test]
async fn answers_have_their_status_and_may_be_empty() {
    let got = lines(
        "const r = await fetch('https://a.example/missing'); console.log(r.ok, r.status, JSON.stringify(await r.text()));
        const e = await fetch('https://a.example/nothing'); console.log(e.status, (await e.bytes()).length);
        const h = await fetch('https://a.example/huge'); console.log((await h.arrayBuffer()).byteLength);
        console.log((await Promise.all([1, 2, 3].map((n) => fetch('https://a.example/' + n)))).map((r) => r.url.slice(-1)).join());",
    )
    .await;
    assert_eq!(got, [r#"false 404 """#, "204 0", "1048576", "1,2,3"]);
}

#[tokio::test]
async fn what_fails_is_told_to_the_script() {
    assert_eq!(
        message("await fetch('https://a.example/refused')").await,
        "fetch failed: 127.0.0.1 must not be reached"
    );
    assert_eq!(message("await fetch('/relative')").await, "Invalid URL");
    assert!(message("await fetch('https://a.example', { body: 'x' })").await.contains("GET/HEAD"));
    assert!(
        message("await fetch('https://a.example', { headers: { 'a b': 'c' } })")
            .await
            .contains("header name")
    );
    assert!(
        message("await fetch('https://a.example', { headers: { a: 'c\\nd' } })").await.contains("invalid")
    );
    assert!(message("(await fetch('https://a.example')).body").await.contains("not available"));
    assert!(
        message("const r = await fetch('https://a.example'); await r.text(); await r.text()")
            .await
            .contains("already been read")
    );
    let none = crate::kit::message("await fetch('https://a.example')").await;
    assert_eq!(none, "fetch failed: there is no network here");
}

#[tokio::test]
async fn a_fetch_can_be_aborted_and_its_answer_disturbs_nobody() {
    let (sandbox, _) = pool();
    let body = "const started = Date.now();
        try { await fetch('https://a.example/silent', { signal: AbortSignal.timeout(20) }); } catch (e) { console.log(e.name) }
        const c = new AbortController(); const p = fetch('https://a.example/huge', { signal: c.signal }); c.abort(new Error('mine'));
        try { await p } catch (e) { console.log(e.message) }
        fetch('https://a.example/huge');";
    for _ in 0..5 {
        let outcome = run_on(&sandbox, LIMITS, body).await;
        assert_eq!(outcome.failure, None);
        assert_eq!(outcome.console.len(), 2, "{:?}", outcome.console);
        assert_eq!((&*outcome.console[0].text, &*outcome.console[1].text), ("TimeoutError", "mine"));
    }
}

#[tokio::test]
async fn waiting_for_an_answer_costs_wall_clock_and_no_processor_time() {
    let limits = Limits { wall_ms: 200, ..LIMITS };
    let started = Instant::now();
    let outcome = run_on(&pool().0, limits, "await fetch('https://a.example/silent')").await;
    assert!(matches!(outcome.failure, Some(Failure::WallClock)), "{:?}", outcome.failure);
    assert!(outcome.cpu_us < 100_000, "{}", outcome.cpu_us);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_eleventh_fetch_of_a_run_is_rejected_and_never_goes_out() {
    let (sandbox, fetch) = pool();
    let body = "let ok = 0, no = 0; for (let n = 0; n < 50; n++) await fetch('https://a.example/').then(() => ok++, () => no++);
        console.log(ok, no)";
    let outcome = run_on(&sandbox, LIMITS, body).await;
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.console[0].text, "10 40");
    assert_eq!(fetch.asked.load(Ordering::SeqCst), 10);
}

#[tokio::test]
async fn requests_that_are_too_long_never_go_out() {
    let (sandbox, fetch) = pool();
    for body in [
        "await fetch('https://a.example', { method: 'POST', body: 'x'.repeat(262145) })",
        "await fetch('https://a.example/' + 'x'.repeat(20000))",
        "await fetch('https://a.example', { headers: { a: 'x'.repeat(40000) } })",
    ] {
        let outcome = run_on(&sandbox, LIMITS, body).await;
        assert!(outcome.failure.is_some_and(|failure| failure.to_string().contains("longer than")), "{body}");
    }
    assert_eq!(fetch.asked.load(Ordering::SeqCst), 0);
}
