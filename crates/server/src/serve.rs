//! Listens: accepts connections, encrypts them, speaks HTTP/1.1 and HTTP/2, and drains when told to stop.
//!
//! Every wait of a connection has a limit: for a place, for the handshake, for a request's head, for the next
//! request. What a request itself may take is limited at the front door ([`crate::http::front`]).

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::http::front::Front;

/// How long a TLS handshake may take, in milliseconds. Ours.
const HANDSHAKE_MS_MAX: u64 = 10_000;
/// How long a connection may take to say its first word, in milliseconds. Ours.
const FIRST_BYTE_MS_MAX: u64 = 10_000;
/// How long a request's head may take to arrive, and how long a connection may idle, in milliseconds. Ours: longer
/// than proxies and clients keep theirs is wasted, much shorter makes them reconnect.
const HEAD_MS_MAX: u64 = 60_000;
/// Bytes of a request's head. Ours: the longest legal query, and room for cookies and tokens.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Header fields of a request. Ours.
const HEADERS_MAX: usize = 100;
/// Requests under way on one HTTP/2 connection. Ours; RFC 9113 §6.5.2 advises 100 at least.
const STREAMS_MAX: u32 = 128;
/// How often an HTTP/2 peer is asked whether it is alive, and how long it may think, in milliseconds. Ours.
const PING_MS: (u64, u64) = (30_000, 20_000);
/// How long to wait after the system refused a connection (no more descriptors), in milliseconds.
const REFUSED_MS: u64 = 50;
/// What an HTTP/2 connection begins with when both sides know beforehand (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI";

/// What a listener needs.
pub struct Listening {
    /// The socket.
    pub listener: TcpListener,
    /// Encryption, unless a proxy does it; new connections take the newest.
    pub tls: watch::Receiver<Option<Arc<ServerConfig>>>,
    /// The door to the routes.
    pub front: Arc<Front>,
    /// Connections open at once.
    pub connections_max: usize,
    /// How long requests under way may take when it is told to stop.
    pub drain: Duration,
}

/// Serves until told to stop, then drains. Requests that are still under way after the deadline are cut off.
pub async fn run(listening: Listening, mut stop: watch::Receiver<bool>) {
    let Listening { listener, tls, front, connections_max, drain } = listening;
    let places = Arc::new(Semaphore::new(connections_max.clamp(1, Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    let http = Arc::new(protocols());
    loop {
        let (stream, peer, place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let connection = Connection {
            peer,
            front: Arc::clone(&front),
            http: Arc::clone(&http),
            watcher: graceful.watcher(),
            _place: place,
        };
        tokio::spawn(connection.serve(stream, tls.borrow().clone().map(TlsAcceptor::from)));
    }
    drop(listener);
    if timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off: they took longer than the drain allows");
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed; a place is absent only if it were.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                tracing::warn!("a connection was not accepted: {error}");
                tokio::time::sleep(Duration::from_millis(REFUSED_MS)).await;
            }
        }
    }
}

fn protocols() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HEAD_MS_MAX))
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    http.http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(Duration::from_millis(PING_MS.0))
        .keep_alive_timeout(Duration::from_millis(PING_MS.1));
    http
}

/// One connection on its way through handshake and protocol.
struct Connection {
    peer: SocketAddr,
    front: Arc<Front>,
    http: Arc<auto::Builder<TokioExecutor>>,
    watcher: Watcher,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    async fn serve(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        // Answers are written whole: waiting to fill a packet would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("TCP_NODELAY: {error}");
        }
        let outcome = match acceptor {
            Some(acceptor) => self.serve_encrypted(stream, &acceptor).await,
            None => self.serve_plain(stream).await,
        };
        if let Err(error) = outcome {
            tracing::debug!("connection: {error}");
        }
    }

    async fn serve_encrypted(self, stream: TcpStream, acceptor: &TlsAcceptor) -> io::Result<()> {
        let handshake = timeout(Duration::from_millis(HANDSHAKE_MS_MAX), acceptor.accept(stream));
        let stream = handshake.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        self.speak(stream, is_http2).await
    }

    /// Without encryption nothing was agreed on beforehand, so the first bytes tell the protocol.
    async fn serve_plain(self, stream: TcpStream) -> io::Result<()> {
        let mut start = [0; PREFACE.len()];
        let peek = timeout(Duration::from_millis(FIRST_BYTE_MS_MAX), stream.peek(&mut start));
        peek.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.speak(stream, start == PREFACE).await
    }

    async fn speak(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        is_http2: bool,
    ) -> io::Result<()> {
        let (peer, front) = (self.peer, self.front);
        let service = service_fn(move |request: Request<Incoming>| {
            let front = Arc::clone(&front);
            async move { Ok::<_, Infallible>(front.answer(peer, request.map(Body::new)).await) }
        });
        let http = auto::Builder::clone(&self.http);
        let http = if is_http2 { http.http2_only() } else { http.http1_only() };
        let connection = http.serve_connection(TokioIo::new(stream), service).into_owned();
        self.watcher.watch(connection).await.map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests;
