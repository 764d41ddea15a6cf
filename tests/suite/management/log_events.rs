//! What events tell, and for how long. What they never tell is in `log_secrets`.

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

    async fn a_read_of_a_streams_secrets_is_logged_too(server) {
        let open = json!({ "httpEndpoint": "https://siem.example.com/" });
        let closed = json!({
            "httpEndpoint": "https://siem.example.com/", "httpAuthorization": "Bearer hush",
            "httpCustomHeaders": [{ "header": "X-Key", "value": "hush" }],
        });
        let make = async |sink: &Value| {
            let made = server.api().post("log-streams", &json!({ "type": "http", "sink": sink })).await.expect(200).json();
            format!("log-streams/{}", made["id"].as_str().unwrap())
        };
        let (first, second) = (make(&open).await, make(&closed).await);
        server.api().get(&first).await.expect(200);
        server.api().get(&format!("{second}/health")).await.expect(200);
        assert_eq!(server.api().logs("mgmt_api_read").await, Vec::<Value>::new());
        let names = json!(["httpAuthorization", "httpCustomHeaders"]);
        for path in [second.as_str(), "log-streams"] {
            server.api().get(path).await.expect(200);
            let event = about(&server.api().logs("mgmt_api_read").await, &format!("/api/v2/{path}"));
            assert_eq!(event["details"]["accessedSecrets"], names);
        }
        let changed = json!({ "sink": { "httpEndpoint": "https://siem.example.com/", "httpAuthorization": "Bearer tush" } });
        server.api().patch(&second, &changed).await.expect(200);
        let told: Vec<Value> = server.api().logs("sapi").await.iter()
            .map(|event| json!([event["description"], event["details"]["accessedSecrets"]]))
            .filter(|told| told[0].as_str().unwrap().contains("Log Stream"))
            .collect();
        assert!(told.contains(&json!(["Update a Log Stream", ["httpAuthorization"]])), "{told:?}");
        assert!(told.contains(&json!(["Create a Log Stream", names])), "{told:?}");
        assert!(told.contains(&json!(["Create a Log Stream", null])), "what has none tells of none: {told:?}");
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
}
