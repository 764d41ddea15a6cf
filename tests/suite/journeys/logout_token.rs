//! What a logout token is like, by the client's settings.
//!
//! Spec: OIDC Back-Channel Logout 1.0 §2.4. Auth0: back-channel logout.

use serde_json::{Value, json};
use suite::{App, RelyingParty, Server, SignedIn, on_every_store};

/// An application with these settings beside `mode: all`, and someone signed in to it.
async fn listening(server: &Server, name: &str, more: Value, client: Value) -> (App, RelyingParty, SignedIn) {
    let party = RelyingParty::listen(&server.wire).await;
    let mut settings = party.settings("all", &[], false);
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut client = client;
    client["oidc_logout"] = settings;
    let app = server.app_with(name, client).await;
    let user = server.user(&format!("{name}@example.com")).await;
    let signed_in = app.sign_in(&server.browser(), &user).await;
    (app, party, signed_in)
}

/// The header's `typ` and `alg` of the first token that came.
async fn header(server: &Server, party: &RelyingParty) -> (Option<String>, &'static str) {
    let header = server.wire.keys().await.verify(&party.raw(1).await).unwrap().header;
    (header.typ, header.alg.as_str())
}

async fn ended(server: &Server, signed_in: &SignedIn) {
    server.api().delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
    server.deliver().await;
}

on_every_store! {
    async fn a_token_is_what_auth0_sends_unless_the_client_asks_for_more(server) {
        let (app, party, signed_in) = listening(server, "Plain", json!({}), json!({})).await;
        server.api().set_session_metadata(&signed_in.sid, &json!({ "seat": "7" })).await;
        ended(server, &signed_in).await;
        let told = party.token(&app, 1).await;
        assert_eq!(header(server, &party).await, (Some("JWT".to_owned()), "RS256"));
        let mut names: Vec<_> = told.claims.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub", "trace_id"]);
        let seconds = |name: &str| told.claims[name].as_i64().unwrap();
        assert_eq!(seconds("exp") - seconds("iat"), 120);
        assert_eq!(told.sid.as_deref(), Some(&*signed_in.sid));
    }

    async fn a_client_chooses_type_signature_and_the_initiator_claim(server) {
        let more = json!({ "backchannel_logout_token_type": "logout+jwt", "backchannel_logout_initiator_claim": true });
        let alg = json!({ "jwt_configuration": { "alg": "ES256" } });
        let (app, party, signed_in) = listening(server, "Modern", more.clone(), alg).await;
        let read = server.api().get(&format!("clients/{}", app.id)).await.expect(200).json();
        for (name, value) in more.as_object().unwrap() {
            assert_eq!(&read["oidc_logout"][name], value);
        }
        ended(server, &signed_in).await;
        let told = party.token(&app, 1).await;
        assert_eq!(header(server, &party).await, (Some("logout+jwt".to_owned()), "ES256"));
        assert_eq!(told.claims["initiator"], "session-revoked");
    }

    async fn urls_of_logouts_are_few_distinct_and_clean(server) {
        let app = server.app("Shop").await;
        let path = format!("clients/{}", app.id);
        let write = async |urls: Value| {
            server.api().patch(&path, &json!({ "oidc_logout": { "backchannel_logout_urls": urls } })).await
        };
        let several: Vec<_> = (0..5).map(|number| format!("https://shop.test/{number}")).collect();
        let written = write(json!(several)).await.expect(200).json();
        assert_eq!(written["oidc_logout"]["backchannel_logout_urls"], json!(several));
        let six: Vec<_> = (0..6).map(|number| format!("https://shop.test/{number}")).collect();
        for (urls, reason) in [
            (json!(six), "Array is too long (6), maximum 5"),
            (json!(["https://shop.test/a", "https://shop.test/a"]), "Array items are not unique (indexes 0 and 1)"),
            (json!(["https://shop.test/a#b"]), "a fragment is not allowed"),
            (json!(["ftp://shop.test/a"]), "it must be an https URL"),
        ] {
            let reply = write(urls).await.expect(400);
            assert!(reply.text.contains(reason) && reply.text.contains("backchannel_logout_urls"), "{}", reply.text);
        }
        let kept = server.api().get(&path).await.expect(200).json();
        assert_eq!(kept["oidc_logout"]["backchannel_logout_urls"], json!(several));
        for nothing in [Value::Null, json!([])] {
            write(json!(several)).await.expect(200);
            let written = write(nothing).await.expect(200).json();
            assert!(written.get("oidc_logout").is_none(), "{written}");
        }
    }
}
