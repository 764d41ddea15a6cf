//! The examples of Auth0's page "Configure Session Metadata", in its order, as a browser and an application would
//! run them.
//!
//! Auth0: manage users › sessions › session metadata › configure session metadata.

use serde_json::{Value, json};
use suite::{RelyingParty, on_every_store};

/// Records the device name once, as the page's first example does.
const RECORD_DEVICE: &str = r#"
    if (!event.session.metadata || !event.session.metadata.deviceName) {
        api.session.setMetadata("deviceName", event.request.user_agent.split("/")[0]);
    }
"#;

on_every_store! {
    async fn an_action_sets_metadata_on_the_first_sign_in_and_the_api_shows_it(server) {
        server.api().on_post_login(RECORD_DEVICE).await;
        let (app, user, browser, signed_in) = server.someone_signed_in().await;

        let session = server.api().session(&signed_in.sid).await;
        assert_eq!(session["session_metadata"], json!({ "deviceName": "Suite" }));
        assert_eq!(session["user_id"], user.id.as_str());
        assert_eq!(session["clients"], json!([{ "client_id": app.id }]));

        // The metadata belongs to the browser's session, not to the user.
        let other = server.browser();
        other.update_to("Other/2.0");
        let elsewhere = app.sign_in(&other, &user).await;
        assert_ne!(elsewhere.sid, signed_in.sid);
        assert_eq!(server.api().session_metadata(&elsewhere.sid).await, json!({ "deviceName": "Other" }));
        assert_eq!(server.api().session_metadata(&signed_in.sid).await, json!({ "deviceName": "Suite" }));

        let login = server.api().logs("s").await;
        assert_eq!(login.len(), 2, "{login:?}");
        assert!(login.iter().all(|event| event["user_id"] == user.id.as_str()), "{login:?}");
        assert!(login.iter().any(|event| event["details"]["session_id"] == signed_in.sid.as_str()), "{login:?}");
        drop(browser);
    }

    async fn a_session_without_metadata_shows_none(server) {
        let (.., signed_in) = server.someone_signed_in().await;
        let metadata = server.api().session_metadata(&signed_in.sid).await;
        assert!(metadata.is_null() || metadata == json!({}), "{metadata}");
    }

    async fn the_api_replaces_the_whole_map_and_clears_it(server) {
        server.api().on_post_login(r#"
            if (!event.session.metadata.a) { api.session.setMetadata("a", "1"); api.session.setMetadata("b", "2"); }
        "#).await;
        let (.., signed_in) = server.someone_signed_in().await;
        let (api, sid) = (server.api(), &*signed_in.sid);
        assert_eq!(api.session_metadata(sid).await, json!({ "a": "1", "b": "2" }));

        let answered = api.set_session_metadata(sid, &json!({ "c": "3" })).await;
        assert_eq!((&answered["id"], &answered["session_metadata"]), (&json!(sid), &json!({ "c": "3" })));
        assert_eq!(api.session(sid).await, answered, "PATCH answers with the whole session");

        for cleared in [json!({}), Value::Null] {
            api.set_session_metadata(sid, &json!({ "c": "3" })).await;
            api.set_session_metadata(sid, &cleared).await;
            let left = api.session_metadata(sid).await;
            assert!(left.is_null() || left == json!({}), "{cleared}: {left}");
        }
    }

    async fn silent_authentication_sees_what_earlier_transactions_and_the_api_left(server) {
        server.api().on_post_login(r#"
            const seen = Number(event.session.metadata.sign_ins || "0");
            api.session.setMetadata("sign_ins", String(seen + 1));
            api.idToken.setCustomClaim("https://shop.test/metadata", event.session.metadata);
        "#).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let claim = "https://shop.test/metadata";
        assert_eq!(signed_in.claims[claim], json!({ "sign_ins": "1" }));

        let again = app.sign_in_silently(&browser).await;
        assert_eq!((&*again.sid, &again.claims[claim]), (&*signed_in.sid, &json!({ "sign_ins": "2" })));

        server.api().set_session_metadata(&signed_in.sid, &json!({ "sign_ins": "40", "from": "api" })).await;
        let last = app.sign_in_silently(&browser).await;
        assert_eq!(last.claims[claim], json!({ "sign_ins": "41", "from": "api" }));
        assert_eq!(server.api().session_metadata(&signed_in.sid).await, json!({ "sign_ins": "41", "from": "api" }));
        assert_eq!(server.api().logs("ssa").await.len(), 2);
    }

    async fn a_later_action_sees_what_an_earlier_one_set_deleted_and_evicted(server) {
        let first = r#"exports.onExecutePostLogin = async (event, api) => {
            api.session.setMetadata("gone", "1");
            api.session.setMetadata("kept", "1");
            api.session.deleteMetadata("gone");
        };"#;
        let second = r#"exports.onExecutePostLogin = async (event, api) => {
            api.session.setMetadata("seen", JSON.stringify(event.session.metadata));
        };"#;
        let third = r#"exports.onExecutePostLogin = async (event, api) => {
            const seen = event.session.metadata.seen;
            api.session.evictMetadata();
            if (Object.keys(event.session.metadata).length !== 0) throw new Error("not evicted");
            api.session.setMetadata("second_saw", seen);
        };"#;
        server.api().bind(&[("First", first), ("Second", second), ("Third", third)]).await;
        let (.., signed_in) = server.someone_signed_in().await;
        let metadata = server.api().session_metadata(&signed_in.sid).await;
        assert_eq!(metadata, json!({ "second_saw": r#"{"kept":"1"}"# }));
    }

    async fn setting_null_deletes_and_deleting_what_is_absent_does_nothing(server) {
        server.api().on_post_login(r#"
            api.session.setMetadata("a", "1");
            api.session.setMetadata("a", null);
            api.session.setMetadata("never", null);
            api.session.deleteMetadata("never");
            api.session.setMetadata("empty", "");
        "#).await;
        let (.., signed_in) = server.someone_signed_in().await;
        assert_eq!(server.api().session_metadata(&signed_in.sid).await, json!({ "empty": "" }));
    }

    async fn rp_initiated_logout_delivers_the_metadata_as_it_is_at_the_end(server) {
        server.api().on_post_login(RECORD_DEVICE).await;
        let (app, party) = RelyingParty::with_app(server, "Shop", true).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in(&browser, &user).await;
        server.api().set_session_metadata(&signed_in.sid, &json!({ "tier": "gold" })).await;

        let answer = app.sign_out(&browser, &signed_in.id_token).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        assert_eq!(answer.location().unwrap().as_str(), format!("{}?state=bye", app.logout_uri));

        let token = party.token(&app, 1).await;
        assert_eq!(token.sid.as_deref(), Some(&*signed_in.sid));
        assert_eq!(token.sub.as_deref(), Some(&*user.id));
        assert_eq!(token.claims["session_metadata"], json!({ "tier": "gold" }));
        assert_eq!(token.claims["aud"], app.id.as_str());
        assert_eq!(token.claims["exp"].as_i64().unwrap() - token.claims["iat"].as_i64().unwrap(), 120);
        assert!(token.claims["trace_id"].as_str().is_some_and(|id| id.len() == 16), "{:?}", token.claims);
        assert!(!token.claims.contains_key("nonce"));

        server.api().expect_no_session(&signed_in.sid).await;
        browser.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
        assert_eq!(server.api().only_log("slo").await["details"]["session_id"], signed_in.sid.as_str());
        let told = suite::wait::until("the log tells", async || {
            server.api().logs("oidc_backchannel_logout_succeeded").await.pop()
        })
        .await;
        assert_eq!(told["details"]["initiator"], "rp-logout");
        assert_eq!(told["details"]["request"]["backchannel_logout_uri"], party.url.as_str());
        assert_eq!(told["details"]["response"]["statusCode"], 204);
        assert_eq!(told["client_id"], app.id.as_str());
        assert!(told["details"].get("session_metadata").is_none(), "only with the tenant's flag: {told}");
    }

    async fn an_end_through_the_api_delivers_to_every_client_of_the_session(server) {
        server.api().on_post_login(RECORD_DEVICE).await;
        let (shop, shop_party) = RelyingParty::with_app(server, "Shop", true).await;
        let (forum, forum_party) = RelyingParty::with_app(server, "Forum", false).await;
        let (_idle, idle_party) = RelyingParty::with_app(server, "Idle", true).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let signed_in = shop.sign_in(&browser, &user).await;
        assert_eq!(forum.sign_in_silently(&browser).await.sid, signed_in.sid);

        server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
        let with = shop_party.hears_of(&shop, &signed_in.sid).await;
        assert_eq!(with, json!({ "deviceName": "Suite" }));
        let without = forum_party.token(&forum, 1).await;
        assert_eq!(without.sid.as_deref(), Some(&*signed_in.sid));
        assert!(!without.claims.contains_key("session_metadata"), "not included, not told: {:?}", without.claims);
        server.deliver().await;
        assert_eq!((shop_party.count(), forum_party.count(), idle_party.count()), (1, 1, 0));
        assert_eq!(server.api().only_log("session_revoked").await["details"]["session_id"], signed_in.sid.as_str());
    }

    async fn only_chosen_initiators_are_told_and_the_old_field_name_is_taken(server) {
        let party = RelyingParty::listen(&server.wire).await;
        let app = server.app("Shop").await;
        let settings = party.settings("custom", &["rp-logout", "idp-logout"], true);
        let path = format!("clients/{}", app.id);
        let changed =
            server.api().patch(&path, &json!({ "oidc_backchannel_logout": settings })).await.expect(200).json();
        assert_eq!(changed["oidc_logout"]["backchannel_logout_urls"], json!([party.url]));
        assert_eq!(changed["oidc_logout"]["backchannel_logout_session_metadata"], json!({ "include": true }));
        assert_eq!(changed["oidc_backchannel_logout"]["backchannel_logout_urls"], json!([party.url]));

        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let revoked = app.sign_in(&browser, &user).await;
        server.api().post_nothing(&format!("sessions/{}/revoke", revoked.sid)).await.expect(202);
        server.deliver().await;
        assert_eq!(party.count(), 0, "session-revoked is not among the chosen");

        let signed_in = app.sign_in(&browser, &user).await;
        app.sign_out(&browser, &signed_in.id_token).await;
        party.hears_of(&app, &signed_in.sid).await;
        assert_eq!(party.count(), 1);
    }

    async fn without_initiators_only_a_logout_at_the_application_is_told(server) {
        let party = RelyingParty::listen(&server.wire).await;
        let settings = json!({ "oidc_logout": { "backchannel_logout_urls": [party.url] } });
        let app = server.app_with("Shop", settings).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let first = app.sign_in(&browser, &user).await;
        server.api().delete(&format!("sessions/{}", first.sid)).await.expect(202);
        server.deliver().await;
        let second = app.sign_in(&browser, &user).await;
        app.sign_out(&browser, &second.id_token).await;
        assert_eq!(party.hears_of(&app, &second.sid).await, Value::Null);
        assert_eq!(party.count(), 1);
    }

    async fn the_tenants_flag_puts_metadata_into_logout_events(server) {
        server.api().tenant(&json!({ "include_session_metadata_in_tenant_logs": true })).await;
        server.api().on_post_login(RECORD_DEVICE).await;
        let (app, party) = RelyingParty::with_app(server, "Shop", false).await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in(&browser, &user).await;
        app.sign_out(&browser, &signed_in.id_token).await;
        party.hears_of(&app, &signed_in.sid).await;
        let metadata = json!({ "deviceName": "Suite" });
        assert_eq!(server.api().only_log("slo").await["details"]["session_metadata"], metadata);
        let told = suite::wait::until("the log tells", async || {
            server.api().logs("oidc_backchannel_logout_succeeded").await.pop()
        })
        .await;
        assert_eq!(told["details"]["session_metadata"], metadata);
    }
}
