//! `api.authentication.setPrimaryUser`: the sign-in goes on as another user's.
//!
//! Auth0: Actions › post-login › API object.

use serde_json::{Value, json};
use suite::{Server, User, Visit, on_every_store};

async fn two(server: &Server) -> (User, User) {
    (server.user("second@example.com").await, server.user("first@example.com").await)
}

/// An Action that changes the user, and one that tells whom it sees.
async fn bind(server: &Server, primary: &str) {
    let changes = format!(
        "exports.onExecutePostLogin = async (event, api) => {{
            api.session.setMetadata('was', event.user.email);
            api.user.setAppMetadata('linked', true);
            if (event.user.user_id !== '{primary}') api.authentication.setPrimaryUser('{primary}');
        }};"
    );
    let tells = r#"exports.onExecutePostLogin = async (event, api) => {
        const { user, session } = event;
        api.idToken.setCustomClaim("https://x/seen", [user.email, session.user_id, session.id, session.metadata]);
    };"#;
    server.api().bind(&[("Changes", &changes), ("Tells", tells)]).await;
}

async fn stored(server: &Server, user: &User) -> Value {
    server.api().get(&format!("users/{}", user.path_id())).await.expect(200).json()
}

on_every_store! {
    async fn from_then_on_everything_is_the_primary_users(server) {
        let (second, first) = two(server).await;
        bind(server, &first.id).await;
        let (app, browser) = (server.app("Shop").await, server.browser());
        let signed_in = app.sign_in(&browser, &second).await;
        assert_eq!(signed_in.claims["sub"], first.id.as_str());
        assert_eq!(signed_in.claims["email"], "first@example.com");
        let metadata = json!({ "was": "second@example.com" });
        assert_eq!(signed_in.claims["https://x/seen"], json!(["first@example.com", first.id, signed_in.sid, metadata]));
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!((&session["user_id"], &session["session_metadata"]), (&json!(first.id), &metadata));
        let event = server.api().only_log("s").await;
        assert_eq!((&event["user_id"], &event["session_id"]), (&json!(first.id), &json!(signed_in.sid)));
        let (first_now, second_now) = (stored(server, &first).await, stored(server, &second).await);
        assert_eq!((&first_now["logins_count"], &first_now["app_metadata"]), (&json!(1), &json!({ "linked": true })));
        assert_eq!(second_now["app_metadata"].as_object().map_or(0, |entries| entries.len()), 0, "{second_now}");
        let silent = app.sign_in_silently(&browser).await;
        assert_eq!((&silent.sid, &silent.claims["sub"]), (&signed_in.sid, &json!(first.id)));
        server.api().delete(&format!("users/{}/sessions", first.path_id())).await.expect(202);
        server.api().expect_no_session(&signed_in.sid).await;
    }

    async fn a_session_of_the_other_user_ends_and_a_new_one_takes_its_place(server) {
        let (second, first) = two(server).await;
        let (app, browser) = (server.app("Shop").await, server.browser());
        let before = app.sign_in(&browser, &second).await;
        server.api().set_session_metadata(&before.sid, &json!({ "old": "1" })).await;
        server.advance_minutes(5);
        bind(server, &first.id).await;
        let after = app.sign_in_silently(&browser).await;
        assert_eq!(after.claims["sub"], first.id.as_str());
        assert_ne!(after.sid, before.sid);
        assert_eq!(after.claims["https://x/seen"][2], after.sid.as_str());
        server.api().expect_no_session(&before.sid).await;
        let session = server.api().session(&after.sid).await;
        assert_eq!(session["session_metadata"], json!({ "was": "second@example.com" }), "nothing of the other's");
        assert_eq!(session["authenticated_at"], after.claims["auth_time"].as_i64()
            .map(|at| domain::time::Timestamp(at * 1000).to_string()).unwrap());
        assert_ne!(session["created_at"], session["authenticated_at"]);
        assert_eq!(app.sign_in_silently(&browser).await.sid, after.sid);
    }

    async fn a_user_who_is_unknown_or_blocked_ends_the_sign_in(server) {
        let (second, first) = two(server).await;
        let (app, browser) = (server.app("Shop").await, server.browser());
        server.api().patch(&format!("users/{}", first.path_id()), &json!({ "blocked": true })).await.expect(200);
        bind(server, &first.id).await;
        browser.sign_in_at(&app.request().url(), &second).await.expect_error("access_denied", "user is blocked");
        bind(server, "auth0|nobody").await;
        let text = "The user auth0|nobody given to api.authentication.setPrimaryUser does not exist";
        browser.sign_in_at(&app.request().url(), &second).await.expect_error("access_denied", text);
        assert_eq!(server.api().logs("actions_execution_failed").await.len(), 2);
        assert!(browser.cookie(suite::browser::SESSION_COOKIE).is_none());
    }

    async fn two_actions_cannot_each_set_one(server) {
        let (second, first) = two(server).await;
        let third = server.user("third@example.com").await;
        let sets = |user: &User| format!(
            "exports.onExecutePostLogin = async (event, api) => api.authentication.setPrimaryUser('{}');", user.id
        );
        server.api().bind(&[("One", &sets(&first)), ("Two", &sets(&third))]).await;
        let callback = server.browser().sign_in_at(&server.app("Shop").await.request().url(), &second).await;
        callback.expect_error("access_denied", "The primary user can only be altered once per transaction");
    }

    async fn the_primary_user_stands_also_behind_a_later_redirect(server) {
        let (second, first) = two(server).await;
        let (app, browser) = (server.app("Shop").await, server.browser());
        let before = app.sign_in(&browser, &second).await;
        let sets = format!(
            "exports.onExecutePostLogin = async (event, api) => api.authentication.setPrimaryUser('{}');", first.id
        );
        let sends = r#"exports.onExecutePostLogin = async (event, api) => api.redirect.sendUserTo("https://page.test/");
            exports.onContinuePostLogin = async (event, api) => api.session.setMetadata("email", event.user.email);"#;
        server.api().bind(&[("Sets", &sets), ("Sends", sends)]).await;
        let visit = Visit::of(&browser.get(&app.request().url()).await);
        server.api().session(&before.sid).await;
        let after = app.redeem(&browser.pass_through(&visit.back()).await).await;
        assert_eq!(after.claims["sub"], first.id.as_str());
        server.api().expect_no_session(&before.sid).await;
        assert_eq!(server.api().session_metadata(&after.sid).await, json!({ "email": "first@example.com" }));
        // What vouches for a sign-in that nobody proved must live until its end.
        let other = server.browser();
        server.api().unbind_all().await;
        let before = app.sign_in(&other, &second).await;
        server.api().bind(&[("Sets", &sets), ("Sends", sends)]).await;
        let visit = Visit::of(&other.get(&app.request().url()).await);
        server.api().delete(&format!("sessions/{}", before.sid)).await.expect(202);
        let back = other.get_once(&visit.back()).await;
        assert!(back.location().unwrap().path().ends_with("/u/login"), "{back:?}");
    }

    async fn a_session_that_is_revoked_while_its_user_changes_gives_no_other(server) {
        let (second, first) = two(server).await;
        let (app, browser) = (server.app("Shop").await, server.browser());
        let before = app.sign_in(&browser, &second).await;
        server.api().on_post_login(&format!(
            "api.authentication.setPrimaryUser('{}'); await new Promise((done) => setTimeout(done, 400));", first.id
        )).await;
        let url = app.silent();
        let (callback, ()) = tokio::join!(browser.pass_through(&url), async {
            tokio::time::sleep(std::time::Duration::from_millis(120)).await;
            server.api().post_nothing(&format!("sessions/{}/revoke", before.sid)).await.expect(202);
        });
        callback.expect_error("login_required", "Login required");
        let sessions = server.api().get(&format!("users/{}/sessions", first.path_id())).await.expect(200).json();
        assert_eq!(sessions["sessions"], json!([]), "{sessions}");
    }

    async fn a_revocation_means_the_session_that_the_browser_holds(server) {
        let (second, first) = two(server).await;
        let (app, browser) = (server.app("Shop").await, server.browser());
        let before = app.sign_in(&browser, &second).await;
        let sets = format!(
            "exports.onExecutePostLogin = async (event, api) => api.authentication.setPrimaryUser('{}');", first.id
        );
        let revokes = "exports.onExecutePostLogin = async (event, api) => api.session.revoke('gone');";
        server.api().bind(&[("Sets", &sets), ("Revokes", revokes)]).await;
        browser.pass_through(&app.silent()).await.expect_error("access_denied", "gone");
        server.api().expect_no_session(&before.sid).await;
    }
}
