//! Logout tokens that do not arrive at once: tried again, for long, and given up in the end.
//!
//! Spec: OIDC Back-Channel Logout 1.0 §2.7, §2.8. Auth0: back-channel logout.

use serde_json::{Value, json};
use suite::{App, Behaviour, RelyingParty, Server, SignedIn, on_every_store, wait};

const FAILED: &str = "oidc_backchannel_logout_failed";
const SUCCEEDED: &str = "oidc_backchannel_logout_succeeded";

/// A session of an application that listens, ended through the API.
async fn ended(server: &Server, answers: &[Behaviour]) -> (App, RelyingParty, SignedIn) {
    let (app, party) = RelyingParty::with_app(server, "Shop", true).await;
    party.answer_next(answers);
    let (user, browser) = (server.user("ann@example.com").await, server.browser());
    let signed_in = app.sign_in(&browser, &user).await;
    server.api().set_session_metadata(&signed_in.sid, &json!({ "seat": "7" })).await;
    server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
    (app, party, signed_in)
}

/// Waits until the log holds so many events of a type.
async fn logged(server: &Server, kind: &str, count: usize) -> Vec<Value> {
    wait::until(kind, async || {
        let events = server.api().logs(kind).await;
        (events.len() >= count).then_some(events)
    })
    .await
}

on_every_store! {
    async fn a_failed_delivery_is_tried_again_with_a_fresh_token_and_the_same_metadata(server) {
        let (app, party, signed_in) = ended(server, &[Behaviour::Status(500), Behaviour::Status(503)]).await;
        let first = party.token(&app, 1).await;
        logged(server, FAILED, 1).await;

        server.advance_ms(999);
        server.deliver().await;
        assert_eq!(party.count(), 1, "not before its time");
        server.advance_ms(1_001);
        server.deliver().await;
        let second = party.token(&app, 2).await;
        logged(server, FAILED, 2).await;
        server.advance_ms(4_000);
        server.deliver().await;
        let third = party.token(&app, 3).await;
        logged(server, SUCCEEDED, 1).await;

        assert!(first.jti != second.jti && second.jti != third.jti, "a repeated jti looks like a replay");
        for token in [first, second, third] {
            assert_eq!(token.sid.as_deref(), Some(&*signed_in.sid));
            assert_eq!(token.claims["session_metadata"], json!({ "seat": "7" }));
        }
        server.advance_hours(48);
        server.deliver().await;
        assert_eq!(party.count(), 3, "what arrived is not sent again");
        let failures = logged(server, FAILED, 2).await;
        let mut statuses: Vec<_> =
            failures.iter().map(|event| event["details"]["response"]["statusCode"].as_i64()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [Some(500), Some(503)]);
    }

    async fn retry_after_is_honoured(server) {
        let (app, party, _) = ended(server, &[Behaviour::RetryAfter(429, 600)]).await;
        party.token(&app, 1).await;
        logged(server, FAILED, 1).await;
        server.advance_ms(599_000);
        server.deliver().await;
        assert_eq!(party.count(), 1);
        server.advance_ms(1_000);
        server.deliver().await;
        party.token(&app, 2).await;
        logged(server, SUCCEEDED, 1).await;
    }

    async fn a_refusal_is_final_and_logged(server) {
        let (app, party, signed_in) = ended(server, &[Behaviour::Status(400)]).await;
        party.token(&app, 1).await;
        let event = logged(server, FAILED, 1).await.remove(0);
        assert_eq!(event["details"]["response"]["statusCode"], 400);
        assert_eq!(event["details"]["initiator"], "session-revoked");
        assert_eq!(event["session_id"], signed_in.sid.as_str());
        server.advance_hours(48);
        server.deliver().await;
        assert_eq!(party.count(), 1);
    }

    async fn a_relying_party_that_stays_down_is_tried_for_a_day_and_then_given_up(server) {
        let (app, party) = RelyingParty::with_app(server, "Shop", true).await;
        party.answer_always(Behaviour::Status(502));
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in(&browser, &user).await;
        server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
        let begun = server.now();
        let (mut tries, mut last_try) = (1, begun);
        party.raw(1).await;
        logged(server, FAILED, 1).await;
        while server.now().millis_since(begun) < 40 * 3_600_000 {
            server.advance_minutes(20);
            server.deliver().await;
            if party.count() > tries {
                (tries, last_try) = (party.count(), server.now());
                logged(server, FAILED, tries).await;
            }
        }
        assert!(last_try.millis_since(begun) >= 24 * 3_600_000, "tried for a day at least");
        assert!((20..100).contains(&tries), "{tries} tries");
        let events = server.api().logs(FAILED).await;
        let says = |event: &&Value| event["description"].as_str().is_some_and(|text| text.contains("given up"));
        assert_eq!(events.iter().filter(says).count(), 1, "its death is logged once: {events:?}");
        server.advance_hours(100);
        server.deliver().await;
        assert_eq!(party.count(), tries, "what is dead stays dead");
    }

    async fn one_relying_party_that_is_down_does_not_hold_up_another(server) {
        let (down, down_party) = RelyingParty::with_app(server, "Down", true).await;
        let (fine, fine_party) = RelyingParty::with_app(server, "Fine", true).await;
        down_party.answer_always(Behaviour::Hang);
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let signed_in = down.sign_in(&browser, &user).await;
        fine.sign_in_silently(&browser).await;
        server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
        fine_party.hears_of(&fine, &signed_in.sid).await;
        down_party.hears_of(&down, &signed_in.sid).await;
        let failed = logged(server, FAILED, 1).await.remove(0);
        assert_eq!(failed["client_id"], down.id.as_str());
        assert_eq!(failed["details"]["response"]["statusCode"], 0);
    }

    async fn a_client_that_unsubscribes_gets_nothing_more(server) {
        let (app, party, _) = ended(server, &[Behaviour::Status(500)]).await;
        party.raw(1).await;
        logged(server, FAILED, 1).await;
        let nothing = json!({ "oidc_logout": { "backchannel_logout_urls": [] } });
        server.api().patch(&format!("clients/{}", app.id), &nothing).await.expect(200);
        server.advance_hours(2);
        server.deliver().await;
        assert_eq!(party.count(), 1);
    }

    async fn what_waits_is_delivered_after_a_restart(server) {
        let (app, party, signed_in) = ended(server, &[Behaviour::Status(500)]).await;
        party.raw(1).await;
        logged(server, FAILED, 1).await;
        server.restart().await;
        server.advance_minutes(1);
        server.deliver().await;
        let token = party.token(&app, 2).await;
        assert_eq!(token.sid.as_deref(), Some(&*signed_in.sid));
        assert_eq!(token.claims["session_metadata"], json!({ "seat": "7" }));
    }
}
