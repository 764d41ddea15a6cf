//! What an Action sees in its event, and what else it can do.
//!
//! Auth0: Actions › post-login › event and API objects.

use serde_json::{Value, json};
use suite::on_every_store;

on_every_store! {
    async fn the_event_tells_who_signs_in_where_and_how(server) {
        let code = r#"exports.onExecutePostLogin = async (event, api) => {
            const { user, client, connection, request, transaction, authentication, session, stats, tenant } = event;
            api.idToken.setCustomClaim("https://x/seen", {
                user: [user.user_id, user.email], client: [client.client_id, client.name], connection: connection.name,
                request: [request.ip, request.method, request.user_agent, request.query["ext-color"]],
                transaction: [transaction.protocol, transaction.state, transaction.redirect_uri, transaction.requested_scopes.join()],
                methods: authentication.methods.map((method) => method.name), session: [session.user_id, session.clients.length],
                stats: stats.logins_count, tenant: typeof tenant.id, roles: event.authorization.roles, secret: event.secrets.KEY,
            });
        };"#;
        let id = server.api().deployed_action("Look", code, &json!([{ "name": "KEY", "value": "opens" }])).await;
        let binding = json!({ "bindings": [{ "ref": { "type": "action_id", "value": id }, "display_name": "Look" }] });
        server.api().patch("actions/triggers/post-login/bindings", &binding).await.expect(200);
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        browser.move_to("192.0.2.10");
        let url = app.request().with("ext-color", "blue").url();
        let signed_in = app.redeem(&browser.sign_in_at(&url, &user).await).await;
        let expected = json!({
            "user": [user.id, "ann@example.com"], "client": [app.id, "Shop"],
            "connection": "Username-Password-Authentication",
            "request": ["192.0.2.10", "POST", "Suite/1.0", "blue"],
            "transaction": ["oidc-basic-profile", suite::app::STATE, app.redirect_uri, "email,openid,profile"],
            "methods": ["pwd"], "session": [user.id, 1], "stats": 1, "tenant": "string", "roles": [], "secret": "opens",
        });
        let mut seen = signed_in.claims["https://x/seen"].clone();
        let mut scopes: Vec<&str> = seen["transaction"][3].as_str().unwrap().split(',').collect();
        scopes.sort_unstable();
        seen["transaction"][3] = scopes.join(",").into();
        assert_eq!(seen, expected);
    }

    async fn custom_claims_reach_the_tokens_but_may_not_replace_their_own(server) {
        let audience = "https://orders.test/";
        let body = json!({ "name": "Orders", "identifier": audience, "scopes": [{ "value": "read:orders" }, { "value": "write:orders" }] });
        server.api().post("resource-servers", &body).await.expect(201);
        server.api().on_post_login(r#"
            api.idToken.setCustomClaim("https://x/team", ["a", "b"]).idToken.setCustomClaim("sid", "forged");
            api.accessToken.setCustomClaim("https://x/tier", 3).accessToken.setCustomClaim("aud", "forged");
            api.accessToken.addScope("extra:scope");
            api.accessToken.removeScope("write:orders");
        "#).await;
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let request = app.request().with("audience", audience).with("scope", "openid read:orders write:orders");
        let signed_in = app.redeem(&browser.sign_in_at(&request.url(), &user).await).await;
        assert_eq!(signed_in.claims["https://x/team"], json!(["a", "b"]));
        assert_ne!(signed_in.sid, "forged");
        let access = app.claims_of(signed_in.access_token(), Some(audience)).await;
        assert_eq!(access["https://x/tier"], 3);
        let mut scopes: Vec<&str> = access["scope"].as_str().unwrap().split(' ').collect();
        scopes.sort_unstable();
        assert_eq!(scopes, ["extra:scope", "openid", "read:orders"]);
    }

    async fn user_and_app_metadata_are_merged_and_kept(server) {
        server.api().on_post_login(r#"
            api.user.setUserMetadata("theme", "dark").user.setAppMetadata("plan", { tier: "gold" });
            api.user.setUserMetadata("old", null);
        "#).await;
        let more = json!({ "user_metadata": { "old": "1", "lang": "de" }, "app_metadata": { "since": 2020 } });
        let user = server.user_with("ann@example.com", more).await;
        let app = server.app("Shop").await;
        app.sign_in(&server.browser(), &user).await;
        let stored = server.api().get(&format!("users/{}", user.path_id())).await.expect(200).json();
        assert_eq!(stored["user_metadata"], json!({ "theme": "dark", "lang": "de" }));
        assert_eq!(stored["app_metadata"], json!({ "since": 2020, "plan": { "tier": "gold" } }));
        assert_eq!(stored["logins_count"], 1);
    }

    async fn a_draft_does_not_run_before_it_is_deployed(server) {
        server.api().on_post_login(r#"api.session.setMetadata("version", "1");"#).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let found = server.api().get("actions/actions").await.expect(200).json();
        let path = format!("actions/actions/{}", found["actions"][0]["id"].as_str().unwrap());
        let code = r#"exports.onExecutePostLogin = async (event, api) => { api.session.setMetadata("version", "2"); };"#;
        server.api().patch(&path, &json!({ "code": code })).await.expect(200);
        app.sign_in_silently(&browser).await;
        assert_eq!(server.api().session_metadata(&signed_in.sid).await, json!({ "version": "1" }));
        server.api().post_nothing(&format!("{path}/deploy")).await.expect(200);
        app.sign_in_silently(&browser).await;
        assert_eq!(server.api().session_metadata(&signed_in.sid).await, json!({ "version": "2" }));
    }

    async fn secrets_are_never_given_back(server) {
        let code = "exports.onExecutePostLogin = async () => {};";
        let secrets = json!([{ "name": "KEY", "value": "tell-nobody" }]);
        let id = server.api().deployed_action("Secretive", code, &secrets).await;
        for path in [format!("actions/actions/{id}"), "actions/actions".into(), format!("actions/actions/{id}/versions")] {
            let reply = server.api().get(&path).await.expect(200);
            assert!(!reply.text.contains("tell-nobody"), "{path}: {}", reply.text);
        }
        let logged = Value::from(server.api().logs("sapi").await).to_string();
        assert!(!logged.contains("tell-nobody") && logged.contains("KEY"), "{logged}");
    }
}
