//! `/api/v2/keys/signing`: what signs, how one key follows another, and what revoking one means.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

const ALL_SCOPES: &[&str] = &["read:signing_keys", "create:signing_keys", "update:signing_keys"];

/// The keys of an algorithm with a mark, as the API shows them.
async fn keys(server: &Server, alg: &str, mark: &str) -> Vec<Value> {
    let all = server.api().get("keys/signing").await.expect(200).json();
    let of = |key: &&Value| key["alg"] == alg && key[mark] == true;
    all.as_array().unwrap().iter().filter(of).cloned().collect()
}

async fn only(server: &Server, alg: &str, mark: &str) -> Value {
    let mut found = keys(server, alg, mark).await;
    assert_eq!(found.len(), 1, "{alg} {mark}: {found:?}");
    found.remove(0)
}

async fn signed_by(server: &Server, token: &str) -> Value {
    server.wire.keys().await.verify(token).expect("a key of the set signed it").header.kid.unwrap().into()
}

/// Publishes the keys that will sign next, as a server does after its first minute.
async fn a_minute_passes(server: &Server) {
    server.advance_minutes(2);
    server.make_next_keys().await;
}

on_every_store! {
    async fn each_key_tells_its_certificate_which_the_key_set_and_clients_show_too(server) {
        let (rsa, elliptic) = (only(server, "RS256", "current").await, only(server, "ES256", "current").await);
        let set = server.wire.get("/.well-known/jwks.json").await.expect(200).json();
        for key in [&rsa, &elliptic] {
            let body: String = key["cert"].as_str().unwrap().lines().filter(|line| !line.starts_with('-')).collect();
            let published = set["keys"].as_array().unwrap().iter().find(|jwk| jwk["kid"] == key["kid"]).unwrap();
            assert_eq!(published["x5c"], json!([body]));
            assert!(published["x5t"].is_string());
            let thumbprint = key["thumbprint"].as_str().unwrap();
            assert_eq!(key["fingerprint"].as_str().unwrap().replace(':', ""), thumbprint);
            assert_eq!(thumbprint.len(), 40);
            assert!(key["pkcs7"].as_str().unwrap().starts_with("-----BEGIN PKCS7-----\r\n"));
            assert_eq!((&key["revoked"], &key["next"], &key["previous"]), (&json!(false), &json!(false), &json!(false)));
            let one = server.api().get(&format!("keys/signing/{}", key["kid"].as_str().unwrap())).await.expect(200);
            assert_eq!(one.json(), *key);
        }
        let client = server.api().get(&format!("clients/{}", server.api().client_id())).await.expect(200).json();
        let told = &client["signing_keys"][0];
        assert_eq!((&told["cert"], &told["pkcs7"]), (&rsa["cert"], &rsa["pkcs7"]));
        assert_eq!(told["subject"], "/CN=localhost");
        server.api().get("keys/signing/none").await.expect(404);
    }

    async fn the_next_key_is_published_before_it_signs_and_the_previous_one_counts_until_it_is_revoked(server) {
        a_minute_passes(server).await;
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let before = app.sign_in(&browser, &user).await;
        let (current, next) = (only(server, "RS256", "current").await, only(server, "RS256", "next").await);
        assert_eq!(signed_by(server, &before.id_token).await, current["kid"]);
        let set = server.wire.get("/.well-known/jwks.json").await.expect(200).json();
        assert!(set["keys"].as_array().unwrap().iter().any(|jwk| jwk["kid"] == next["kid"]), "{set}");

        let rotated = server.api().post_nothing("keys/signing/rotate").await.expect(201).json();
        assert_eq!(only(server, "RS256", "current").await["kid"], next["kid"]);
        assert_eq!(only(server, "RS256", "next").await["kid"], rotated["kid"]);
        let previous = only(server, "RS256", "previous").await;
        assert_eq!(previous["kid"], current["kid"]);
        assert!(previous["current_until"].is_string() && previous["current_since"].is_string(), "{previous}");
        only(server, "ES256", "previous").await;
        server.restart().await;
        let after = app.sign_in_silently(&browser).await;
        assert_eq!(signed_by(server, &after.id_token).await, next["kid"]);
        assert_eq!(after.sid, before.sid);
        let userinfo = |token: &str| server.wire.http.get(format!("{}/userinfo", server.wire.url)).bearer_auth(token);
        suite::Reply::to(userinfo(before.access_token())).await.expect(200);

        let api = server.api_with(ALL_SCOPES).await;
        let revoke = format!("keys/signing/{}/revoke", current["kid"].as_str().unwrap());
        let revoked = api.call(reqwest::Method::PUT, &revoke, None).await.expect(200).json();
        assert_eq!((&revoked["kid"], &revoked["cert"]), (&current["kid"], &current["cert"]));
        suite::Reply::to(userinfo(before.access_token())).await.expect(401);
        suite::Reply::to(userinfo(after.access_token())).await.expect(200);
        assert!(server.wire.keys().await.verify(&before.id_token).is_err(), "it is published no more");
        let shown = api.get(&format!("keys/signing/{}", current["kid"].as_str().unwrap())).await.expect(200).json();
        assert_eq!(shown["revoked"], true);
        assert!(shown["revoked_at"].is_string());
        // Once more changes nothing.
        let again = api.call(reqwest::Method::PUT, &revoke, None).await.expect(200).json();
        assert_eq!(again, revoked);

        api.post_nothing("keys/signing/rotate").await.expect(201);
        api.get(&format!("keys/signing/{}", current["kid"].as_str().unwrap())).await.expect(404);
    }

    async fn a_key_that_signs_or_will_cannot_be_revoked(server) {
        a_minute_passes(server).await;
        for mark in ["current", "next"] {
            let key = only(server, "RS256", mark).await;
            let path = format!("keys/signing/{}/revoke", key["kid"].as_str().unwrap());
            let refused = server.api().call(reqwest::Method::PUT, &path, None).await.expect(400);
            assert!(refused.text.contains("Rotate first"), "{}", refused.text);
            assert_eq!(only(server, "RS256", mark).await, key);
        }
        server.api().call(reqwest::Method::PUT, "keys/signing/none/revoke", None).await.expect(404);
    }

    async fn rotations_are_bounded_and_a_fresh_server_rotates_at_once(server) {
        for _ in 0..8 {
            server.api().post_nothing("keys/signing/rotate").await.expect(201);
        }
        let refused = server.api().post_nothing("keys/signing/rotate").await.expect(409);
        assert!(refused.text.contains("8 previous"), "{}", refused.text);
        assert_eq!(keys(server, "RS256", "previous").await.len(), 8);
        assert_eq!(keys(server, "ES256", "previous").await.len(), 8);
    }

    async fn rotations_at_once_leave_one_current_key(server) {
        a_minute_passes(server).await;
        let rotate = || server.api().post_nothing("keys/signing/rotate");
        let (first, second) = tokio::join!(rotate(), rotate());
        assert!([first.status, second.status].contains(&201));
        for alg in ["RS256", "ES256"] {
            only(server, alg, "current").await;
            only(server, alg, "next").await;
        }
    }

    async fn each_call_asks_for_its_scope(server) {
        let reader = server.api_with(&["read:signing_keys", "create:signing_keys"]).await;
        let key = reader.get("keys/signing").await.expect(200).json()[0]["kid"].as_str().unwrap().to_owned();
        reader.post_nothing("keys/signing/rotate").await.expect(403);
        reader.call(reqwest::Method::PUT, &format!("keys/signing/{key}/revoke"), None).await.expect(403);
        let stranger = server.api_with(&["read:clients"]).await;
        stranger.get("keys/signing").await.expect(403);
        stranger.get(&format!("keys/signing/{key}")).await.expect(403);
    }
}
