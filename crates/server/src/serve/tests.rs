//! A listener with routes of its own: what happens to a request when the server stops, and which protocol is spoken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::{Listening, run};
use crate::http::front::Front;

/// A server with one route, `/slow`, which tells when it was reached and answers when it is let go.
struct Slow {
    addr: SocketAddr,
    reached: Arc<Notify>,
    go: Arc<Notify>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn slow_server(drain: Duration) -> Slow {
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside_reached, inside_go) = (Arc::clone(&reached), Arc::clone(&go));
    let handler = move || {
        let (reached, go) = (Arc::clone(&inside_reached), Arc::clone(&inside_go));
        async move {
            reached.notify_one();
            go.notified().await;
            "done"
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let front = Arc::new(Front::new(Router::new().route("/slow", get(handler)), false, 1));
    let (stop, stopped) = watch::channel(false);
    let tls = watch::channel(None).1;
    let task = tokio::spawn(run(Listening { listener, tls, front, connections_max: 10, drain }, stopped));
    Slow { addr, reached, go, stop, task }
}

async fn ask_slowly(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    stream
}

#[tokio::test]
async fn a_request_under_way_finishes_when_the_server_stops() {
    let server = slow_server(Duration::from_secs(10)).await;
    let mut stream = ask_slowly(server.addr).await;
    server.reached.notified().await;
    server.stop.send_replace(true);
    server.go.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
    server.task.await.unwrap();
}

#[tokio::test]
async fn a_request_that_outlasts_the_drain_does_not_hold_the_server() {
    let server = slow_server(Duration::from_millis(20)).await;
    let _stream = ask_slowly(server.addr).await;
    server.reached.notified().await;
    server.stop.send_replace(true);
    tokio::time::timeout(Duration::from_secs(5), server.task)
        .await
        .expect("the drain has a deadline")
        .unwrap();
}

#[tokio::test]
async fn without_encryption_the_first_bytes_choose_the_protocol() {
    let server = slow_server(Duration::from_millis(20)).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    // The preface and an empty SETTINGS frame (RFC 9113 §3.4).
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "the server answers with SETTINGS: {frame:?}");
    server.stop.send_replace(true);
    server.task.await.unwrap();
}
