//! `api.cache` over HTTP: what one sign-in keeps, the next finds, until its time is over.
//!
//! Auth0: Actions › `api.cache`.

use serde_json::json;
use suite::on_every_store;

const COUNT: &str = r#"
    const known = api.cache.get("count");
    const count = String(Number(known?.value ?? 0) + 1);
    const kept = api.cache.set("count", count, { ttl: 10 * 60 * 1000 });
    api.idToken.setCustomClaim("https://x/count", [count, kept.type]);
"#;

on_every_store! {
    async fn a_value_survives_to_the_next_sign_in_and_ends_with_its_time(server) {
        server.api().on_post_login(COUNT).await;
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        assert_eq!(signed_in.claims["https://x/count"], json!(["1", "success"]));
        server.advance_minutes(9);
        let again = app.sign_in_silently(&browser).await;
        assert_eq!(again.claims["https://x/count"], json!(["2", "success"]));
        server.advance_minutes(11);
        let later = app.sign_in_silently(&browser).await;
        assert_eq!(later.claims["https://x/count"], json!(["1", "success"]));
        server.restart().await;
        let restarted = app.sign_in_silently(&browser).await;
        assert_eq!(restarted.claims["https://x/count"], json!(["1", "success"]), "it is this process's memory");
    }

    async fn a_later_action_of_the_same_run_finds_what_an_earlier_one_kept(server) {
        server.api().bind(&[
            ("First", r#"exports.onExecutePostLogin = async (event, api) => {
                api.cache.set("from", "first"); api.cache.set("gone", "x"); api.cache.delete("gone");
            };"#),
            ("Second", r#"exports.onExecutePostLogin = async (event, api) => {
                api.idToken.setCustomClaim("https://x/found", [api.cache.get("from")?.value, typeof api.cache.get("gone")]);
            };"#),
        ]).await;
        let (_, _, _, signed_in) = server.someone_signed_in().await;
        assert_eq!(signed_in.claims["https://x/found"], json!(["first", "undefined"]));
    }

    async fn a_failed_action_keeps_nothing_and_triggers_do_not_share(server) {
        super::bind(server, "pre-user-registration", "onExecutePreUserRegistration", r#"
            api.cache.set("from", "registration");
        "#).await;
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        server.api().on_post_login(r#"api.cache.set("from", "failed"); throw new Error("no");"#).await;
        let browser = server.browser();
        browser.sign_in_at(&app.request().url(), &user).await.expect_error("access_denied", "no");
        server.api().on_post_login(r#"api.idToken.setCustomClaim("https://x/found", typeof api.cache.get("from"));"#).await;
        let signed_in = app.sign_in(&server.browser(), &user).await;
        assert_eq!(signed_in.claims["https://x/found"], "undefined");
    }

    async fn a_cached_value_is_not_in_the_record_of_the_run(server) {
        server.api().on_post_login(r#"api.cache.set("token", "s3cret");"#).await;
        server.someone_signed_in().await;
        let event = server.api().only_log("s").await;
        let id = event["details"]["actions"]["executions"][0].as_str().expect("as told");
        let reply = server.api().get(&format!("actions/executions/{id}")).await.expect(200);
        assert!(reply.text.contains("set_cache") && reply.text.contains("*****"), "{}", reply.text);
        assert!(!reply.text.contains("s3cret"), "{}", reply.text);
    }
}
