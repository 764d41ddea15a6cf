//! Post-user-registration Actions: told of each new user, afterwards, and harmless to them whatever they do.
//!
//! Auth0: Actions › post-user-registration.

use serde_json::{Value, json};
use suite::{Server, Webhook, on_every_store, wait};

const TRIGGER: &str = "post-user-registration";
const HANDLER: &str = "onExecutePostUserRegistration";

async fn bind(server: &Server, body: &str) {
    super::bind(server, TRIGGER, HANDLER, body).await;
}

/// Waits until the log holds a failed run.
async fn failed(server: &Server) -> Value {
    wait::until("a failed run", async || server.api().logs("actions_execution_failed").await.pop()).await
}

/// Waits until a run is recorded.
async fn execution(server: &Server, id: &str) -> Value {
    wait::until("the record of a run", async || {
        let reply = server.api().get(&format!("actions/executions/{id}")).await;
        (reply.status == 200).then(|| reply.json())
    })
    .await
}

/// Signs up on the page; answers what the application received.
async fn sign_up(server: &Server, email: &str) -> suite::Callback {
    let (app, browser) = (server.app("Shop").await, server.browser());
    browser.move_to("192.0.2.10");
    let page = browser.get(&app.request().with("screen_hint", "signup").url()).await;
    let mut form = suite::browser::the_form(&page);
    form.set("email", email);
    form.set("password", suite::server::PASSWORD);
    browser.callback(&browser.submit(&page, &form).await)
}

on_every_store! {
    async fn a_sign_up_is_told_with_its_request_and_recorded(server) {
        let hook = Webhook::listen().await;
        bind(server, &hook.post(r#"{
            user: event.user, connection: event.connection.name, ip: event.request.ip,
            agent: event.request.user_agent, redirect: event.transaction.redirect_uri, keys: Object.keys(event).sort(),
        }"#)).await;
        sign_up(server, "ann@example.com").await.code();
        let told = hook.nth(1).await;
        let expected = json!(["192.0.2.10", "Suite/1.0", "https://shop.test/callback", "Username-Password-Authentication"]);
        assert_eq!(json!([told["ip"], told["agent"], told["redirect"], told["connection"]]), expected);
        assert_eq!(told["keys"], json!(["connection", "request", "secrets", "tenant", "transaction", "user"]));
        assert_eq!(told["user"]["email"], "ann@example.com");
        assert!(!told.to_string().contains("argon2"), "no hash of a password: {told}");

        let event = server.api().only_log("ss").await;
        assert_eq!(told["user"]["user_id"], event["user_id"]);
        let id = event["details"]["actions"]["executions"][0].as_str().expect("as told").to_owned();
        let execution = execution(server, &id).await;
        assert_eq!(execution["trigger_id"], TRIGGER);
        assert_eq!(execution["results"].as_array().expect("as told").len(), 1);
        assert_eq!(server.api().logs("actions_execution_failed").await, Vec::<Value>::new());
    }

    async fn a_user_made_by_the_api_is_told_without_a_request(server) {
        let hook = Webhook::listen().await;
        bind(server, &hook.post(r#"[event.user.email, event.user.app_metadata, typeof event.request, typeof event.transaction]"#)).await;
        server.user_with("ann@example.com", json!({ "app_metadata": { "plan": "gold" } })).await;
        assert_eq!(hook.nth(1).await, json!(["ann@example.com", { "plan": "gold" }, "undefined", "undefined"]));
    }

    async fn a_failing_action_harms_nobody_is_logged_and_is_not_tried_again(server) {
        let hook = Webhook::listen().await;
        bind(server, &format!(r#"{} throw new Error("CRM down");"#, hook.post("1"))).await;
        let user = server.user("ann@example.com").await;
        let event = failed(server).await;
        assert_eq!((&event["user_id"], &event["description"]), (&json!(user.id), &json!("CRM down")));
        let details = &event["details"];
        assert_eq!((&details["error_class"], &details["trigger_id"]), (&json!("action_error"), &json!(TRIGGER)));
        assert_eq!(details["action_error"]["message"], "CRM down");
        let id = details["execution_id"].as_str().expect("as told");
        assert_eq!(execution(server, id).await["results"][0]["error"]["msg"], "CRM down");
        server.app("Shop").await.sign_in(&server.browser(), &user).await;
        server.advance_hours(30);
        server.run_queued_actions().await;
        assert_eq!((hook.received().len(), server.api().logs("actions_execution_failed").await.len()), (1, 1));
    }

    async fn actions_run_in_order_and_those_after_a_failed_one_do_not(server) {
        let hook = Webhook::listen().await;
        let mut bindings = Vec::new();
        for (name, body) in [("1st", hook.post("1")), ("2nd", "throw 2".to_owned()), ("3rd", hook.post("3"))] {
            let code = format!("exports.{HANDLER} = async (event, api) => {{ {body} }};");
            let action = json!({ "name": name, "supported_triggers": [{ "id": TRIGGER, "version": "v2" }], "code": code, "deploy": true });
            let made = server.api().post("actions/actions", &action).await.expect(201).json();
            bindings.push(json!({ "ref": { "type": "action_id", "value": made["id"] }, "display_name": name }));
        }
        let path = format!("actions/triggers/{TRIGGER}/bindings");
        server.api().patch(&path, &json!({ "bindings": bindings })).await.expect(200);
        server.user("ann@example.com").await;
        assert_eq!(failed(server).await["details"]["action_name"], "2nd");
        assert_eq!(hook.received(), [json!(1)]);
    }

    async fn a_slow_action_holds_up_neither_the_sign_up_nor_a_logout(server) {
        let (app, party) = suite::RelyingParty::with_app(server, "Shop", false).await;
        let signed_in = app.sign_in(&server.browser(), &server.user("bob@example.com").await).await;
        let hook = Webhook::hanging().await;
        bind(server, &hook.post("event.user.email")).await;
        server.user("ann@example.com").await;
        hook.nth(1).await;
        server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
        assert_eq!(party.token(&app, 1).await.sid.as_deref(), Some(&*signed_in.sid));
        let failed = server.api().logs("actions_execution_failed").await;
        assert_eq!(failed, Vec::<Value>::new(), "the Action is waiting yet: nobody waited for it to run out of time");
        hook.answer_all();
    }

    async fn a_test_run_takes_an_event_of_the_trigger(server) {
        let code = format!("exports.{HANDLER} = async (event, api) => {{ console.log(event.user.email, api.cache.set('k', 'v').type); }};");
        let action = json!({ "name": "Try", "supported_triggers": [{ "id": TRIGGER, "version": "v2" }], "code": code });
        let made = server.api().post("actions/actions", &action).await.expect(201).json();
        let path = format!("actions/actions/{}/test", made["id"].as_str().expect("as told"));
        let body = json!({ "payload": { "event": { "user": { "email": "ann@example.com" } } } });
        let reply = server.api().post(&path, &body).await.expect(200);
        assert!(reply.text.contains("ann@example.com success"), "{}", reply.text);
    }
}
