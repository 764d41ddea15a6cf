//! Input that nobody sends by accident: it is refused, never the server's fault, and the server goes on.

use serde_json::{Value, json};
use suite::reply::Reply;
use suite::{Server, on_every_store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Sends bytes as they are and answers the status line's code; 0 where the connection just closes.
async fn raw(server: &Server, request: &[u8]) -> u16 {
    let address = server.wire.url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let _closed_early = stream.write_all(request).await;
    let _closed_early = stream.shutdown().await;
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let _reset =
        tokio::time::timeout(std::time::Duration::from_secs(20), reading).await.expect("an answer or an end");
    String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

async fn is_well(server: &Server) {
    server.wire.get("/healthz").await.expect(200);
    server.api().get("clients").await.expect(200);
}

on_every_store! {
    async fn odd_percent_encodings_are_never_the_servers_fault(server) {
        let odd = [
            "%", "%0", "%zz", "%00", "%ff", "%C0%AF", "%F0%9F%98", "%ED%A0%80", "%2e%2e%2f", "..%2f..%2f", "%0d%0aX:%20y",
            "&&&", "===", "a[b]=c", "+%20+", "%u0041", "\u{1}",
        ];
        for text in odd {
            for path in [
                format!("/authorize?{text}"), format!("/authorize?client_id={text}&redirect_uri={text}&state={text}"),
                format!("/u/login?state={text}"), format!("/oidc/logout?id_token_hint={text}"), format!("/v2/logout?returnTo={text}"),
                format!("/api/v2/sessions/{text}"), format!("/api/v2/users/{text}/sessions"), format!("/{text}"),
            ] {
                let status = raw(server, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await;
                assert!((400..500).contains(&status) || status == 0 || (200..400).contains(&status), "{path:?}: {status}");
            }
        }
        let token = server.api().token().await;
        for text in odd.into_iter().filter(|text| text.is_ascii() && !text.contains('\u{1}')) {
            for path in ["sessions/", "clients/", "users/", "logs?q=", "logs?from=", "actions/actions/", "users?q=", "clients?from=", "clients?fields="] {
                let request = format!("GET /api/v2/{path}{text} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
                let status = raw(server, request.as_bytes()).await;
                assert!(status < 500, "{path}{text}: {status}");
            }
        }
        is_well(server).await;
    }

    async fn bodies_that_are_too_large_are_refused(server) {
        let token = server.api().token().await;
        let large = json!({ "name": "x".repeat(1024 * 1024) }).to_string();
        let post = |path: &str, kind: &str, body: String| {
            server.wire.http.post(format!("{}{path}", server.wire.url)).header("content-type", kind).body(body)
        };
        let reply = Reply::to(post("/api/v2/clients", "application/json", large.clone()).bearer_auth(&token)).await;
        assert_eq!((reply.status, &reply.json()["statusCode"]), (413, &json!(413)), "{}", reply.text);
        let form = format!("grant_type=client_credentials&client_id={}", "x".repeat(100_000));
        let kind = "application/x-www-form-urlencoded";
        for path in ["/oauth/token", "/oauth/revoke", "/u/login", "/u/signup", "/oidc/logout/confirm", "/authorize"] {
            let reply = Reply::to(post(path, kind, form.clone())).await;
            assert!(matches!(reply.status, 400 | 413), "{path}: {}", reply.status);
        }
        let query = format!("/authorize?client_id={}", "x".repeat(20_000));
        let reply = server.wire.get(&query).await;
        assert!((400..500).contains(&reply.status), "{}", reply.status);
        is_well(server).await;
    }

    async fn json_that_is_deep_wide_or_wrong_is_refused(server) {
        let token = server.api().token().await;
        let (.., signed_in) = server.someone_signed_in().await;
        let bodies = [
            "[".repeat(100_000), format!("{}1{}", "{\"a\":".repeat(5000), "}".repeat(5000)), "nul".into(), "\"\\ud800\"".into(),
            "{\"session_metadata\":{\"a\":\"\\ud800\"}}".into(), "{\"session_metadata\":{\"a\":1e999}}".into(),
            "{\"session_metadata\":{\"__proto__\":\"x\"},\"session_metadata\":{\"a\":1}}".into(), "\u{feff}".into(),
            format!("{{{}}}", (0..50_000).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",")),
        ];
        for body in bodies {
            for (method, path) in [
                ("PATCH", format!("/api/v2/sessions/{}", signed_in.sid)), ("POST", "/api/v2/clients".to_owned()),
                ("POST", "/api/v2/users".to_owned()), ("PATCH", "/api/v2/tenants/settings".to_owned()),
                ("POST", "/api/v2/actions/actions".to_owned()), ("POST", "/oauth/token".to_owned()),
                ("PATCH", "/api/v2/actions/triggers/post-login/bindings".to_owned()),
            ] {
                let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                let request = server.wire.http.request(method, format!("{}{path}", server.wire.url)).bearer_auth(&token);
                let reply = Reply::to(request.header("content-type", "application/json").body(body.clone())).await;
                assert!((400..500).contains(&reply.status), "{path} {:.60}: {} {:.200}", body, reply.status, reply.text);
                let answer: Value = serde_json::from_str(&reply.text).unwrap_or_else(|_| panic!("{path}: {}", reply.text));
                assert!(answer["statusCode"] == reply.status || answer["error"].is_string(), "{answer}");
            }
        }
        assert!(server.api().session_metadata(&signed_in.sid).await.is_null());
        is_well(server).await;
    }

    async fn requests_that_are_no_http_close_the_connection(server) {
        let requests: [&[u8]; 8] = [
            b"\0\0\0\0\0\0", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nCookie: \xff\xfe\r\nAuthorization: Bearer \xff\r\nConnection: close\r\n\r\n",
        ];
        for request in requests {
            let status = raw(server, request).await;
            assert!(status < 500 || status == 505, "{request:?}: {status}");
        }
        is_well(server).await;
    }

    async fn unusual_methods_and_types_are_refused(server) {
        for method in ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "FOO"] {
            for path in ["/authorize", "/oauth/token", "/u/login", "/userinfo", "/.well-known/jwks.json", "/api/v2/clients"] {
                let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                let reply = Reply::to(server.wire.http.request(method, format!("{}{path}", server.wire.url))).await;
                assert!(reply.status < 500, "{path}: {}", reply.status);
            }
        }
        for kind in ["text/plain", "multipart/form-data; boundary=x", "application/xml", ""] {
            let request = server.wire.http.post(format!("{}/oauth/token", server.wire.url));
            let reply = Reply::to(request.header("content-type", kind).body("grant_type=client_credentials")).await;
            assert!((400..500).contains(&reply.status), "{kind}: {}", reply.status);
        }
    }

    async fn forwarded_addresses_that_are_none_are_ignored(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        browser.move_to("<script>alert(1)</script>, made up");
        browser.update_to(&"long ".repeat(400));
        let signed_in = app.sign_in(&browser, &user).await;
        let device = server.api().session(&signed_in.sid).await["device"].clone();
        assert_eq!(device["initial_ip"], "127.0.0.1");
        assert!(device["initial_user_agent"].as_str().unwrap().len() <= 512);
    }
}
