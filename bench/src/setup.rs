//! Gives an empty server what is measured: clients, APIs, users, an Action. All through its public API.

use axum::http::Method;
use serde_json::{Value, json};

use crate::Result;
use crate::process::Server;
use crate::wire::{Ask, Heard, Wire};

/// The Action that is measured: what the demonstration runs.
const ACTION: &str = include_str!("../../crates/engine/src/demo/remember_device.js");
const PASSWORD: &str = "Correct-horse-7-battery";
const CONNECTION: &str = "Username-Password-Authentication";
/// Verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://localhost:9/callback";
/// What a browser of these days calls itself: Actions look at it.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A client and how it proves itself.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// Everything that seats share.
pub(crate) struct World {
    /// Signs people in; its refresh tokens stay.
    pub(crate) app: App,
    /// Signs people in; its refresh tokens rotate.
    pub(crate) rotating: App,
    /// Acts on its own behalf.
    pub(crate) machine: App,
    /// An API whose tokens are signed with RS256, and one with ES256.
    pub(crate) apis: [&'static str; 2],
    /// A Management API token that may read and update sessions.
    pub(crate) session_token: String,
    /// The Action, deployed but not bound.
    pub(crate) action_id: String,
}

/// The Management API, called by the first administrator.
pub(crate) struct Api {
    address: String,
    /// Its token, with every scope.
    pub(crate) token: String,
}

impl Api {
    /// Gets in with what the first start gave.
    pub(crate) async fn open(server: &Server) -> Result<Self> {
        let text = |name: &str| server.admin[name].as_str().unwrap_or_default().to_owned();
        let mut wire = Wire::open(&server.address).await?;
        let admin = App { id: text("client_id"), secret: text("client_secret") };
        let token = client_credentials(&mut wire, &admin, &text("audience")).await?;
        Ok(Self { address: server.address.clone(), token })
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        let ask = Ask::json(method, format!("/api/v2/{path}"), &body)
            .with("authorization", &format!("Bearer {}", self.token));
        // A connection for each call: the server closes those that idle, as between two rows.
        let heard = Wire::open(&self.address).await?.ask(ask).await?;
        if !heard.status.is_success() {
            return Err(format!("{path}: {} {}", heard.status, String::from_utf8_lossy(&heard.body)).into());
        }
        heard.json()
    }

    /// Makes a client.
    pub(crate) async fn app(&self, name: &str, mut body: Value) -> Result<App> {
        body["name"] = name.into();
        let made = self.call(Method::POST, "clients", body).await?;
        let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        Ok(App { id: text("client_id"), secret: text("client_secret") })
    }

    /// Makes what all seats share.
    pub(crate) async fn make_world(&self, server: &Server) -> Result<World> {
        let web = |refresh_token: Value| {
            json!({ "app_type": "regular_web", "callbacks": [CALLBACK], "refresh_token": refresh_token,
                "token_endpoint_auth_method": "client_secret_post",
                "grant_types": ["authorization_code", "refresh_token"] })
        };
        let stays = json!({ "rotation_type": "non-rotating", "expiration_type": "non-expiring" });
        let rotates = json!({ "rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0,
            "token_lifetime": 2_592_000, "idle_token_lifetime": 1_296_000 });
        let app = self.app("Bench app", web(stays)).await?;
        let rotating = self.app("Bench rotating app", web(rotates)).await?;
        let machine = json!({ "app_type": "non_interactive", "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "client_secret_post" });
        let machine = self.app("Bench machine", machine).await?;
        let apis = ["https://bench.example/rs256", "https://bench.example/es256"];
        for (identifier, algorithm) in apis.into_iter().zip(["RS256", "ES256"]) {
            let scopes = json!([{ "value": "read:things" }, { "value": "write:things" }]);
            let api = json!({ "identifier": identifier, "signing_alg": algorithm, "scopes": scopes });
            self.call(Method::POST, "resource-servers", api).await?;
            self.grant(&machine, identifier, &["read:things", "write:things"]).await?;
        }
        let management = server.admin["audience"].as_str().unwrap_or_default();
        self.grant(&machine, management, &["read:sessions", "update:sessions"]).await?;
        let session_token =
            client_credentials(&mut Wire::open(&self.address).await?, &machine, management).await?;
        let action_id = self.deploy("Bench action", ACTION).await?;
        Ok(World { app, rotating, machine, apis, session_token, action_id })
    }

    async fn grant(&self, app: &App, audience: &str, scopes: &[&str]) -> Result<()> {
        let body = json!({ "client_id": app.id, "audience": audience, "scope": scopes });
        self.call(Method::POST, "client-grants", body).await.map(drop)
    }

    /// Makes a user who can sign in; answers the address.
    pub(crate) async fn make_user(&self, number: usize) -> Result<String> {
        let email = format!("user{number}@example.com");
        let body = json!({ "connection": CONNECTION, "email": email, "password": PASSWORD });
        self.call(Method::POST, "users", body).await?;
        Ok(email)
    }

    async fn deploy(&self, name: &str, code: &str) -> Result<String> {
        let triggers = json!([{ "id": "post-login", "version": "v3" }]);
        let action = json!({ "name": name, "code": code, "deploy": true, "supported_triggers": triggers });
        let action = self.call(Method::POST, "actions/actions", action).await?;
        Ok(action["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Makes and deploys an Action unlike any other; answers its identifier.
    pub(crate) async fn deploy_action(&self, number: usize) -> Result<String> {
        self.deploy(&format!("Bench action {number}"), &format!("const NUMBER = {number};\n{ACTION}")).await
    }

    /// Makes every sign-in run these Actions and no others.
    pub(crate) async fn bind(&self, action_ids: &[String]) -> Result<()> {
        let binding =
            |id: &String| json!({ "ref": { "type": "action_id", "value": id }, "display_name": id });
        let body = json!({ "bindings": action_ids.iter().map(binding).collect::<Vec<_>>() });
        self.call(Method::PATCH, "actions/triggers/post-login/bindings", body).await.map(drop)
    }
}

/// Asks for a token by client credentials.
pub(crate) async fn client_credentials(wire: &mut Wire, app: &App, audience: &str) -> Result<String> {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &app.id),
        ("client_secret", &app.secret),
        ("audience", audience),
    ];
    let heard = wire.ask(Ask::form("/oauth/token", &fields)).await?.expect(200)?;
    token(&heard.json()?, "access_token")
}

/// A token of an answer.
fn token(body: &Value, name: &str) -> Result<String> {
    Ok(body[name].as_str().ok_or_else(|| format!("no {name} in the answer"))?.to_owned())
}

/// Asks for a code, as a browser does.
pub(crate) async fn authorize(wire: &mut Wire, app: &App, cookie: &str, more: &str) -> Result<Heard> {
    let path = format!(
        "/authorize?response_type=code&client_id={}&redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcallback\
         &state=q2Zc7hN0aRk&nonce=u8Wn3xTb5Lw&code_challenge={CHALLENGE}&code_challenge_method=S256&{more}",
        app.id
    );
    let ask = Ask::get(path).with("user-agent", BROWSER);
    wire.ask(if cookie.is_empty() { ask } else { ask.cookies(cookie) }).await?.expect(302)
}

/// Exchanges a code.
pub(crate) async fn exchange(wire: &mut Wire, app: &App, code: &str) -> Result<Value> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", &app.id),
        ("client_secret", &app.secret),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    wire.ask(Ask::form("/oauth/token", &fields)).await?.expect(200)?.json()
}

/// Exchanges a refresh token; answers the one to use next.
pub(crate) async fn refresh(wire: &mut Wire, app: &App, refresh_token: &str) -> Result<Option<String>> {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", &app.id),
        ("client_secret", &app.secret),
        ("refresh_token", refresh_token),
    ];
    let body = wire.ask(Ask::form("/oauth/token", &fields)).await?.expect(200)?.json()?;
    Ok(body["refresh_token"].as_str().map(str::to_owned))
}

/// Signs in through the page, as a browser does; answers the session's cookie and the code.
pub(crate) async fn sign_in(wire: &mut Wire, app: &App, email: &str, more: &str) -> Result<(String, String)> {
    let begun = authorize(wire, app, "", more).await?;
    let state = begun.sent_with("state")?;
    let browser = begun.cookie("__Host-vestibule-browser").ok_or("the browser got a cookie")?;
    let (path, cookie) = (format!("/u/login?state={state}"), format!("__Host-vestibule-browser={browser}"));
    let page = wire.ask(Ask::get(&*path).cookies(&cookie)).await?.expect(200)?;
    let html = String::from_utf8_lossy(&page.body);
    let csrf = html.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next());
    let csrf = csrf.ok_or("the page has a proof")?;
    let fields = [("state", &*state), ("csrf", csrf), ("username", email), ("password", PASSWORD)];
    let posted = Ask::form(path, &fields).cookies(&cookie).with("user-agent", BROWSER);
    let done = wire.ask(posted).await?.expect(302)?;
    let session = done.cookie("__Host-vestibule").ok_or("the sign-in made a session")?;
    Ok((session, done.sent_with("code")?))
}

/// Gets a refresh token for the user of a session.
pub(crate) async fn first_refresh_token(wire: &mut Wire, app: &App, session: &str) -> Result<String> {
    let cookie = format!("__Host-vestibule={session}");
    let more = "prompt=none&scope=openid%20profile%20email%20offline_access";
    let code = authorize(wire, app, &cookie, more).await?.sent_with("code")?;
    token(&exchange(wire, app, &code).await?, "refresh_token")
}
