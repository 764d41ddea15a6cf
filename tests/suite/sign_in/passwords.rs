//! Wrong passwords, unknown users, sign-up: told on a page, logged, and never at the application.

use serde_json::json;
use suite::browser::the_form;
use suite::on_every_store;

on_every_store! {
    async fn a_wrong_password_is_told_on_the_page_and_logged(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let page = browser.get(&app.request().url()).await;
        let again = browser.enter(&page, &user.email, "wrong").await;
        again.expect_page(400, "Wrong email or password.");
        assert_eq!(the_form(&again).get("username"), Some("ann@example.com"));
        assert!(!again.text.contains("value=\"wrong\""));
        let event = server.api().only_log("fp").await;
        assert_eq!((&event["user_id"], &event["client_id"]), (&json!(user.id), &json!(app.id)));
        assert_eq!(browser.cookie(suite::browser::SESSION_COOKIE), None);
        browser.callback(&browser.enter(&again, &user.email, &user.password).await).code();
    }

    async fn an_unknown_user_is_told_the_same_and_logged_apart(server) {
        let (app, browser) = (server.app("Shop").await, server.browser());
        server.user("ann@example.com").await;
        let page = browser.get(&app.request().url()).await;
        let wrong = browser.enter(&page, "ann@example.com", "wrong").await;
        let unknown = browser.enter(&page, "nobody@example.com", "wrong").await;
        unknown.expect_page(400, "Wrong email or password.");
        let strip = |text: &str| text.replace("nobody@example.com", "X").replace("ann@example.com", "X");
        assert_eq!(strip(&unknown.text), strip(&wrong.text));
        server.api().only_log("fu").await;
        server.api().only_log("fp").await;
    }

    async fn odd_names_and_passwords_are_wrong_and_nothing_more(server) {
        let (app, browser) = (server.app("Shop").await, server.browser());
        let user = server.user("ann@example.com").await;
        let page = browser.get(&app.request().url()).await;
        let long = "x".repeat(5000);
        for (name, password) in [
            ("", ""), (&*user.email, ""), (&*user.email, &*long), (&*long, "x"), ("'; DROP TABLE records;--", "x"),
            ("\u{0}", "\u{0}"), ("ann@example.com\u{0}", suite::server::PASSWORD), ("<b>@example.com", "x"),
        ] {
            let again = browser.enter(&page, name, password).await;
            assert_eq!(again.status, 400, "{name:?}: {}", again.text);
            assert!(again.location().is_none() && !again.text.contains("<b>@"));
        }
        browser.callback(&browser.enter(&page, " ANN@example.com ", &user.password).await).code();
    }

    async fn too_many_wrong_passwords_end_the_sign_in(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let off = json!({ "enabled": false });
        server.api().patch("attack-protection/brute-force-protection", &off).await.expect(200);
        let page = browser.get(&app.request().url()).await;
        for _ in 0..20 {
            assert_eq!(browser.enter(&page, &user.email, "wrong").await.status, 400);
        }
        let late = browser.enter(&page, &user.email, &user.password).await;
        late.expect_page(400, "over");
    }

    async fn a_password_that_is_changed_while_an_action_runs_signs_nobody_in(server) {
        server.api().on_post_login("await new Promise((done) => setTimeout(done, 600));").await;
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let page = browser.get(&app.request().url()).await;
        let (reply, ()) = tokio::join!(browser.enter(&page, &user.email, &user.password), async {
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
            let path = format!("users/{}", user.path_id());
            server.api().patch(&path, &json!({ "password": "a better password" })).await.expect(200);
        });
        assert!(reply.text.contains("name=\"password\""), "the form comes again: {}", reply.text);
        assert_eq!(browser.cookie(suite::browser::SESSION_COOKIE), None);
        let sessions = server.api().get(&format!("users/{}/sessions", user.path_id())).await.expect(200).json();
        assert_eq!(sessions["sessions"], json!([]));
        browser.enter(&reply, &user.email, &user.password).await.expect_page(400, "Wrong email or password.");
        browser.callback(&browser.enter(&reply, &user.email, "a better password").await).code();
    }

    async fn signing_up_makes_a_user_who_is_signed_in(server) {
        let (app, browser) = (server.app("Shop").await, server.browser());
        let page = browser.get(&app.request().with("screen_hint", "signup").url()).await;
        let mut form = the_form(&page);
        form.set("email", "new@example.com");
        form.set("password", "long enough 1");
        let signed_in = app.redeem(&browser.callback(&browser.submit(&page, &form).await)).await;
        let id = signed_in.claims["sub"].as_str().unwrap().to_owned();
        assert_eq!(signed_in.claims["email"], "new@example.com");
        let stored = server.api().get(&format!("users/{}", id.replace('|', "%7C"))).await.expect(200).json();
        assert_eq!((&stored["email"], &stored["email_verified"]), (&json!("new@example.com"), &json!(false)));
        assert_eq!(server.api().only_log("ss").await["user_id"], id.as_str());
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);
    }

    async fn a_bad_sign_up_is_told_on_the_page(server) {
        let (app, browser) = (server.app("Shop").await, server.browser());
        server.user("ann@example.com").await;
        let page = browser.get(&app.request().with("screen_hint", "signup").url()).await;
        for (email, password, says) in [
            ("new@example.com", "short", "8 characters"), ("not an address", "long enough 1", "valid email"),
            ("Ann@example.com", "long enough 1", "already"),
        ] {
            let mut form = the_form(&page);
            form.set("email", email);
            form.set("password", password);
            browser.submit(&page, &form).await.expect_page(400, says);
        }
        assert_eq!(server.api().logs("fs").await.len(), 1);
        assert!(server.api().logs("ss").await.is_empty());
    }

    async fn one_page_leads_to_the_other(server) {
        let (app, browser) = (server.app("Shop").await, server.browser());
        let page = browser.get(&app.request().url()).await;
        let start = page.text.find("href=\"/u/signup?state=").unwrap() + 6;
        let path = page.text[start..].split('"').next().unwrap();
        browser.get(path).await.expect_page(200, "Create an account");
        server.browser().get(path).await.expect_page(400, "another browser");
    }

    async fn passwords_survive_a_restart(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        server.restart().await;
        app.sign_in(&server.browser(), &user).await;
    }
}
