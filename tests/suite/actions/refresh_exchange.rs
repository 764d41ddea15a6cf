//! Post-login Actions on the exchange of a refresh token: what they see, and what they do to the new tokens.
//!
//! Auth0: Actions › post-login; refresh token metadata.

use serde_json::{Value, json};
use suite::{App, Server, SignedIn, User, on_every_store};

async fn with_refresh_token(server: &Server) -> (App, User, SignedIn) {
    let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
    let signed_in = app.sign_in_with(&server.browser(), &user, "openid offline_access").await;
    (app, user, signed_in)
}

/// Exchanges, and answers the claims of the new ID token and the new refresh token.
async fn exchanged(app: &App, refresh_token: &str) -> (serde_json::Map<String, Value>, String) {
    let tokens = app.refresh(refresh_token).await.expect(200).json();
    let claims = app.claims_of(tokens["id_token"].as_str().expect("as told"), Some(&app.id)).await;
    let next = tokens["refresh_token"].as_str().unwrap_or(refresh_token).to_owned();
    (claims, next)
}

on_every_store! {
    async fn an_exchange_shows_the_token_and_no_session(server) {
        let (app, user, signed_in) = with_refresh_token(server).await;
        server.api().on_post_login(r#"
            const { refresh_token: token, transaction, session, request, connection, stats } = event;
            api.idToken.setCustomClaim("https://x/seen", {
                token: [token.user_id, token.client_id, token.session_id, token.access, token.metadata],
                protocol: transaction.protocol, session: typeof session, method: request.method,
                body: request.body, connection: connection.name, logins: stats.logins_count,
                methods: event.authentication.methods.map((method) => method.name), user: event.user.email,
            });
        "#).await;
        let (claims, _) = exchanged(&app, signed_in.refresh_token()).await;
        let expected = json!({
            "token": [user.id, app.id, signed_in.sid, "offline", {}], "protocol": "oauth2-refresh-token",
            "session": "undefined", "method": "POST",
            "body": { "grant_type": "refresh_token", "client_id": app.id },
            "connection": "Username-Password-Authentication", "logins": 1, "methods": ["pwd"],
            "user": "ann@example.com",
        });
        assert_eq!(claims["https://x/seen"], expected);
        let event = server.api().only_log("sertft").await;
        let id = event["details"]["actions"]["executions"][0].as_str().expect("as told").to_owned();
        let execution = server.api().get(&format!("actions/executions/{id}")).await.expect(200).json();
        assert_eq!(execution["trigger_id"], "post-login", "{execution}");
    }

    async fn claims_are_those_of_the_exchange_and_not_of_the_sign_in(server) {
        server.api().on_post_login(r#"api.idToken.setCustomClaim("https://x/by", event.transaction.protocol);"#).await;
        let (app, _, signed_in) = with_refresh_token(server).await;
        assert_eq!(signed_in.claims["https://x/by"], "oidc-basic-profile");
        let (claims, _) = exchanged(&app, signed_in.refresh_token()).await;
        assert_eq!(claims["https://x/by"], "oauth2-refresh-token");
    }

    async fn metadata_set_before_the_token_exists_is_on_it_and_later_changes_stay(server) {
        server.api().on_post_login(r#"
            const uses = Number(event.refresh_token?.metadata.uses ?? "-1") + 1;
            api.refreshToken.setMetadata("uses", String(uses));
            api.idToken.setCustomClaim("https://x/uses", uses);
        "#).await;
        let (app, _, signed_in) = with_refresh_token(server).await;
        let (claims, next) = exchanged(&app, signed_in.refresh_token()).await;
        assert_eq!(claims["https://x/uses"], 1);
        let (claims, _) = exchanged(&app, &next).await;
        assert_eq!(claims["https://x/uses"], 2);
    }

    async fn session_metadata_cannot_be_set_without_a_session(server) {
        let (app, _, signed_in) = with_refresh_token(server).await;
        server.api().on_post_login(r#"api.session.setMetadata("a", "1");"#).await;
        let reply = app.refresh(signed_in.refresh_token()).await;
        let text = reply.expect_oauth_error(403, "access_denied");
        assert_eq!(text, "Failed to set session metadata: Cannot set metadata on a session that does not exist.");
        let failed = server.api().only_log("actions_execution_failed").await;
        assert_eq!(failed["details"]["trigger_id"], "post-login");
        server.api().unbind_all().await;
        app.refresh(signed_in.refresh_token()).await.expect(200);
    }

    async fn a_denial_is_told_and_keeps_the_token_while_a_revocation_ends_it(server) {
        let (app, user, signed_in) = with_refresh_token(server).await;
        server.api().on_post_login(r#"api.user.setAppMetadata("asked", true); api.access.deny("not today");"#).await;
        let text = app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "access_denied");
        assert_eq!(text, "not today");
        assert_eq!(server.api().only_log("fertft").await["description"], "not today");
        let stored = server.api().get(&format!("users/{}", user.path_id())).await.expect(200).json();
        assert_eq!(stored["app_metadata"], json!({ "asked": true }));
        server.api().on_post_login(r#"api.refreshToken.revoke("gone for good");"#).await;
        let text = app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "access_denied");
        assert_eq!(text, "gone for good");
        assert_eq!(server.api().only_log("srrt").await["user_id"], user.id.as_str());
        server.api().unbind_all().await;
        app.refresh(signed_in.refresh_token()).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn a_lifetime_can_be_made_shorter(server) {
        server.api().on_post_login("api.refreshToken.setExpiresAt(Date.parse(event.user.created_at) + 3600 * 1000);").await;
        let (app, _, signed_in) = with_refresh_token(server).await;
        server.api().unbind_all().await;
        server.advance_minutes(50);
        let (_, next) = exchanged(&app, signed_in.refresh_token()).await;
        server.advance_minutes(20);
        app.refresh(&next).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn scopes_of_the_new_access_token_are_the_actions_affair(server) {
        let (app, _, signed_in) = with_refresh_token(server).await;
        server.api().on_post_login(r#"api.accessToken.addScope("extra:scope");"#).await;
        let tokens = app.refresh(signed_in.refresh_token()).await.expect(200).json();
        let scope = tokens["scope"].as_str().expect("as told");
        assert!(scope.split(' ').any(|scope| scope == "extra:scope"), "{scope}");
    }
}
