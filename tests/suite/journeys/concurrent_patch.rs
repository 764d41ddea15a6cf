//! A PATCH that lands while Actions run is not lost, and neither is what the Actions set.

use serde_json::json;
use suite::on_every_store;

/// Takes a while, so that the test can act in the middle of it.
const SLOW: &str = r#"
    if (event.transaction.prompt.includes("none")) {
        await new Promise((done) => setTimeout(done, 400));
        api.session.setMetadata("by_action", "1");
    }
"#;

on_every_store! {
    async fn a_patch_during_a_silent_authentication_stands_beside_what_the_action_sets(server) {
        server.api().on_post_login(SLOW).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        server.api().set_session_metadata(&signed_in.sid, &json!({ "before": "1" })).await;
        let url = app.silent();
        let (callback, ()) = tokio::join!(browser.pass_through(&url), async {
            tokio::time::sleep(std::time::Duration::from_millis(120)).await;
            server.api().set_session_metadata(&signed_in.sid, &json!({ "by_api": "1" })).await;
        });
        callback.code();
        let metadata = server.api().session_metadata(&signed_in.sid).await;
        assert_eq!(metadata, json!({ "by_api": "1", "by_action": "1" }));
    }

    async fn a_session_that_is_revoked_while_an_action_runs_does_not_come_back(server) {
        server.api().on_post_login(SLOW).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let url = app.silent();
        let (callback, ()) = tokio::join!(browser.pass_through(&url), async {
            tokio::time::sleep(std::time::Duration::from_millis(120)).await;
            server.api().post_nothing(&format!("sessions/{}/revoke", signed_in.sid)).await.expect(202);
        });
        callback.expect_error("login_required", "Login required");
        server.api().expect_no_session(&signed_in.sid).await;
    }

    async fn sixteen_silent_authentications_at_once_lose_nothing(server) {
        server.api().on_post_login(r#"
            const key = event.request.query["ext-key"];
            if (key) api.session.setMetadata(key, "1");
        "#).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let browser = std::sync::Arc::new(browser);
        let mut all = tokio::task::JoinSet::new();
        for number in 0..16 {
            let url = app.request().with("prompt", "none").with("ext-key", &format!("k{number}")).url();
            let browser = std::sync::Arc::clone(&browser);
            all.spawn(async move { browser.pass_through(&url).await.code().to_owned() });
        }
        while let Some(code) = all.join_next().await {
            assert!(!code.unwrap().is_empty());
        }
        let metadata = server.api().session_metadata(&signed_in.sid).await;
        assert_eq!(metadata.as_object().unwrap().len(), 16, "{metadata}");
    }
}
