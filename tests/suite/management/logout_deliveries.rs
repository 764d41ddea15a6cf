//! `/api/v2/logout-deliveries` and a client's `logout-health`: what became of each logout token, and sending one again.

use serde_json::{Value, json};
use suite::{App, Behaviour, RelyingParty, Server, SignedIn, on_every_store, wait};

async fn deliveries(server: &Server, query: &str) -> Vec<Value> {
    let found = server.api().get(&format!("logout-deliveries?{query}")).await.expect(200).json();
    found.as_array().expect("a list").clone()
}

/// Waits until so many deliveries are found.
async fn found(server: &Server, query: &str, count: usize) -> Vec<Value> {
    wait::until(query, async || {
        let found = deliveries(server, query).await;
        (found.len() == count).then_some(found)
    })
    .await
}

/// A session of this application, ended through the API.
async fn ended(server: &Server, app: &App, email: &str) -> SignedIn {
    let user = server.user(email).await;
    let signed_in = app.sign_in(&server.browser(), &user).await;
    server.api().set_session_metadata(&signed_in.sid, &json!({ "seat": "7A" })).await;
    server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
    signed_in
}

on_every_store! {
    async fn a_delivery_is_listed_read_and_sent_again(server) {
        let (app, party) = RelyingParty::with_app(server, "Shop", true).await;
        let signed_in = ended(server, &app, "ann@example.com").await;
        let first = party.token(&app, 1).await;
        let one = &found(server, "state=delivered", 1).await[0];
        assert_eq!(one["session_id"], json!(signed_in.sid));
        assert_eq!((&one["client_id"], &one["backchannel_logout_url"]), (&json!(app.id), &json!(party.url)));
        assert_eq!((&one["attempts"], &one["last_status"], &one["initiator"]), (&json!(1), &json!(204), &json!("session-revoked")));
        assert_eq!(one["session_metadata"], json!({ "seat": "*****" }), "values are for the relying party only");
        let path = format!("logout-deliveries/{}", one["id"].as_str().unwrap());
        assert_eq!(&server.api().get(&path).await.expect(200).json(), one);
        for (query, count) in [
            (format!("client_id={}", app.id), 1), (format!("session_id={}", signed_in.sid), 1),
            ("client_id=nobody".to_owned(), 0), ("state=failed".to_owned(), 0), ("state=pending".to_owned(), 0),
        ] {
            assert_eq!(deliveries(server, &query).await.len(), count, "{query}");
        }

        server.api().post_nothing(&format!("{path}/redeliver")).await.expect(202);
        let again = party.token(&app, 2).await;
        assert!(again.jti != first.jti, "a fresh token");
        assert_eq!(found(server, "state=delivered", 1).await[0]["attempts"], 1, "tries are counted anew");
        assert_eq!((&again.sid, &again.claims["session_metadata"]), (&first.sid, &json!({ "seat": "7A" })));
        assert!(server.api().logs("sapi").await.iter().any(|event| event["description"] == "Redeliver a logout token"));
        server.api().get("logout-deliveries/ldl_unknown").await.expect(404);
        server.api().post_nothing("logout-deliveries/ldl_unknown/redeliver").await.expect(404);
        server.api().get("logout-deliveries?state=lost").await.expect(400);
    }

    async fn each_url_of_a_client_has_a_delivery_of_its_own(server) {
        let (one, other) = (RelyingParty::listen(&server.wire).await, RelyingParty::listen(&server.wire).await);
        let mut settings = one.settings("all", &[], false);
        settings["backchannel_logout_urls"] = json!([one.url, other.url]);
        let app = server.app_with("Shop", json!({ "oidc_logout": settings })).await;
        one.answer_next(&[Behaviour::Status(400)]);
        ended(server, &app, "ann@example.com").await;
        one.token(&app, 1).await;
        other.token(&app, 1).await;
        assert_eq!(found(server, "state=failed", 1).await[0]["backchannel_logout_url"], json!(one.url));
        assert_eq!(found(server, "state=delivered", 1).await[0]["backchannel_logout_url"], json!(other.url));
        let health = server.api().get(&format!("clients/{}/logout-health", app.id)).await.expect(200).json();
        assert_eq!((&health["pending"], &health["failed"]), (&json!(0), &json!(1)));
        let of_one = health["urls"].as_array().unwrap().iter().find(|url| url["backchannel_logout_url"] == json!(one.url)).unwrap();
        assert_eq!(of_one["last_failure"]["status"], 400);
        assert_eq!(of_one["circuit"]["state"], "closed", "it answered");
    }

    async fn a_relying_party_that_hangs_holds_up_no_other(server) {
        let (dead, dead_party) = RelyingParty::with_app(server, "Dead", false).await;
        let (well, well_party) = RelyingParty::with_app(server, "Well", false).await;
        dead_party.answer_always(Behaviour::Hang);
        let user = server.user("ann@example.com").await;
        for _ in 0..40 {
            let signed_in = dead.sign_in(&server.browser(), &user).await;
            server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
        }
        ended(server, &well, "bob@example.com").await;
        well_party.token(&well, 1).await;
        assert!(dead_party.count() < 40, "it was not sent everything at once");
        assert_eq!(deliveries(server, "state=delivered").await.iter().filter(|one| one["client_id"] == json!(dead.id)).count(), 0);
    }

    async fn what_waits_for_a_client_that_unsubscribed_is_dropped(server) {
        let (app, party) = RelyingParty::with_app(server, "Shop", false).await;
        party.answer_next(&[Behaviour::Status(503)]);
        ended(server, &app, "ann@example.com").await;
        party.raw(1).await;
        found(server, "state=pending", 1).await;
        let off = json!({ "oidc_logout": { "backchannel_logout_urls": [] } });
        server.api().patch(&format!("clients/{}", app.id), &off).await.expect(200);
        server.advance_minutes(5);
        server.deliver().await;
        let dropped = &found(server, "state=dropped", 1).await[0];
        assert_eq!(party.count(), 1);
        let path = format!("logout-deliveries/{}/redeliver", dropped["id"].as_str().unwrap());
        server.api().post_nothing(&path).await.expect(409);
    }

    async fn deliveries_need_scopes_of_their_own(server) {
        let stranger = server.api_with(&["read:sessions"]).await;
        for reply in [stranger.get("logout-deliveries").await, stranger.get("clients/x/logout-health").await] {
            let message = "Insufficient scope, expected any of: read:logout_deliveries";
            reply.expect_api_error(403, "Forbidden", message, "insufficient_scope");
        }
        let reader = server.api_with(&["read:logout_deliveries"]).await;
        reader.get("logout-deliveries").await.expect(200);
        reader.post_nothing("logout-deliveries/x/redeliver").await.expect(403);
    }
}
