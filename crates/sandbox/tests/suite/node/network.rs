//! fetch, http and https of Node.js, over a way out that the tests make up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sandbox::Failure;
use sandbox::fetch::{Fetch, FetchError, FetchFuture, FetchRequest, FetchResponse};

use super::{Folder, node_job, pool};

/// Answers by the URL's path, and counts. What it doesn't know it tells back.
#[derive(Default)]
struct MadeUp {
    asked: AtomicUsize,
}

impl Fetch for MadeUp {
    fn fetch(&self, request: FetchRequest, _: Duration) -> FetchFuture<'_> {
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
                    header("set-cookie", "a=1"),
                    header("set-cookie", "b=2"),
                ],
                body: Vec::new(),
            };
            match request.url.rsplit('/').next().unwrap_or_default() {
                "silent" => std::future::pending().await,
                "refused" => return Err(FetchError::Refused("127.0.0.1 must not be reached".to_owned())),
                "long" => return Err(FetchError::TooLong),
                "nothing" => response.status = 204,
                "moved" => {
                    response.status = 302;
                    response.headers.push(header("location", "/target"));
                }
                _ => response.body = serde_json::to_vec(&request).unwrap(),
            }
            Ok(response)
        })
    }
}

async fn lines_and_count(body: &str) -> (Vec<String>, usize) {
    let folder = Folder::new();
    let fetch = Arc::new(MadeUp::default());
    let outcome = pool(1, Arc::<MadeUp>::clone(&fetch)).await.run(node_job(body), &folder.0).await;
    assert_eq!(outcome.failure, None, "{body} {:?}", outcome.console);
    (outcome.console.into_iter().map(|line| line.text).collect(), fetch.asked.load(Ordering::SeqCst))
}

async fn lines(body: &str) -> Vec<String> {
    lines_and_count(body).await.0
}

#[tokio::test]
async fn fetch_goes_through_the_host() {
    let got = lines(
        "const r = await fetch('https://a.example/x#y', { method: 'post', headers: { 'X-B': 'b' }, body: new URLSearchParams({ k: 'v w' }) });
        const seen = await r.json();
        console.log(seen.method, seen.url, seen.redirect, Buffer.from(seen.body, 'base64').toString(), seen.headers.find(([n]) => n === 'x-b')[1]);
        console.log(r.ok, r.status, r.statusText, r.url, r.redirected, r.headers.getSetCookie().join());
        console.log((await fetch(new Request('https://a.example/nothing'))).status);
        console.log((await Promise.all([1, 2, 3].map((n) => fetch('https://a.example/' + n)))).map((r) => r.url.slice(-1)).join());
        for (const path of ['refused', 'long']) await fetch('https://a.example/' + path).catch((e) => console.log(e.name, e.message));
        await fetch('https://a.example/silent', { signal: AbortSignal.timeout(20) }).catch((e) => console.log(e.name));",
    )
    .await;
    assert_eq!(
        got,
        [
            "POST https://a.example/x follow k=v+w b",
            "true 200 OK https://a.example/x false a=1,b=2",
            "204",
            "1,2,3",
            "TypeError fetch failed: 127.0.0.1 must not be reached",
            "TypeError fetch failed: the response is longer than a script may receive (1048576 bytes)",
            "TimeoutError",
        ]
    );
}

#[tokio::test]
async fn http_and_https_go_through_the_host() {
    let got = lines(
        "const https = require('https'), http = require('node:http');
        const read = (res) => new Promise((ok, no) => { let t = ''; res.setEncoding('utf8'); res.on('data', (d) => t += d); res.on('end', () => ok(t)); res.on('error', no); });
        const call = (module, ...args) => new Promise((ok, no) => module.request(...args, ok).on('error', no).end('the body'));
        const res = await call(https, { hostname: 'a.example', port: 8443, path: '/p?q=1', method: 'PUT', headers: { 'X-A': ['1', '2'] }, auth: 'u:p' });
        const seen = JSON.parse(await read(res));
        console.log(res.statusCode, res.statusMessage, res.headers['content-type'], res.headers['set-cookie'].join(), res.rawHeaders.length, res instanceof http.IncomingMessage);
        console.log(seen.method, seen.url, seen.redirect, Buffer.from(seen.body, 'base64').toString());
        console.log(seen.headers.map((h) => h.join(':')).join());
        const plain = await new Promise((ok) => http.get('http://b.example/x', ok));
        const told = JSON.parse(await read(plain));
        console.log(told.method, told.url, told.has_body);
        const moved = await new Promise((ok) => https.get(new URL('https://a.example/moved'), { agent: new https.Agent({ keepAlive: true }) }, ok));
        console.log(moved.statusCode, moved.headers.location); moved.resume();
        await call(https, 'https://a.example/refused').catch((e) => console.log(e.code, e.message));
        await new Promise((ok) => { const r = https.get('https://a.example/silent'); r.setTimeout(10, () => r.destroy(new Error('mine'))); r.on('error', (e) => { console.log(e.message); ok(); }); });
        await new Promise((ok) => { const r = https.get('https://a.example/silent'); r.on('error', (e) => { console.log(e.code); ok(); }); r.abort(); });
        const { get } = await import('node:https'); console.log(get === https.get);",
    )
    .await;
    assert_eq!(
        got,
        [
            "200 OK application/json a=1,b=2 6 true",
            "PUT https://a.example:8443/p?q=1 manual the body",
            "x-a:1,x-a:2,authorization:Basic dTpw,host:a.example:8443",
            "GET http://b.example/x false",
            "302 /target",
            "EACCES 127.0.0.1 must not be reached",
            "mine",
            "ECONNRESET",
            "true",
        ]
    );
}

#[tokio::test]
async fn fetches_are_bounded_by_whichever_door_they_leave() {
    let (got, asked) = lines_and_count(
        "let ok = 0, no = 0; const https = require('https');
        for (let n = 0; n < 7; n++) await fetch('https://a.example/').then(() => ok++, () => no++);
        for (let n = 0; n < 7; n++) await new Promise((done) => https.get('https://a.example/', (r) => { ok++; r.resume(); done(); }).on('error', () => { no++; done(); }));
        console.log(ok, no);",
    )
    .await;
    assert_eq!((got, asked), (vec!["10 4".to_owned()], 10));
    let (got, asked) = lines_and_count(
        "await fetch('https://a.example', { method: 'POST', body: 'x'.repeat(262145) }).catch((e) => console.log(e.message));
        await fetch('https://a.example/' + 'x'.repeat(20000)).catch((e) => console.log(e.message));",
    )
    .await;
    assert_eq!(asked, 0);
    assert_eq!(got, ["fetch failed: the request is longer than a script may send"; 2]);
}

#[tokio::test]
async fn a_script_that_asks_around_the_bounds_is_ended() {
    let folder = Folder::new();
    let fetch = Arc::new(MadeUp::default());
    let body = "const fs = require('fs');
        const send = (m) => { const b = Buffer.from(JSON.stringify(m)); const l = Buffer.alloc(4); l.writeUInt32LE(b.length); fs.writeSync(0, Buffer.concat([l, b])); };
        for (let id = 1; id < 30; id++) send({ Fetch: { id, request: { method: 'GET', url: 'https://a.example/', headers: [], body: '', has_body: false, redirect: 'manual' } } });
        await new Promise((ok) => setTimeout(ok, 1e6));";
    let outcome = pool(1, Arc::<MadeUp>::clone(&fetch)).await.run(node_job(body), &folder.0).await;
    assert_eq!(outcome.failure, Some(Failure::Crashed));
    assert!(fetch.asked.load(Ordering::SeqCst) <= 10);
}
