//! Users who come from another OpenID provider: a second server of the same kind.

use serde_json::{Value, json};
use suite::provider::{CONNECTION, Provider};
use suite::{App, Browser, Neighbour, RelyingParty, Server, on_every_store};

/// A request that names the connection.
fn request(app: &App) -> String {
    app.request().with("connection", CONNECTION).url()
}

/// An application, a provider behind a connection, and a browser at each of the two servers.
async fn connected(server: &Server, more: Value) -> (App, Provider, Browser, Browser) {
    let (app, provider) = (server.app("Shop").await, Provider::of(server).await);
    provider.connect(server, &[&app], more).await;
    let theirs = provider.server.browser();
    (app, provider, server.browser(), theirs)
}

on_every_store! {
    async fn somebody_signs_in_at_the_provider_and_is_known_here(server) {
        let (app, provider, ours, theirs) = connected(server, json!({})).await;
        let signed_in = app.redeem(&provider.pass(&ours, &theirs, &request(&app)).await).await;
        let id = format!("oidc|{CONNECTION}|{}", provider.user.id);
        assert_eq!((&signed_in.claims["sub"], &signed_in.claims["email"]), (&json!(id), &json!("pat@partner.example")));
        let user = server.api().get(&format!("users/{}", id.replace('|', "%7C"))).await.expect(200).json();
        assert_eq!((&user["name"], &user["email_verified"]), (&json!("Pat"), &json!(true)));
        let identity = &user["identities"][0];
        assert_eq!((&identity["connection"], &identity["provider"]), (&json!(CONNECTION), &json!("oidc")));
        let event = server.api().only_log("s").await;
        assert_eq!((&event["connection"], &event["strategy"], &event["user_id"]), (&json!(CONNECTION), &json!("oidc"), &json!(id)));

        // The same person again, with a new name: no second user, no second sign-in here while the session lasts.
        assert_eq!(app.sign_in_silently(&ours).await.sid, signed_in.sid);
        provider.server.api().patch(&format!("users/{}", provider.user.path_id()), &json!({ "name": "Patricia" })).await.expect(200);
        let again = app.redeem(&provider.pass(&server.browser(), &provider.server.browser(), &request(&app)).await).await;
        assert_eq!(again.claims["sub"], id);
        let user = server.api().get(&format!("users/{}", id.replace('|', "%7C"))).await.expect(200).json();
        assert_eq!((&user["name"], &user["logins_count"]), (&json!("Patricia"), &json!(2)));
        provider.stop().await;
    }

    async fn the_sign_in_page_offers_the_provider_to_its_clients_only(server) {
        let (app, provider, ours, theirs) = connected(server, json!({})).await;
        let page = ours.get(&app.request().url()).await.expect(200);
        assert!(page.text.contains("Partner Inc."), "{}", page.text);
        let mut form = suite::form::Form::with_action(&page.text, "/u/login/connection").expect("the button's form");
        form.set("connection", CONNECTION);
        let sent = ours.submit(&page, &form).await;
        let back = provider.sign_in(&theirs, &sent).await;
        let done = ours.get(back.location().unwrap().as_str()).await;
        app.redeem(&ours.callback(&done)).await;

        let stranger = server.app("Other").await;
        ours.pass_through(&stranger.silent()).await.expect_error("login_required", "Login required");
        let page = ours.get(&stranger.request().url()).await.expect(200);
        assert!(page.text.contains("type=\"password\""), "single sign-on opens nothing: {}", page.text);
        app.sign_in_silently(&ours).await;
        let page = server.browser().get(&stranger.request().url()).await.expect(200);
        assert!(!page.text.contains("Partner Inc."), "{}", page.text);
        let refused = server.browser().pass_through(&request(&stranger)).await;
        refused.expect_error("invalid_request", "the connection partner is not enabled for this application");
        provider.stop().await;
    }

    async fn the_way_back_is_good_once_and_for_one_browser(server) {
        let (app, provider, ours, theirs) = connected(server, json!({})).await;
        let sent = ours.get(&request(&app)).await;
        let back = provider.sign_in(&theirs, &sent).await.location().unwrap();
        for _ in 0..2 {
            let stolen = server.browser().get(back.as_str()).await;
            assert_eq!(stolen.status, 400, "another browser: {}", stolen.text);
        }
        let done = ours.get(back.as_str()).await;
        app.redeem(&ours.callback(&done)).await;
        assert_eq!(ours.get(back.as_str()).await.status, 400, "a second time");
        assert_eq!(ours.get("/login/callback?code=x&state=unknown").await.status, 400);
        assert_eq!(ours.get("/login/callback").await.status, 400);

        // The provider says no: the application hears why.
        let ours = server.browser();
        let sent = ours.get(&request(&app)).await.location().unwrap();
        let state = sent.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let issuer = provider.server.wire.issuer();
        let denied = format!("/login/callback?error=access_denied&error_description=No&state={state}&iss={issuer}");
        ours.pass_through(&denied).await.expect_error("access_denied", "No");
        assert_eq!(server.api().only_log("f").await["connection"], CONNECTION);

        // A code that the provider never gave.
        let ours = server.browser();
        let sent = ours.get(&request(&app)).await.location().unwrap();
        let state = sent.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let forged = ours.pass_through(&format!("/login/callback?code=forged&state={state}&iss={issuer}")).await;
        forged.expect_error("access_denied", "The identity provider's answer was not accepted");
        provider.stop().await;
    }

    async fn accounts_are_linked_by_verified_addresses_only_where_the_connection_says_so(server) {
        let own = server.user_with("pat@partner.example", json!({ "email_verified": true })).await;
        let (app, provider, ours, theirs) = connected(server, json!({})).await;
        let apart = app.redeem(&provider.pass(&ours, &theirs, &request(&app)).await).await;
        assert_ne!(apart.claims["sub"], own.id, "no rule, no link");
        server.api().delete(&format!("users/{}", apart.claims["sub"].as_str().unwrap().replace('|', "%7C"))).await.expect(204);

        let id = server.api().get("connections?strategy=oidc").await.expect(200).json()[0]["id"].as_str().unwrap().to_owned();
        let mut options = provider.options();
        options["account_linking"] = json!("verified_email");
        server.api().patch(&format!("connections/{id}"), &json!({ "options": options })).await.expect(200);
        server.api().patch(&format!("users/{}", own.path_id()), &json!({ "email_verified": false })).await.expect(200);
        let fresh = async || app.redeem(&provider.pass(&server.browser(), &provider.server.browser(), &request(&app)).await).await;
        let apart = fresh().await;
        assert_ne!(apart.claims["sub"], own.id, "an address that is not verified here links nobody");
        server.api().delete(&format!("users/{}", apart.claims["sub"].as_str().unwrap().replace('|', "%7C"))).await.expect(204);

        server.api().patch(&format!("users/{}", own.path_id()), &json!({ "email_verified": true })).await.expect(200);
        assert_eq!(fresh().await.claims["sub"], own.id);
        let user = server.api().get(&format!("users/{}", own.path_id())).await.expect(200).json();
        assert_eq!(user["identities"].as_array().unwrap().len(), 2);
        assert!(server.api().only_log("w").await["description"].as_str().unwrap().contains("linked"));
        provider.stop().await;
    }

    #[with("server.administrators" = "auth0|boss")]
    async fn an_administrator_is_joined_to_nothing(server) {
        let more = json!({ "user_id": "boss", "email_verified": true });
        let boss = server.user_with("pat@partner.example", more).await;
        assert_eq!(boss.id, "auth0|boss");
        let (app, provider, ours, theirs) = connected(server, json!({ "account_linking": "verified_email" })).await;
        let arrived = app.redeem(&provider.pass(&ours, &theirs, &request(&app)).await).await;
        assert_ne!(arrived.claims["sub"], boss.id);
        provider.stop().await;
    }

    async fn the_end_of_the_providers_session_ends_ours_and_is_passed_on(server) {
        let (app, party) = RelyingParty::with_app(server, "Shop", false).await;
        let provider = Provider::of(server).await;
        provider.connect(server, &[&app], json!({})).await;
        let (ours, theirs) = (server.browser(), provider.server.browser());
        let signed_in = app.redeem(&provider.pass(&ours, &theirs, &request(&app)).await).await;
        let elsewhere = app.redeem(&provider.pass(&server.browser(), &provider.server.browser(), &request(&app)).await).await;

        let their_session = provider.server.api().get(&format!("users/{}/sessions", provider.user.path_id())).await.expect(200).json();
        assert_eq!(their_session["sessions"].as_array().unwrap().len(), 2);
        theirs.get(&format!("/v2/logout?client_id={}", provider.client.id)).await;
        provider.server.deliver().await;
        suite::wait::until("the end of our session", async || {
            (server.api().get(&format!("sessions/{}", signed_in.sid)).await.status == 404).then_some(())
        })
        .await;
        server.api().get(&format!("sessions/{}", elsewhere.sid)).await.expect(200);
        server.deliver().await;
        party.hears_of(&app, &signed_in.sid).await;
        let event = server.api().only_log("slo").await;
        assert_eq!((&event["details"]["initiated_by"], &event["session_id"]), (&json!("idp-logout"), &json!(signed_in.sid)));
        let delivery = server.api().only_log("oidc_backchannel_logout_succeeded").await;
        assert_eq!(delivery["details"]["initiator"], "idp-logout");
        ours.pass_through(&app.silent()).await.expect_error("login_required", "Login required");
        provider.stop().await;
    }

    async fn a_logout_token_that_is_not_good_ends_nothing(server) {
        let (app, provider, ours, theirs) = connected(server, json!({})).await;
        let signed_in = app.redeem(&provider.pass(&ours, &theirs, &request(&app)).await).await;
        // The provider's own receiver catches a real token on its way.
        let party = RelyingParty::listen(&provider.server.wire).await;
        let client = format!("clients/{}", provider.client.id);
        provider.server.api().patch(&client, &json!({ "oidc_logout": party.settings("all", &[], false) })).await.expect(200);
        theirs.get(&format!("/v2/logout?client_id={}", provider.client.id)).await;
        provider.server.deliver().await;
        let good = party.raw(1).await;

        let path = format!("/logout/backchannel/{CONNECTION}");
        let post = async |path: &str, token: &str| server.wire.post_form(path, &[("logout_token", token)]).await;
        let (head, tail) = good.rsplit_once('.').unwrap();
        let mut turned = tail.to_owned();
        turned.replace_range(..1, if tail.starts_with('A') { "B" } else { "A" });
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
        for bad in [String::new(), "x".into(), format!("{head}.{turned}"), unsigned, signed_in.id_token.clone(), "a.b.c.d.e".into()] {
            let reply = post(&path, &bad).await;
            assert_eq!(reply.status, 400, "{bad}: {}", reply.text);
            assert_eq!(reply.headers["cache-control"], "no-store");
        }
        assert_eq!(post("/logout/backchannel/nobody", &good).await.status, 400);
        assert_eq!(server.wire.post_form(&path, &[]).await.status, 400);
        server.api().get(&format!("sessions/{}", signed_in.sid)).await.expect(200);
        assert!(!server.api().logs("flo").await.is_empty());

        assert_eq!(post(&path, &good).await.status, 200);
        server.api().get(&format!("sessions/{}", signed_in.sid)).await.expect(404);
        assert_eq!(post(&path, &good).await.status, 400, "no token is heard twice");
        provider.stop().await;
    }

    async fn a_logout_token_is_not_refused_for_good_because_keys_are_missing_and_nobody_makes_us_ask_at_will(server) {
        let (app, provider, keys) = (server.app("Shop").await, Provider::of(server).await, Neighbour::listen().await);
        let answers = |answers: &[Value]| keys.expect(answers.iter().map(|answer| {
            json!({ "request": "GET /jwks", "status": answer["status"].as_u64().unwrap_or(200), "answer": answer })
        }).collect());
        let good_keys = provider.server.wire.keys().await.to_jwks();
        let jwks_uri = json!({ "jwks_uri": format!("{}/jwks", keys.url) });
        let connection = provider.connect(server, &[&app], jwks_uri.clone()).await;
        let (ours, theirs) = (server.browser(), provider.server.browser());
        answers(&[json!({ "status": 502 }), good_keys.clone()]);
        let sent = ours.get(&request(&app)).await;
        let back = provider.sign_in(&theirs, &sent).await.location().unwrap();
        ours.pass_through(back.as_str()).await.expect_error("temporarily_unavailable", "The identity provider cannot be reached");
        ours.pass_through(provider.sign_in(&theirs, &ours.get(&request(&app)).await).await.location().unwrap().as_str())
            .await
            .expect_error("temporarily_unavailable", "The identity provider cannot be reached");
        server.advance_ms(5_000);
        let signed_in = app.redeem(&provider.pass(&ours, &theirs, &request(&app)).await).await;
        assert_eq!(keys.complaints(), [""; 0], "asked once, and once more after five seconds");

        let party = RelyingParty::listen(&provider.server.wire).await;
        let client = format!("clients/{}", provider.client.id);
        provider.server.api().patch(&client, &json!({ "oidc_logout": party.settings("all", &[], false) })).await.expect(200);
        theirs.get(&format!("/v2/logout?client_id={}", provider.client.id)).await;
        provider.server.deliver().await;
        let good = party.raw(1).await;
        let path = format!("/logout/backchannel/{CONNECTION}");
        let post = async || server.wire.post_form(&path, &[("logout_token", &good)]).await;

        // A change of the connection forgets the keys.
        let connection = format!("connections/{}", connection["id"].as_str().unwrap());
        let mut options = provider.options();
        options["jwks_uri"] = jwks_uri["jwks_uri"].clone();
        server.api().patch(&connection, &json!({ "options": options })).await.expect(200);
        answers(&[json!({ "status": 502 })]);
        for _ in 0..3 {
            let reply = post().await;
            assert_eq!(reply.status, 503, "{}", reply.text);
            assert_eq!(reply.headers["cache-control"], "no-store");
        }
        assert_eq!(keys.complaints(), [""; 0], "asked once");
        server.advance_ms(5_000);
        answers(&[json!({ "keys": [] }), json!({ "keys": [] })]);
        assert_eq!(post().await.status, 400, "signed by none of its keys, which are new");
        assert_eq!(post().await.status, 503, "there may be newer ones, but it is too soon to ask");
        assert_eq!(keys.complaints(), [""; 0], "asked twice");
        server.api().get(&format!("sessions/{}", signed_in.sid)).await.expect(200);
        server.advance_ms(30_000);
        answers(&[good_keys]);
        assert_eq!(post().await.status, 200);
        server.api().get(&format!("sessions/{}", signed_in.sid)).await.expect(404);
        assert_eq!(keys.complaints(), [""; 0]);
        provider.stop().await;
    }

    async fn a_connection_that_is_taken_from_an_application_signs_nobody_in_any_more(server) {
        let (app, provider, ours, theirs) = connected(server, json!({})).await;
        let sent = ours.get(&request(&app)).await;
        let back = provider.sign_in(&theirs, &sent).await.location().unwrap();
        let id = server.api().get("connections?strategy=oidc").await.expect(200).json()[0]["id"].as_str().unwrap().to_owned();
        server.api().patch(&format!("connections/{id}"), &json!({ "enabled_clients": [] })).await.expect(200);
        let refused = ours.pass_through(back.as_str()).await;
        refused.expect_error("invalid_request", "the connection partner is not enabled for this application");
        assert_eq!(server.api().only_log("f").await["connection"], CONNECTION);
        provider.stop().await;
    }

    async fn a_secret_stays_unless_it_would_go_to_another_place_than_it_was_given_for(server) {
        let (app, provider, ours, theirs) = connected(server, json!({})).await;
        let id = server.api().get("connections?strategy=oidc").await.expect(200).json()[0]["id"].as_str().unwrap().to_owned();
        let mut options = provider.options();
        options.as_object_mut().unwrap().remove("client_secret");
        let patch = async |options: &Value| server.api().patch(&format!("connections/{id}"), &json!({ "options": options })).await;
        let mut elsewhere = options.clone();
        elsewhere["token_endpoint"] = json!("http://127.0.0.1:9/token");
        let refused = patch(&elsewhere).await.expect(400).json();
        assert!(refused["message"].as_str().unwrap().contains("options.client_secret"), "{refused}");
        patch(&options).await.expect(200);
        app.redeem(&provider.pass(&ours, &theirs, &request(&app)).await).await;
        elsewhere["client_secret"] = json!("of their own");
        patch(&elsewhere).await.expect(200);
        provider.stop().await;
    }

    async fn a_federated_sign_out_ends_the_session_there_too_and_comes_back(server) {
        let (app, provider, ours, theirs) = connected(server, json!({})).await;
        for path in ["/v2/logout?federated&client_id={id}&returnTo={to}", "/oidc/logout?federated&client_id={id}&post_logout_redirect_uri={to}&state=x&logout_hint={sid}"] {
            let signed_in = app.redeem(&provider.pass(&ours, &theirs, &request(&app)).await).await;
            let path = path.replace("{id}", &app.id).replace("{to}", &app.logout_uri).replace("{sid}", &signed_in.sid);
            let there = ours.get(&path).await.location().expect("on to the provider");
            assert!(there.as_str().starts_with(&format!("{}/oidc/logout?", provider.server.wire.url)), "{there}");
            let back = theirs.get(there.as_str()).await.location().expect("and back");
            let done = ours.get(back.as_str()).await.location().expect("to the application");
            assert!(done.as_str().starts_with(&app.logout_uri), "{done}");
            theirs.pass_through(&provider.client.silent()).await.expect_error("login_required", "Login required");
        }
        let nowhere = ours.get("/logout/callback?state=v1.forged").await.expect(200);
        assert_eq!(nowhere.location(), None);
        provider.stop().await;
    }

    async fn options_that_are_not_legal_are_refused_by_name(server) {
        let provider = Provider::of(server).await;
        let with = |name: &str, value: Value| {
            let mut options = provider.options();
            options[name] = value;
            options
        };
        for (options, named) in [
            (json!({}), "options.client_id"),
            (with("client_id", json!(1)), "options.client_id"),
            (with("type", json!("front_channel")), "options.type"),
            (with("issuer", json!("ftp://x.example/")), "options.issuer"),
            (with("discovery_url", json!("http://127.0.0.1:1/")), "options.discovery_url"),
            (with("scope", json!("profile")), "options.scope"),
            (with("account_linking", json!("always")), "options.account_linking"),
            (with("connection_settings", json!({ "pkce": "plain" })), "options.connection_settings.pkce"),
            (with("id_token_signed_response_algs", json!(["none"])), "options.id_token_signed_response_algs"),
        ] {
            let body = json!({ "name": CONNECTION, "strategy": "oidc", "options": options });
            let reply = server.api().post("connections", &body).await;
            assert_eq!(reply.status, 400, "{named}: {}", reply.text);
            assert!(reply.json()["message"].as_str().unwrap().contains(named), "{named}: {}", reply.text);
        }
        let made = provider.connect(server, &[], json!({})).await;
        assert!(made["options"].get("client_secret").is_none(), "{made}");
        assert_eq!(made["options"]["oidc_metadata"]["issuer"], provider.server.wire.issuer());
        provider.stop().await;
    }

    #[with("upstream.allow_insecure_urls" = "false")]
    async fn providers_are_public_and_encrypted_unless_the_operator_says_otherwise(server) {
        for issuer in ["http://idp.example/", "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/"] {
            let options = json!({ "type": "back_channel", "issuer": issuer, "client_id": "x", "client_secret": "y" });
            let body = json!({ "name": CONNECTION, "strategy": "oidc", "options": options });
            let reply = server.api().post("connections", &body).await.expect(400);
            assert!(reply.json()["message"].as_str().unwrap().contains("options.issuer"), "{}", reply.text);
        }
    }
}
