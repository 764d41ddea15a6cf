//! `GET /api/v2/sessions/{id}`.

use serde_json::json;
use suite::on_every_store;

on_every_store! {
    async fn a_session_is_shown_in_auth0s_shape(server) {
        let (app, user, _, signed_in) = server.someone_signed_in().await;
        let session = server.api().session(&signed_in.sid).await;
        let now = server.now().to_string();
        let method = json!({ "name": "pwd", "timestamp": now });
        assert_eq!(session["id"], signed_in.sid.as_str());
        assert_eq!(session["user_id"], user.id.as_str());
        for name in ["created_at", "updated_at", "authenticated_at", "last_interacted_at"] {
            assert_eq!(session[name], now.as_str(), "{name}");
        }
        let hours = |hours: i64| server.now().plus_millis(hours * 3_600_000).to_string();
        assert_eq!(session["idle_expires_at"], hours(72));
        assert_eq!(session["expires_at"], hours(168));
        assert_eq!(session["clients"], json!([{ "client_id": app.id }]));
        assert_eq!(session["authentication"], json!({ "methods": [method] }));
        assert_eq!(session["cookie"], json!({ "mode": "persistent" }));
        for (name, value) in [
            ("initial_user_agent", "Suite/1.0"), ("last_user_agent", "Suite/1.0"),
            ("initial_ip", "127.0.0.1"), ("last_ip", "127.0.0.1"),
        ] {
            assert_eq!(session["device"][name], value, "{name}");
        }
        assert!(!session.to_string().contains("cookie_hash"), "{session}");
    }

    async fn reading_takes_a_scope_and_a_holder_of_an_update_scope_may_read(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let path = format!("sessions/{}", signed_in.sid);
        for scope in ["read:sessions", "update:sessions"] {
            server.api_with(&[scope]).await.get(&path).await.expect(200);
        }
        let reply = server.api_with(&["delete:sessions", "read:users"]).await.get(&path).await;
        assert_eq!(reply.status, 403);
        let body = reply.json();
        let message = body["message"].as_str().unwrap();
        assert!(message.starts_with("Insufficient scope, expected any of: read:sessions"), "{message}");
        assert_eq!((&body["error"], &body["errorCode"]), (&json!("Forbidden"), &json!("insufficient_scope")));
    }

    async fn the_singular_update_scope_reads_and_writes(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let path = format!("sessions/{}", signed_in.sid);
        let api = server.api_with(&["update:session"]).await;
        api.get(&path).await.expect(200);
        api.patch(&path, &json!({ "session_metadata": { "a": "1" } })).await.expect(200);
    }

    async fn an_unknown_session_is_not_found(server) {
        for id in ["unknown", "0", "%C3%BC", "a%2Fb", &"x".repeat(200)] {
            server.api().expect_no_session(id).await;
        }
    }
}
