//! The server, in this process on a free port, with a clock that the test moves.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use ::server::config::{Config, Source};
use domain::time::Timestamp;
use engine::Ports;
use engine::ports::{Clock, ManualClock, SystemEntropy};
use protocol::jose::KeySet;
use serde_json::{Value, json};

use crate::api::Api;
use crate::app::{App, SignedIn};
use crate::browser::Browser;
use crate::event_schema;
use crate::reply::Reply;
use crate::store::Place;

/// When every test begins: 21 September 2026.
const BEGIN: Timestamp = Timestamp(1_790_000_000_000);
/// The longest wait for one answer, in milliseconds: what the server gives itself. A deploy may install packages.
const ANSWER_MS_MAX: u64 = 60_000;
/// The password of users that do not say otherwise.
pub const PASSWORD: &str = "correct horse battery";

/// What everything that talks to one server shares.
#[derive(Clone)]
pub struct Wire {
    /// The client; it follows no redirects.
    pub http: reqwest::Client,
    /// Where the server is, without a slash at the end.
    pub url: String,
    /// The server's clock.
    pub clock: Arc<dyn Clock>,
}

impl Wire {
    /// A connection to a server.
    ///
    /// # Panics
    /// When the HTTP client does not start.
    pub fn new(url: String, clock: Arc<dyn Clock>) -> Self {
        Self::trusting(url, clock, None)
    }

    /// A connection to a server whose certificate comes from an authority of its own, in PEM.
    ///
    /// # Panics
    /// When the HTTP client does not start.
    pub fn trusting(url: String, clock: Arc<dyn Clock>, authority: Option<&str>) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let _taken = rustls::crypto::aws_lc_rs::default_provider().install_default();
        });
        let authority =
            authority.map(|pem| reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate"));
        let http = reqwest::Client::builder()
            .tls_certs_merge(authority)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_millis(ANSWER_MS_MAX))
            .no_proxy()
            // A server that is restarted or killed leaves no connection that could be used again.
            .pool_max_idle_per_host(0)
            .build()
            .expect("an HTTP client starts");
        Self { http, url, clock }
    }

    /// The issuer.
    pub fn issuer(&self) -> String {
        format!("{}/", self.url)
    }

    /// The audience of the Management API.
    pub fn management_audience(&self) -> String {
        format!("{}/api/v2/", self.url)
    }

    /// `GET` without cookies or credentials.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::to(self.http.get(format!("{}{path}", self.url))).await
    }

    /// `POST` of a form without cookies or credentials.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        Reply::to(self.http.post(format!("{}{path}", self.url)).form(fields)).await
    }

    /// The server's public keys.
    pub async fn keys(&self) -> KeySet {
        let jwks = self.get("/.well-known/jwks.json").await.expect(200).json();
        KeySet::from_jwks(&jwks).expect("a JWK set")
    }
}

/// Someone who can sign in.
#[derive(Debug, Clone)]
pub struct User {
    /// `user_id`.
    pub id: String,
    /// Address.
    pub email: String,
    /// Password.
    pub password: String,
}

impl User {
    /// The identifier as a path segment.
    pub fn path_id(&self) -> String {
        self.id.replace('|', "%7C")
    }
}

/// A running server with an administrator.
pub struct Server {
    /// How to reach it.
    pub wire: Wire,
    clock: Arc<ManualClock>,
    config: Config,
    running: Option<::server::Server>,
    administrator: (String, String),
    api: Option<Api>,
}

impl Server {
    /// Starts a server in a place, with further settings (`section.key`, value).
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(place: &Place, settings: &[(&str, &str)]) -> Self {
        let mut config = Config::for_testing(&place.folder);
        place.configure(&mut config);
        config.sandbox.program = Some(program());
        config.set("server.trusted_proxies", "127.0.0.0/8", Source::Default).expect("a setting");
        config.passwords.threads = 1;
        for (key, value) in settings {
            config.set(key, value, Source::Default).expect("a setting");
        }
        let clock = Arc::new(ManualClock::at(BEGIN));
        let running = build(&config, &clock).await;
        // The issuer holds the port, so a later start takes the same one.
        config.server.listen = running.addr;
        let authority = running.folder.read("ca.pem").expect("a readable folder");
        let wire =
            Wire::trusting(running.url.clone(), Arc::clone(&clock) as Arc<dyn Clock>, authority.as_deref());
        let admin = running.folder.read("admin.json").expect("a readable folder").expect("admin.json");
        let admin: Value = serde_json::from_str(&admin).expect("JSON");
        let text = |name: &str| admin[name].as_str().expect("text").to_owned();
        let administrator = (text("client_id"), text("client_secret"));
        let mut server = Self { wire, clock, config, running: Some(running), administrator, api: None };
        let (id, secret) = &server.administrator;
        server.api = Some(Api::of(&server.wire, id, secret, None));
        server
    }

    /// Stops it and starts it again on the same records and the same port.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.running = Some(build(&self.config, &self.clock).await);
    }

    /// Stops it, once each event in its log was held to its schema.
    ///
    /// # Panics
    /// When one is not as described.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            event_schema::check_all(&running.engine).await;
            running.shutdown().await;
        }
    }

    /// Moves the clock.
    pub fn advance_ms(&self, ms: i64) {
        self.clock.advance_millis(ms);
    }

    /// Moves the clock.
    pub fn advance_minutes(&self, minutes: i64) {
        self.advance_ms(minutes * 60_000);
    }

    /// Moves the clock.
    pub fn advance_hours(&self, hours: i64) {
        self.advance_minutes(hours * 60);
    }

    /// A folder or file of the server's data folder.
    ///
    /// # Panics
    /// When the server does not run.
    pub fn data(&self, name: &str) -> PathBuf {
        self.running.as_ref().expect("the server runs").folder.file(name)
    }

    /// Where it listens itself, whatever its public address is; without a slash at the end.
    ///
    /// # Panics
    /// When the server does not run.
    pub fn address(&self) -> String {
        format!("http://{}", self.running.as_ref().expect("the server runs").addr)
    }

    /// What the clock shows.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Delivers the logouts that are due.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn deliver(&self) {
        while self.engine().deliver_due().await.expect("the store answers") > 0 {}
    }

    /// Runs the queued Actions that are due, beside the server's own loop.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn run_queued_actions(&self) {
        loop {
            let claimed = self.engine().claim_queued_runs(1).await.expect("the store answers");
            if claimed.is_empty() {
                return;
            }
            for run in claimed {
                self.engine().carry_out(run).await.expect("the store answers");
            }
        }
    }

    /// Ends what expired; answers how many sessions.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn sweep(&self) -> usize {
        let mut ended = 0;
        loop {
            let swept = self.engine().sweep().await.expect("the store answers");
            assert!(swept.failure.is_none(), "every session ends: {:?}", swept.failure);
            ended += swept.ended;
            if !swept.more {
                return ended;
            }
        }
    }

    /// Makes and publishes the signing keys that come next, if they are due.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn make_next_keys(&self) {
        self.engine().make_next_keys().await.expect("the store answers");
        self.engine().reload_published().await.expect("the store answers");
    }

    fn engine(&self) -> &engine::Engine {
        &self.running.as_ref().expect("the server runs").engine
    }

    /// The Management API with every scope.
    ///
    /// # Panics
    /// Never after the start.
    pub fn api(&self) -> &Api {
        self.api.as_ref().expect("made at the start")
    }

    /// The Management API with these scopes only, for a client of its own.
    pub async fn api_with(&self, scopes: &[&str]) -> Api {
        let audience = self.wire.management_audience();
        let (id, secret) = self.machine("Partner", &audience, scopes).await;
        Api::of(&self.wire, &id, &secret, None)
    }

    /// A machine client with a grant for an API: its identifier and secret.
    pub async fn machine(&self, name: &str, audience: &str, scopes: &[&str]) -> (String, String) {
        let settings =
            json!({ "name": name, "app_type": "non_interactive", "grant_types": ["client_credentials"] });
        let client = self.api().post("clients", &settings).await.expect(201).json();
        let text = |name: &str| client[name].as_str().expect("text").to_owned();
        let grant = json!({ "client_id": client["client_id"], "audience": audience, "scope": scopes });
        self.api().post("client-grants", &grant).await.expect(201);
        (text("client_id"), text("client_secret"))
    }

    /// A browser of its own.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.wire)
    }

    /// An application of a server-side kind.
    pub async fn app(&self, name: &str) -> App {
        self.app_with(name, json!({})).await
    }

    /// An application with further settings.
    ///
    /// # Panics
    /// When the server does not make it.
    pub async fn app_with(&self, name: &str, more: Value) -> App {
        let host = format!("https://{}.test", name.to_lowercase());
        let mut settings = json!({
            "name": name,
            "app_type": "regular_web",
            "callbacks": [format!("{host}/callback")],
            "allowed_logout_urls": [format!("{host}/bye")],
            "oidc_conformant": true,
            "organization_usage": "allow",
        });
        let more = more.as_object().expect("an object").clone();
        settings.as_object_mut().expect("an object").extend(more);
        let client = self.api().post("clients", &settings).await.expect(201).json();
        App::of(&self.wire, &client)
    }

    /// A user of the database connection.
    pub async fn user(&self, email: &str) -> User {
        self.user_with(email, json!({})).await
    }

    /// A user with further properties.
    ///
    /// # Panics
    /// When the server does not make them.
    pub async fn user_with(&self, email: &str, more: Value) -> User {
        let mut body =
            json!({ "connection": "Username-Password-Authentication", "email": email, "password": PASSWORD });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let made = self.api().post("users", &body).await.expect(201).json();
        let id = made["user_id"].as_str().expect("text").to_owned();
        User { id, email: email.to_owned(), password: PASSWORD.to_owned() }
    }

    /// An application, a user and a browser in which they are signed in to it.
    pub async fn someone_signed_in(&self) -> (App, User, Browser, SignedIn) {
        let (app, user) = (self.app("Shop").await, self.user("ann@example.com").await);
        let browser = self.browser();
        let signed_in = app.sign_in(&browser, &user).await;
        (app, user, browser, signed_in)
    }
}

async fn build(config: &Config, clock: &Arc<ManualClock>) -> ::server::Server {
    let ports = Ports {
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        entropy: Arc::new(SystemEntropy),
        ..Ports::real(domain::egress::Egress::everywhere_if(true)).expect("an HTTP client starts")
    };
    ::server::build(config.clone(), ports)
        .await
        .unwrap_or_else(|error| panic!("the server does not start: {error}"))
}

/// The server's program: `VESTIBULE_BIN`, or what was built beside these tests.
///
/// # Panics
/// When it is not there.
pub fn program() -> PathBuf {
    let named = std::env::var_os("VESTIBULE_BIN").map(PathBuf::from);
    let beside = || {
        let tests = std::env::current_exe().expect("this program has a path");
        tests.parent().and_then(Path::parent).expect("target/debug/deps").join("vestibule")
    };
    let program = named.unwrap_or_else(beside);
    assert!(
        program.is_file(),
        "{} is not there: run `cargo build -p server --bin vestibule`, or set VESTIBULE_BIN",
        program.display()
    );
    program
}
