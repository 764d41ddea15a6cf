//! An Action ends a session that turns up on another network than the one it began on.
//!
//! Auth0: manage users › sessions › manage sessions with Actions.

use serde_json::json;
use suite::{RelyingParty, on_every_store};

const REVOKE_ON_MOVE: &str = r#"
    if (event.session && event.session.device.initial_ip !== event.request.ip) {
        api.session.revoke("Invalid IP change");
    }
"#;

on_every_store! {
    async fn a_session_that_moves_to_another_network_ends_with_its_refresh_tokens(server) {
        server.api().on_post_login(REVOKE_ON_MOVE).await;
        let (app, party) = RelyingParty::with_app(server, "Shop", true).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        browser.move_to("192.0.2.10");
        let signed_in = app.sign_in_with(&browser, &user, "openid offline_access").await;
        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(session["device"]["initial_ip"], "192.0.2.10");
        server.api().set_session_metadata(&signed_in.sid, &json!({ "seat": "7" })).await;

        // The same network does no harm.
        assert_eq!(app.sign_in_silently(&browser).await.sid, signed_in.sid);

        browser.move_to("198.51.100.20");
        let callback = browser.pass_through(&app.silent()).await;
        callback.expect_error("access_denied", "Invalid IP change");
        assert_eq!(callback.get("state"), suite::app::STATE);

        server.api().expect_no_session(&signed_in.sid).await;
        app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
        assert_eq!(party.hears_of(&app, &signed_in.sid).await, json!({ "seat": "7" }));
        let revoked = server.api().only_log("session_revoked").await;
        assert_eq!(revoked["details"]["session_id"], signed_in.sid.as_str());
        assert_eq!(server.api().only_log("f").await["details"]["error"]["message"], "Invalid IP change");
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
    }

    async fn refresh_tokens_stay_where_the_action_preserves_them(server) {
        server.api().on_post_login(r#"
            if (event.session && event.session.device.initial_ip !== event.request.ip) {
                api.session.revoke("moved", { preserveRefreshTokens: true });
            }
        "#).await;
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in_with(&browser, &user, "openid offline_access").await;
        browser.move_to("198.51.100.20");
        browser.pass_through(&app.silent()).await.expect_error("access_denied", "moved");
        server.api().expect_no_session(&signed_in.sid).await;
        app.refresh(signed_in.refresh_token()).await.expect(200);
    }

    async fn actions_after_a_revocation_do_not_run(server) {
        let revoke = r#"exports.onExecutePostLogin = async (event, api) => { api.session.revoke("no"); };"#;
        let later = r#"exports.onExecutePostLogin = async (event, api) => { api.access.deny("later ran"); };"#;
        server.api().bind(&[("Revoke", revoke), ("Later", later)]).await;
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let browser = server.browser();
        browser.sign_in_at(&app.request().url(), &user).await.expect_error("access_denied", "no");
        assert_eq!(browser.cookie(suite::browser::SESSION_COOKIE), None);
    }
}
