//! An Action that fails or refuses ends the transaction: told to the application, told in the log, nothing changed.
//!
//! Auth0: configure session metadata › errors; Actions › post-login › `api.access.deny`, exceptions.

use serde_json::json;
use suite::{App, Server, on_every_store};

const PREFIX: &str = "Failed to set session metadata: Invalid metadata: ";

/// Signs in where an Action with this body runs, and asserts what the application and the log are told.
async fn denied(server: &Server, app: &App, body: &str, description: &str) {
    server.api().on_post_login(body).await;
    let user = server.user(&format!("user{}@example.com", server.api().logs("f").await.len())).await;
    let browser = server.browser();
    let callback = browser.sign_in_at(&app.request().url(), &user).await;
    callback.expect_error("access_denied", description);
    assert_eq!(callback.url, app.redirect_uri);
    assert_eq!(callback.get("state"), suite::app::STATE);

    let events = server.api().logs("f").await;
    let event = events.iter().find(|event| event["user_id"] == user.id.as_str());
    let event = event.unwrap_or_else(|| panic!("an f event of {}: {events:?}", user.id));
    let payload = &event["details"]["error"]["payload"];
    let told = json!([payload["error"], payload["error_description"], payload["state"]]);
    assert_eq!(told, json!(["access_denied", description, suite::app::STATE]), "{event}");
    assert_eq!(event["client_id"], app.id.as_str());

    let sessions = server.api().get(&format!("users/{}/sessions", user.path_id())).await.expect(200).json();
    assert_eq!(sessions["sessions"], json!([]), "no session is made");
    assert_eq!(browser.cookie(suite::browser::SESSION_COOKIE), None);
}

on_every_store! {
    async fn every_broken_metadata_rule_is_told_in_its_own_words(server) {
        let app = server.app("Shop").await;
        for (call, rule) in [
            (
                r#"api.session.setMetadata("bad key!", "v")"#,
                "Metadata keys may only include letters, numbers, underscores, or hyphens",
            ),
            (
                r#"api.session.setMetadata("", "v")"#,
                "Metadata keys may only include letters, numbers, underscores, or hyphens",
            ),
            (
                r#"for (let i = 0; i < 26; i++) api.session.setMetadata("k" + i, "v")"#,
                "Metadata must not contain more than 25 entries",
            ),
            (
                r#"api.session.setMetadata("k".repeat(256), "v")"#,
                "All metadata keys must be at most 255 characters long",
            ),
            (
                r#"api.session.setMetadata("k", "v".repeat(256))"#,
                "All metadata values must be at most 255 characters long",
            ),
            (r#"api.session.setMetadata("k\u0000", "v")"#, r"Metadata keys must not contain null bytes (\x00)"),
            (r#"api.session.setMetadata("k", "v\u0000")"#, r"Metadata values must not contain null bytes (\x00)"),
            (r#"api.session.setMetadata(7, "v")"#, "Metadata key must be a string"),
            (r#"api.session.setMetadata("k", 7)"#, "Metadata value must be a string"),
            (r#"api.session.setMetadata("k", undefined)"#, "Metadata value must be a string"),
            (r#"api.session.setMetadata("k", ["v"])"#, "Metadata value must be a string"),
        ] {
            denied(server, &app, &format!("{call};"), &format!("{PREFIX}{rule}")).await;
        }
    }

    async fn a_failed_write_leaves_the_session_of_silent_authentication_as_it_was(server) {
        server.api().on_post_login(r#"
            if (event.stats.logins_count > 0 && event.transaction.prompt.includes("none")) {
                api.session.setMetadata("good", "2");
                api.session.setMetadata("bad key!", "v");
            }
            else api.session.setMetadata("good", "1");
        "#).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let before = server.api().session(&signed_in.sid).await;
        server.advance_minutes(5);
        let callback = browser.pass_through(&app.silent()).await;
        let rule = "Metadata keys may only include letters, numbers, underscores, or hyphens";
        callback.expect_error("access_denied", &format!("{PREFIX}{rule}"));
        assert_eq!(server.api().session(&signed_in.sid).await, before);
        let failed = server.api().only_log("actions_execution_failed").await;
        assert_eq!(failed["details"]["error_class"], "action_error");
        assert_eq!(failed["details"]["trigger_id"], "post-login");
        assert_eq!(failed["details"]["action_name"], "Post login");
        assert_eq!(server.api().only_log("f").await["details"]["session_id"], signed_in.sid.as_str());
    }

    async fn what_is_set_after_a_caught_error_counts(server) {
        server.api().on_post_login(r#"
            try { api.session.setMetadata("bad key!", "v"); } catch (error) { api.session.setMetadata("caught", error.message); }
        "#).await;
        let (.., signed_in) = server.someone_signed_in().await;
        let rule = "Metadata keys may only include letters, numbers, underscores, or hyphens";
        let expected = json!({ "caught": format!("{PREFIX}{rule}") });
        assert_eq!(server.api().session_metadata(&signed_in.sid).await, expected);
    }

    async fn a_denial_carries_its_reason_and_later_actions_do_not_run(server) {
        let app = server.app("Shop").await;
        denied(server, &app, r#"api.access.deny("Not on \"Sundays\" & never");"#, "Not on \"Sundays\" & never").await;
        assert!(server.api().logs("actions_execution_failed").await.is_empty(), "a denial is no failure");
        let deny = r#"exports.onExecutePostLogin = async (event, api) => { api.access.deny("first"); };"#;
        let later = r#"exports.onExecutePostLogin = async (event, api) => { api.access.deny("second"); };"#;
        server.api().bind(&[("Deny", deny), ("Later", later)]).await;
        let user = server.user("bob@example.com").await;
        let callback = server.browser().sign_in_at(&app.request().url(), &user).await;
        callback.expect_error("access_denied", "first");
    }

    async fn a_denial_on_silent_authentication_keeps_the_session(server) {
        server.api().on_post_login(r#"
            if (event.transaction.prompt.includes("none")) {
                api.session.setMetadata("a", "1");
                api.access.deny("not silently");
            }
        "#).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        browser.pass_through(&app.silent()).await.expect_error("access_denied", "not silently");
        assert!(server.api().session_metadata(&signed_in.sid).await.is_null());
        server.api().unbind_all().await;
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);
    }

    async fn an_uncaught_exception_is_told_with_its_message(server) {
        let app = server.app("Shop").await;
        denied(server, &app, r#"throw new Error("the backend said no");"#, "the backend said no").await;
        let failed = server.api().only_log("actions_execution_failed").await;
        assert_eq!(failed["details"]["action_error"]["message"], "the backend said no");
    }

    async fn an_action_that_never_ends_fails_and_others_still_sign_in(server) {
        let app = server.app("Shop").await;
        let (user, other) = (server.user("ann@example.com").await, server.user("bob@example.com").await);
        server.api().on_post_login(r#"if (event.user.email === "ann@example.com") for (;;) {}"#).await;
        let (first, second) = (server.browser(), server.browser());
        let (stuck, fine) = (app.request().url(), app.request().url());
        let (stuck, fine) =
            tokio::join!(first.sign_in_at(&stuck, &user), second.sign_in_at(&fine, &other));
        assert_eq!(stuck.get("error"), "access_denied", "{stuck:?}");
        fine.code();
        let failed = server.api().only_log("actions_execution_failed").await;
        assert_eq!(failed["details"]["error_class"], "action_timeout");
    }
}
