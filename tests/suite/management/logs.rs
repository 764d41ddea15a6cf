//! `GET /api/v2/logs` and `GET /api/v2/logs/{id}`.

use serde_json::json;
use suite::on_every_store;

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
