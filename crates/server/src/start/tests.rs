//! A server on a free port: that it answers, under which name, and that it stops.

use std::path::PathBuf;
use std::sync::Arc;

use domain::time::Timestamp;
use engine::Ports;
use engine::ports::{ManualClock, SystemEntropy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Name, Server, build};
use crate::config::{Config, Source};

fn data(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("vestibule-start-{}-{name}", std::process::id()))
}

async fn start(name: &str) -> Server {
    let ports = Ports {
        clock: Arc::new(ManualClock::at(Timestamp(1_790_000_000_000))),
        entropy: Arc::new(SystemEntropy),
        ..Ports::real(domain::egress::Egress::everywhere_if(true)).unwrap()
    };
    build(Config::for_testing(&data(name)), ports).await.unwrap()
}

async fn ask(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_server_answers_on_a_free_port_and_stops() {
    let server = start("answers").await;
    let answer = ask(&server, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok"), "{answer}");
    assert_eq!(server.url, format!("http://localhost:{}", server.addr.port()));
    assert_eq!(server.engine.issuer(), format!("http://localhost:{}/", server.addr.port()));
    let addr = server.addr;
    server.shutdown().await;
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
    std::fs::remove_dir_all(data("answers")).unwrap();
}

#[tokio::test]
async fn a_head_with_too_many_fields_is_refused() {
    let server = start("head").await;
    let fields: String = (0..150).map(|number| format!("X-{number}: 1\r\n")).collect();
    let answer =
        ask(&server, &format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}Connection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    server.shutdown().await;
    std::fs::remove_dir_all(data("head")).unwrap();
}

#[test]
fn the_name_follows_domain_public_url_and_encryption() {
    for (settings, domain, insecure, hsts) in [
        (vec![], "localhost:8443", false, false),
        (vec![("tls.enabled", "false")], "localhost:8443", true, false),
        (vec![("server.domain", "id.example.com")], "id.example.com", false, true),
        (vec![("server.domain", "id.example.com"), ("tls.enabled", "false")], "id.example.com", false, true),
        (vec![("server.public_url", "https://id.example.com:444/")], "id.example.com:444", false, true),
        (vec![("server.public_url", "http://id.example.com")], "id.example.com", true, false),
        (vec![("server.domain", "[::1]:8443")], "[::1]:8443", false, false),
    ] {
        let mut config = Config::default();
        for (key, value) in &settings {
            config.set(key, value, Source::Default).unwrap();
        }
        let name = Name::of(&config, "127.0.0.1:8443".parse().unwrap());
        assert_eq!(
            (name.domain.as_str(), name.insecure, name.wants_hsts()),
            (domain, insecure, hsts),
            "{settings:?}"
        );
    }
}
