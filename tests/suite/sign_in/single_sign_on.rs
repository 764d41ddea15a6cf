//! One session for all applications of the tenant, and what it remembers of them.

use domain::time::Timestamp;
use serde_json::{Value, json};
use suite::on_every_store;

on_every_store! {
    async fn a_second_application_gets_in_without_a_password(server) {
        let (shop, user, browser, signed_in) = server.someone_signed_in().await;
        let forum = server.app("Forum").await;
        let callback = browser.pass_through(&forum.request().url()).await;
        let second = forum.redeem(&callback).await;
        assert_eq!((&second.sid, &second.claims["sub"]), (&signed_in.sid, &json!(user.id)));
        let clients = server.api().session(&signed_in.sid).await["clients"].clone();
        assert_eq!(clients, json!([{ "client_id": shop.id }, { "client_id": forum.id }]));
        shop.sign_in_silently(&browser).await;
        assert_eq!(server.api().session(&signed_in.sid).await["clients"], clients, "each once");
    }

    async fn the_session_remembers_first_and_last_device(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        browser.move_to("192.0.2.10");
        let signed_in = app.sign_in(&browser, &user).await;
        browser.move_to("2001:db8::7");
        browser.update_to("Suite/2.0");
        server.advance_minutes(3);
        app.sign_in_silently(&browser).await;
        let session = server.api().session(&signed_in.sid).await;
        for (name, value) in [
            ("initial_ip", "192.0.2.10"), ("last_ip", "2001:db8::7"),
            ("initial_user_agent", "Suite/1.0"), ("last_user_agent", "Suite/2.0"),
        ] {
            assert_eq!(session["device"][name], value, "{name}");
        }
        assert_eq!(session["last_interacted_at"], server.now().to_string());
        assert_eq!(session["created_at"], session["authenticated_at"]);
    }

    async fn a_repeated_proof_moves_the_methods_time(server) {
        let (app, user, browser, signed_in) = server.someone_signed_in().await;
        server.advance_minutes(5);
        app.redeem(&browser.sign_in_at(&app.request().with("prompt", "login").url(), &user).await).await;
        let session = server.api().session(&signed_in.sid).await;
        let methods = session["authentication"]["methods"].as_array().unwrap().clone();
        assert_eq!(methods, [json!({ "name": "pwd", "timestamp": server.now().to_string() })]);
        assert_eq!(session["authenticated_at"], server.now().to_string());
        assert_ne!(session["created_at"], session["authenticated_at"]);
    }

    async fn the_user_remembers_the_last_login(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        browser.move_to("192.0.2.10");
        app.sign_in(&browser, &user).await;
        app.sign_in(&server.browser(), &user).await;
        let stored = server.api().get(&format!("users/{}", user.path_id())).await.expect(200).json();
        assert_eq!(stored["logins_count"], 2);
        let last = Timestamp::parse(stored["last_login"].as_str().unwrap());
        assert_eq!((last, &stored["last_ip"]), (Some(server.now()), &Value::from("127.0.0.1")));
    }

    async fn a_blocked_user_does_not_get_in_and_loses_what_they_had(server) {
        let (app, user, browser, _) = server.someone_signed_in().await;
        server.api().patch(&format!("users/{}", user.path_id()), &json!({ "blocked": true })).await.expect(200);
        let silent = browser.pass_through(&app.silent()).await;
        assert!(matches!(silent.get("error"), "access_denied" | "login_required"), "{silent:?}");
        let callback = server.browser().sign_in_at(&app.request().url(), &user).await;
        assert_eq!(callback.get("error"), "access_denied");
        assert!(callback.get("error_description").contains("blocked"), "{callback:?}");
        assert_eq!(callback.get("state"), suite::app::STATE);
    }

    async fn a_forged_or_foreign_cookie_is_no_session(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let good = browser.cookie(suite::browser::SESSION_COOKIE).unwrap();
        for forged in [
            signed_in.sid.clone(), format!("{}.", signed_in.sid), format!("{}.{}", signed_in.sid, "A".repeat(32)),
            format!("{good}x"), good[..good.len() - 1].to_owned(), format!("x{good}"),
        ] {
            let thief = server.browser();
            thief.set_cookie(suite::browser::SESSION_COOKIE, &forged);
            thief.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
        }
        let before = browser.cookie(suite::browser::SESSION_COOKIE);
        let user = server.user("bob@example.com").await;
        let fresh = server.browser();
        app.sign_in(&fresh, &user).await;
        assert_ne!(fresh.cookie(suite::browser::SESSION_COOKIE), before);
    }
}
