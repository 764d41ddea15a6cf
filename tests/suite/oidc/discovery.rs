//! `/.well-known/openid-configuration` and the keys.
//!
//! Spec: OIDC Discovery 1.0 §3, RFC 8414, RFC 7517.

use serde_json::json;
use suite::on_every_store;

on_every_store! {
    async fn the_document_names_endpoints_that_exist_and_features_that_work(server) {
        let reply = server.wire.get("/.well-known/openid-configuration").await.expect(200);
        assert!(reply.header("content-type").starts_with("application/json"));
        let document = reply.json();
        assert_eq!(document["issuer"], server.wire.issuer());
        for (name, path) in [
            ("authorization_endpoint", "authorize"), ("token_endpoint", "oauth/token"), ("userinfo_endpoint", "userinfo"),
            ("jwks_uri", ".well-known/jwks.json"), ("revocation_endpoint", "oauth/revoke"),
            ("end_session_endpoint", "oidc/logout"),
        ] {
            assert_eq!(document[name], format!("{}{path}", server.wire.issuer()), "{name}");
            let found = server.wire.get(&format!("/{path}")).await;
            assert_ne!(found.status, 404, "{name}");
        }
        assert_eq!(document["response_types_supported"], json!(["code"]));
        assert_eq!(document["response_modes_supported"], json!(["query", "fragment", "form_post"]));
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "ES256"]));
        for channel in ["backchannel", "frontchannel"] {
            assert_eq!(document[format!("{channel}_logout_supported")], true);
            assert_eq!(document[format!("{channel}_logout_session_supported")], true);
        }
        let twin = server.wire.get("/.well-known/oauth-authorization-server").await.expect(200);
        assert_eq!(twin.json(), document);
    }

    async fn the_key_set_holds_public_parts_only(server) {
        let keys = server.wire.get("/.well-known/jwks.json").await.expect(200).json();
        let keys = keys["keys"].as_array().unwrap();
        assert!(keys.iter().any(|key| key["kty"] == "RSA") && keys.iter().any(|key| key["kty"] == "EC"), "{keys:?}");
        for key in keys {
            assert_eq!(key["use"], "sig");
            assert!(key["kid"].is_string() && key["alg"].is_string());
            for secret in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.get(secret).is_none(), "{secret}");
            }
        }
    }

    async fn keys_outlive_a_restart(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let before = server.wire.get("/.well-known/jwks.json").await.json();
        server.restart().await;
        assert_eq!(server.wire.get("/.well-known/jwks.json").await.json(), before);
        assert_eq!(app.claims_of(&signed_in.id_token, Some(&app.id)).await["sid"], signed_in.sid.as_str());
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);
    }
}
