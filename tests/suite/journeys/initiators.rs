//! Every way a session can end: each tells each client once, in one commit with its cause, and the log tells why.
//!
//! Spec: OIDC Back-Channel Logout 1.0 §2.3. Auth0: back-channel logout initiators.

use serde_json::{Value, json};
use suite::{App, Browser, RelyingParty, Server, SignedIn, User, on_every_store, wait};

/// Two applications that hear of everything, a third that hears of sign-outs only, and someone signed in to all three by
/// one session.
struct Scene {
    first: (App, RelyingParty),
    second: (App, RelyingParty),
    quiet: (App, RelyingParty),
    user: User,
    browser: Browser,
    signed_in: SignedIn,
}

/// Settings with which the applications get a refresh token, and how the claim that tells the initiator is asked for.
async fn party(server: &Server, name: &str, mode: &str) -> (App, RelyingParty) {
    let party = RelyingParty::listen(&server.wire).await;
    let mut settings = party.settings(mode, &["rp-logout", "idp-logout"], false);
    settings["backchannel_logout_initiator_claim"] = json!(true);
    let rotation = json!({ "rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0 });
    let app = server.app_with(name, json!({ "oidc_logout": settings, "refresh_token": rotation })).await;
    (app, party)
}

async fn scene(server: &Server) -> Scene {
    let first = party(server, "First", "all").await;
    let second = party(server, "Second", "all").await;
    let quiet = party(server, "Quiet", "custom").await;
    let user = server.user("ann@example.com").await;
    let browser = server.browser();
    let signed_in = first.0.sign_in_with(&browser, &user, "openid offline_access").await;
    for (app, _) in [&second, &quiet] {
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid, "one session");
    }
    Scene { first, second, quiet, user, browser, signed_in }
}

impl Scene {
    fn user_path(&self) -> String {
        format!("users/{}", self.user.path_id())
    }

    async fn patch_user(&self, server: &Server, body: Value) {
        server.api().patch(&self.user_path(), &body).await.expect(200);
    }

    /// The session is gone, and each client that asked has heard of it once, with the reason.
    async fn ended_by(&self, server: &Server, initiator: &str) {
        server.api().expect_no_session(&self.signed_in.sid).await;
        server.deliver().await;
        for (app, party) in [&self.first, &self.second] {
            let told = party.token(app, 1).await;
            assert_eq!(told.sid.as_deref(), Some(&*self.signed_in.sid));
            assert_eq!(told.claims["sub"], json!(self.user.id));
            assert_eq!(told.claims["initiator"], json!(initiator));
            assert_eq!(party.count(), 1, "once");
        }
        let told_in_all = if initiator == "rp-logout" { 3 } else { 2 };
        // The server's own loop may have claimed some, and is then about to commit what came of them.
        let told = wait::until("an event for each client", async || {
            let told = server.api().logs("oidc_backchannel_logout_succeeded").await;
            (told.len() >= told_in_all).then_some(told)
        })
        .await;
        assert_eq!((told.len(), self.quiet.1.count()), (told_in_all, told_in_all - 2));
        assert!(told.iter().all(|event| event["details"]["initiator"] == json!(initiator)), "{told:?}");
        // Nothing is left that could tell them again.
        server.sweep().await;
        server.deliver().await;
        assert_eq!((self.first.1.count(), self.second.1.count()), (1, 1));
    }

    /// How the log tells of the end itself.
    async fn logged_as(&self, server: &Server, kind: &str, initiator: &str) {
        let event = server.api().only_log(kind).await;
        assert_eq!(event["session_id"], json!(self.signed_in.sid));
        let named = [&event["details"]["initiator"], &event["details"]["initiated_by"]];
        assert!(named.contains(&&json!(initiator)), "{event}");
    }
}

on_every_store! {
    async fn signing_out_at_one_client_tells_them_all(server) {
        let scene = scene(server).await;
        scene.first.0.sign_out(&scene.browser, &scene.signed_in.id_token).await;
        scene.ended_by(server, "rp-logout").await;
        scene.logged_as(server, "slo", "rp-logout").await;
    }

    async fn a_new_password_ends_sessions_and_every_refresh_token(server) {
        let scene = scene(server).await;
        scene.patch_user(server, json!({ "password": "another Password 1!" })).await;
        scene.ended_by(server, "password-changed").await;
        scene.logged_as(server, "session_revoked", "password-changed").await;
        scene.first.0.refresh(scene.signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn refresh_tokens_whose_session_is_long_gone_end_with_the_password_too(server) {
        let scene = scene(server).await;
        server.api().delete(&format!("sessions/{}", scene.signed_in.sid)).await.expect(202);
        let second = scene.first.0.refresh(scene.signed_in.refresh_token()).await.expect(200).json();
        scene.patch_user(server, json!({ "password": "another Password 1!" })).await;
        let token = second["refresh_token"].as_str().unwrap();
        scene.first.0.refresh(token).await.expect_oauth_error(403, "invalid_grant");
        let left = server.api().get(&format!("{}/refresh-tokens", scene.user_path())).await.expect(200).json();
        assert_eq!(left["tokens"], json!([]));
    }

    async fn a_session_that_nobody_uses_expires(server) {
        let scene = scene(server).await;
        server.advance_hours(73);
        assert_eq!(server.sweep().await, 1);
        scene.ended_by(server, "session-expired").await;
        scene.logged_as(server, "session_expired", "session-expired").await;
    }

    async fn a_session_in_use_expires_all_the_same_at_its_absolute_end(server) {
        let scene = scene(server).await;
        for _ in 0..3 {
            server.advance_hours(48);
            scene.first.0.sign_in_silently(&scene.browser).await;
        }
        server.advance_hours(25);
        assert_eq!(server.sweep().await, 1);
        scene.ended_by(server, "session-expired").await;
    }

    async fn deleting_and_revoking_a_session_are_told_alike(server) {
        let scene = scene(server).await;
        server.api().delete(&format!("sessions/{}", scene.signed_in.sid)).await.expect(202);
        scene.ended_by(server, "session-revoked").await;
        scene.logged_as(server, "session_revoked", "session-revoked").await;
        scene.first.0.refresh(scene.signed_in.refresh_token()).await.expect(200);
    }

    async fn revoking_a_session_ends_its_refresh_tokens(server) {
        let scene = scene(server).await;
        server.api().post_nothing(&format!("sessions/{}/revoke", scene.signed_in.sid)).await.expect(202);
        scene.ended_by(server, "session-revoked").await;
        scene.first.0.refresh(scene.signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn deleting_all_sessions_of_a_user_is_logged_with_its_call(server) {
        let scene = scene(server).await;
        server.api().delete(&format!("{}/sessions", scene.user_path())).await.expect(202);
        scene.ended_by(server, "session-revoked").await;
        let calls = server.api().logs("sapi").await;
        assert!(calls.iter().any(|event| event["description"] == "Delete sessions for user"));
    }

    async fn an_action_that_revokes_a_session_tells_its_clients(server) {
        let scene = scene(server).await;
        server.api().on_post_login("api.session.revoke('moved');").await;
        scene.browser.get(&scene.first.0.silent()).await;
        scene.ended_by(server, "session-revoked").await;
    }

    async fn a_stolen_refresh_token_ends_the_session_that_it_came_from(server) {
        let scene = scene(server).await;
        let (app, token) = (&scene.first.0, scene.signed_in.refresh_token());
        app.refresh(token).await.expect(200);
        app.refresh(token).await.expect_oauth_error(403, "invalid_grant");
        scene.ended_by(server, "session-revoked").await;
        server.api().only_log("ferrt").await;
    }

    async fn deleting_a_user_tells_their_clients(server) {
        let scene = scene(server).await;
        server.api().delete(&scene.user_path()).await.expect(204);
        scene.ended_by(server, "account-deleted").await;
        server.api().only_log("sdu").await;
        scene.first.0.refresh(scene.signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn another_address_ends_sessions_but_the_same_in_capitals_does_not(server) {
        let scene = scene(server).await;
        scene.patch_user(server, json!({ "email": "ANN@example.com" })).await;
        scene.patch_user(server, json!({ "email_verified": true })).await;
        server.api().session(&scene.signed_in.sid).await;
        scene.patch_user(server, json!({ "email": "anna@example.com" })).await;
        scene.ended_by(server, "email-identifier-changed").await;
    }

    async fn blocking_a_user_ends_sessions_and_refresh_tokens(server) {
        let scene = scene(server).await;
        scene.patch_user(server, json!({ "blocked": true })).await;
        scene.ended_by(server, "account-deactivated").await;
        scene.patch_user(server, json!({ "blocked": false })).await;
        scene.first.0.refresh(scene.signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn more_sessions_than_one_commit_ends_all_end_and_are_told_once(server) {
        let (app, party) = party(server, "First", "all").await;
        let user = server.user("ann@example.com").await;
        let mut sids = Vec::new();
        for _ in 0..60 {
            sids.push(app.sign_in(&server.browser(), &user).await.sid);
        }
        server.api().patch(&format!("users/{}", user.path_id()), &json!({ "blocked": true })).await.expect(200);
        for sid in &sids {
            server.api().expect_no_session(sid).await;
        }
        server.deliver().await;
        let mut told = Vec::new();
        for count in 1..=sids.len() {
            told.push(party.token(&app, count).await.sid.unwrap());
        }
        told.sort_unstable();
        sids.sort_unstable();
        assert_eq!(told, sids);
    }
}
