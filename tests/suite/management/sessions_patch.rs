//! `PATCH /api/v2/sessions/{id}`: the whole map is replaced, and a refusal changes nothing.
//!
//! Auth0: manage users › sessions › session metadata.

use serde_json::{Map, Value, json};
use suite::reply::Reply;
use suite::{Server, on_every_store};

const TOO_LARGE: &str = "Metadata must not exceed 25 entries. Each key and value must be ≤ 255 characters.";

fn entries(count: usize) -> Value {
    (0..count).map(|number| (format!("k{number}"), json!("v"))).collect::<Map<_, _>>().into()
}

/// Sends a body that must be refused, and asserts that nothing changed; answers the refusal.
async fn refused(server: &Server, sid: &str, body: &Value) -> Reply {
    let before = server.api().session(sid).await;
    let writes = server.api().logs("sapi").await.len();
    server.advance_ms(1000);
    let reply = server.api().patch(&format!("sessions/{sid}"), body).await;
    assert_eq!(reply.status, 400, "{body}: {}", reply.text);
    assert_eq!((&reply.json()["statusCode"], &reply.json()["error"]), (&json!(400), &json!("Bad Request")));
    assert_eq!(server.api().session(sid).await, before, "{body} changed something");
    assert_eq!(server.api().logs("sapi").await.len(), writes, "a refusal is no write");
    reply
}

on_every_store! {
    async fn legal_metadata_is_taken_up_to_every_limit(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let everything: String = ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['_', '-']).collect();
        for metadata in [
            entries(25),
            json!({ "k".repeat(255): "v".repeat(255) }),
            json!({ everything: "any text: äöü €\n\t\"<&" }),
            json!({ "empty": "" }),
            json!({ "emoji": "😀".repeat(127) }),
            json!({ "emoji_and_one": format!("{}x", "😀".repeat(127)) }),
        ] {
            let answered = server.api().set_session_metadata(&signed_in.sid, &metadata).await;
            assert_eq!(answered["session_metadata"], metadata);
            assert_eq!(server.api().session_metadata(&signed_in.sid).await, metadata);
        }
    }

    async fn broken_size_rules_share_the_documented_body(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        server.api().set_session_metadata(&signed_in.sid, &json!({ "kept": "1" })).await;
        for metadata in [
            entries(26),
            json!({ "k".repeat(256): "v" }),
            json!({ "k": "v".repeat(256) }),
            json!({ "k": "😀".repeat(128) }),
            json!({ "k": "é".repeat(256) }),
            entries(1000),
        ] {
            let reply = refused(server, &signed_in.sid, &json!({ "session_metadata": metadata })).await;
            let body = json!({ "statusCode": 400, "error": "Bad Request", "message": TOO_LARGE });
            assert_eq!(reply.json(), body);
        }
    }

    async fn two_hundred_fifty_five_characters_beyond_the_basic_plane_count_twice(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        refused(server, &signed_in.sid, &json!({ "session_metadata": { "k": "😀".repeat(255) } })).await;
        server.api().set_session_metadata(&signed_in.sid, &json!({ "k": "é".repeat(255) })).await;
    }

    async fn a_wrong_key_or_type_is_refused_by_the_name_of_the_key(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        for (key, value) in [
            ("bad key!", json!("v")), ("dotted.key", json!("v")), ("ümlaut", json!("v")), ("a/b", json!("v")),
            ("count", json!(1)), ("flag", json!(true)), ("list", json!(["v"])), ("map", json!({ "a": "b" })),
            ("nothing", json!(null)),
        ] {
            let reply = refused(server, &signed_in.sid, &json!({ "session_metadata": { "fine": "v", key: value } })).await;
            let body = reply.json();
            assert!(body["message"].as_str().unwrap().contains(key), "{key}: {body}");
            assert_eq!(body["errorCode"], "invalid_body");
        }
        let empty = refused(server, &signed_in.sid, &json!({ "session_metadata": { "": "v" } })).await;
        assert!(empty.text.contains("session_metadata"), "{}", empty.text);
    }

    async fn a_null_byte_in_a_value_is_refused(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let reply = refused(server, &signed_in.sid, &json!({ "session_metadata": { "k": "a\u{0}b" } })).await;
        assert!(reply.json()["message"].as_str().unwrap().contains("null bytes"), "{}", reply.text);
    }

    async fn bodies_of_another_shape_are_refused(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        for body in [
            json!({}), json!([]), json!("text"), json!(null), json!(7),
            json!({ "session_metadata": "text" }), json!({ "session_metadata": [] }), json!({ "session_metadata": 1 }),
            json!({ "metadata": { "a": "1" } }), json!({ "user_id": "auth0|1" }),
        ] {
            let reply = refused(server, &signed_in.sid, &body).await;
            assert_eq!(reply.json()["errorCode"], "invalid_body", "{body}: {}", reply.text);
        }
    }

    async fn an_extra_property_is_refused_by_its_name(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let body = json!({ "session_metadata": { "a": "1" }, "expires_at": "2030-01-01T00:00:00.000Z" });
        let reply = refused(server, &signed_in.sid, &body).await;
        let message = "Payload validation error: 'Additional properties not allowed: expires_at'";
        assert!(reply.json()["message"].as_str().unwrap().starts_with(message), "{}", reply.text);
    }

    async fn a_clients_settings_are_refused_with_the_right_call(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        for name in ["oidc_backchannel_logout", "oidc_logout"] {
            let body = json!({ name: {
                "backchannel_logout_urls": ["https://shop.test/logout"],
                "backchannel_logout_session_metadata": { "include": true },
            } });
            let reply = refused(server, &signed_in.sid, &body).await;
            assert!(reply.text.contains("PATCH /api/v2/clients/"), "{}", reply.text);
        }
    }

    async fn a_body_that_is_no_json_is_refused(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let token = server.api().token().await;
        for text in ["", "{", "{\"session_metadata\":", "\u{feff}{}", "{'a':1}", "[[[[[["] {
            let url = format!("{}/api/v2/sessions/{}", server.wire.url, signed_in.sid);
            let request = server.wire.http.patch(url).bearer_auth(&token).header("content-type", "application/json");
            let reply = Reply::to(request.body(text.to_owned())).await;
            assert_eq!(reply.status, 400, "{text}: {}", reply.text);
            assert_eq!(reply.json()["error"], "Bad Request");
        }
    }

    async fn writing_takes_the_update_scope_in_either_spelling(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let path = format!("sessions/{}", signed_in.sid);
        let body = json!({ "session_metadata": { "a": "1" } });
        for scope in ["update:sessions", "update:session"] {
            server.api_with(&[scope]).await.patch(&path, &body).await.expect(200);
        }
        let reply = server.api_with(&["read:sessions", "delete:sessions"]).await.patch(&path, &body).await;
        assert_eq!(reply.status, 403);
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("Insufficient scope, expected any of: update:sessions"), "{message}");
    }

    async fn an_unknown_or_ended_session_is_not_found(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let body = json!({ "session_metadata": { "a": "1" } });
        let unknown = server.api().patch("sessions/unknown", &body).await;
        unknown.expect_api_error(404, "Not Found", "The session does not exist.", "");
        server.advance_hours(73);
        let ended = server.api().patch(&format!("sessions/{}", signed_in.sid), &body).await;
        ended.expect_api_error(404, "Not Found", "The session does not exist.", "");
    }

    async fn a_write_is_logged_and_moves_updated_at_but_not_the_idle_expiry(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let before = server.api().session(&signed_in.sid).await;
        server.advance_minutes(10);
        let api = server.api_with(&["update:sessions"]).await;
        let body = json!({ "session_metadata": { "a": "1" } });
        let after = api.patch(&format!("sessions/{}", signed_in.sid), &body).await.expect(200).json();
        for name in ["idle_expires_at", "expires_at", "last_interacted_at", "authenticated_at", "device", "clients"] {
            assert_eq!(after[name], before[name], "{name}");
        }
        assert_eq!(after["updated_at"], server.now().to_string());
        let events = server.api().logs("sapi").await;
        let event = events.iter().find(|event| event["client_id"] == api.client_id());
        let request = &event.unwrap_or_else(|| panic!("{events:?}"))["details"]["request"];
        // Which keys were set is for the log, to what is not: metadata may be personal.
        let logged = json!({ "session_metadata": { "a": "*****" } });
        assert_eq!((&request["method"], &request["body"]), (&json!("patch"), &logged));
        assert_eq!(request["path"], format!("/api/v2/sessions/{}", signed_in.sid));
    }
}
