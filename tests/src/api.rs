//! A caller of the Management API: a client with its own token.

use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};

use crate::event_schema;
use crate::reply::Reply;
use crate::server::{User, Wire};

/// A token is asked for anew when the server's clock has moved by so much, in milliseconds.
const TOKEN_MS_MAX: i64 = 3600 * 1000;
/// The connection that every tenant has.
const CONNECTION: &str = "Username-Password-Authentication";

/// A client of the Management API.
#[derive(Clone)]
pub struct Api {
    wire: Wire,
    client_id: String,
    client_secret: String,
    scope: Option<String>,
    token: Arc<Mutex<Option<(i64, String)>>>,
}

impl Api {
    /// A client with these credentials that asks for these scopes, or for all that it was granted.
    pub fn of(wire: &Wire, client_id: &str, client_secret: &str, scope: Option<&str>) -> Self {
        Self {
            wire: wire.clone(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            scope: scope.map(str::to_owned),
            token: Arc::default(),
        }
    }

    /// The client's identifier.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// A token that is good now.
    ///
    /// # Panics
    /// When the server gives none.
    pub async fn token(&self) -> String {
        let now = self.wire.clock.now().as_millis();
        let known = self.token.lock().expect("no panic").clone();
        if let Some((at, token)) = known.filter(|(at, _)| (now - at).abs() < TOKEN_MS_MAX) {
            let _ = at;
            return token;
        }
        let audience = self.wire.management_audience();
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("audience", &audience),
        ];
        if let Some(scope) = &self.scope {
            fields.push(("scope", scope));
        }
        let body = self.wire.post_form("/oauth/token", &fields).await.expect(200).json();
        let token = body["access_token"].as_str().expect("a token").to_owned();
        *self.token.lock().expect("no panic") = Some((now, token.clone()));
        token
    }

    /// Calls `/api/v2/{path}`.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let token = self.token().await;
        let request =
            self.wire.http.request(method, format!("{}/api/v2/{path}", self.wire.url)).bearer_auth(token);
        Reply::to(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, None).await
    }

    /// `POST`.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `DELETE` with a body.
    pub async fn delete_of(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::DELETE, path, Some(body)).await
    }

    /// `POST` without a body.
    pub async fn post_nothing(&self, path: &str) -> Reply {
        self.call(Method::POST, path, None).await
    }

    /// `PATCH`.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Reply {
        self.call(Method::DELETE, path, None).await
    }

    /// A session as the API shows it.
    pub async fn session(&self, sid: &str) -> Value {
        self.get(&format!("sessions/{sid}")).await.expect(200).json()
    }

    /// A session's metadata as the API shows it.
    pub async fn session_metadata(&self, sid: &str) -> Value {
        self.session(sid).await["session_metadata"].clone()
    }

    /// Replaces a session's metadata; answers the session.
    pub async fn set_session_metadata(&self, sid: &str, metadata: &Value) -> Value {
        let body = json!({ "session_metadata": metadata });
        self.patch(&format!("sessions/{sid}"), &body).await.expect(200).json()
    }

    /// Asserts that a session is gone.
    ///
    /// # Panics
    /// When it is not.
    pub async fn expect_no_session(&self, sid: &str) {
        let reply = self.get(&format!("sessions/{sid}")).await;
        reply.expect_api_error(404, "Not Found", "The session does not exist.", "");
    }

    /// Log events of a type, at most a hundred. Each is held to its schema: here too, because events go before a server
    /// stops, and programs are killed.
    ///
    /// # Panics
    /// When the answer is no list, or an event is not as described.
    pub async fn logs(&self, kind: &str) -> Vec<Value> {
        let path = format!("logs?per_page=100&sort=date:-1&q=type:%22{kind}%22");
        let found = self.get(&path).await.expect(200).json();
        let events = found.as_array().expect("a list").clone();
        assert!(events.iter().all(|event| event["type"] == kind), "only {kind}: {events:?}");
        for event in &events {
            event_schema::expect_described(event);
        }
        events
    }

    /// The only log event of a type.
    ///
    /// # Panics
    /// When there is none, or more than one.
    pub async fn only_log(&self, kind: &str) -> Value {
        let mut events = self.logs(kind).await;
        assert_eq!(events.len(), 1, "one {kind}: {events:?}");
        events.remove(0)
    }

    /// Makes, deploys and binds Actions, in this order and in place of all that were bound.
    pub async fn bind(&self, actions: &[(&str, &str)]) {
        let mut bindings = Vec::new();
        for (name, code) in actions {
            let id = self.deployed_action(name, code, &json!([])).await;
            bindings.push(json!({ "ref": { "type": "action_id", "value": id }, "display_name": name }));
        }
        let body = json!({ "bindings": bindings });
        self.patch("actions/triggers/post-login/bindings", &body).await.expect(200);
    }

    /// Binds one Action whose handler has this body, in place of all that were bound.
    pub async fn on_post_login(&self, body: &str) {
        let code = format!("exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};");
        self.bind(&[("Post login", &code)]).await;
    }

    /// Unbinds every Action.
    pub async fn unbind_all(&self) {
        self.patch("actions/triggers/post-login/bindings", &json!({ "bindings": [] })).await.expect(200);
    }

    /// Makes and deploys an Action, or gives the one of this name new code; answers its identifier.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn deployed_action(&self, name: &str, code: &str, secrets: &Value) -> String {
        let query: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let known = self.get(&format!("actions/actions?actionName={query}")).await.expect(200).json();
        let made = match known["actions"].as_array().and_then(|actions| actions.first()) {
            Some(action) => {
                let path = format!("actions/actions/{}", action["id"].as_str().expect("text"));
                self.patch(&path, &json!({ "code": code, "secrets": secrets })).await.expect(200).json()
            }
            None => {
                let body = json!({
                    "name": name,
                    "supported_triggers": [{ "id": "post-login", "version": "v3" }],
                    "code": code,
                    "runtime": "node22",
                    "secrets": secrets,
                });
                self.post("actions/actions", &body).await.expect(201).json()
            }
        };
        let id = made["id"].as_str().expect("text").to_owned();
        let deployed = self.post_nothing(&format!("actions/actions/{id}/deploy")).await.expect(200).json();
        assert_eq!(deployed["deployed"], true, "{deployed}");
        id
    }

    /// Changes tenant settings.
    pub async fn tenant(&self, settings: &Value) -> Value {
        self.patch("tenants/settings", settings).await.expect(200).json()
    }

    /// An organization with one member and the connection that every tenant has; answers its identifier.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn organization(&self, name: &str, display_name: &str, member: &User) -> String {
        let body = json!({
            "name": name,
            "display_name": display_name,
            "enabled_connections": [{ "connection_id": self.connection_id().await }],
        });
        let made = self.post("organizations", &body).await.expect(201).json();
        let id = made["id"].as_str().expect("text").to_owned();
        let members = json!({ "members": [member.id] });
        self.post(&format!("organizations/{id}/members"), &members).await.expect(204);
        id
    }

    /// The identifier of the connection that every tenant has.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn connection_id(&self) -> String {
        let found = self.get(&format!("connections?name={CONNECTION}")).await.expect(200).json();
        found[0]["id"].as_str().expect("text").to_owned()
    }
}
