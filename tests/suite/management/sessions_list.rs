//! `GET` and `DELETE /api/v2/users/{id}/sessions`.

use serde_json::json;
use suite::on_every_store;

on_every_store! {
    async fn a_users_sessions_are_listed_page_by_page(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let mut all = Vec::new();
        for _ in 0..5 {
            server.advance_minutes(1);
            all.push(app.sign_in(&server.browser(), &user).await.sid);
        }
        let path = format!("users/{}/sessions", user.path_id());
        let whole = server.api().get(&path).await.expect(200).json();
        assert_eq!(whole["sessions"].as_array().unwrap().len(), 5);
        assert!(whole.get("next").is_none(), "{whole}");
        assert_eq!(whole["sessions"][0], server.api().session(whole["sessions"][0]["id"].as_str().unwrap()).await);

        let (mut seen, mut next) = (Vec::new(), None::<String>);
        loop {
            let from = next.as_ref().map_or(String::new(), |next| format!("&from={next}"));
            let page = server.api().get(&format!("{path}?take=2{from}")).await.expect(200).json();
            let items = page["sessions"].as_array().unwrap();
            assert!(items.len() <= 2, "{page}");
            seen.extend(items.iter().map(|session| session["id"].as_str().unwrap().to_owned()));
            next = page["next"].as_str().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        seen.sort();
        all.sort();
        assert_eq!(seen, all);
    }

    async fn sessions_of_others_and_expired_ones_are_not_listed(server) {
        let (app, ann) = (server.app("Shop").await, server.user("ann@example.com").await);
        let bob = server.user("bob@example.com").await;
        app.sign_in(&server.browser(), &bob).await;
        app.sign_in(&server.browser(), &ann).await;
        server.advance_hours(73);
        let live = app.sign_in(&server.browser(), &ann).await;
        let listed = server.api().get(&format!("users/{}/sessions", ann.path_id())).await.expect(200).json();
        let ids: Vec<_> = listed["sessions"].as_array().unwrap().iter().map(|session| &session["id"]).collect();
        assert_eq!(ids, [&json!(live.sid)]);
    }

    async fn a_page_size_out_of_range_is_refused(server) {
        let user = server.user("ann@example.com").await;
        for query in ["take=0", "take=101", "take=x", "take=-1"] {
            let reply = server.api().get(&format!("users/{}/sessions?{query}", user.path_id())).await;
            assert_eq!((reply.status, &reply.json()["errorCode"]), (400, &json!("invalid_query_string")), "{query}");
        }
    }

    async fn an_unknown_user_is_not_found(server) {
        for reply in [
            server.api().get("users/auth0%7Cnobody/sessions").await,
            server.api().delete("users/auth0%7Cnobody/sessions").await,
        ] {
            reply.expect_api_error(404, "Not Found", "The user does not exist.", "inexistent_user");
        }
    }

    async fn deleting_a_users_sessions_ends_them_all_and_no_others(server) {
        let (app, ann) = (server.app("Shop").await, server.user("ann@example.com").await);
        let bob = server.user("bob@example.com").await;
        let other = app.sign_in(&server.browser(), &bob).await;
        let mut browsers = Vec::new();
        for _ in 0..3 {
            let browser = server.browser();
            let signed_in = app.sign_in_with(&browser, &ann, "openid offline_access").await;
            browsers.push((browser, signed_in));
        }
        let path = format!("users/{}/sessions", ann.path_id());
        assert_eq!(server.api().delete(&path).await.expect(202).json(), json!({}));
        assert_eq!(server.api().get(&path).await.expect(200).json(), json!({ "sessions": [] }));
        for (browser, signed_in) in &browsers {
            browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
            app.refresh(signed_in.refresh_token()).await.expect(200);
        }
        server.api().session(&other.sid).await;
        assert_eq!(server.api().logs("session_revoked").await.len(), 3);
    }

    async fn listing_and_deleting_take_their_scopes(server) {
        let user = server.user("ann@example.com").await;
        let path = format!("users/{}/sessions", user.path_id());
        let reader = server.api_with(&["read:sessions"]).await;
        reader.get(&path).await.expect(200);
        assert_eq!(reader.delete(&path).await.status, 403);
        let deleter = server.api_with(&["delete:sessions"]).await;
        assert_eq!(deleter.get(&path).await.status, 403);
        deleter.delete(&path).await.expect(202);
    }
}
