//! Actions that send the browser away in the middle of a sign-in, and what happens when it comes back.
//!
//! Auth0: Actions › redirect with Actions.

use serde_json::{Value, json};
use suite::{App, Browser, Server, User, Visit, on_every_store};

const SECRET: &str = "a secret that the page shares with the Action";

/// Sets things, sends the browser away, and takes the page's answer.
const ASKS: &str = r#"
    exports.onExecutePostLogin = async (event, api) => {
        api.session.setMetadata("before", "1");
        api.session.setMetadata("both", "before");
        api.transaction.setMetadata("note", "kept");
        api.user.setAppMetadata("asked", true);
        api.idToken.setCustomClaim("https://x/before", event.transaction.id);
        if (!api.redirect.canRedirect()) return;
        const session_token = api.redirect.encodeToken({ secret: event.secrets.PAGE, payload: { ask: "terms" } });
        api.redirect.sendUserTo("https://page.test/terms?lang=en", { query: { session_token } });
    };
    exports.onContinuePostLogin = async (event, api) => {
        const { accepted } = api.redirect.validateToken({ secret: event.secrets.PAGE });
        if (!accepted) return api.access.deny("not accepted");
        api.idToken.setCustomClaim("https://x/seen", {
            metadata: event.session.metadata, note: event.transaction.metadata.note,
            method: event.request.method, state: event.request.body.state ?? event.request.query.state,
            transaction: event.transaction.id, redirect_uri: event.transaction.redirect_uri,
        });
        api.session.setMetadata("both", "after");
    };
"#;

/// Runs after it, and tells what it sees.
const LATER: &str = r#"
    exports.onExecutePostLogin = async (event, api) => {
        api.idToken.setCustomClaim("https://x/later", [event.session.metadata, event.transaction.metadata]);
    };
"#;

/// Binds the two, and answers an application, a user and a browser.
async fn scene(server: &Server) -> (App, User, Browser) {
    bind(server, &[("Asks", ASKS), ("Later", LATER)]).await;
    (server.app("Shop").await, server.user("ann@example.com").await, server.browser())
}

async fn bind(server: &Server, actions: &[(&str, &str)]) {
    let mut bindings = Vec::new();
    for (name, code) in actions {
        let secrets = json!([{ "name": "PAGE", "value": SECRET }]);
        let id = server.api().deployed_action(name, code, &secrets).await;
        bindings.push(json!({ "ref": { "type": "action_id", "value": id }, "display_name": name }));
    }
    let body = json!({ "bindings": bindings });
    server.api().patch("actions/triggers/post-login/bindings", &body).await.expect(200);
}

/// Enters the password and stands at the page.
async fn away(app: &App, user: &User, browser: &Browser) -> Visit {
    let page = browser.get(&app.request().url()).await;
    Visit::of(&browser.enter(&page, &user.email, &user.password).await)
}

const OVER: &str = "This sign-in is over or was begun in another browser";

on_every_store! {
    async fn a_sign_in_goes_on_where_the_page_answers_even_after_a_restart(server) {
        let (app, user, browser) = scene(server).await;
        let visit = away(&app, &user, &browser).await;
        assert_eq!((visit.url.as_str(), visit.params["lang"].as_str()), ("https://page.test/terms", "en"));
        let claims = visit.claims("session_token", SECRET);
        assert_eq!((&claims["ask"], &claims["sub"], &claims["iss"]), (&json!("terms"), &json!(user.id), &json!("localhost")));
        assert!(browser.cookie(suite::browser::SESSION_COOKIE).is_none(), "nobody is signed in yet");
        server.restart().await;
        server.advance_minutes(50);
        let back = browser.post_once("/continue", &visit.answer(SECRET, json!({ "accepted": true }))).await;
        let signed_in = app.redeem(&browser.callback(&back)).await;
        let id = &signed_in.claims["https://x/before"];
        let expected = json!({
            "metadata": { "before": "1", "both": "before" }, "note": "kept", "method": "POST",
            "state": visit.state(), "transaction": id, "redirect_uri": app.redirect_uri,
        });
        assert_eq!(signed_in.claims["https://x/seen"], expected);
        let metadata = json!({ "before": "1", "both": "after" });
        assert_eq!(signed_in.claims["https://x/later"], json!([metadata, { "note": "kept" }]));
        assert_eq!(server.api().session_metadata(&signed_in.sid).await, metadata);
        let stored = server.api().get(&format!("users/{}", user.path_id())).await.expect(200).json();
        assert_eq!((&stored["app_metadata"], &stored["logins_count"]), (&json!({ "asked": true }), &json!(1)));
        // Two runs, one event; the first run's record does not hold the token that travelled.
        let event = server.api().only_log("s").await;
        assert_eq!(event["details"]["transaction_id"], *id);
        let runs = event["details"]["actions"]["executions"].as_array().unwrap().clone();
        assert_eq!(runs.len(), 2, "{event}");
        let mut names = Vec::new();
        for run in &runs {
            let path = format!("actions/executions/{}", run.as_str().unwrap());
            let execution = server.api().get(&path).await.expect(200).json();
            assert!(!execution.to_string().contains("session_token"), "{execution}");
            names.extend(execution["results"].as_array().unwrap().iter().map(|run| run["action_name"].clone()));
        }
        assert_eq!(names, ["Asks", "Asks", "Later"]);
        app.sign_in_silently(&browser).await;
    }

    async fn a_link_brings_the_browser_back_as_well_as_a_form(server) {
        let (app, user, browser) = scene(server).await;
        let visit = away(&app, &user, &browser).await;
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(visit.answer(SECRET, json!({ "accepted": true }))).finish();
        let callback = browser.pass_through(&format!("/continue?{query}")).await;
        let claims = app.redeem(&callback).await.claims;
        assert_eq!(claims["https://x/seen"]["method"], "GET");
    }

    async fn an_answer_that_is_forged_or_says_no_denies_the_sign_in(server) {
        let (app, user, browser) = scene(server).await;
        for (secret, claims, text) in [
            (SECRET, json!({}), "not accepted"),
            ("another", json!({ "accepted": true }), "The session token's signature does not match the secret."),
            (SECRET, json!({ "accepted": true, "exp": 1 }), "The session token has expired."),
            (SECRET, json!({ "accepted": true, "state": "x" }), "The state in the token does not match the state of this transaction."),
        ] {
            let visit = away(&app, &user, &browser).await;
            let back = browser.post_once("/continue", &visit.answer(secret, claims)).await;
            browser.callback(&back).expect_error("access_denied", text);
        }
        let visit = away(&app, &user, &browser).await;
        let text = "There is no parameter called 'session_token' in the query or the body of the request.";
        browser.pass_through(&visit.back()).await.expect_error("access_denied", text);
        assert!(browser.cookie(suite::browser::SESSION_COOKIE).is_none());
        assert_eq!(server.api().logs("f").await.len(), 5);
        assert_eq!(server.api().logs("actions_execution_failed").await.len(), 4);
    }

    async fn only_the_same_browser_goes_on_and_only_once(server) {
        let (app, user, browser) = scene(server).await;
        let visit = away(&app, &user, &browser).await;
        let answer = visit.answer(SECRET, json!({ "accepted": true }));
        let thief = server.browser();
        thief.post_once("/continue", &answer).await.expect_page(400, OVER);
        thief.get(&app.request().url()).await;
        thief.post_once("/continue", &answer).await.expect_page(400, OVER);
        browser.post_once("/continue", &[]).await.expect_page(400, OVER);
        browser.get_once("/continue?state=made-up").await.expect_page(400, OVER);
        let back = browser.post_once("/continue", &answer).await;
        app.redeem(&browser.callback(&back)).await;
        browser.post_once("/continue", &answer).await.expect_page(400, OVER);
    }

    async fn of_two_that_come_back_at_once_one_goes_on(server) {
        let (app, user, browser) = scene(server).await;
        let visit = away(&app, &user, &browser).await;
        let answer = visit.answer(SECRET, json!({ "accepted": true }));
        let (one, two) = tokio::join!(browser.post_once("/continue", &answer), browser.post_once("/continue", &answer));
        let (good, bad) = if one.status == 302 { (one, two) } else { (two, one) };
        bad.expect_page(400, OVER);
        app.redeem(&browser.callback(&good)).await;
        server.api().only_log("s").await;
    }

    async fn a_browser_that_stays_away_too_long_starts_again(server) {
        let (app, user, browser) = scene(server).await;
        let visit = away(&app, &user, &browser).await;
        server.advance_minutes(61);
        let answer = visit.answer(SECRET, json!({ "accepted": true }));
        browser.post_once("/continue", &answer).await.expect_page(400, OVER);
    }

    async fn the_password_page_of_a_sign_in_that_is_away_is_over(server) {
        let (app, user, browser) = scene(server).await;
        let page = browser.get(&app.request().url()).await;
        Visit::of(&browser.enter(&page, &user.email, &user.password).await);
        browser.enter(&page, &user.email, &user.password).await.expect_page(400, OVER);
    }

    async fn nobody_is_sent_away_where_nobody_looks(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        server.api().on_post_login(r#"
            api.user.setAppMetadata("can", api.redirect.canRedirect());
            api.redirect.sendUserTo("https://page.test/");
        "#).await;
        let silent = browser.pass_through(&app.silent()).await;
        silent.expect_error("interaction_required", "External interaction required");
        assert_eq!(server.api().only_log("fsa").await["details"]["error"]["oauthError"], "interaction_required");
        server.api().session(&signed_in.sid).await;
        server.api().unbind_all().await;
        let user = server.user("ben@example.com").await;
        let tokens = app.sign_in_with(&server.browser(), &user, "openid offline_access").await;
        server.api().on_post_login(r#"api.redirect.sendUserTo("https://page.test/");"#).await;
        let text = app.refresh(tokens.refresh_token()).await.expect_oauth_error(400, "interaction_required");
        assert_eq!(text, "External interaction required");
        server.api().unbind_all().await;
        app.refresh(tokens.refresh_token()).await.expect(200);
    }

    async fn what_the_api_changes_while_the_browser_is_away_stays(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let sid = &signed_in.sid;
        server.api().set_session_metadata(sid, &json!({ "old": "1" })).await;
        bind(server, &[("Asks", ASKS), ("Later", LATER)]).await;
        let visit = Visit::of(&browser.get(&app.request().url()).await);
        server.api().set_session_metadata(sid, &json!({ "by_api": "1", "both": "api" })).await;
        let back = browser.post_once("/continue", &visit.answer(SECRET, json!({ "accepted": true }))).await;
        let again = app.redeem(&browser.callback(&back)).await;
        assert_eq!(again.sid, *sid);
        let expected = json!({ "by_api": "1", "before": "1", "both": "after" });
        assert_eq!(server.api().session_metadata(sid).await, expected);
        assert_eq!(again.claims["https://x/later"][0], expected);
    }

    async fn a_session_that_ends_while_the_browser_is_away_vouches_no_more(server) {
        let (app, user, browser, signed_in) = server.someone_signed_in().await;
        bind(server, &[("Asks", ASKS)]).await;
        let visit = Visit::of(&browser.get(&app.request().url()).await);
        server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
        let answer = visit.answer(SECRET, json!({ "accepted": true }));
        let back = browser.post_once("/continue", &answer).await;
        assert!(back.location().unwrap().path().ends_with("/u/login"), "{back:?}");
        server.api().unbind_all().await;
        let page = browser.get(back.location().unwrap().as_str()).await;
        app.redeem(&browser.callback(&browser.enter(&page, &user.email, &user.password).await)).await;
    }

    async fn a_password_that_is_changed_or_a_user_who_is_blocked_meanwhile_counts(server) {
        let (app, user, browser) = scene(server).await;
        let visit = away(&app, &user, &browser).await;
        let path = format!("users/{}", user.path_id());
        server.api().patch(&path, &json!({ "password": "another fine password" })).await.expect(200);
        let back = browser.post_once("/continue", &visit.answer(SECRET, json!({ "accepted": true }))).await;
        assert!(back.location().unwrap().path().ends_with("/u/login"), "{back:?}");
        let user = User { password: "another fine password".to_owned(), ..user };
        let visit = away(&app, &user, &browser).await;
        server.api().patch(&path, &json!({ "blocked": true })).await.expect(200);
        let back = browser.post_once("/continue", &visit.answer(SECRET, json!({ "accepted": true }))).await;
        browser.callback(&back).expect_error("access_denied", "user is blocked");
    }

    async fn a_renewed_session_keeps_its_old_cookie_until_the_browser_is_back(server) {
        let (app, user, browser, signed_in) = server.someone_signed_in().await;
        bind(server, &[("Asks", ASKS)]).await;
        server.advance_minutes(5);
        let proved_at = server.now().to_string();
        let page = browser.get(&app.request().with("prompt", "login").url()).await;
        let visit = Visit::of(&browser.enter(&page, &user.email, &user.password).await);
        let session = server.api().session(&signed_in.sid).await;
        assert_ne!(session["authenticated_at"], proved_at, "not before the sign-in has ended");
        server.advance_minutes(5);
        let back = browser.post_once("/continue", &visit.answer(SECRET, json!({ "accepted": true }))).await;
        assert_eq!(app.redeem(&browser.callback(&back)).await.sid, signed_in.sid);
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(session["authenticated_at"], proved_at);
        server.api().unbind_all().await;
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);
    }

    async fn later_actions_may_redirect_too_and_one_without_a_handler_is_skipped(server) {
        let plain = r#"exports.onExecutePostLogin = async (event, api) => {
            api.session.setMetadata("first", "1");
            api.redirect.sendUserTo("https://first.test/");
        };"#;
        let second = r#"exports.onExecutePostLogin = async (event, api) => {
            api.session.setMetadata("second", event.session.metadata.first);
            api.redirect.sendUserTo("https://second.test/");
        };
        exports.onContinuePostLogin = async (event, api) => {
            if (event.request.query.again) api.redirect.sendUserTo("https://again.test/");
        };"#;
        let (app, user, browser) = scene(server).await;
        bind(server, &[("First", plain), ("Second", second), ("Later", LATER)]).await;
        let first = away(&app, &user, &browser).await;
        let second = Visit::of(&browser.get(&first.back()).await);
        assert_eq!(second.url, "https://second.test/");
        let again = Visit::of(&browser.get(&format!("{}&again=1", second.back())).await);
        assert_eq!(again.url, "https://again.test/");
        let signed_in = app.redeem(&browser.pass_through(&again.back()).await).await;
        assert_eq!(signed_in.claims["https://x/later"][0], json!({ "first": "1", "second": "1" }));
        let event = server.api().only_log("s").await;
        assert_eq!(event["details"]["actions"]["executions"].as_array().unwrap().len(), 4);
    }

    async fn what_is_bound_when_the_browser_is_back_runs_and_nothing_twice(server) {
        let (app, user, browser) = scene(server).await;
        let visit = away(&app, &user, &browser).await;
        let fixed = ASKS.replace("not accepted", "not accepted, says the new version");
        bind(server, &[("New", r#"exports.onExecutePostLogin = async (event, api) => {
            api.session.setMetadata("new", "1");
        };"#), ("Asks", &fixed), ("Later", LATER)]).await;
        let back = browser.post_once("/continue", &visit.answer(SECRET, json!({ "accepted": true }))).await;
        let signed_in = app.redeem(&browser.callback(&back)).await;
        let expected = json!({ "before": "1", "both": "after", "new": "1" });
        assert_eq!(signed_in.claims["https://x/later"][0], expected);
        let other = server.browser();
        let visit = away(&app, &user, &other).await;
        let back = other.post_once("/continue", &visit.answer(SECRET, json!({}))).await;
        other.callback(&back).expect_error("access_denied", "not accepted, says the new version");
    }

    async fn a_denial_in_the_same_action_is_stronger_than_a_redirect(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        server.api().on_post_login(r#"api.redirect.sendUserTo("https://page.test/"); api.access.deny("no");"#).await;
        let callback = server.browser().sign_in_at(&app.request().url(), &user).await;
        callback.expect_error("access_denied", "no");
    }

    async fn a_method_recorded_on_the_way_back_is_the_sessions(server) {
        let code = r#"
            exports.onExecutePostLogin = async (event, api) => {
                const known = event.authentication.methods.some((method) => method.name.startsWith("https:"));
                if (!known) api.redirect.sendUserTo("https://page.test/");
            };
            exports.onContinuePostLogin = async (event, api) => {
                api.authentication.recordMethod("https://page.test/");
            };"#;
        let later = r#"exports.onExecutePostLogin = async (event, api) => {
            api.idToken.setCustomClaim("https://x/methods", event.authentication.methods);
            api.idToken.setCustomClaim("https://x/reused", event.session.reused);
        };"#;
        let (app, user, browser) = scene(server).await;
        bind(server, &[("Steps up", code), ("Tells", later)]).await;
        let begun = server.now().to_string();
        let visit = away(&app, &user, &browser).await;
        server.advance_minutes(1);
        let signed_in = app.redeem(&browser.pass_through(&visit.back()).await).await;
        let expected = json!([
            { "name": "pwd", "timestamp": begun },
            { "name": "https://page.test/", "timestamp": server.now().to_string() },
        ]);
        assert_eq!(signed_in.claims["https://x/methods"], expected);
        assert_eq!(signed_in.claims["https://x/reused"], false);
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(session["authentication"]["methods"], expected);
        let silent = app.sign_in_silently(&browser).await;
        assert_eq!(silent.claims["https://x/methods"], expected);
        assert_eq!(silent.claims["https://x/reused"], Value::Bool(true));
    }
}
