//! `GET /api/v2/logs`, `GET /api/v2/logs/{id}` and `GET /api/v2/users/{id}/logs`.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

/// The value of a query.
fn encoded(q: &str) -> String {
    url::form_urlencoded::byte_serialize(q.as_bytes()).collect()
}

async fn found(server: &Server, q: &str) -> Vec<Value> {
    let reply = server.api().get(&format!("logs?per_page=100&q={}", encoded(q))).await;
    reply.expect(200).json().as_array().unwrap().clone()
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["log_id"].as_str().unwrap()).collect()
}

on_every_store! {
    async fn events_are_found_by_type_user_and_client(server) {
        let (app, user, _, signed_in) = server.someone_signed_in().await;
        let event = server.api().only_log("s").await;
        assert_eq!((&event["user_id"], &event["client_id"]), (&json!(user.id), &json!(app.id)));
        assert_eq!(event["client_name"], "Shop");
        assert_eq!(event["connection"], "Username-Password-Authentication");
        assert_eq!((&event["ip"], &event["user_agent"]), (&json!("127.0.0.1"), &json!("Suite/1.0")));
        assert_eq!(event["date"], server.now().to_string());
        assert_eq!(event["details"]["session_id"], signed_in.sid.as_str());
        let query = format!("type:s AND client_id:{} AND user_id:%22{}%22", app.id, user.path_id());
        let found = server.api().get(&format!("logs?q={}", query.replace(' ', "%20"))).await.expect(200).json();
        assert_eq!(found, json!([event]));
        let none = server.api().get("logs?q=type:s%20AND%20type:f").await.expect(200).json();
        assert_eq!(none, json!([]));
    }

    async fn one_event_is_read_by_its_id(server) {
        server.someone_signed_in().await;
        let event = server.api().only_log("s").await;
        let id = event["log_id"].as_str().unwrap();
        assert_eq!(event["_id"], id);
        assert_eq!(server.api().get(&format!("logs/{id}")).await.expect(200).json(), event);
        assert_eq!(server.api().get("logs/90020200101000000000000000000000000000000000000000000000").await.status, 404);
    }

    async fn the_log_is_walked_forward_from_a_checkpoint(server) {
        for number in 0..5 {
            server.advance_ms(1000);
            server.api().post("clients", &json!({ "name": format!("Client {number}") })).await.expect(201);
        }
        let first = server.api().get("logs?take=2").await.expect(200).json();
        let first = first.as_array().unwrap().clone();
        assert_eq!(first.len(), 2);
        let mut seen: Vec<String> = Vec::new();
        let mut from = first[0]["log_id"].as_str().unwrap().to_owned();
        loop {
            let page = server.api().get(&format!("logs?from={from}&take=2")).await.expect(200).json();
            let page = page.as_array().unwrap().clone();
            let Some(last) = page.last() else { break };
            from = last["log_id"].as_str().unwrap().to_owned();
            seen.extend(page.iter().map(|event| event["log_id"].as_str().unwrap().to_owned()));
            assert!(seen.len() < 100, "it ends");
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted, seen, "by time, each once");
        assert!(seen.len() >= 4, "{seen:?}");
    }

    async fn totals_and_pages_are_told_where_they_are_asked_for(server) {
        for number in 0..3 {
            server.api().post("clients", &json!({ "name": format!("Client {number}") })).await.expect(201);
        }
        let page = server.api().get("logs?q=type:sapi&per_page=2&page=1&include_totals=true").await.expect(200).json();
        assert_eq!((&page["start"], &page["limit"]), (&json!(2), &json!(2)), "{page}");
        assert_eq!(page["logs"].as_array().unwrap().len(), 1);
    }

    async fn a_search_says_what_lucene_says(server) {
        let (_, user, _, signed_in) = server.someone_signed_in().await;
        server.advance_ms(60_000);
        server.api().post("clients", &json!({ "name": "Second" })).await.expect(201);
        let everything = found(server, "").await;
        let sign_in = server.api().only_log("s").await;
        let (at, created) = (sign_in["date"].as_str().unwrap(), server.now().to_string());
        // Each of these finds the sign-in, and not the creation of a client.
        for q in [
            format!("session_id:{} AND type:s", signed_in.sid),
            format!("session_id:\"{}\" AND NOT type:seacft", signed_in.sid),
            format!("type:(s OR fp OR \"fu\") AND user_id:\"{}\"", user.id),
            format!("+type:s -user_id:\"{}x\"", user.id),
            "type:s OR type:fp".to_owned(),
            "(type:sapi AND NOT type:sapi) OR type:s".to_owned(),
            "type:s && client_name:Sh?p".to_owned(),
            "type:s AND client_name:S*p".to_owned(),
            "type:s AND ip:127.0.0.*".to_owned(),
            "type:s AND hostname:* AND _exists_:user_name".to_owned(),
            format!("type:s AND date:[{at} TO {created}}}"),
            format!("type:s AND date:[{} TO *]", &at[..10]),
            format!("type:s AND date:<=\"{at}\""),
            format!("log_id:{}", sign_in["log_id"].as_str().unwrap()),
            "Username-Password-Authentication AND type:s AND strategy_type:database".to_owned(),
        ] {
            assert_eq!(found(server, &q).await, std::slice::from_ref(&sign_in), "{q}");
        }
        for q in ["type:s AND session_id:nobody", "type:S", "type:s AND date:{* TO 2020-01-01]", "NOT *:*"] {
            assert_eq!(found(server, q).await, [] as [Value; 0], "{q}");
        }
        let others = found(server, "NOT type:s").await;
        assert_eq!(others.len(), everything.len() - 1);
        assert_eq!(found(server, "Shop sapi").await.len(), found(server, "client_name:Shop OR type:sapi").await.len());
    }

    async fn a_query_that_is_not_understood_is_refused_with_its_place(server) {
        for (q, place, part) in [
            ("type:s AND", 8, "AND needs something behind it"),
            ("type:s AND (ip:1", 12, "not closed"),
            ("details.x:1", 1, "cannot be searched; known are type"),
            ("date:[yesterday TO *]", 7, "YYYY-MM-DD"),
            ("type:/s.*/", 6, "regular expressions"),
        ] {
            for path in ["logs", "users"] {
                let q = if path == "users" { q.replace("type:s", "name:s").replace("date:", "created_at:") } else { q.to_owned() };
                let reply = server.api().get(&format!("{path}?q={}", encoded(&q))).await.expect(400).json();
                let message = reply["message"].as_str().unwrap();
                assert_eq!(reply["errorCode"], "invalid_query_string", "{q}: {reply}");
                assert!(message.ends_with("on property q."), "{q}: {message}");
                if path == "logs" {
                    assert!(message.contains(part), "{q}: {message}");
                    assert!(message.contains(&format!("(at character {place})")), "{q}: {message}");
                }
            }
        }
    }

    async fn a_page_has_the_order_and_the_fields_that_are_asked_for(server) {
        for number in 0..4 {
            server.advance_ms(1000);
            server.api().post("clients", &json!({ "name": format!("Client {number}") })).await.expect(201);
        }
        let newest = server.api().get("logs?q=type:sapi").await.expect(200).json().as_array().unwrap().clone();
        let oldest = server.api().get("logs?q=type:sapi&sort=date:1").await.expect(200).json().as_array().unwrap().clone();
        assert!(newest.len() >= 4 && newest.iter().eq(oldest.iter().rev()), "{newest:?}");
        let page = server.api().get("logs?q=type:sapi&page=1&per_page=2&sort=date:1").await.expect(200).json();
        assert_eq!(ids(page.as_array().unwrap()), ids(&oldest[2..4]));
        let some = server.api().get("logs?q=type:sapi&per_page=1&fields=type,date").await.expect(200).json();
        assert_eq!(some, json!([{ "type": "sapi", "date": newest[0]["date"] }]));
        let most = server.api().get("logs?per_page=1&fields=details,date&include_fields=false").await.expect(200).json();
        assert!(most[0].get("details").is_none() && most[0].get("date").is_none() && most[0]["log_id"].is_string(), "{most}");
        server.api().get("logs?sort=ip:1").await.expect(400);
        server.api().get("logs?page=10&per_page=100").await.expect(400);
    }

    async fn a_checkpoint_tells_where_to_go_on_and_ignores_the_rest(server) {
        for number in 0..3 {
            server.api().post("clients", &json!({ "name": format!("Client {number}") })).await.expect(201);
        }
        let all = server.api().get("logs?take=100").await.expect(200);
        let all = all.json().as_array().unwrap().clone();
        let first = ids(&all)[0];
        let reply = server.api().get(&format!("logs?from={first}&take=1&q=type:nothing&fields=type&sort=date:-1")).await;
        let reply = reply.expect(200);
        assert_eq!(reply.json(), json!([all[1]]));
        let link = format!("<{}logs?from={}&take=1>; rel=\"next\"", server.wire.management_audience(), ids(&all)[1]);
        assert_eq!(reply.header("link"), link);
        let last = ids(&all)[all.len() - 1];
        let none = server.api().get(&format!("logs?from={last}")).await.expect(200);
        assert_eq!((none.json(), none.header("link")), (json!([]), ""));
        // What happens from here on follows the last one.
        server.api().post("clients", &json!({ "name": "Later" })).await.expect(201);
        let later = server.api().get(&format!("logs?from={last}")).await.expect(200).json();
        assert_eq!(later.as_array().unwrap().len(), 1, "{later}");
    }

    async fn the_log_of_a_user_is_read_by_page_and_by_checkpoint(server) {
        let (_, user, _, _) = server.someone_signed_in().await;
        let other = server.user("ben@example.com").await;
        let path = format!("users/{}/logs", user.path_id());
        let all = server.api().get(&path).await.expect(200).json().as_array().unwrap().clone();
        assert!(all.len() >= 2 && all.iter().all(|event| event["user_id"] == user.id.as_str()), "{all:?}");
        assert_eq!(all, found(server, &format!("user_id:\"{}\"", user.id)).await);
        let page = server.api().get(&format!("{path}?per_page=1&page=1&include_totals=true&sort=date:1")).await.expect(200).json();
        assert_eq!((&page["total"], &page["length"]), (&json!(all.len()), &json!(1)));
        assert_eq!(page["logs"][0], all[all.len() - 2]);
        let (mut from, mut seen) = (String::new(), Vec::new());
        loop {
            let page = server.api().get(&format!("{path}?take=1{from}")).await.expect(200).json();
            seen.extend(page["logs"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            from = format!("&from={next}");
        }
        let mut by_time = all.clone();
        by_time.reverse();
        assert_eq!(ids(&seen), ids(&by_time));
        let others = server.api().get(&format!("users/{}/logs", other.path_id())).await.expect(200).json();
        assert!(others.as_array().unwrap().iter().all(|event| event["user_id"] == other.id.as_str()), "{others}");
        server.api().get("users/auth0%7Cnobody/logs").await.expect(404);
    }

    async fn reading_the_log_takes_its_scope_and_a_legal_query(server) {
        assert_eq!(server.api_with(&["read:users"]).await.get("logs").await.status, 403);
        for query in ["q=type:(", "q=%22open", "per_page=1000", "page=-1"] {
            let reply = server.api().get(&format!("logs?{query}")).await;
            assert_eq!(reply.status, 400, "{query}: {}", reply.text);
        }
    }

    async fn no_event_holds_a_password_secret_or_token(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in_with(&browser, &user, "openid offline_access").await;
        let refreshed = app.refresh(signed_in.refresh_token()).await.expect(200).json();
        app.refresh("v1.wrong.token").await;
        server.api().patch(&format!("clients/{}", app.id), &json!({ "client_secret": "a-new-secret-of-forty-eight-characters-abcdefghij" })).await;
        let page = server.browser().get(&app.request().url()).await;
        browser.enter(&page, "typo-password-in-the-wrong-field", "x").await;
        let everything = server.api().get("logs?per_page=100").await.expect(200).text;
        for hidden in [
            suite::server::PASSWORD, &app.secret, signed_in.access_token(), signed_in.refresh_token(), &signed_in.id_token,
            refreshed["access_token"].as_str().unwrap(), "a-new-secret", "typo-password",
        ] {
            assert!(!everything.contains(hidden), "{hidden}");
        }
    }
}
