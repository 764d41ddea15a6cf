//! What deploy tools rest on beside the resources themselves: the client that stands for all, writes that say what is so
//! anyway, and options that are replaced as a whole.

use serde_json::json;
use suite::on_every_store;

on_every_store! {
    async fn one_client_stands_for_all_applications_and_nobody_signs_in_with_it(server) {
        let listed = server.api().get("clients").await.expect(200).json();
        assert!(listed.as_array().unwrap().iter().all(|client| client["global"] == false), "{listed}");
        let all = server.api().get("clients?is_global=true&include_totals=true").await.expect(200).json();
        assert_eq!((&all["total"], &all["clients"][0]["name"]), (&json!(1), &json!("All Applications")));
        let id = all["clients"][0]["client_id"].as_str().unwrap().to_owned();
        let path = format!("clients/{id}");
        let page = json!({ "custom_login_page": "<p>", "custom_login_page_on": false });
        let changed = server.api().patch(&path, &page).await.expect(200).json();
        assert_eq!((&changed["custom_login_page"], &changed["custom_login_page_on"]), (&json!("<p>"), &json!(false)));
        server.api().delete(&path).await.expect(400);
        server.restart().await;
        assert_eq!(server.api().get(&path).await.expect(200).json()["custom_login_page"], "<p>");
        let secret = changed["client_secret"].as_str().unwrap().to_owned();
        let audience = server.wire.management_audience();
        let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret), ("audience", &*audience)];
        server.wire.post_form("/oauth/token", &fields).await.expect(401);
    }

    async fn of_the_management_api_the_lifetime_of_tokens_changes_and_nothing_else(server) {
        let servers = server.api().get("resource-servers").await.expect(200).json();
        let api = servers.as_array().unwrap().iter().find(|found| found["is_system"] == true).unwrap().clone();
        let path = format!("resource-servers/{}", api["id"].as_str().unwrap());
        let same = json!({ "name": api["name"], "token_lifetime": api["token_lifetime"], "scopes": api["scopes"] });
        assert_eq!(server.api().patch(&path, &same).await.expect(200).json(), api);
        for refused in [
            json!({ "scopes": [] }), json!({ "name": "Mine" }), json!({ "allow_offline_access": true }),
            json!({ "signing_alg": "ES256" }), json!({ "token_lifetime": 60, "name": "Mine" }),
        ] {
            server.api().patch(&path, &refused).await.expect(403);
            assert_eq!(server.api().get(&path).await.expect(200).json(), api, "{refused}");
        }
        server.api().delete(&path).await.expect(403);
        let changed = server.api().patch(&path, &json!({ "token_lifetime": 60 })).await.expect(200).json();
        assert_eq!(changed["token_lifetime"], 60);
    }

    async fn flags_change_one_by_one_and_pages_without_a_text_have_none(server) {
        let before = server.api().get("tenants/settings").await.expect(200).json();
        assert_eq!((&before["flags"]["enable_sso"], &before["flags"]["allow_changing_enable_sso"]), (&json!(true), &json!(false)));
        server.api().tenant(&json!({ "flags": { "use_scope_descriptions_for_consent": true } })).await;
        server.api().tenant(&json!({ "flags": { "no_disclose_enterprise_connections": true } })).await;
        let pages = json!({ "change_password": { "enabled": false, "html": "" }, "guardian_mfa_page": { "enabled": false, "html": "<p>" } });
        let after = server.api().tenant(&pages).await;
        for flag in ["use_scope_descriptions_for_consent", "no_disclose_enterprise_connections", "enable_sso"] {
            assert_eq!(after["flags"][flag], true, "{flag}");
        }
        assert_eq!(after["change_password"], json!({ "enabled": false }));
        assert_eq!(after["guardian_mfa_page"], json!({ "enabled": false, "html": "<p>" }));
        assert!(after.get("error_page").is_none(), "{after}");
    }

    async fn options_that_do_not_forbid_it_allow_sign_up_again(server) {
        let path = format!("connections/{}", server.api().connection_id().await);
        for (options, disabled) in [
            (json!({ "disable_signup": true }), true), (json!({ "passwordPolicy": "good" }), false),
        ] {
            let changed = server.api().patch(&path, &json!({ "options": options })).await.expect(200).json();
            assert_eq!(changed["options"]["disable_signup"], disabled);
        }
        server.api().patch(&path, &json!({ "options": { "disable_signup": true } })).await.expect(200);
        let changed = server.api().patch(&path, &json!({ "metadata": { "a": "b" } })).await.expect(200).json();
        assert_eq!(changed["options"]["disable_signup"], true, "what is not named stays");
    }

    async fn a_user_without_a_picture_has_their_initials(server) {
        let user = server.user("Ann@example.com").await;
        let shown = server.api().get(&format!("users/{}", user.path_id())).await.expect(200).json();
        let picture = shown["picture"].as_str().unwrap();
        assert_eq!(picture, format!("{}avatars/an.svg", server.wire.issuer()));
        let drawn = server.wire.get("/avatars/an.svg").await.expect(200);
        assert_eq!(drawn.header("content-type"), "image/svg+xml");
        assert!(drawn.text.contains(">AN<"), "{}", drawn.text);
        for name in ["an", "an.png", "AN.svg", "%3Cb.svg", "..%2F.svg"] {
            server.wire.get(&format!("/avatars/{name}")).await.expect(404);
        }
        let signed_in = server.app("Shop").await.sign_in(&server.browser(), &user).await;
        let claims = server.wire.keys().await.verify(&signed_in.id_token).unwrap().claims.clone();
        assert_eq!(claims["picture"], picture);
        let own = server.user_with("bob@example.com", json!({ "picture": "https://pictures.example/bob.png" })).await;
        let shown = server.api().get(&format!("users/{}", own.path_id())).await.expect(200).json();
        assert_eq!(shown["picture"], "https://pictures.example/bob.png");
    }
}
