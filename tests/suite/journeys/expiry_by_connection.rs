//! An Action gives sessions of one connection shorter lives, within what the tenant allows.
//!
//! Auth0: manage users › sessions › manage sessions with Actions.

use domain::time::{Timestamp, hours};
use serde_json::{Value, json};
use suite::{Server, on_every_store};

fn time(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

/// An Action that acts on the user database only, at so many hours from the session's beginning.
async fn expire_after_hours(server: &Server, method: &str, hours: i64) {
    let body = format!(
        r#"if (event.connection.name === "Username-Password-Authentication") {{
            const begun = Date.parse(event.session.authenticated_at);
            api.session.{method}(begun + {hours} * 3600 * 1000);
        }}"#
    );
    server.api().on_post_login(&body).await;
}

on_every_store! {
    async fn an_absolute_expiry_that_an_action_sets_ends_the_session(server) {
        expire_after_hours(server, "setExpiresAt", 2).await;
        let begun = server.now();
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(time(&session["expires_at"]), begun.plus_millis(hours(2)));
        assert!(time(&session["idle_expires_at"]) <= begun.plus_millis(hours(2)), "{session}");

        server.advance_ms(hours(2) - 1);
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);
        server.advance_ms(1);
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
        server.api().expect_no_session(&signed_in.sid).await;
        assert!(server.api().logs("w").await.is_empty());
    }

    async fn an_idle_expiry_holds_until_the_next_interaction(server) {
        server.api().on_post_login(r#"
            if (event.transaction.prompt.includes("none")) return;
            api.session.setIdleExpiresAt(Date.parse(event.session.authenticated_at) + 3600 * 1000);
        "#).await;
        let begun = server.now();
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(time(&session["idle_expires_at"]), begun.plus_millis(hours(1)));
        assert_eq!(time(&session["expires_at"]), begun.plus_millis(hours(168)));
        server.advance_minutes(59);
        app.sign_in_silently(&browser).await;
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(time(&session["idle_expires_at"]), server.now().plus_millis(hours(72)));
    }

    async fn an_expiry_beyond_the_tenants_is_cut_to_it_with_a_warning(server) {
        expire_after_hours(server, "setExpiresAt", 1000).await;
        let begun = server.now();
        let (.., signed_in) = server.someone_signed_in().await;
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(time(&session["expires_at"]), begun.plus_millis(hours(168)));
        let warning = server.api().only_log("w").await;
        assert!(warning["description"].as_str().unwrap().contains("expiration"), "{warning}");
    }

    async fn the_earliest_of_several_expiries_wins(server) {
        server.api().on_post_login(r#"
            const begun = Date.parse(event.session.authenticated_at);
            for (const hours of [5, 3, 4]) api.session.setExpiresAt(begun + hours * 3600 * 1000);
        "#).await;
        let begun = server.now();
        let (.., signed_in) = server.someone_signed_in().await;
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(time(&session["expires_at"]), begun.plus_millis(hours(3)));
    }

    async fn an_expiry_of_nothing_fails_the_sign_in(server) {
        server.api().on_post_login("api.session.setExpiresAt(0);").await;
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let callback = server.browser().sign_in_at(&app.request().url(), &user).await;
        callback.expect_error(
            "access_denied",
            "Either inactivity or absolute expiration time must be provided",
        );
    }

    async fn an_action_makes_the_cookie_last_only_while_the_browser_is_open(server) {
        server.api().on_post_login(r#"api.session.setCookieMode("non-persistent");"#).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(session["cookie"], json!({ "mode": "non-persistent" }));
        browser.close_and_open();
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
        server.api().session(&signed_in.sid).await;
    }
}
