//! An Action copies the organization into the session's metadata, and the logout token carries it.
//!
//! Auth0: manage users › sessions › session metadata › add organization information.

use serde_json::json;
use suite::{RelyingParty, on_every_store};

const COPY_ORGANIZATION: &str = r#"
    if (event.organization) {
        api.session.setMetadata("org_id", event.organization.id);
        api.session.setMetadata("org_slug", event.organization.name);
        api.session.setMetadata("org_name", event.organization.display_name);
    }
"#;

on_every_store! {
    async fn the_logout_token_tells_which_organization_the_session_was_for(server) {
        server.api().on_post_login(COPY_ORGANIZATION).await;
        let (app, party) = RelyingParty::with_app(server, "Shop", true).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let id = server.api().organization("acme", "Acme Corp", &user).await;
        let url = app.request().with("organization", &id).url();
        let signed_in = app.redeem(&browser.sign_in_at(&url, &user).await).await;
        assert_eq!(signed_in.claims["org_id"], id.as_str());

        let metadata = json!({ "org_id": id, "org_slug": "acme", "org_name": "Acme Corp" });
        assert_eq!(server.api().session_metadata(&signed_in.sid).await, metadata);
        server.api().post_nothing(&format!("sessions/{}/revoke", signed_in.sid)).await.expect(202);
        assert_eq!(party.hears_of(&app, &signed_in.sid).await, metadata);
    }

    async fn a_sign_in_without_an_organization_has_none_to_tell(server) {
        server.api().on_post_login(COPY_ORGANIZATION).await;
        let (.., signed_in) = server.someone_signed_in().await;
        assert!(!signed_in.claims.contains_key("org_id"));
        assert!(server.api().session_metadata(&signed_in.sid).await.is_null());
    }

    async fn who_does_not_belong_to_the_organization_does_not_get_in(server) {
        let (member, stranger) = (server.user("ann@example.com").await, server.user("bob@example.com").await);
        let id = server.api().organization("acme", "Acme Corp", &member).await;
        let app = server.app("Shop").await;
        let callback = server.browser().sign_in_at(&app.request().with("organization", &id).url(), &stranger).await;
        assert_eq!(callback.get("error"), "access_denied", "{callback:?}");
        assert_eq!(callback.get("state"), suite::app::STATE);
        assert!(server.api().get(&format!("users/{}/sessions", stranger.path_id())).await.json()["sessions"]
            .as_array().is_some_and(Vec::is_empty));
    }
}
