//! Pre-user-registration Actions: who may not become a user, and what those who may begin with.
//!
//! Auth0: Actions › pre-user-registration.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

const HANDLER: &str = "onExecutePreUserRegistration";

fn newcomer(email: &str) -> Value {
    json!({ "connection": "Username-Password-Authentication", "email": email, "password": "correct horse battery" })
}

async fn bind(server: &Server, body: &str) {
    super::bind(server, "pre-user-registration", HANDLER, body).await;
}

on_every_store! {
    async fn a_refused_user_is_not_made_and_the_caller_reads_the_words_for_the_user(server) {
        bind(server, r#"
            if (event.user.email.endsWith("@evil.test")) api.access.deny("on the list", "This address is not welcome.");
        "#).await;
        let reply = server.api().post("users", &newcomer("eve@evil.test")).await;
        reply.expect_api_error(400, "Bad Request", "This address is not welcome.", "");
        let found = server.api().get("users-by-email?email=eve@evil.test").await.expect(200).json();
        assert_eq!(found, json!([]));
        assert_eq!(server.api().only_log("fs").await["description"], "on the list");
        server.api().post("users", &newcomer("ann@example.com")).await.expect(201);
    }

    async fn the_sign_up_page_shows_the_words_for_the_user(server) {
        bind(server, r#"if (event.client.name === "Shop") api.validation.error("closed", "The shop is full.");"#).await;
        let (app, browser) = (server.app("Shop").await, server.browser());
        let page = browser.get(&app.request().with("screen_hint", "signup").url()).await;
        let mut form = suite::browser::the_form(&page);
        form.set("email", "ann@example.com");
        form.set("password", "correct horse battery");
        let reply = browser.submit(&page, &form).await;
        assert!(reply.text.contains("The shop is full."), "{}", reply.text);
        let found = server.api().get("users-by-email?email=ann@example.com").await.expect(200).json();
        assert_eq!(found, json!([]));
    }

    async fn metadata_set_before_the_registration_is_there_from_the_start(server) {
        bind(server, r#"
            api.user.setUserMetadata("lang", "de");
            api.user.setAppMetadata("signed_up_at", event.connection.name);
        "#).await;
        let made = server.api().post("users", &newcomer("ann@example.com")).await.expect(201).json();
        assert_eq!(made["user_metadata"], json!({ "lang": "de" }));
        assert_eq!(made["app_metadata"], json!({ "signed_up_at": "Username-Password-Authentication" }));
    }

    async fn what_a_failed_script_threw_is_for_the_log(server) {
        bind(server, r#"throw new Error("backend down at 10.0.0.1");"#).await;
        let reply = server.api().post("users", &newcomer("ann@example.com")).await;
        reply.expect_api_error(400, "Bad Request", "Signing up is not possible.", "");
        let failed = server.api().only_log("actions_execution_failed").await;
        assert_eq!(failed["description"], "backend down at 10.0.0.1");
    }
}
