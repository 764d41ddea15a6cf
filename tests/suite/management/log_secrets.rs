//! What is never told: secrets, passwords, tokens and metadata, in no event, no diagnostic line and no record of a run.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::json;
use suite::provider::{CONNECTION, Provider};
use suite::{Behaviour, LogReceiver, RelyingParty, Server, on_every_store, wait};

/// What stands at the end of everything that must stay hidden.
const MARK: &str = "-7Qx";

fn hidden(name: &str) -> String {
    format!("hidden-{name}{MARK}")
}

fn expect_unmarked(what: &str, text: &str) {
    let places: Vec<_> =
        text.match_indices(MARK).map(|(at, _)| text.get(at.saturating_sub(200)..at + MARK.len())).collect();
    assert!(places.is_empty(), "{what}: {places:?}");
}

/// Every event of the log, as the Management API gives it.
async fn whole_log(server: &Server) -> String {
    let (mut everything, mut path) = (String::new(), "logs?take=100".to_owned());
    loop {
        let page = server.api().get(&path).await.expect(200);
        let Some(last) = page.json().as_array().and_then(|page| page.last().cloned()) else {
            return everything;
        };
        path = format!("logs?take=100&from={}", last["log_id"].as_str().unwrap());
        everything.push_str(&page.text);
    }
}

/// Binds an Action that prints its secret, and throws its module's where the request asks it to fail.
async fn bind_a_leaky_action(server: &Server) {
    let module = json!({
        "name": "vault", "publish": true, "secrets": [{ "name": "KEY", "value": hidden("module-secret") }],
        "code": "module.exports = () => { throw new Error('bad key ' + actions.secrets.KEY); };",
    });
    let module = server.api().post("actions/modules", &module).await.expect(201).json();
    let action = json!({
        "name": "Leaky", "supported_triggers": [{ "id": "post-login", "version": "v3" }], "deploy": true,
        "secrets": [{ "name": "KEY", "value": hidden("action-secret") }],
        "modules": [{ "module_id": module["id"], "module_version_id": module["latest_version"]["id"] }],
        "code": "exports.onExecutePostLogin = async (event) => {
            console.log('the key is', event.secrets.KEY);
            if (event.request.query.login_hint === 'fail') require('actions:vault')();
        };",
    });
    let action = server.api().post("actions/actions", &action).await.expect(201).json();
    let bindings = json!({ "bindings": [{ "ref": { "type": "action_id", "value": action["id"] } }] });
    server.api().patch("actions/triggers/post-login/bindings", &bindings).await.expect(200);
}

on_every_store! {
    async fn no_event_and_no_diagnostic_line_holds_a_secret(server) {
        let diagnostics = listen();
        let api = server.api();
        let app = server.app_with("Shop", json!({
            "client_metadata": { "key": hidden("client-metadata") },
            "addons": { "wsfed": { "certificate": hidden("addon") } },
        })).await;
        api.patch(&format!("clients/{}", app.id), &json!({ "client_secret": format!("{}{}", hidden("client-secret"), "a".repeat(48)) })).await.expect(200);
        api.patch(&format!("clients/{}", app.id), &json!({ "client_secret": app.secret })).await.expect(200);
        let connection = api.connection_id().await;
        let options = json!({ "options": { "client_secret": hidden("connection"), "configuration": { "deep": hidden("deep") } } });
        api.patch(&format!("connections/{connection}"), &options).await.expect(200);
        let user = server.user_with("ann@example.com", json!({
            "user_metadata": { "pin": hidden("user-metadata") }, "app_metadata": { "name": hidden("app-metadata") },
        })).await;
        api.patch(&format!("users/{}", user.path_id()), &json!({ "password": "w-7Qx" })).await;
        let secrets = json!([{ "name": "KEY", "value": hidden("action-secret") }]);
        let code = "exports.onExecutePostLogin = async (event) => { if (event.request.query.login_hint === 'fail') throw new Error('bad key ' + event.secrets.KEY) }; // hidden-code-7Qx";
        let id = api.deployed_action("Leaky", code, &secrets).await;
        let bindings = json!({ "bindings": [{ "ref": { "type": "action_id", "value": id }, "display_name": "Leaky" }] });
        api.patch("actions/triggers/post-login/bindings", &bindings).await.expect(200);

        let browser = server.browser();
        let signed_in = app.sign_in_with(&browser, &user, "openid offline_access").await;
        let refreshed = app.refresh(signed_in.refresh_token()).await.expect(200).json();
        app.refresh(&hidden("refresh-token")).await;
        api.set_session_metadata(&signed_in.sid, &json!({ "device": hidden("session-metadata") })).await;
        browser.pass_through(&format!("{}&login_hint=fail", app.request().url())).await;
        let wrong = [("grant_type", "authorization_code"), ("client_id", app.id.as_str()), ("client_secret", "hidden-guess-7Qx"), ("code", "hidden-code-7Qx"), ("redirect_uri", "https://x.test/?code=hidden-7Qx")];
        server.wire.post_form("/oauth/token", &wrong).await;
        let right = [("grant_type", "authorization_code"), ("client_id", app.id.as_str()), ("client_secret", app.secret.as_str()), ("code", "hidden-code-7Qx"), ("code_verifier", "hidden-verifier-7Qx")];
        server.wire.post_form("/oauth/token", &right).await;
        for path in [
            format!("/authorize?response_type=code&client_id={}&redirect_uri=https%3A%2F%2Fx.test%2F%3Fcode%3Dhidden-code-7Qx%23hidden-7Qx&code=hidden-7Qx&state=hidden-state-7Qx&nonce=hidden-7Qx&id_token_hint={}", app.id, signed_in.id_token),
            format!("/oidc/logout?client_id={}&post_logout_redirect_uri=https%3A%2F%2Fx.test%2F%3Ftoken%3Dhidden-7Qx&id_token_hint={}", app.id, signed_in.id_token),
            "/oidc/logout?id_token_hint=hidden-7Qx&post_logout_redirect_uri=https%3A%2F%2Fu:hidden-7Qx@x.test%2F".to_owned(),
            format!("/v2/logout?client_id={}&returnTo=https%3A%2F%2Fx.test%2F%3Ftoken%3Dhidden-7Qx", app.id),
        ] {
            assert_eq!(server.wire.get(&path).await.status, 400, "{path}");
        }
        app.sign_out(&browser, &signed_in.id_token).await;
        api.get("logs?q=client_id:hidden-query-7Qx").await;

        let everything = whole_log(server).await;
        for kind in ["f", "slo", "flo", "feacft", "fertft", "fcp", "sapi", "actions_execution_failed"] {
            assert!(everything.contains(&format!("\"type\":\"{kind}\"")), "{kind} is among them");
        }
        let told = String::from_utf8(diagnostics.0.lock().unwrap().clone()).unwrap();
        assert!(told.contains("redirect_uri"), "the refusals are among the lines: {told}");
        let api_token = api.token().await;
        for text in [&everything, &told] {
            expect_unmarked("the log or a diagnostic line", text);
            for secret in [
                suite::server::PASSWORD, &app.secret, &api_token, signed_in.access_token(), signed_in.refresh_token(),
                &signed_in.id_token, refreshed["access_token"].as_str().unwrap(),
            ] {
                assert!(!text.contains(secret), "{secret}");
            }
        }
    }

    async fn deliveries_streams_providers_and_runs_of_actions_tell_no_secret_either(server) {
        let diagnostics = listen();
        let api = server.api();
        bind_a_leaky_action(server).await;
        let receiver = LogReceiver::listen().await;
        receiver.answer_next(&[Behaviour::Status(500)]);
        let stream = json!({ "type": "http", "sink": {
            "httpEndpoint": format!("{}?key={}", receiver.url, hidden("endpoint")),
            "httpAuthorization": hidden("authorization"),
            "httpCustomHeaders": [{ "header": "x-key", "value": hidden("header") }],
        } });
        let stream = api.post("log-streams", &stream).await.expect(200).json()["id"].as_str().unwrap().to_owned();
        api.get(&format!("log-streams/{stream}")).await.expect(200);

        // A session with metadata, which its client is told of and the log is not.
        let (app, party) = RelyingParty::with_app(server, "Shop", true).await;
        party.answer_next(&[Behaviour::Status(503)]);
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let signed_in = app.sign_in(&browser, &user).await;
        api.set_session_metadata(&signed_in.sid, &json!({ "device": hidden("session-metadata") })).await;
        app.sign_out(&browser, &signed_in.id_token).await;
        for kind in ["oidc_backchannel_logout_failed", "oidc_backchannel_logout_succeeded"] {
            wait::until(kind, async || api.logs(kind).await.pop()).await;
            server.advance_minutes(1);
            server.deliver().await;
        }
        assert_eq!(party.token(&app, 2).await.claims["session_metadata"]["device"], hidden("session-metadata"));

        // What an Action throws goes to the client, into the log and into the record of the run; what it prints into the last.
        let refused = server.browser().sign_in_at(&format!("{}&login_hint=fail", app.request().url()), &user).await;
        assert_eq!(refused.get("error_description"), "bad key *****");
        let failure = api.only_log("actions_execution_failed").await;
        let path = format!("actions/executions/{}", failure["details"]["execution_id"].as_str().unwrap());
        let execution = api.get(&path).await.expect(200);
        assert_eq!(execution.json()["results"][0]["console"], json!(["log: the key is *****"]));
        assert_eq!(execution.json()["results"][0]["error"]["msg"], "bad key *****");

        // Codes and tokens of a provider, good ones and made-up ones.
        let provider = Provider::of(server).await;
        provider.connect(server, &[&app], json!({})).await;
        let named = app.request().with("connection", CONNECTION).url();
        app.redeem(&provider.pass(&server.browser(), &provider.server.browser(), &named).await).await;
        let ours = server.browser();
        let sent = ours.get(&named).await.location().unwrap();
        let state = sent.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let issuer = provider.server.wire.issuer();
        let forged = format!("/login/callback?code={}&state={state}&iss={issuer}", hidden("code"));
        ours.pass_through(&forged).await.expect_error("access_denied", "The identity provider's answer was not accepted");
        let token = hidden("logout-token");
        server.wire.post_form(&format!("/logout/backchannel/{CONNECTION}"), &[("logout_token", &token)]).await.expect(400);

        // Everything has been sent to the stream, the first batch twice, and what went wrong on the way is known.
        server.advance_minutes(10);
        wait::until("the refused batch", async || receiver.posts().pop()).await;
        server.advance_minutes(10);
        let newest = api.logs("sapi").await.into_iter().max_by_key(|event| event["log_id"].to_string()).unwrap();
        receiver.hears_of("log_id", newest["log_id"].as_str().unwrap()).await;
        let posts = receiver.posts();
        assert_eq!(posts[0].header("authorization"), hidden("authorization"), "the receiver is given it");
        let sent: String = posts.iter().map(|post| post.body.as_str()).collect();
        let health = api.get(&format!("log-streams/{stream}/health")).await.expect(200);
        let everything = whole_log(server).await;
        for kind in ["s", "f", "slo", "flo", "sapi", "mgmt_api_read", "oidc_backchannel_logout_failed"] {
            assert!(everything.contains(&format!("\"type\":\"{kind}\"")), "{kind} is among them");
        }
        let told = String::from_utf8(diagnostics.0.lock().unwrap().clone()).unwrap();
        assert!(told.contains("a log stream fails"), "its failure is among the lines: {told}");
        for (what, text) in [
            ("the log", &everything), ("what streams sent", &sent), ("the diagnostics", &told),
            ("the stream's health", &health.text), ("the record of the run", &execution.text),
        ] {
            expect_unmarked(what, text);
            for secret in [suite::server::PASSWORD, &app.secret, &provider.client.secret, &signed_in.id_token, &state] {
                assert!(!text.contains(secret), "{what}: {secret}");
            }
        }
        provider.stop().await;
    }
}

/// What the server's diagnostics say in this process from now on, other tests' servers included.
#[derive(Clone, Default)]
struct Diagnostics(Arc<Mutex<Vec<u8>>>);

impl Write for Diagnostics {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(line);
        Ok(line.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn listen() -> Diagnostics {
    static HEARD: OnceLock<Diagnostics> = OnceLock::new();
    HEARD
        .get_or_init(|| {
            let heard = Diagnostics::default();
            let writer = heard.clone();
            tracing_subscriber::fmt().with_writer(move || writer.clone()).init();
            heard
        })
        .clone()
}
