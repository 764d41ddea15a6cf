//! Actions of `examples/actions` in whole sign-ins: bound as they are, and judged by what tokens, sessions and logs hold.
//!
//! What each of them does by itself is in its outcome file (`gallery`).

use serde_json::{Value, json};
use suite::browser::the_form;
use suite::{Neighbour, RelyingParty, Server, Visit, on_every_store, wait};

const NAMESPACE: &str = "https://example.com/";

fn code_of(name: &str) -> String {
    let path = format!("{}/../examples/actions/{name}.js", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Deploys Actions of the gallery and binds them in this order, in place of all that were bound there.
async fn bind(server: &Server, trigger: &str, examples: &[(&str, Value)]) {
    let mut bindings = Vec::new();
    for (name, secrets) in examples {
        let pairs = secrets.as_object().unwrap().iter();
        let secrets: Value = pairs.map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let action = json!({
            "name": name,
            "supported_triggers": [{ "id": trigger }],
            "code": code_of(name),
            "secrets": secrets,
            "deploy": true,
        });
        let made = server.api().post("actions/actions", &action).await.expect(201).json();
        bindings.push(json!({ "ref": { "type": "action_id", "value": made["id"] }, "display_name": name }));
    }
    let body = json!({ "bindings": bindings });
    server.api().patch(&format!("actions/triggers/{trigger}/bindings"), &body).await.expect(200);
}

/// Binds one Action without secrets after a sign-in.
async fn bind_one(server: &Server, name: &str) {
    bind(server, "post-login", &[(name, json!({}))]).await;
}

on_every_store! {
    async fn roles_kept_in_app_metadata_reach_the_access_token(server) {
        bind_one(server, "roles-from-app-metadata").await;
        let app = server.app("Shop").await;
        let user = server.user_with("ann@example.com", json!({ "app_metadata": { "roles": "Editor, billing" } })).await;
        let url = app.request().with("audience", &server.wire.management_audience()).url();
        let signed_in = app.redeem(&server.browser().sign_in_at(&url, &user).await).await;
        let claims = app.claims_of(signed_in.access_token(), None).await;
        assert_eq!(claims[&format!("{NAMESPACE}roles")], json!(["billing", "editor"]));
    }

    #[with("actions.allow_private_addresses" = "true")]
    async fn a_crm_is_asked_and_its_silence_keeps_nobody_out(server) {
        let crm = Neighbour::listen().await;
        bind(server, "post-login", &[("enrich-from-crm", json!({ "CRM_URL": crm.url, "CRM_TOKEN": "t" }))]).await;
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let request = "GET /v1/customers?email=ann%40example.com";
        crm.expect(vec![json!({ "request": request, "headers": { "authorization": "Bearer t" }, "answer": { "id": "c-1" } })]);
        let claims = app.sign_in(&server.browser(), &user).await.claims;
        assert_eq!(claims[&format!("{NAMESPACE}customer")], json!({ "id": "c-1", "segment": "unknown" }));

        crm.expect(vec![json!({ "request": request, "hangs": true })]);
        let claims = app.sign_in(&server.browser(), &user).await.claims;
        assert!(!claims.contains_key(&format!("{NAMESPACE}customer")), "{claims:?}");
        assert_eq!(crm.complaints(), [""; 0]);
    }

    #[with("actions.allow_private_addresses" = "true")]
    async fn a_new_customer_is_announced_once(server) {
        let slack = Neighbour::listen().await;
        let secrets = json!({ "SLACK_WEBHOOK_URL": format!("{}/hook", slack.url) });
        bind(server, "post-login", &[("slack-on-first-sign-in", secrets)]).await;
        let (app, user) = (server.app("Shop").await, server.user_with("ann@example.com", json!({ "name": "Ann" })).await);
        let text = ":wave: Ann signed in to Shop for the first time.";
        slack.expect(vec![json!({ "request": "POST /hook", "json": { "text": text } })]);
        app.sign_in(&server.browser(), &user).await;
        app.sign_in(&server.browser(), &user).await;
        assert_eq!(slack.complaints(), [""; 0]);
        let stored = server.api().get(&format!("users/{}", user.path_id())).await.expect(200).json();
        assert_eq!(stored["app_metadata"], json!({ "is_announced": true }));
    }

    #[with("actions.allow_private_addresses" = "true")]
    async fn signing_in_elsewhere_ends_the_first_session_through_the_management_api(server) {
        let scopes = ["read:sessions", "delete:sessions"];
        let (id, secret) = server.machine("Sessions", &server.wire.management_audience(), &scopes).await;
        let secrets = json!({ "MANAGEMENT_URL": server.wire.url, "CLIENT_ID": id, "CLIENT_SECRET": secret });
        bind(server, "post-login", &[("single-session", secrets)]).await;
        let (app, party) = RelyingParty::with_app(server, "Shop", false).await;
        let (user, first, second) = (server.user("ann@example.com").await, server.browser(), server.browser());
        let there = app.sign_in(&first, &user).await;
        let here = app.sign_in(&second, &user).await;
        server.api().expect_no_session(&there.sid).await;
        first.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
        assert_eq!(party.token(&app, 1).await.sid.as_deref(), Some(there.sid.as_str()));
        // A later sign-in of the same session leaves it alone.
        assert_eq!(app.sign_in_silently(&second).await.sid, here.sid);
    }

    async fn one_action_judges_and_the_next_one_acts(server) {
        bind(server, "post-login", &[("risk-score", json!({})), ("act-on-risk-score", json!({}))]).await;
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        browser.move_to("192.0.2.10");
        let signed_in = app.sign_in(&browser, &user).await;
        browser.move_to("198.51.100.20");
        browser.update_to("curl/8.5.0");
        let text = "This sign-in looks unusual. Please contact support.";
        browser.pass_through(&app.silent()).await.expect_error("access_denied", text);
        assert_eq!(server.api().only_log("f").await["details"]["error"]["message"], text);
        // A refusal is no end of the session.
        browser.move_to("192.0.2.10");
        browser.update_to("Suite/1.0");
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);
    }

    async fn another_browser_ends_the_session_and_leaves_refresh_tokens(server) {
        bind_one(server, "revoke-on-browser-change").await;
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in_with(&browser, &user, "openid offline_access").await;
        browser.update_to("Suite/2.0");
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);
        browser.update_to("Other/2.0");
        let text = "Your session was used in another browser.";
        browser.pass_through(&app.silent()).await.expect_error("access_denied", text);
        server.api().expect_no_session(&signed_in.sid).await;
        app.refresh(signed_in.refresh_token()).await.expect(200);
    }

    async fn who_has_left_loses_phone_and_browser(server) {
        bind_one(server, "offboarding").await;
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in_with(&browser, &user, "openid offline_access").await;
        let left = json!({ "app_metadata": { "offboarded_at": "2020-01-01" } });
        server.api().patch(&format!("users/{}", user.path_id()), &left).await.expect(200);
        let text = "This account is no longer in use.";
        assert_eq!(app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "access_denied"), text);
        browser.pass_through(&app.silent()).await.expect_error("access_denied", text);
        server.api().expect_no_session(&signed_in.sid).await;
        assert_eq!(server.api().only_log("srrt").await["user_id"], user.id.as_str());
    }

    async fn not_to_be_remembered_is_the_applications_question_and_the_users_answer(server) {
        bind_one(server, "remember-me").await;
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let url = app.request().with("ext-remember", "no").url();
        let signed_in = app.redeem(&browser.sign_in_at(&url, &user).await).await;
        assert_eq!(server.api().session(&signed_in.sid).await["cookie"]["mode"], "non-persistent");
        browser.close_and_open();
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
    }

    async fn a_newcomer_begins_with_what_the_system_counts_on(server) {
        bind(server, "pre-user-registration", &[
            ("registration-by-domain", json!({ "ALLOWED_DOMAINS": "example.com" })),
            ("registration-defaults", json!({})),
        ]).await;
        let (app, browser) = (server.app("Shop").await, server.browser());
        let page = browser.get(&app.request().with("screen_hint", "signup").url()).await;
        let mut form = the_form(&page);
        form.set("email", "eve@evil.test");
        form.set("password", "correct horse battery");
        let page = browser.submit(&page, &form).await;
        assert!(page.text.contains("Please sign up with your company address."), "{}", page.text);
        let mut form = the_form(&page);
        form.set("email", "ann@example.com");
        form.set("password", "correct horse battery");
        let signed_in = app.redeem(&browser.callback(&browser.submit(&page, &form).await)).await;
        let sub = signed_in.claims["sub"].as_str().unwrap().replace('|', "%7C");
        let stored = server.api().get(&format!("users/{sub}")).await.expect(200).json();
        assert_eq!((&stored["app_metadata"]["plan"], &stored["app_metadata"]["signed_up"]["client"]), (&json!("free"), &json!("Shop")));
        assert_eq!(server.api().only_log("fs").await["description"], "domain evil.test is not allowed");
    }

    async fn a_machine_gets_tokens_where_it_is_known_to_stand(server) {
        let audience = "https://orders.test/";
        let api = json!({ "name": "Orders", "identifier": audience, "scopes": [{ "value": "read:orders" }] });
        server.api().post("resource-servers", &api).await.expect(201);
        let (id, secret) = server.machine("Robot", audience, &["read:orders"]).await;
        bind(server, "credentials-exchange", &[("machine-ip-allow-list", json!({})), ("machine-claims", json!({}))]).await;
        let fields =
            [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret), ("audience", audience)];
        let network = async |networks: &str| {
            let body = json!({ "client_metadata": { "networks": networks, "customer": "acme" } });
            server.api().patch(&format!("clients/{id}"), &body).await.expect(200);
        };
        network("10.0.0.0/8").await;
        let reply = server.wire.post_form("/oauth/token", &fields).await;
        assert_eq!(reply.json()["error"], "unauthorized_client", "{}", reply.text);
        network("127.0.0.0/8, ::1").await;
        let tokens = server.wire.post_form("/oauth/token", &fields).await.expect(200).json();
        let token = server.wire.keys().await.verify(tokens["access_token"].as_str().unwrap()).unwrap();
        assert_eq!(token.claims[&format!("{NAMESPACE}customer")], "acme");
        assert_eq!(token.claims[&format!("{NAMESPACE}quota")], 1000);
    }

    async fn terms_are_agreed_to_in_mid_sign_in_and_only_once(server) {
        let secret = "shared with the page";
        let secrets = json!({ "TERMS_SECRET": secret, "TERMS_URL": "https://terms.test/" });
        bind(server, "post-login", &[("redirect-to-terms", secrets)]).await;
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let page = browser.get(&app.request().url()).await;
        let visit = Visit::of(&browser.enter(&page, &user.email, &user.password).await);
        assert_eq!(visit.url, "https://terms.test/");
        assert_eq!(visit.claims("session_token", secret)["version"], "2026-01");
        let back = browser.post_once("/continue", &visit.answer(secret, json!({ "agreed": "2026-01" }))).await;
        let signed_in = app.redeem(&browser.callback(&back)).await;
        let stored = server.api().get(&format!("users/{}", user.path_id())).await.expect(200).json();
        assert_eq!(stored["app_metadata"]["terms"]["version"], "2026-01");
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);

        let other = server.user("bob@example.com").await;
        let stranger = server.browser();
        let page = stranger.get(&app.request().url()).await;
        let visit = Visit::of(&stranger.enter(&page, &other.email, &other.password).await);
        let back = stranger.post_once("/continue", &visit.answer(secret, json!({ "agreed": "no" }))).await;
        let text = "You can use this service once you agree to its terms.";
        stranger.callback(&back).expect_error("access_denied", text);
    }

    #[with("actions.allow_private_addresses" = "true")]
    async fn a_new_password_ends_all_sessions_through_the_management_api(server) {
        let (id, secret) = server.machine("Sessions", &server.wire.management_audience(), &["delete:sessions"]).await;
        let secrets = json!({ "MANAGEMENT_URL": server.wire.url, "CLIENT_ID": id, "CLIENT_SECRET": secret });
        bind(server, "post-change-password", &[("end-sessions-after-password-change", secrets)]).await;
        let (_, user, _, signed_in) = server.someone_signed_in().await;
        let change = json!({ "password": "another horse battery" });
        server.api().patch(&format!("users/{}", user.path_id()), &change).await.expect(200);
        wait::until("the end of the session", async || {
            let reply = server.api().get(&format!("sessions/{}", signed_in.sid)).await;
            (reply.status == 404).then_some(())
        })
        .await;
    }
}
