//! Post-change-password Actions: told, afterwards, whose password changed.
//!
//! Auth0: Actions › post-change-password.

use serde_json::{Value, json};
use suite::{Server, User, Webhook, on_every_store, wait};

const HANDLER: &str = "onExecutePostChangePassword";

async fn bind(server: &Server, body: &str) {
    super::bind(server, "post-change-password", HANDLER, body).await;
}

async fn change(server: &Server, user: &User, body: &Value) {
    server.api().patch(&format!("users/{}", user.path_id()), body).await.expect(200);
}

on_every_store! {
    async fn a_new_password_is_told_and_recorded_and_other_changes_are_not(server) {
        let hook = Webhook::listen().await;
        let user = server.user("ann@example.com").await;
        bind(server, &hook.post(r#"[event.user.user_id, event.user.email, typeof event.user.last_password_reset,
            event.connection.name, event.request.method, JSON.stringify(event).includes("battery staple")]"#)).await;
        change(server, &user, &json!({ "name": "Ann" })).await;
        change(server, &user, &json!({ "password": "correct battery staple" })).await;
        let expected = json!([user.id, "ann@example.com", "string", "Username-Password-Authentication", "PATCH", false]);
        assert_eq!(hook.nth(1).await, expected);
        let event = server.api().only_log("scp").await;
        let id = event["details"]["actions"]["executions"][0].as_str().expect("as told");
        let path = format!("actions/executions/{id}");
        let recorded = wait::until("the record of the run", async || {
            let reply = server.api().get(&path).await;
            (reply.status == 200).then(|| reply.json())
        })
        .await;
        assert_eq!(recorded["trigger_id"], "post-change-password");
        assert_eq!(hook.received().len(), 1);
    }

    async fn a_failing_action_does_not_undo_the_change(server) {
        bind(server, "throw new Error('mail server down');").await;
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        change(server, &user, &json!({ "password": "correct battery staple" })).await;
        let failed = wait::until("a failed run", async || server.api().logs("actions_execution_failed").await.pop()).await;
        assert_eq!((&failed["user_id"], &failed["description"]), (&json!(user.id), &json!("mail server down")));
        let changed = User { password: "correct battery staple".to_owned(), ..user };
        app.sign_in(&server.browser(), &changed).await;
    }

    async fn where_nothing_is_bound_nothing_is_queued(server) {
        let user = server.user("ann@example.com").await;
        change(server, &user, &json!({ "password": "correct battery staple" })).await;
        assert_eq!(server.api().only_log("scp").await["details"]["actions"]["executions"], json!([]));
        let hook = Webhook::listen().await;
        bind(server, &hook.post("1")).await;
        server.run_queued_actions().await;
        assert_eq!(hook.received(), Vec::<Value>::new(), "what is bound later is not told of earlier changes");
    }
}
