//! What events tell, and what they never tell.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use reqwest::Method;
use serde_json::{Value, json};
use suite::{Reply, on_every_store};

fn about(events: &[Value], path: &str) -> Value {
    let found = events.iter().find(|event| event["details"]["request"]["path"] == path);
    found.unwrap_or_else(|| panic!("{path}: {events:?}")).clone()
}

on_every_store! {
    async fn a_sign_in_tells_how_it_went_and_where_it_belongs(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let organization = server.api().organization("acme", "Acme", &user).await;
        let request = format!("{}&organization={organization}", app.request().url());
        app.redeem(&browser.sign_in_at(&request, &user).await).await;
        let event = server.api().only_log("s").await;
        assert_eq!((&event["organization_id"], &event["organization_name"]), (&json!(organization), &json!("acme")));
        assert_eq!((&event["strategy"], &event["strategy_type"]), (&json!("auth0"), &json!("database")));
        assert_eq!((&event["tenant_name"], &event["isMobile"]), (&json!("main"), &json!(false)));
        let prompt = &event["details"]["prompts"][0];
        assert_eq!((&prompt["performed_amr"], &prompt["user_id"]), (&json!(["pwd"]), &json!(user.id)), "{event}");
        assert_eq!(server.api().only_log("seacft").await["organization_id"], organization);
    }

    async fn a_read_of_secrets_is_logged_and_another_read_is_not(server) {
        let app = server.app("Shop").await;
        let path = format!("clients/{}", app.id);
        for (scopes, query) in [(["read:clients"], ""), (["read:client_keys"], "?fields=name")] {
            let read = server.api_with(&scopes).await.get(&format!("{path}{query}")).await.expect(200).json();
            assert!(read.get("client_secret").is_none(), "{read}");
        }
        assert_eq!(server.api().logs("mgmt_api_read").await, Vec::<Value>::new());
        let api = server.api_with(&["read:client_keys"]).await;
        assert_eq!(api.get(&format!("{path}?include_fields=true")).await.expect(200).json()["client_secret"], app.secret);
        let event = server.api().only_log("mgmt_api_read").await;
        assert_eq!(event["client_id"], api.client_id());
        assert_eq!(event["details"]["accessedSecrets"], json!(["client_secret"]));
        assert_eq!(event["details"]["request"]["path"], format!("/api/v2/{path}"));
        assert_eq!(event["details"]["request"]["query"], json!({ "include_fields": "true" }));
        api.get("clients?per_page=2").await.expect(200);
        assert_eq!(server.api().logs("mgmt_api_read").await.len(), 2, "one for a whole page");
        let made = about(&server.api().logs("sapi").await, "/api/v2/clients");
        assert_eq!(made["details"]["accessedSecrets"], json!(["client_secret"]));
    }

    async fn new_names_and_refused_ones_have_events_of_their_own(server) {
        let user = server.user_with("ann@example.com", json!({ "username": "ann" })).await;
        server.user_with("bob@example.com", json!({ "username": "bob" })).await;
        let path = format!("users/{}", user.path_id());
        let patch = async |body: Value| server.api().patch(&path, &body).await.status;
        assert_eq!(patch(json!({ "email": "anna@example.com" })).await, 200);
        assert_eq!(patch(json!({ "username": "anna" })).await, 200);
        assert_eq!(patch(json!({ "phone_number": "+41790000000" })).await, 200);
        assert_eq!(patch(json!({ "email": "bob@example.com" })).await, 409);
        assert_eq!(patch(json!({ "username": "bob" })).await, 409);
        assert_eq!(patch(json!({ "password": "x" })).await, 400);
        assert_eq!(patch(json!({ "nickname": "A" })).await, 200);
        for (kind, old, new) in [
            ("sce", ("email", "ann@example.com"), ("newEmail", "anna@example.com")),
            ("fce", ("email", "anna@example.com"), ("newEmail", "bob@example.com")),
            ("scu", ("oldUsername", "ann"), ("newUsername", "anna")),
            ("fcu", ("oldUsername", "anna"), ("newUername", "bob")),
            ("scpn", ("old_phone_number", ""), ("new_phone_number", "+41790000000")),
        ] {
            let event = server.api().only_log(kind).await;
            let body = &event["details"]["body"];
            assert_eq!((&body[old.0], &body[new.0]), (&json!(old.1), &json!(new.1)), "{event}");
            assert_eq!((&event["user_id"], &event["strategy"]), (&json!(user.id), &json!("auth0")));
        }
        assert!(!server.api().only_log("fcp").await["description"].as_str().unwrap().is_empty());
        server.api().delete(&path).await.expect(204);
        let connection = "Username-Password-Authentication";
        assert_eq!(server.api().only_log("sdu").await["details"]["body"]["connection"], connection);
    }

    async fn a_client_with_a_wrong_secret_is_logged_and_a_stranger_is_not(server) {
        let app = server.app("Shop").await;
        for (id, secret) in [(app.id.as_str(), "wrong-secret"), ("nobody", "wrong-secret")] {
            let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
            server.wire.post_form("/oauth/token", &fields).await.expect(401);
        }
        let event = server.api().only_log("feccft").await;
        assert_eq!((&event["client_id"], &event["details"]["error"]["oauthError"]), (&json!(app.id), &json!("invalid_client")));
    }

    async fn a_reused_refresh_token_is_counted(server) {
        let rotating = json!({
            "rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0,
        });
        let grants = ["authorization_code", "refresh_token"];
        let app = server.app_with("Shop", json!({ "refresh_token": rotating, "grant_types": grants })).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in_with(&browser, &user, "openid offline_access").await;
        let second = app.refresh(signed_in.refresh_token()).await.expect(200).json();
        app.refresh(second["refresh_token"].as_str().unwrap()).await.expect(200);
        server.advance_minutes(1);
        app.refresh(second["refresh_token"].as_str().unwrap()).await.expect(403);
        let event = server.api().only_log("ferrt").await;
        let counters = (&event["details"]["tokenCounter"], &event["details"]["latestCounter"]);
        assert_eq!(counters, (&json!(1), &json!(2)), "{event}");
        assert_eq!(event["session_id"], signed_in.sid.as_str());
    }

    async fn a_library_says_who_it_is(server) {
        let api = server.api_with(&["create:clients"]).await;
        let request = server.wire.http.request(Method::POST, format!("{}/api/v2/clients", server.wire.url));
        // {"name":"node-auth0","version":"7.1.0"}
        let said = "eyJuYW1lIjoibm9kZS1hdXRoMCIsInZlcnNpb24iOiI3LjEuMCJ9";
        let request = request.bearer_auth(api.token().await).header("auth0-client", said).json(&json!({ "name": "A" }));
        Reply::to(request).await.expect(201);
        let events = server.api().logs("sapi").await;
        let event = events.iter().find(|event| event["client_id"] == api.client_id()).unwrap();
        assert_eq!(event["auth0_client"], json!({ "name": "node-auth0", "version": "7.1.0" }));
    }

    async fn events_go_after_the_default_of_thirty_days(server) {
        server.someone_signed_in().await;
        server.advance_hours(29 * 24);
        server.sweep().await;
        assert_eq!(server.api().logs("s").await.len(), 1);
        server.advance_hours(2 * 24);
        server.sweep().await;
        assert_eq!(server.api().logs("s").await.len(), 0);
    }

    #[with("events.retention_days" = "3")]
    async fn the_operator_says_how_long_events_are_kept(server) {
        server.someone_signed_in().await;
        server.advance_hours(2 * 24);
        server.sweep().await;
        assert_eq!(server.api().logs("s").await.len(), 1);
        server.advance_hours(2 * 24);
        server.sweep().await;
        assert_eq!(server.api().logs("s").await.len(), 0);
    }

    async fn no_event_and_no_diagnostic_line_holds_a_secret(server) {
        let diagnostics = listen();
        let api = server.api();
        let hidden = |name: &str| format!("hidden-{name}-7Qx");
        let app = server.app_with("Shop", json!({
            "client_metadata": { "key": hidden("client-metadata") },
            "addons": { "wsfed": { "certificate": hidden("addon") } },
        })).await;
        api.patch(&format!("clients/{}", app.id), &json!({ "client_secret": format!("{}{}", hidden("client-secret"), "a".repeat(48)) })).await.expect(200);
        api.patch(&format!("clients/{}", app.id), &json!({ "client_secret": app.secret })).await.expect(200);
        let connection = api.connection_id().await;
        let options = json!({ "options": { "client_secret": hidden("connection"), "configuration": { "deep": hidden("deep") } } });
        api.patch(&format!("connections/{connection}"), &options).await.expect(200);
        let user = server.user_with("ann@example.com", json!({
            "user_metadata": { "pin": hidden("user-metadata") }, "app_metadata": { "name": hidden("app-metadata") },
        })).await;
        api.patch(&format!("users/{}", user.path_id()), &json!({ "password": "w-7Qx" })).await;
        let secrets = json!([{ "name": "KEY", "value": hidden("action-secret") }]);
        let code = "exports.onExecutePostLogin = async (event) => { if (event.request.query.login_hint === 'fail') throw new Error('bad key ' + event.secrets.KEY) }; // hidden-code-7Qx";
        let id = api.deployed_action("Leaky", code, &secrets).await;
        let bindings = json!({ "bindings": [{ "ref": { "type": "action_id", "value": id }, "display_name": "Leaky" }] });
        api.patch("actions/triggers/post-login/bindings", &bindings).await.expect(200);

        let browser = server.browser();
        let signed_in = app.sign_in_with(&browser, &user, "openid offline_access").await;
        let refreshed = app.refresh(signed_in.refresh_token()).await.expect(200).json();
        app.refresh(&hidden("refresh-token")).await;
        api.set_session_metadata(&signed_in.sid, &json!({ "device": hidden("session-metadata") })).await;
        browser.pass_through(&format!("{}&login_hint=fail", app.request().url())).await;
        let wrong = [("grant_type", "authorization_code"), ("client_id", app.id.as_str()), ("client_secret", "hidden-guess-7Qx"), ("code", "hidden-code-7Qx"), ("redirect_uri", "https://x.test/?code=hidden-7Qx")];
        server.wire.post_form("/oauth/token", &wrong).await;
        let right = [("grant_type", "authorization_code"), ("client_id", app.id.as_str()), ("client_secret", app.secret.as_str()), ("code", "hidden-code-7Qx"), ("code_verifier", "hidden-verifier-7Qx")];
        server.wire.post_form("/oauth/token", &right).await;
        for path in [
            format!("/authorize?response_type=code&client_id={}&redirect_uri=https%3A%2F%2Fx.test%2F%3Fcode%3Dhidden-code-7Qx%23hidden-7Qx&code=hidden-7Qx&state=hidden-state-7Qx&nonce=hidden-7Qx&id_token_hint={}", app.id, signed_in.id_token),
            format!("/oidc/logout?client_id={}&post_logout_redirect_uri=https%3A%2F%2Fx.test%2F%3Ftoken%3Dhidden-7Qx&id_token_hint={}", app.id, signed_in.id_token),
            "/oidc/logout?id_token_hint=hidden-7Qx&post_logout_redirect_uri=https%3A%2F%2Fu:hidden-7Qx@x.test%2F".to_owned(),
            format!("/v2/logout?client_id={}&returnTo=https%3A%2F%2Fx.test%2F%3Ftoken%3Dhidden-7Qx", app.id),
        ] {
            assert_eq!(server.wire.get(&path).await.status, 400, "{path}");
        }
        app.sign_out(&browser, &signed_in.id_token).await;
        api.get("logs?q=client_id:hidden-query-7Qx").await;

        let mut everything = String::new();
        let mut path = "logs?take=100".to_owned();
        loop {
            let page = api.get(&path).await.expect(200);
            let Some(last) = page.json().as_array().and_then(|page| page.last().cloned()) else { break };
            path = format!("logs?take=100&from={}", last["log_id"].as_str().unwrap());
            everything.push_str(&page.text);
        }
        for kind in ["f", "slo", "flo", "feacft", "fertft", "fcp", "sapi", "actions_execution_failed"] {
            assert!(everything.contains(&format!("\"type\":\"{kind}\"")), "{kind} is among them");
        }
        let told = String::from_utf8(diagnostics.0.lock().unwrap().clone()).unwrap();
        assert!(told.contains("redirect_uri"), "the refusals are among the lines: {told}");
        let api_token = api.token().await;
        for text in [&everything, &told] {
            let places: Vec<_> = text.match_indices("-7Qx").map(|(at, _)| text.get(at.saturating_sub(200)..at + 4)).collect();
            assert!(places.is_empty(), "{places:?}");
            for secret in [
                suite::server::PASSWORD, &app.secret, &api_token, signed_in.access_token(), signed_in.refresh_token(),
                &signed_in.id_token, refreshed["access_token"].as_str().unwrap(),
            ] {
                assert!(!text.contains(secret), "{secret}");
            }
        }
    }
}

/// What the server's diagnostics say in this process from now on, other tests' servers included.
#[derive(Clone, Default)]
struct Diagnostics(Arc<Mutex<Vec<u8>>>);

impl Write for Diagnostics {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(line);
        Ok(line.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn listen() -> Diagnostics {
    static HEARD: OnceLock<Diagnostics> = OnceLock::new();
    HEARD
        .get_or_init(|| {
            let heard = Diagnostics::default();
            let writer = heard.clone();
            tracing_subscriber::fmt().with_writer(move || writer.clone()).init();
            heard
        })
        .clone()
}
