//! `DELETE /api/v2/sessions/{id}` and `POST /api/v2/sessions/{id}/revoke`: what ends, and what stays.

use serde_json::json;
use suite::{App, Browser, Server, SignedIn, User, on_every_store};

async fn with_refresh_token(server: &Server) -> (App, User, Browser, SignedIn) {
    let (app, user, browser) =
        (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
    let signed_in = app.sign_in_with(&browser, &user, "openid offline_access").await;
    (app, user, browser, signed_in)
}

on_every_store! {
    async fn delete_ends_the_session_and_leaves_refresh_tokens(server) {
        let (app, _, browser, signed_in) = with_refresh_token(server).await;
        let reply = server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
        assert!(reply.text.is_empty() || reply.json() == json!({}), "{}", reply.text);
        server.api().expect_no_session(&signed_in.sid).await;
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
        app.refresh(signed_in.refresh_token()).await.expect(200);
    }

    async fn revoke_ends_the_session_and_its_refresh_tokens_but_no_others(server) {
        let (app, user, browser, signed_in) = with_refresh_token(server).await;
        let elsewhere = app.sign_in_with(&server.browser(), &user, "openid offline_access").await;
        server.api().post_nothing(&format!("sessions/{}/revoke", signed_in.sid)).await.expect(202);
        server.api().expect_no_session(&signed_in.sid).await;
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
        app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        server.api().session(&elsewhere.sid).await;
        app.refresh(elsewhere.refresh_token()).await.expect(200);
        let event = server.api().only_log("session_revoked").await;
        assert_eq!((&event["user_id"], &event["details"]["session_id"]), (&json!(user.id), &json!(signed_in.sid)));
    }

    async fn an_absent_session_is_no_error_for_delete_and_one_for_revoke(server) {
        server.api().delete("sessions/unknown").await.expect(202);
        let reply = server.api().post_nothing("sessions/unknown/revoke").await;
        reply.expect_api_error(404, "Not Found", "The session does not exist.", "");
    }

    async fn ending_takes_the_delete_scope(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let api = server.api_with(&["read:sessions", "update:sessions"]).await;
        let path = format!("sessions/{}", signed_in.sid);
        for reply in [api.delete(&path).await, api.post_nothing(&format!("{path}/revoke")).await] {
            let message = "Insufficient scope, expected any of: delete:sessions";
            reply.expect_api_error(403, "Forbidden", message, "insufficient_scope");
        }
        server.api().session(&signed_in.sid).await;
        server.api_with(&["delete:sessions"]).await.delete(&path).await.expect(202);
    }

    async fn a_code_of_a_revoked_session_is_refused(server) {
        let (app, _, browser, signed_in) = with_refresh_token(server).await;
        let callback = browser.pass_through(&app.silent()).await;
        server.api().post_nothing(&format!("sessions/{}/revoke", signed_in.sid)).await.expect(202);
        app.exchange(callback.code()).await.expect_oauth_error(403, "invalid_grant");
        server.api().expect_no_session(&signed_in.sid).await;
    }

    async fn every_end_is_logged_as_a_write(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let api = server.api_with(&["delete:sessions"]).await;
        api.post_nothing(&format!("sessions/{}/revoke", signed_in.sid)).await.expect(202);
        let events = server.api().logs("sapi").await;
        let event = events.iter().find(|event| event["client_id"] == api.client_id());
        let details = &event.unwrap_or_else(|| panic!("{events:?}"))["details"];
        assert_eq!(details["request"]["method"], "post");
        assert_eq!(details["response"]["statusCode"], 202);
    }
}
