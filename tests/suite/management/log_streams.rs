//! `/api/v2/log-streams`: what is sent, in which order, and what becomes of it when a receiver fails.

use serde_json::{Value, json};
use suite::program::Program;
use suite::store::Place;
use suite::{Behaviour, LogReceiver, Server, on_every_store, wait};

/// Makes a stream; answers its identifier.
async fn made(server: &Server, body: &Value) -> String {
    // Events of this moment belong to the stream: a moment of its own keeps those before out.
    server.advance_ms(1_000);
    let made = server.api().post("log-streams", body).await.expect(200).json();
    assert_eq!(made["status"], "active");
    made["id"].as_str().unwrap().to_owned()
}

/// A stream of this kind of events to a receiver.
async fn stream_to(server: &Server, receiver: &LogReceiver, category: &str) -> String {
    let filters = json!([{ "type": "category", "name": category }]);
    let sink = json!({ "httpEndpoint": receiver.url });
    made(server, &json!({ "type": "http", "name": "Test", "sink": sink, "filters": filters })).await
}

/// So many events of the Management API, each in a moment of its own, and a while for the log to settle.
async fn happen(server: &Server, count: usize) {
    for number in 0..count {
        server.advance_ms(10);
        let name = format!("Client {number}");
        server.api().post("clients", &json!({ "name": name })).await.expect(201);
    }
    server.advance_minutes(1);
}

/// The identifiers of what the log holds of a type, oldest first.
async fn logged(server: &Server, kind: &str) -> Vec<String> {
    let mut events = server.api().logs(kind).await;
    events.reverse();
    ids(&events)
}

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["log_id"].as_str().unwrap().to_owned()).collect()
}

async fn health(server: &Server, id: &str) -> Value {
    server.api().get(&format!("log-streams/{id}/health")).await.expect(200).json()
}

async fn until_failures(server: &Server, id: &str, count: u64) -> Value {
    wait::until("a failure", async || {
        let health = health(server, id).await;
        (health["failures"].as_u64() >= Some(count)).then_some(health)
    })
    .await
}

/// Waits until a receiver has the newest event of the Management API, and answers what it took, in order.
async fn all_arrive(server: &Server, receiver: &LogReceiver) -> Vec<String> {
    let newest = logged(server, "sapi").await.pop().unwrap();
    receiver.hears_of("log_id", &newest).await;
    ids(&receiver.taken())
}

on_every_store! {
    async fn a_stream_is_made_read_changed_and_deleted(server) {
        let sink = json!({
            "httpEndpoint": "https://siem.example.com/logs", "httpAuthorization": "Bearer hush",
            "httpContentType": "application/x-ndjson", "httpContentFormat": "JSONARRAY",
            "httpCustomHeaders": [{ "header": "X-Source", "value": "id" }],
        });
        let filters = json!([{ "type": "category", "name": "auth.login.fail" }, { "type": "category", "name": "other" }]);
        let pii = json!({ "log_fields": ["email", "phone"], "method": "mask" });
        let body = json!({
            "type": "http", "name": "SIEM", "sink": sink, "filters": filters, "isPriority": true, "pii_config": pii,
        });
        let made = server.api().post("log-streams", &body).await.expect(200).json();
        let id = made["id"].as_str().unwrap().to_owned();
        assert!(id.starts_with("lst_"), "{id}");
        let mut expect = body.clone();
        expect["id"] = json!(id);
        expect["status"] = json!("active");
        assert_eq!(made, expect);
        let path = format!("log-streams/{id}");
        assert_eq!(server.api().get(&path).await.expect(200).json(), expect);
        assert_eq!(server.api().get("log-streams").await.expect(200).json(), json!([expect]));

        server.advance_ms(10);
        let changed = server.api().patch(&path, &json!({ "name": "Other", "status": "paused", "filters": [] })).await.expect(200).json();
        assert_eq!((&changed["name"], &changed["status"], &changed["filters"]), (&json!("Other"), &json!("paused"), &json!([])));
        assert_eq!(changed["sink"], sink, "what is not named stays");
        let bare = json!({ "sink": { "httpEndpoint": "https://siem.example.com/2" } });
        server.advance_ms(10);
        let changed = server.api().patch(&path, &bare).await.expect(200).json();
        let shown = json!({
            "httpEndpoint": "https://siem.example.com/2", "httpContentType": "application/json", "httpContentFormat": "JSONLINES",
            "httpAuthorization": "Bearer hush",
        });
        assert_eq!(changed["sink"], shown, "a sink is replaced as a whole, but for a secret that is not named");
        for (endpoint, authorization, is_kept) in [
            ("https://siem.example.com/", json!(""), false),
            ("https://siem.example.com/", json!("Bearer hush"), true),
            ("https://elsewhere.example.com/", Value::Null, false),
        ] {
            server.advance_ms(10);
            let mut sink = json!({ "httpEndpoint": endpoint });
            if !authorization.is_null() {
                sink["httpAuthorization"] = authorization;
            }
            let changed = server.api().patch(&path, &json!({ "sink": sink })).await.expect(200).json();
            assert_eq!(changed["sink"].get("httpAuthorization").is_some(), is_kept, "{changed}");
        }

        server.advance_ms(10);
        server.api().delete(&path).await.expect(204);
        for reply in [server.api().get(&path).await, server.api().delete(&path).await, server.api().patch(&path, &bare).await] {
            reply.expect_api_error(404, "Not Found", "The log stream does not exist.", "");
        }
        let says: Vec<Value> = server.api().logs("sapi").await.iter().map(|event| event["description"].clone()).collect();
        assert_eq!(says, [&["Delete a Log Stream"][..], &["Update a Log Stream"; 5], &["Create a Log Stream"]].concat());
    }

    async fn what_is_not_legal_is_refused_by_name_and_changes_nothing(server) {
        let endpoint = json!({ "httpEndpoint": "https://siem.example.com/" });
        let with = |name: &str, value: Value| {
            let mut sink = endpoint.clone();
            sink[name] = value;
            json!({ "type": "http", "sink": sink })
        };
        let top = |name: &str, value: Value| {
            let mut body = json!({ "type": "http", "sink": endpoint });
            body[name] = value;
            body
        };
        let long = "x".repeat(5_000);
        for (body, named) in [
            (json!({ "sink": endpoint }), "type"),
            (json!({ "type": "http" }), "sink"),
            (json!({ "type": "http", "sink": {} }), "sink.httpEndpoint"),
            (json!({ "type": "eventbridge", "sink": {} }), "type eventbridge is not supported"),
            (json!({ "type": "syslog", "sink": {} }), "on property type"),
            (json!({ "type": "http", "sink": { "httpEndpoint": "ftp://siem.example.com/" } }), "sink.httpEndpoint"),
            (json!({ "type": "http", "sink": { "httpEndpoint": "https://a:b@siem.example.com/" } }), "sink.httpEndpoint"),
            (with("httpContentFormat", json!("XML")), "sink.httpContentFormat"),
            (with("httpContentType", json!("a\nb")), "sink.httpContentType"),
            (with("httpAuthorization", json!("a\r\nX: b")), "sink.httpAuthorization"),
            (with("httpAuthorization", json!(long)), "sink.httpAuthorization"),
            (with("httpCustomHeaders", json!([{ "header": "X Y", "value": "z" }])), "sink.httpCustomHeaders[0].header"),
            (with("httpCustomHeaders", json!([{ "header": "Host", "value": "z" }])), "sink.httpCustomHeaders[0].header"),
            (with("httpCustomHeaders", json!([{ "header": "X" }])), "sink.httpCustomHeaders[0].value"),
            (with("httpCustomHeaders", json!(vec![json!({ "header": "X", "value": "z" }); 21])), "sink.httpCustomHeaders"),
            (with("fileName", json!("x")), "sink.fileName"),
            (top("filters", json!([{ "type": "category", "name": "auth.tea" }])), "filters[0].name"),
            (top("filters", json!([{ "type": "tea", "name": "other" }])), "filters[0].type"),
            (top("pii_config", json!({ "log_fields": [] })), "pii_config.log_fields"),
            (top("pii_config", json!({ "log_fields": ["shoe"] })), "pii_config.log_fields"),
            (top("pii_config", json!({ "log_fields": ["email"], "method": "hash" })), "pii_config.method"),
            (top("startFrom", json!("yesterday")), "startFrom"),
            (top("name", json!("x".repeat(256))), "name"),
            (top("status", json!("paused")), "status"),
            (json!({ "type": "file", "sink": { "fileName": "../audit" } }), "sink.fileName"),
            (json!({ "type": "file", "sink": { "fileName": "/etc/audit" } }), "sink.fileName"),
        ] {
            let reply = server.api().post("log-streams", &body).await;
            assert_eq!(reply.status, 400, "{body}: {}", reply.text);
            assert!(reply.json()["message"].as_str().unwrap().contains(named), "{named}: {}", reply.text);
        }
        assert_eq!(server.api().get("log-streams").await.expect(200).json(), json!([]));

        let file = json!({ "type": "file", "sink": { "fileName": "audit" } });
        let id = made(server, &file).await;
        server.api().post("log-streams", &file).await.expect(409);
        for body in [json!({ "status": "suspended" }), json!({ "type": "http" }), json!({ "sink": endpoint }), json!({})] {
            server.api().patch(&format!("log-streams/{id}"), &body).await.expect(400);
        }
        for number in 1..32 {
            let body = json!({ "type": "file", "sink": { "fileName": format!("f{number}") } });
            server.api().post("log-streams", &body).await.expect(200);
        }
        let body = json!({ "type": "http", "sink": endpoint });
        server.api().post("log-streams", &body).await.expect(409);
    }

    #[with("log_streams.allow_insecure_urls" = "false")]
    async fn receivers_are_public_and_encrypted_unless_the_operator_says_otherwise(server) {
        for url in ["http://siem.example.com/", "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://localhost/"] {
            let reply = server.api().post("log-streams", &json!({ "type": "http", "sink": { "httpEndpoint": url } })).await;
            assert_eq!(reply.status, 400, "{url}: {}", reply.text);
            assert!(reply.text.contains("sink.httpEndpoint"), "{}", reply.text);
        }
    }

    async fn each_call_takes_its_scope(server) {
        let id = made(server, &json!({ "type": "file", "sink": { "fileName": "audit" } })).await;
        let nobody = server.api_with(&["read:logs"]).await;
        let path = format!("log-streams/{id}");
        for reply in [
            nobody.get("log-streams").await, nobody.get(&path).await, nobody.get(&format!("{path}/health")).await,
            nobody.post("log-streams", &json!({})).await, nobody.patch(&path, &json!({})).await, nobody.delete(&path).await,
        ] {
            assert_eq!(reply.status, 403, "{}", reply.text);
        }
    }

    async fn each_format_has_its_body_and_its_headers(server) {
        let mut receivers = Vec::new();
        for format in ["JSONLINES", "JSONARRAY", "JSONOBJECT"] {
            let receiver = LogReceiver::listen().await;
            let sink = json!({
                "httpEndpoint": receiver.url, "httpContentFormat": format, "httpContentType": format!("application/{format}"),
                "httpAuthorization": "Bearer hush", "httpCustomHeaders": [{ "header": "X-Source", "value": "id" }, { "header": "X-Source", "value": "2" }],
            });
            made(server, &json!({ "type": "http", "sink": sink })).await;
            receivers.push((format, receiver));
        }
        happen(server, 5).await;
        for (format, receiver) in &receivers {
            all_arrive(server, receiver).await;
            for post in receiver.posts() {
                assert_eq!(post.header("content-type"), format!("application/{format}"));
                assert_eq!((post.header("authorization"), post.header("x-source")), ("Bearer hush", "id"));
                assert_eq!(post.headers.get_all("x-source").iter().count(), 2);
                match *format {
                    "JSONLINES" => assert!(post.body.starts_with('{') && post.body.ends_with("}\n"), "{}", post.body),
                    "JSONARRAY" => assert!(post.body.starts_with('[') && post.body.ends_with(']'), "{}", post.body),
                    _ => assert_eq!(post.events().len(), 1, "{}", post.body),
                }
                for event in post.events() {
                    assert_eq!(event["log_id"], event["data"]["log_id"], "{event}");
                }
            }
        }
        let id = logged(server, "sapi").await.pop().unwrap();
        let shown = server.api().get(&format!("logs/{id}")).await.expect(200).json();
        let sent = receivers[0].1.hears_of("log_id", &id).await;
        for (name, value) in shown.as_object().unwrap() {
            assert_eq!(&sent[name], value, "the event is as the API shows it: {name}");
        }
        assert_eq!((&sent["tenant_name"], &sent["$event_schema"]), (&json!("main"), &json!({ "version": "1.0.0" })));
    }

    async fn a_filter_lets_its_categories_pass_and_personal_data_is_starred(server) {
        let (fails, all) = (LogReceiver::listen().await, LogReceiver::listen().await);
        stream_to(server, &fails, "auth.login.fail").await;
        let pii = json!({ "log_fields": ["email"] });
        made(server, &json!({ "type": "http", "sink": { "httpEndpoint": all.url }, "pii_config": pii })).await;
        let (_, user, _, _) = server.someone_signed_in().await;
        let stranger = server.browser();
        let page = stranger.get(&server.app("Other").await.request().url()).await;
        stranger.enter(&page, &user.email, "wrong").await;
        server.advance_minutes(1);
        happen(server, 1).await;
        all.hears_of("type", "fp").await;
        all_arrive(server, &all).await;
        fails.hears_of("type", "fp").await;
        let kinds: Vec<Value> = fails.taken().iter().map(|event| event["type"].clone()).collect();
        assert_eq!(kinds, ["fp"]);
        assert_eq!(fails.taken()[0]["user_name"], "ann@example.com");
        let signed_in = all.hears_of("type", "s").await;
        assert_eq!((&signed_in["user_name"], &signed_in["user_id"]), (&json!("*****"), &json!(user.id)));
        let made = all.taken().into_iter().find(|event| event["description"] == "Create a User").unwrap();
        assert_eq!(made["details"]["request"]["body"]["email"], "*****");
    }

    async fn a_restart_and_a_pause_lose_nothing_and_repeat_nothing(server) {
        let receiver = LogReceiver::listen().await;
        let id = stream_to(server, &receiver, "management.success").await;
        happen(server, 3).await;
        all_arrive(server, &receiver).await;
        server.restart().await;
        happen(server, 3).await;
        all_arrive(server, &receiver).await;
        let path = format!("log-streams/{id}");
        server.api().patch(&path, &json!({ "status": "paused" })).await.expect(200);
        server.restart().await;
        happen(server, 3).await;
        assert_eq!(health(server, &id).await["status"], "paused");
        server.api().patch(&path, &json!({ "status": "active" })).await.expect(200);
        server.advance_minutes(1);
        assert_eq!(all_arrive(server, &receiver).await, logged(server, "sapi").await);
    }

    async fn a_receiver_that_fails_and_comes_back_gets_everything_in_order(server) {
        let receiver = LogReceiver::listen().await;
        receiver.answer_next(&[Behaviour::Status(503), Behaviour::Status(302), Behaviour::RetryAfter(429, 600)]);
        let id = stream_to(server, &receiver, "management.success").await;
        happen(server, 8).await;
        let state = until_failures(server, &id, 1).await;
        assert_eq!((&state["last_error"], &state["status"]), (&json!("the receiver answered 503"), &json!("active")));
        assert!(state["lag_seconds"].as_i64() >= Some(50), "{state}");
        server.advance_ms(2_000);
        until_failures(server, &id, 2).await;
        server.advance_ms(4_000);
        until_failures(server, &id, 3).await;
        server.advance_ms(590_000);
        happen(server, 120).await;
        // The last wait was the receiver's own wish, and is over by now.
        let everything = all_arrive(server, &receiver).await;
        // A page of the log holds the newest hundred.
        assert!(everything.ends_with(&logged(server, "sapi").await), "in order, each once");
        assert!(everything.len() >= 129, "{}", everything.len());
        assert!(everything.is_sorted() && everything.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(receiver.posts().len() - receiver.posts().iter().filter(|post| post.acknowledged).count(), 3);
        let state = health(server, &id).await;
        assert_eq!((&state["failures"], &state["failing_since"], &state["next_try_at"]), (&json!(0), &Value::Null, &Value::Null));
        assert_eq!(state["last_error"], "the receiver answered 429");
        assert!(server.api().logs("log_stream_failing").await.is_empty(), "a short failure is no news");
    }

    async fn a_receiver_that_stays_down_is_told_of_and_its_stream_suspended_until_somebody_resumes_it(server) {
        let receiver = LogReceiver::listen().await;
        receiver.answer_always(Behaviour::Status(500));
        // All categories: the stream would carry what the log says of it, too.
        let id = made(server, &json!({ "type": "http", "name": "SIEM", "sink": { "httpEndpoint": receiver.url } })).await;
        happen(server, 2).await;
        until_failures(server, &id, 1).await;
        server.advance_hours(2);
        let failures = until_failures(server, &id, 2).await["failures"].as_u64().unwrap();
        server.advance_hours(1);
        until_failures(server, &id, failures + 1).await;
        let failing = server.api().only_log("log_stream_failing").await;
        assert_eq!(failing["description"], "SIEM: the receiver answered 500");
        assert_eq!(failing["details"]["log_stream_id"], id);

        server.advance_hours(7 * 24);
        let path = format!("log-streams/{id}");
        let stream = wait::until("the suspension", async || {
            let stream = server.api().get(&path).await.expect(200).json();
            (stream["status"] == "suspended").then_some(stream)
        })
        .await;
        assert_eq!(stream["name"], "SIEM");
        server.api().only_log("log_stream_suspended").await;
        server.api().patch(&path, &json!({ "status": "suspended" })).await.expect(200);
        let tries = receiver.posts().len();
        server.advance_hours(10);
        happen(server, 2).await;
        assert_eq!(receiver.posts().len(), tries, "a suspended stream sends nothing");

        receiver.answer_always(Behaviour::Status(200));
        assert_eq!(server.api().patch(&path, &json!({ "status": "active" })).await.expect(200).json()["status"], "active");
        server.advance_minutes(1);
        all_arrive(server, &receiver).await;
        let taken = receiver.taken();
        let of = |kind: &str| ids(&taken.iter().filter(|event| event["type"] == kind).cloned().collect::<Vec<_>>());
        for kind in ["sapi", "log_stream_failing", "log_stream_suspended"] {
            assert_eq!(of(kind), logged(server, kind).await, "{kind}");
        }
    }

    async fn a_receiver_that_hangs_holds_up_no_other_stream(server) {
        let (hanging, fine) = (LogReceiver::listen().await, LogReceiver::listen().await);
        hanging.answer_always(Behaviour::Hang);
        let id = stream_to(server, &hanging, "management.success").await;
        stream_to(server, &fine, "management.success").await;
        happen(server, 2).await;
        wait::until("a post that hangs", async || (!hanging.posts().is_empty()).then_some(())).await;
        for _ in 0..3 {
            happen(server, 1).await;
            all_arrive(server, &fine).await;
        }
        let state = until_failures(server, &id, 1).await;
        assert_eq!(state["last_error"], "no answer within 5000 ms");
    }

    async fn secrets_of_a_sink_are_sealed_and_not_logged(server) {
        let sink = json!({
            "httpEndpoint": "https://siem.example.com/", "httpAuthorization": "Bearer open-sesame",
            "httpCustomHeaders": [{ "header": "X-Key", "value": "open-poppy" }],
        });
        let id = made(server, &json!({ "type": "http", "sink": sink })).await;
        server.api().patch(&format!("log-streams/{id}"), &json!({ "sink": sink })).await.expect(200);
        let everything = server.api().get("logs?per_page=100").await.expect(200).text;
        // The address of a receiver may be a secret as a whole.
        assert!(!everything.contains("siem.example.com") && !everything.contains("open-"), "{everything}");
        assert!(everything.contains("httpEndpoint"), "{everything}");
        for name in ["vestibule.sqlite", "vestibule.sqlite-wal"] {
            let Ok(bytes) = std::fs::read(server.data(name)) else { continue };
            let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!holds("open-sesame") && !holds("open-poppy"), "{name}");
        }
    }

    async fn a_stream_starts_from_a_date_or_after_an_event_and_can_be_moved(server) {
        happen(server, 3).await;
        let begin = server.now().to_string();
        happen(server, 3).await;
        let all = logged(server, "sapi").await;
        let (by_date, by_event) = (LogReceiver::listen().await, LogReceiver::listen().await);
        let body = |receiver: &LogReceiver, start: &str| json!({
            "type": "http", "sink": { "httpEndpoint": receiver.url }, "startFrom": start,
            "filters": [{ "type": "category", "name": "management.success" }],
        });
        made(server, &body(&by_date, &begin)).await;
        let id = made(server, &body(&by_event, &all[1])).await;
        server.advance_minutes(1);
        assert_eq!(all_arrive(server, &by_date).await, logged(server, "sapi").await[3..]);
        assert_eq!(all_arrive(server, &by_event).await, logged(server, "sapi").await[2..]);
        server.api().patch(&format!("log-streams/{id}"), &json!({ "startFrom": all[4] })).await.expect(200);
        server.advance_minutes(1);
        let newest = logged(server, "sapi").await;
        let taken = wait::until("the events again", async || {
            let taken = ids(&by_event.taken());
            (taken.iter().filter(|id| **id == newest[5]).count() == 2 && taken.last() == newest.last()).then_some(taken)
        })
        .await;
        assert!(taken.ends_with(&newest[5..]), "{taken:?}");
    }

    #[with("log_streams.file_mib" = "1", "log_streams.files" = "3")]
    async fn a_file_gets_every_event_as_a_line_and_is_rotated_by_size(server) {
        let body = json!({ "type": "file", "name": "Audit", "sink": { "fileName": "audit" } });
        let id = made(server, &body).await;
        let client = format!("clients/{}", server.app("Shop").await.id);
        let callbacks: Vec<String> = (0..100).map(|n| format!("https://shop.test/{n}/{}", "x".repeat(480))).collect();
        for _ in 0..25 {
            server.advance_ms(10);
            server.api().patch(&client, &json!({ "callbacks": callbacks })).await.expect(200);
        }
        server.advance_minutes(1);
        let newest = logged(server, "sapi").await;
        let (older, newer) = (server.data("streams/audit.jsonl.1"), server.data("streams/audit.jsonl"));
        let read = |path: &std::path::Path| -> Vec<Value> {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        wait::until("the last line", async || ids(&read(&newer)).contains(newest.last()?).then_some(())).await;
        assert!(std::fs::metadata(&older).unwrap().len() <= 1024 * 1024);
        let lines = [read(&older), read(&newer)].concat();
        let of_api: Vec<Value> = lines.into_iter().filter(|line| line["type"] == "sapi").collect();
        assert_eq!(ids(&of_api), newest);
        assert_eq!(health(server, &id).await["failures"], 0);
    }
}

/// Every event of the log, oldest first, as an exporter reads it.
async fn whole_log(program: &Program) -> Vec<String> {
    let (mut all, mut from) = (Vec::new(), String::new());
    loop {
        let page = program.api.get(&format!("logs?take=100{from}")).await.expect(200).json();
        let page = ids(page.as_array().unwrap());
        let Some(last) = page.last() else { return all };
        from = format!("&from={last}");
        all.extend(page);
    }
}

async fn a_killed_server_loses_no_line_of_a_file(place: &Place) {
    let folder = place.folder.join("audit");
    let settings = [format!("log_streams.folder={}", folder.display()), "log_streams.file=all".to_owned()];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let program = Program::start_with(place, 0, &settings).await;
    let port = program.port();
    let path = folder.join("all.jsonl");
    let lines = || std::fs::read_to_string(&path).unwrap_or_default();
    let happen = async |program: &Program, count: usize| {
        for number in 0..count {
            let client = json!({ "name": format!("Client {number}") });
            program.api.post("clients", &client).await.expect(201);
        }
    };
    happen(&program, 5).await;
    wait::until("the first line", async || lines().contains("sapi").then_some(())).await;
    happen(&program, 20).await;
    program.kill().await;
    // As a write that the power cut short leaves it.
    let torn = format!("{}{{\"log_id\":\"9002", lines());
    std::fs::write(&path, torn).unwrap();

    let program = Program::start_with(place, port, &settings).await;
    happen(&program, 5).await;
    let newest = program.api.logs("sapi").await[0]["log_id"].as_str().unwrap().to_owned();
    wait::until("the last line", async || lines().contains(&newest).then_some(())).await;
    let events: Vec<Value> =
        lines().lines().map(|line| serde_json::from_str(line).expect("whole lines only")).collect();
    let mut written = ids(&events);
    written.sort();
    written.dedup();
    let logged = whole_log(&program).await;
    assert!(logged.len() > 30, "{}", logged.len());
    assert_eq!(written[..logged.len()], logged, "from the oldest event on");
    program.kill().await;
}

mod killed {
    #[test]
    fn sqlite_a_killed_server_loses_no_line_of_a_file() {
        suite::store::run_in(suite::Store::Sqlite, super::a_killed_server_loses_no_line_of_a_file);
    }

    #[test]
    fn postgres_a_killed_server_loses_no_line_of_a_file() {
        suite::store::run_in(suite::Store::Postgres, super::a_killed_server_loses_no_line_of_a_file);
    }
}
