//! The rest of the Management API that sign-ins need: clients, users, APIs, grants, tenant settings.

use serde_json::json;
use suite::on_every_store;

on_every_store! {
    async fn a_client_is_made_read_changed_and_deleted(server) {
        let made = server.api().post("clients", &json!({ "name": "Shop" })).await.expect(201).json();
        let id = made["client_id"].as_str().unwrap();
        assert_eq!(id.len(), 32);
        assert!(made["client_secret"].as_str().is_some_and(|secret| secret.len() >= 43), "{made}");
        assert_eq!(made["jwt_configuration"]["lifetime_in_seconds"], 36000);
        assert_eq!(made["grant_types"], json!(["authorization_code", "implicit", "refresh_token", "client_credentials"]));
        let path = format!("clients/{id}");
        assert_eq!(server.api().get(&path).await.expect(200).json()["name"], "Shop");
        let changed = server.api().patch(&path, &json!({ "callbacks": ["https://shop.test/cb"] })).await.expect(200).json();
        assert_eq!((&changed["name"], &changed["callbacks"]), (&json!("Shop"), &json!(["https://shop.test/cb"])));
        server.api().delete(&path).await.expect(204);
        let gone = server.api().get(&path).await;
        gone.expect_api_error(404, "Not Found", "The client does not exist", "inexistent_client");
        assert_eq!(server.api().logs("sapi").await.len(), 3);
    }

    async fn a_clients_secret_is_shown_to_holders_of_its_scope_only(server) {
        let app = server.app("Shop").await;
        let path = format!("clients/{}", app.id);
        let seen = server.api_with(&["read:clients"]).await.get(&path).await.expect(200).json();
        assert!(seen.get("client_secret").is_none(), "{seen}");
        let seen = server.api_with(&["read:clients", "read:client_keys"]).await.get(&path).await.expect(200).json();
        assert_eq!(seen["client_secret"], app.secret.as_str());
    }

    async fn a_scope_for_some_properties_of_a_client_changes_no_others(server) {
        let app = server.app("Shop").await;
        let path = format!("clients/{}", app.id);
        let secret = "a-new-secret-that-is-long-enough-to-be-one";
        for scope in ["update:client_keys", "update:client_credentials", "update:client_token_vault_privileged_access"] {
            let narrow = server.api_with(&[scope]).await;
            for body in [
                json!({ "callbacks": ["https://elsewhere.test/"] }), json!({ "name": "Mine" }),
                json!({ "client_secret": secret, "grant_types": ["password"] }),
            ] {
                let refused = narrow.patch(&path, &body).await.expect(403);
                assert!(refused.text.contains("update:clients"), "{}", refused.text);
            }
        }
        let shown = server.api().get(&path).await.expect(200).json();
        assert_eq!((&shown["name"], &shown["client_secret"]), (&json!("Shop"), &json!(app.secret)));
        let keys = server.api_with(&["update:client_keys"]).await;
        keys.patch(&path, &json!({ "client_secret": secret })).await.expect(200);
        assert_eq!(server.api().get(&path).await.expect(200).json()["client_secret"], secret);
    }

    async fn unknown_properties_and_bad_values_of_a_client_are_refused(server) {
        for body in [
            json!({}), json!({ "name": "" }), json!({ "name": "<b>" }), json!({ "name": "x", "unknown_thing": 1 }),
            json!({ "name": "x", "callbacks": "https://x.test" }), json!({ "name": "x", "grant_types": "client_credentials" }),
            json!({ "name": "x", "oidc_logout": { "backchannel_logout_urls": ["not a url"] } }),
            json!({ "name": "x", "oidc_logout": { "backchannel_logout_initiators": { "mode": "custom" } } }),
            json!({ "name": "x", "oidc_logout": { "backchannel_logout_initiators":
                { "mode": "custom", "selected_initiators": ["rp-logout", "idp-logout", "moon-phase"] } } }),
        ] {
            let reply = server.api().post("clients", &body).await;
            assert_eq!((reply.status, &reply.json()["errorCode"]), (400, &json!("invalid_body")), "{body}: {}", reply.text);
        }
    }

    async fn rp_and_idp_logout_are_mandatory_among_chosen_initiators(server) {
        let body = json!({ "name": "x", "oidc_logout": { "backchannel_logout_urls": ["https://x.test/l"],
            "backchannel_logout_initiators": { "mode": "custom", "selected_initiators": ["session-revoked"] } } });
        assert_eq!(server.api().post("clients", &body).await.status, 400);
    }

    async fn a_user_is_made_read_changed_found_and_deleted(server) {
        let user = server.user("Ann@Example.com").await;
        let path = format!("users/{}", user.path_id());
        let read = server.api().get(&path).await.expect(200).json();
        assert!(user.id.starts_with("auth0|") && user.id.len() == 30, "{}", user.id);
        assert_eq!(read["identities"][0]["connection"], "Username-Password-Authentication");
        assert_eq!((&read["email_verified"], &read["identities"][0]["isSocial"]), (&json!(false), &json!(false)));
        let merged = json!({ "user_metadata": { "a": 1 } });
        server.api().patch(&path, &merged).await.expect(200);
        let merged = json!({ "user_metadata": { "b": 2, "a": null }, "name": "Ann" });
        let changed = server.api().patch(&path, &merged).await.expect(200).json();
        assert_eq!((&changed["user_metadata"], &changed["name"]), (&json!({ "b": 2 }), &json!("Ann")));
        let listed = server.api().get("users?per_page=100").await.expect(200).json();
        assert!(listed.as_array().unwrap().iter().any(|found| found["user_id"] == user.id.as_str()), "{listed}");
        server.api().delete(&path).await.expect(204);
        let gone = server.api().get(&path).await;
        gone.expect_api_error(404, "Not Found", "The user does not exist.", "inexistent_user");
    }

    async fn a_taken_address_is_a_conflict(server) {
        server.user("ann@example.com").await;
        let body = json!({ "connection": "Username-Password-Authentication", "email": "ANN@example.com", "password": "long enough 1" });
        let reply = server.api().post("users", &body).await;
        assert_eq!((reply.status, &reply.json()["error"]), (409, &json!("Conflict")), "{}", reply.text);
    }

    async fn a_deleted_user_is_signed_out_everywhere(server) {
        let (app, user, browser, signed_in) = server.someone_signed_in().await;
        server.api().delete(&format!("users/{}", user.path_id())).await.expect(204);
        server.api().expect_no_session(&signed_in.sid).await;
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
        let info = suite::reply::Reply::to(
            server.wire.http.get(format!("{}/userinfo", server.wire.url)).bearer_auth(signed_in.access_token()),
        )
        .await;
        assert_eq!(info.status, 401);
    }

    async fn an_api_and_a_grant_are_made_and_taken_away(server) {
        let body = json!({ "name": "Orders", "identifier": "https://orders.test/", "scopes": [{ "value": "read:orders" }] });
        let api = server.api().post("resource-servers", &body).await.expect(201).json();
        assert_eq!(server.api().post("resource-servers", &body).await.status, 409);
        let app = server.app("Shop").await;
        let grant = json!({ "client_id": app.id, "audience": "https://orders.test/", "scope": ["read:orders"] });
        let made = server.api().post("client-grants", &grant).await.expect(201).json();
        assert!(made["id"].as_str().unwrap().starts_with("cgr_"), "{made}");
        let fields = [("grant_type", "client_credentials"), ("audience", "https://orders.test/")];
        app.token(&fields).await.expect(200);
        server.api().delete(&format!("client-grants/{}", made["id"].as_str().unwrap())).await.expect(204);
        app.token(&fields).await.expect_oauth_error(403, "access_denied");
        server.api().delete(&format!("resource-servers/{}", api["id"].as_str().unwrap())).await.expect(204);
    }

    async fn the_management_api_itself_cannot_be_deleted(server) {
        let listed = server.api().get("resource-servers").await.expect(200).json();
        let own = listed.as_array().unwrap().iter().find(|api| api["is_system"] == true).unwrap();
        let path = format!("resource-servers/{}", own["id"].as_str().unwrap());
        let reply = server.api().delete(&path).await;
        assert!((400..500).contains(&reply.status), "{}", reply.status);
        server.api().get("clients").await.expect(200);
    }

    async fn tenant_settings_are_read_and_changed_within_their_limits(server) {
        let settings = server.api().get("tenants/settings").await.expect(200).json();
        assert_eq!((&settings["session_lifetime"], &settings["idle_session_lifetime"]), (&json!(168), &json!(72)));
        let changed = server.api().tenant(&json!({ "session_lifetime": 10, "idle_session_lifetime": 5 })).await;
        assert_eq!((&changed["session_lifetime"], &changed["idle_session_lifetime"]), (&json!(10), &json!(5)));
        for body in [json!({}), json!({ "session_lifetime": 0 }), json!({ "session_lifetime": "long" }), json!({ "unknown_thing": 1 })] {
            assert_eq!(server.api().patch("tenants/settings", &body).await.status, 400, "{body}");
        }
    }

    async fn an_unbuilt_unknown_or_undeployed_action_is_refused(server) {
        let nothing = json!({ "name": "Broken", "supported_triggers": [{ "id": "post-login", "version": "v3" }], "code": "exports.onExecutePostLogin = async (" });
        let made = server.api().post("actions/actions", &nothing).await;
        if made.status == 201 {
            let id = made.json()["id"].as_str().unwrap().to_owned();
            assert_eq!(server.api().post_nothing(&format!("actions/actions/{id}/deploy")).await.status, 400);
        }
        let body = json!({ "name": "Draft", "supported_triggers": [{ "id": "post-login", "version": "v3" }], "code": "exports.onExecutePostLogin = async () => {};" });
        let id = server.api().post("actions/actions", &body).await.expect(201).json()["id"].as_str().unwrap().to_owned();
        for (value, status) in [(&*id, 400), ("00000000-0000-4000-8000-000000000000", 404)] {
            let bindings = json!({ "bindings": [{ "ref": { "type": "action_id", "value": value }, "display_name": "x" }] });
            assert_eq!(server.api().patch("actions/triggers/post-login/bindings", &bindings).await.status, status);
        }
    }

    async fn lists_of_clients_have_pages_totals_and_checkpoints(server) {
        for number in 0..4 {
            server.api().post("clients", &json!({ "name": format!("Client {number}") })).await.expect(201);
        }
        let page = server.api().get("clients?per_page=2&page=1&include_totals=true").await.expect(200).json();
        assert_eq!((&page["total"], &page["start"], &page["limit"]), (&json!(5), &json!(2), &json!(2)), "{page}");
        let bare = server.api().get("clients").await.expect(200).json();
        assert_eq!(bare.as_array().unwrap().len(), 5);
        let mut names = Vec::new();
        let mut path = "clients?take=2".to_owned();
        loop {
            let page = server.api().get(&path).await.expect(200).json();
            names.extend(page["clients"].as_array().unwrap().iter().map(|client| client["client_id"].to_string()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("clients?take=2&from={next}");
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 5);
    }
}
