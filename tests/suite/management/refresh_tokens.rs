//! `/api/v2/refresh-tokens`, a user's refresh tokens, and `POST /api/v2/users/{id}/revoke-access`.

use serde_json::{Value, json};
use suite::{App, Server, SignedIn, User, on_every_store};

const TOO_LARGE: &str = "Metadata must not exceed 25 entries. Each key and value must be ≤ 255 characters.";

async fn with_refresh_token(server: &Server, app: &App, user: &User) -> (SignedIn, String) {
    let signed_in = app.sign_in_with(&server.browser(), user, "openid offline_access").await;
    let id = signed_in.refresh_token().split('.').nth(1).expect("as told").to_owned();
    (signed_in, id)
}

async fn tokens_of(server: &Server, user: &User) -> Vec<Value> {
    let found =
        server.api().get(&format!("users/{}/refresh-tokens", user.path_id())).await.expect(200).json();
    found["tokens"].as_array().expect("as told").clone()
}

on_every_store! {
    async fn a_refresh_token_is_shown_in_auth0s_shape_and_never_itself(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let (signed_in, id) = with_refresh_token(server, &app, &user).await;
        let reply = server.api().get(&format!("refresh-tokens/{id}")).await.expect(200);
        assert!(!reply.text.contains(signed_in.refresh_token()), "{}", reply.text);
        let token = reply.json();
        let seen = [&token["id"], &token["user_id"], &token["client_id"], &token["session_id"]];
        assert_eq!(seen, [&json!(id), &json!(user.id), &json!(app.id), &json!(signed_in.sid)]);
        assert_eq!(token["refresh_token_metadata"], Value::Null);
        assert_eq!(token["last_exchanged_at"], Value::Null);
        assert!(token["created_at"].is_string() && token["rotating"].is_boolean(), "{token}");
        assert_eq!(tokens_of(server, &user).await, [token]);
    }

    async fn metadata_is_replaced_as_a_whole_under_the_rules_of_sessions(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let (_, id) = with_refresh_token(server, &app, &user).await;
        let path = format!("refresh-tokens/{id}");
        let write = async |metadata: Value| server.api().patch(&path, &json!({ "refresh_token_metadata": metadata })).await;
        let first = write(json!({ "a": "1", "b": "" })).await.expect(200).json();
        assert_eq!(first["refresh_token_metadata"], json!({ "a": "1", "b": "" }));
        write(json!({ "c": "3" })).await.expect(200);
        let stored = server.api().get(&path).await.expect(200).json();
        assert_eq!(stored["refresh_token_metadata"], json!({ "c": "3" }));
        write(json!({ "a": "v".repeat(256) })).await.expect_api_error(400, "Bad Request", TOO_LARGE, "");
        let message = "Payload validation error: 'Expected type string' on property refresh_token_metadata.a.";
        write(json!({ "a": 1 })).await.expect_api_error(400, "Bad Request", message, "invalid_body");
        server.api().patch(&path, &json!({ "refresh_token_metadata": {}, "rotating": true })).await.expect(400);
        assert_eq!(write(Value::Null).await.expect(200).json()["refresh_token_metadata"], Value::Null);
        server.api().patch("refresh-tokens/unknown", &json!({ "refresh_token_metadata": {} })).await.expect(404);
    }

    async fn metadata_set_at_sign_in_is_read_through_the_api_and_an_action_reads_what_the_api_wrote(server) {
        server.api().on_post_login(r#"
            api.refreshToken.setMetadata("by", "action");
            api.idToken.setCustomClaim("https://x/note", event.refresh_token?.metadata.note ?? "none");
        "#).await;
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let (signed_in, id) = with_refresh_token(server, &app, &user).await;
        let path = format!("refresh-tokens/{id}");
        assert_eq!(server.api().get(&path).await.expect(200).json()["refresh_token_metadata"], json!({ "by": "action" }));
        server.api().patch(&path, &json!({ "refresh_token_metadata": { "note": "api" } })).await.expect(200);
        let tokens = app.refresh(signed_in.refresh_token()).await.expect(200).json();
        let claims = app.claims_of(tokens["id_token"].as_str().expect("as told"), Some(&app.id)).await;
        assert_eq!(claims["https://x/note"], "api");
        let stored = server.api().get(&path).await.expect(200).json();
        assert_eq!(stored["refresh_token_metadata"], json!({ "by": "action", "note": "api" }));
    }

    async fn deleting_revokes_one_or_all_of_a_users_tokens_and_keeps_sessions(server) {
        let app = server.app("Shop").await;
        let (ann, bob) = (server.user("ann@example.com").await, server.user("bob@example.com").await);
        let (first, id) = with_refresh_token(server, &app, &ann).await;
        let (second, _) = with_refresh_token(server, &app, &ann).await;
        let (third, _) = with_refresh_token(server, &app, &bob).await;
        server.api().delete(&format!("refresh-tokens/{id}")).await.expect(202);
        app.refresh(first.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        let reply = server.api().get(&format!("refresh-tokens/{id}")).await;
        reply.expect_api_error(404, "Not Found", "The refresh token does not exist.", "");
        assert_eq!(server.api().only_log("srrt").await["user_id"], ann.id.as_str());
        let reply = server.api().delete(&format!("users/{}/refresh-tokens", ann.path_id())).await.expect(202);
        assert_eq!(reply.json(), json!({}));
        app.refresh(second.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        app.refresh(third.refresh_token()).await.expect(200);
        server.api().session(&first.sid).await;
        assert!(tokens_of(server, &ann).await.is_empty());
    }

    async fn lists_of_a_users_tokens_have_checkpoints(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let mut ids = Vec::new();
        for _ in 0..3 {
            server.advance_minutes(1);
            ids.push(with_refresh_token(server, &app, &user).await.1);
        }
        let path = format!("users/{}/refresh-tokens?take=2", user.path_id());
        let first = server.api().get(&path).await.expect(200).json();
        let next = first["next"].as_str().expect("another page");
        let second = server.api().get(&format!("{path}&from={next}")).await.expect(200).json();
        assert!(second.get("next").is_none(), "{second}");
        let all = [first, second].into_iter().flat_map(|page| page["tokens"].as_array().expect("as told").clone());
        let all: Vec<String> = all.map(|token| token["id"].as_str().expect("as told").to_owned()).collect();
        assert_eq!(all, ids);
        server.api().get("users/auth0%7Cnobody/refresh-tokens").await.expect(404);
    }

    async fn each_call_takes_its_scope(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let (_, id) = with_refresh_token(server, &app, &user).await;
        let path = format!("refresh-tokens/{id}");
        let body = json!({ "refresh_token_metadata": {} });
        let reader = server.api_with(&["read:refresh_tokens"]).await;
        reader.get(&path).await.expect(200);
        for (reply, scope) in [
            (reader.patch(&path, &body).await, "update:refresh_tokens"),
            (reader.delete(&path).await, "delete:refresh_tokens"),
            (reader.post_nothing(&format!("users/{}/revoke-access", user.path_id())).await, "delete:sessions"),
        ] {
            let message = format!("Insufficient scope, expected any of: {scope}");
            reply.expect_api_error(403, "Forbidden", &message, "insufficient_scope");
        }
    }

    async fn access_is_revoked_for_one_session_or_for_all_and_tokens_may_be_kept(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let path = format!("users/{}/revoke-access", user.path_id());
        let (kept, _) = with_refresh_token(server, &app, &user).await;
        let body = json!({ "session_id": kept.sid, "preserve_refresh_tokens": true });
        server.api().post(&path, &body).await.expect(202);
        server.api().expect_no_session(&kept.sid).await;
        let next = app.refresh(kept.refresh_token()).await.expect(200).json();
        let kept_token = next["refresh_token"].as_str().unwrap_or(kept.refresh_token());

        let (one, _) = with_refresh_token(server, &app, &user).await;
        let (other, _) = with_refresh_token(server, &app, &user).await;
        server.api().post(&path, &json!({ "session_id": one.sid })).await.expect(202);
        server.api().expect_no_session(&one.sid).await;
        app.refresh(one.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        server.api().session(&other.sid).await;

        server.api().post_nothing(&path).await.expect(202);
        server.api().expect_no_session(&other.sid).await;
        app.refresh(other.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        app.refresh(kept_token).await.expect_oauth_error(403, "invalid_grant");
        server.api().post(&path, &json!({ "sessions": [] })).await.expect(400);
    }

    async fn the_list_of_all_asks_for_a_user_and_pages_by_checkpoint(server) {
        let (first, second) = (server.app("First").await, server.app("Second").await);
        let user = server.user("ann@example.com").await;
        for app in [&first, &first, &second] {
            with_refresh_token(server, app, &user).await;
        }
        let list = async |query: &str| server.api().get(&format!("refresh-tokens?user_id={}{query}", user.path_id())).await;
        let page = list("&take=2&fields=id,client_id").await.expect(200).json();
        assert_eq!(page["refresh_tokens"].as_array().unwrap().len(), 2);
        assert_eq!(page["refresh_tokens"][0].as_object().unwrap().len(), 2);
        let next = page["next"].as_str().expect("there is one more");
        let rest = list(&format!("&take=2&from={next}")).await.expect(200).json();
        assert_eq!(rest["refresh_tokens"].as_array().unwrap().len(), 1);
        assert_eq!(rest.get("next"), None);
        let of_second = list(&format!("&client_id={}", second.id)).await.expect(200).json();
        assert_eq!(of_second["refresh_tokens"].as_array().unwrap().len(), 1);
        let refused = server.api().get("refresh-tokens").await.expect(400);
        assert!(refused.text.contains("user_id"), "{}", refused.text);
    }

    async fn many_are_revoked_by_id_by_application_and_by_user(server) {
        let (first, second) = (server.app("First").await, server.app("Second").await);
        let user = server.user("ann@example.com").await;
        let (one, one_id) = with_refresh_token(server, &first, &user).await;
        let (two, _) = with_refresh_token(server, &first, &user).await;
        let (three, _) = with_refresh_token(server, &second, &user).await;
        let revoke = async |body: Value| server.api().post("refresh-tokens/revoke", &body).await;
        revoke(json!({ "ids": [one_id, "unknown"] })).await.expect(202);
        first.refresh(one.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        assert_eq!(server.api().logs("srrt").await.len(), 1);
        first.refresh(two.refresh_token()).await.expect(200);
        revoke(json!({ "user_id": user.id, "client_id": first.id, "audience": "https://elsewhere.test" })).await.expect(202);
        first.refresh(two.refresh_token()).await.expect(200);
        revoke(json!({ "user_id": user.id, "client_id": first.id })).await.expect(202);
        first.refresh(two.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        second.refresh(three.refresh_token()).await.expect(200);
        revoke(json!({ "user_id": user.id })).await.expect(202);
        second.refresh(three.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        server.api().session(&three.sid).await;
        revoke(json!({})).await.expect(400);
        let reader = server.api_with(&["read:refresh_tokens"]).await;
        reader.post("refresh-tokens/revoke", &json!({ "user_id": user.id })).await.expect(403);
    }

    async fn the_oldest_of_two_hundred_makes_room_and_the_log_says_so(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let first = app.sign_in_with(&browser, &user, "openid offline_access").await;
        let again = app.request().with("scope", "openid offline_access").with("prompt", "none").url();
        for _ in 1..200 {
            server.advance_ms(1);
            app.exchange(browser.pass_through(&again).await.code()).await.expect(200);
        }
        app.refresh(first.refresh_token()).await.expect(200);
        assert_eq!(server.api().logs("resource_cleanup").await.len(), 0);
        server.advance_ms(1);
        let last = app.redeem(&browser.pass_through(&again).await).await;
        app.refresh(first.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        app.refresh(last.refresh_token()).await.expect(200);
        let told = server.api().only_log("resource_cleanup").await;
        assert_eq!((&told["user_id"], &told["client_id"]), (&json!(user.id), &json!(app.id)));
    }
}
