//! Tests of scripts' way out, against a listener on loopback.

use std::time::Duration;

use sandbox::fetch::{Fetch, FetchError, FetchRequest, FetchResponse, Redirect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::HttpFetch;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

fn request(url: &str, redirect: Redirect) -> FetchRequest {
    FetchRequest {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        has_body: false,
        redirect,
    }
}

async fn fetch(allow_private: bool, request: FetchRequest) -> Result<FetchResponse, FetchError> {
    HttpFetch::new(allow_private, None).unwrap().fetch(request, PATIENCE).await
}

/// Answers each path in its own way, and echoes the request where the path says so; ends with the test.
async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut seen = vec![0; 16 * 1024];
                let Ok(length) = socket.read(&mut seen).await else { return };
                let seen = String::from_utf8_lossy(&seen[..length]).into_owned();
                let path = seen.split(' ').nth(1).unwrap_or_default().to_owned();
                let answer = match path.as_str() {
                    "/loop" => redirect_to("/loop"),
                    "/to-metadata" => redirect_to("http://169.254.169.254/latest/meta-data/"),
                    "/to-file" => redirect_to("file:///etc/passwd"),
                    "/to-other" => redirect_to("http://localhost:1/"),
                    "/once" => redirect_to("/echo"),
                    "/endless" => {
                        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                        while socket.write_all(&[b'x'; 64 * 1024]).await.is_ok() {}
                        return;
                    }
                    "/announced" => "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_owned(),
                    "/headers" => {
                        let many: String = (0..150).map(|n| format!("x-{n}: 1\r\n")).collect();
                        format!("HTTP/1.1 200 OK\r\n{many}content-length: 0\r\n\r\n")
                    }
                    "/silent" => {
                        let _ = socket.read(&mut [0; 1]).await;
                        return;
                    }
                    _ => format!(
                        "HTTP/1.1 200 OK\r\nconnection: close\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: {}\r\n\r\n{seen}",
                        seen.len()
                    ),
                };
                let _ = socket.write_all(answer.as_bytes()).await;
            });
        }
    });
    base
}

fn redirect_to(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

#[tokio::test]
async fn inner_addresses_are_refused_by_default_in_any_spelling() {
    for url in [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "https://192.168.1.1/",
        "file:///etc/passwd",
        "ftp://example.com/",
    ] {
        let result = fetch(false, request(url, Redirect::Follow)).await;
        assert!(matches!(result, Err(FetchError::Refused(_))), "{url}: {result:?}");
    }
}

#[tokio::test]
async fn a_name_of_an_inner_address_is_refused_where_it_is_resolved() {
    let result = fetch(false, request("http://localhost:1/", Redirect::Follow)).await;
    let Err(FetchError::Failed(text)) = result else { panic!("{result:?}") };
    assert!(text.contains("no address that may be reached"), "{text}");
}

#[tokio::test]
async fn a_request_goes_out_as_asked_and_the_answer_comes_back() {
    let base = serve().await;
    let asked = FetchRequest {
        method: "POST".to_owned(),
        headers: vec![("x-b".to_owned(), "é".to_owned()), ("host".to_owned(), "evil".to_owned())],
        body: b"the body".to_vec(),
        has_body: true,
        ..request(&format!("{base}/echo?q=1"), Redirect::Follow)
    };
    let response = fetch(true, asked).await.unwrap();
    assert_eq!((response.status, response.redirected), (200, false));
    assert_eq!(response.headers.iter().filter(|(name, _)| name == "x-a").count(), 2);
    let seen = String::from_utf8_lossy(&response.body).into_owned();
    assert!(seen.starts_with("POST /echo?q=1 HTTP/1.1\r\n"), "{seen}");
    assert!(!seen.contains("evil") && seen.contains("x-b: "), "{seen}");
}

#[tokio::test]
async fn redirects_are_followed_answered_or_refused() {
    let base = serve().await;
    let mut asked = request(&format!("{base}/once"), Redirect::Follow);
    asked.method = "POST".to_owned();
    asked.headers = vec![("authorization".to_owned(), "secret".to_owned())];
    let response = fetch(true, asked).await.unwrap();
    assert_eq!((response.url, response.redirected), (format!("{base}/echo"), true));
    let seen = String::from_utf8_lossy(&response.body).into_owned();
    assert!(seen.starts_with("GET /echo ") && seen.contains("authorization: secret"), "{seen}");

    let response = fetch(true, request(&format!("{base}/once"), Redirect::Manual)).await.unwrap();
    assert_eq!((response.status, response.redirected), (302, false));
    let result = fetch(true, request(&format!("{base}/once"), Redirect::Error)).await;
    assert!(matches!(result, Err(FetchError::Failed(_))), "{result:?}");
    let result = fetch(true, request(&format!("{base}/loop"), Redirect::Follow)).await;
    assert_eq!(result, Err(FetchError::TooManyRedirects));
    let result = fetch(true, request(&format!("{base}/to-file"), Redirect::Follow)).await;
    assert!(matches!(result, Err(FetchError::Refused(_))), "{result:?}");
}

#[test]
fn secrets_do_not_follow_to_another_origin_and_targets_are_checked_anew() {
    let closed = HttpFetch::new(false, None).unwrap();
    let mut asked = request("https://a.example/", Redirect::Follow);
    asked.headers = vec![("authorization".to_owned(), "s".to_owned()), ("cookie".to_owned(), "s".to_owned())];
    let mut hop = super::Hop::first(&asked).unwrap();
    hop.go_to("https://a.example/x".parse().unwrap(), reqwest::StatusCode::FOUND);
    assert_eq!(hop.headers.len(), 2);
    hop.go_to("http://169.254.169.254/".parse().unwrap(), reqwest::StatusCode::FOUND);
    assert!(hop.headers.is_empty());
    assert!(matches!(closed.check(&hop.url), Err(FetchError::Refused(_))));
}

#[tokio::test]
async fn long_answers_are_refused_without_being_read_to_the_end() {
    let base = serve().await;
    for path in ["/endless", "/announced"] {
        let result = fetch(true, request(&format!("{base}{path}"), Redirect::Follow)).await;
        assert_eq!(result, Err(FetchError::TooLong), "{path}");
    }
    // The client itself stops at a hundred headers.
    let result = fetch(true, request(&format!("{base}/headers"), Redirect::Follow)).await;
    assert!(matches!(result, Err(FetchError::Failed(_) | FetchError::TooLong)), "{result:?}");
}

#[tokio::test]
async fn a_silent_server_costs_no_more_than_the_time_allowed() {
    let base = serve().await;
    let fetching = HttpFetch::new(true, None).unwrap();
    let result =
        fetching.fetch(request(&format!("{base}/silent"), Redirect::Follow), Duration::from_millis(50)).await;
    assert_eq!(result, Err(FetchError::Timeout));
}
