//! Clients that prove themselves by an assertion which they signed: `private_key_jwt`.
//!
//! Spec: RFC 7523 §2.2 and §3, OIDC Core 1.0 §9. Auth0: authenticate with private key JWT.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use suite::app::VERIFIER;
use suite::{App, Reply, Server, on_every_store};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const AUDIENCE: &str = "https://orders.test/";

/// A key pair and its public half as text.
struct Pair {
    rsa: RsaKeyPair,
    pem: String,
}

fn pair(number: usize) -> &'static Pair {
    static PAIRS: [OnceLock<Pair>; 2] = [OnceLock::new(), OnceLock::new()];
    PAIRS[number].get_or_init(|| {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: PublicKeyX509Der<'_> = rsa.public_key().as_der().unwrap();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
            STANDARD.encode(der.as_ref())
        );
        Pair { rsa, pem }
    })
}

impl Pair {
    fn credential(&self, alg: &str) -> Value {
        json!({ "credential_type": "public_key", "pem": self.pem, "alg": alg })
    }

    fn sign(&self, alg: &str, claims: &Value) -> String {
        let padding: &'static dyn RsaEncoding = match alg {
            "RS384" => &RSA_PKCS1_SHA384,
            "PS256" => &RSA_PSS_SHA256,
            _ => &RSA_PKCS1_SHA256,
        };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": alg, "typ": "JWT" })), part(claims));
        let mut signature = [0; 256];
        self.rsa.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The claims of an assertion that is good for a minute. Each has its own name.
fn claims(server: &Server, client_id: &str) -> Value {
    static NAMES: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let name = NAMES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let now = server.now().as_seconds();
    json!({ "iss": client_id, "sub": client_id, "aud": server.wire.issuer(), "iat": now, "exp": now + 60,
        "jti": format!("assertion-{name}") })
}

/// A client with a key, for people and for itself.
async fn shop(server: &Server, alg: &str) -> App {
    let api = json!({ "name": "Orders", "identifier": AUDIENCE, "scopes": [{ "value": "read:orders" }],
        "allow_offline_access": true });
    server.api().post("resource-servers", &api).await;
    let methods = json!({ "private_key_jwt": { "credentials": [pair(0).credential(alg)] } });
    let app = server.app_with("Shop", json!({ "client_authentication_methods": methods })).await;
    let grant = json!({ "client_id": app.id, "audience": AUDIENCE, "scope": ["read:orders"] });
    server.api().post("client-grants", &grant).await.expect(201);
    app
}

async fn post(server: &Server, path: &str, assertion: &str, fields: &[(&str, &str)]) -> Reply {
    let mut all = vec![("client_assertion_type", TYPE), ("client_assertion", assertion)];
    all.extend_from_slice(fields);
    server.wire.post_form(path, &all).await
}

/// Asks for a token of the client's own.
async fn ask(server: &Server, assertion: &str) -> Reply {
    post(server, "/oauth/token", assertion, &[("grant_type", "client_credentials"), ("audience", AUDIENCE)])
        .await
}

/// Why the client was refused last, as the log tells.
async fn logged(server: &Server) -> String {
    server.api().logs("feccft").await.first().map(Value::to_string).unwrap_or_default()
}

on_every_store! {
    async fn a_key_proves_its_client_for_every_grant_and_for_a_revocation(server) {
        let app = shop(server, "RS256").await;
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let fresh = || pair(0).sign("RS256", &claims(server, &app.id));
        let url = app.request().with("scope", "openid offline_access").url();
        let callback = browser.sign_in_at(&url, &user).await;
        let code = [("grant_type", "authorization_code"), ("code", callback.code()), ("redirect_uri", &app.redirect_uri),
            ("code_verifier", VERIFIER)];
        server.wire.post_form("/oauth/token", &[&code[..], &[("client_id", &app.id)]].concat()).await
            .expect_oauth_error(401, "invalid_client");
        let tokens = post(server, "/oauth/token", &fresh(), &code).await.expect(200).json();
        let refresh_token = tokens["refresh_token"].as_str().unwrap();
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", &*app.id)];
        post(server, "/oauth/token", &fresh(), &refresh).await.expect(200);
        let own = ask(server, &fresh()).await.expect(200).json();
        assert_eq!(own["scope"], "read:orders");

        let spent = fresh();
        post(server, "/oauth/revoke", &spent, &[("token", refresh_token)]).await.expect(200);
        post(server, "/oauth/revoke", &spent, &[("token", refresh_token)]).await.expect_oauth_error(401, "invalid_client");
        post(server, "/oauth/token", &fresh(), &refresh).await.expect_oauth_error(403, "invalid_grant");
        assert_eq!(server.api().only_log("srrt").await["client_id"], app.id.as_str());
    }

    async fn each_algorithm_counts_for_the_credentials_that_name_it(server) {
        for alg in ["RS256", "RS384", "PS256"] {
            let app = shop(server, alg).await;
            ask(server, &pair(0).sign(alg, &claims(server, &app.id))).await.expect(200);
            for other in ["RS256", "RS384", "PS256"].into_iter().filter(|other| *other != alg) {
                let refused = ask(server, &pair(0).sign(other, &claims(server, &app.id))).await;
                refused.expect_oauth_error(401, "invalid_client");
            }
        }
        let metadata = server.wire.get("/.well-known/openid-configuration").await.expect(200).json();
        let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
        assert!(methods.contains(&json!("private_key_jwt")), "{metadata}");
        assert_eq!(metadata["token_endpoint_auth_signing_alg_values_supported"], json!(["RS256", "RS384", "PS256"]));
    }

    async fn an_assertion_is_good_once_whatever_comes_of_it_and_after_a_restart(server) {
        let app = shop(server, "RS256").await;
        let mut claims_of = claims(server, &app.id);
        let assertion = pair(0).sign("RS256", &claims_of);
        ask(server, &assertion).await.expect(200);
        server.advance_ms(1);
        ask(server, &assertion).await.expect_oauth_error(401, "invalid_client");
        assert!(logged(server).await.contains("the assertion was used before"), "{}", logged(server).await);
        server.restart().await;
        ask(server, &assertion).await.expect_oauth_error(401, "invalid_client");
        // Another signature over the same name is the same assertion.
        claims_of["exp"] = json!(server.now().as_seconds() + 61);
        ask(server, &pair(0).sign("RS256", &claims_of)).await.expect_oauth_error(401, "invalid_client");

        let wasted = pair(0).sign("RS256", &claims(server, &app.id));
        post(server, "/oauth/token", &wasted, &[("grant_type", "client_credentials"), ("audience", "https://nowhere.test/")])
            .await.expect_oauth_error(403, "access_denied");
        ask(server, &wasted).await.expect_oauth_error(401, "invalid_client");

        server.advance_minutes(2);
        let now = server.now().as_seconds();
        (claims_of["iat"], claims_of["exp"]) = (json!(now), json!(now + 60));
        ask(server, &pair(0).sign("RS256", &claims_of)).await.expect(200);
    }

    async fn of_many_who_present_one_assertion_at_once_one_gets_in(server) {
        let app = shop(server, "RS256").await;
        let assertion = pair(0).sign("RS256", &claims(server, &app.id));
        let ask = || ask(server, &assertion);
        let (a, b, c, d, e, f) = tokio::join!(ask(), ask(), ask(), ask(), ask(), ask());
        let mut statuses = [a, b, c, d, e, f].map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401, 401, 401, 401, 401]);
    }

    async fn a_client_with_a_key_is_not_believed_for_its_secret_until_it_has_none(server) {
        let before = server.app("Shop").await;
        let methods = json!({ "private_key_jwt": { "credentials": [pair(0).credential("RS256")] } });
        let with_key = server.app_with("Keyed", json!({ "client_authentication_methods": methods })).await;
        assert_eq!(with_key.secret, "", "no secret is shown");
        let place = format!("clients/{}", before.id);
        let made = server.api().post(&format!("{place}/credentials"), &pair(0).credential("RS256")).await.expect(201).json();
        let named = json!({ "client_authentication_methods": { "private_key_jwt": { "credentials": [{ "id": made["id"] }] } } });
        let refused = async |expect: &str| {
            let reply = before.token(&[("grant_type", "refresh_token"), ("refresh_token", "v1.none")]).await;
            assert_eq!(reply.expect_oauth_error(if expect == "invalid_client" { 401 } else { 403 }, expect), reply.json()["error_description"]);
        };
        refused("invalid_grant").await;
        server.api().patch(&place, &named).await.expect(200);
        refused("invalid_client").await;
        let basic = Reply::to(server.wire.http.post(format!("{}/oauth/token", server.wire.url))
            .basic_auth(&before.id, Some(&before.secret)).form(&[("grant_type", "client_credentials")])).await;
        basic.expect_oauth_error(401, "invalid_client");
        server.api().patch(&place, &json!({ "client_authentication_methods": null })).await.expect(200);
        refused("invalid_grant").await;
        // An assertion of a key that is there and not enabled proves nothing.
        ask(server, &pair(0).sign("RS256", &claims(server, &before.id))).await.expect_oauth_error(401, "invalid_client");
    }

    async fn what_is_wrong_with_an_assertion_is_for_the_log_alone(server) {
        let app = shop(server, "RS256").await;
        let with = |name: &str, value: Value| {
            let mut claims = claims(server, &app.id);
            claims[name] = value;
            pair(0).sign("RS256", &claims)
        };
        let now = server.now().as_seconds();
        for (assertion, says) in [
            (pair(1).sign("RS256", &claims(server, &app.id)), "the signature is invalid"),
            (with("iss", json!("other")), "iss and sub must both be the client_id"),
            (with("aud", json!("https://other.test/")), "aud must be"),
            (with("aud", json!([server.wire.issuer(), "https://other.test/"])), "aud must be"),
            (with("exp", json!(now)), "the assertion expired"),
            (with("exp", json!(now + 301)), "more than 300 seconds"),
            (with("nbf", json!(now + 30)), "iat or nbf lies ahead"),
            (with("jti", json!("")), "jti must be"),
            (with("exp", Value::Null), "exp is missing"),
        ] {
            // Events of one millisecond are in no order.
            server.advance_ms(1);
            let description = ask(server, &assertion).await.expect_oauth_error(401, "invalid_client");
            assert_eq!(description, "Client authentication failed");
            let told = logged(server).await;
            assert!(told.contains(says) && told.contains(&app.id), "{says}: {told}");
            assert!(!told.contains(&assertion), "{told}");
        }
        let two = with("aud", json!([server.wire.issuer(), format!("{}oauth/token", server.wire.issuer())]));
        ask(server, &two).await.expect(200);
        let good = pair(0).sign("RS256", &claims(server, &app.id));
        let other = server.app("Other").await;
        let grant = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
        for (more, status, error) in [
            (("client_id", &*other.id), 400, "invalid_request"),
            (("client_secret", "s"), 400, "invalid_request"),
        ] {
            post(server, "/oauth/token", &good, &[&grant[..], &[more]].concat()).await.expect_oauth_error(status, error);
        }
        let untyped = server.wire.post_form("/oauth/token", &[&grant[..], &[("client_assertion", &*good)]].concat()).await;
        untyped.expect_oauth_error(400, "invalid_request");
        let stranger = pair(0).sign("RS256", &claims(server, "nobody"));
        assert_eq!(ask(server, &stranger).await.expect_oauth_error(401, "invalid_client"), "Client authentication failed");
        ask(server, &good).await.expect(200);
    }

    async fn keys_are_rotated_without_a_gap_and_an_old_one_counts_no_more(server) {
        let app = shop(server, "RS256").await;
        let place = format!("clients/{}", app.id);
        let old = server.api().get(&format!("{place}/credentials")).await.expect(200).json()[0]["id"].clone();
        let made = server.api().post(&format!("{place}/credentials"), &pair(1).credential("RS256")).await.expect(201).json();
        let asked = async |number: usize| ask(server, &pair(number).sign("RS256", &claims(server, &app.id))).await.status;
        assert_eq!((asked(0).await, asked(1).await), (200, 401), "not enabled yet");
        let methods = |ids: &[&Value]| {
            let ids: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
            json!({ "client_authentication_methods": { "private_key_jwt": { "credentials": ids } } })
        };
        server.api().patch(&place, &methods(&[&old, &made["id"]])).await.expect(200);
        assert_eq!((asked(0).await, asked(1).await), (200, 200));
        let one = format!("{place}/credentials/{}", old.as_str().unwrap());
        let in_a_minute = server.now().plus_millis(60_000).to_string();
        server.api().patch(&one, &json!({ "expires_at": in_a_minute })).await.expect(200);
        assert_eq!((asked(0).await, asked(1).await), (200, 200));
        server.advance_minutes(1);
        assert_eq!((asked(0).await, asked(1).await), (401, 200), "expired");
        server.api().patch(&one, &json!({ "expires_at": null })).await.expect(200);
        assert_eq!(asked(0).await, 200);
        server.api().patch(&place, &methods(&[&made["id"]])).await.expect(200);
        assert_eq!((asked(0).await, asked(1).await), (401, 200), "disabled");
        server.api().delete(&one).await.expect(204);
        assert_eq!((asked(0).await, asked(1).await), (401, 200));
    }

    async fn a_client_of_certificates_cannot_prove_itself_here_in_any_way(server) {
        let methods = json!({ "tls_client_auth": { "credentials": [{ "credential_type": "cert_subject_dn", "subject_dn": "CN=a" }] } });
        let app = server.app_with("Tls", json!({ "client_authentication_methods": methods })).await;
        let grant = [("grant_type", "client_credentials"), ("client_id", &*app.id), ("audience", AUDIENCE)];
        server.wire.post_form("/oauth/token", &grant).await.expect_oauth_error(401, "invalid_client");
        server.advance_ms(1);
        ask(server, &pair(0).sign("RS256", &claims(server, &app.id))).await.expect_oauth_error(401, "invalid_client");
        assert!(logged(server).await.contains("not set up for private_key_jwt"));
    }
}
