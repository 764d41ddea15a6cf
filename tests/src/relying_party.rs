//! The application's other side: listens for logout tokens, verifies them, and answers as the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use protocol::logout_token::{self, VerifiedLogout};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::server::{Server, Wire};
use crate::wait;

/// How it answers a logout token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// With a status.
    Status(u16),
    /// With a status and `Retry-After` in seconds.
    RetryAfter(u16, u64),
    /// Not at all.
    Hang,
}

impl Behaviour {
    /// The answer, once it is time for it.
    pub(crate) async fn answer(self) -> Response {
        let status = |code| StatusCode::from_u16(code).expect("a status");
        match self {
            Self::Status(code) => status(code).into_response(),
            Self::RetryAfter(code, seconds) => {
                (status(code), [("retry-after", seconds.to_string())]).into_response()
            }
            Self::Hang => {
                tokio::time::sleep(Duration::from_millis(2 * wait::WAIT_MS_MAX)).await;
                StatusCode::OK.into_response()
            }
        }
    }
}

#[derive(Default)]
struct Inbox {
    next: VecDeque<Behaviour>,
    always: Option<Behaviour>,
    received: Vec<String>,
}

/// A listener on a port of its own.
pub struct RelyingParty {
    wire: Wire,
    /// Where it takes logout tokens.
    pub url: String,
    inbox: Arc<Mutex<Inbox>>,
    listening: JoinHandle<()>,
}

impl RelyingParty {
    /// Listens.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn listen(wire: &Wire) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/logout", listener.local_addr().expect("an address"));
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let router = Router::new().route("/logout", post(receive)).with_state(Arc::clone(&inbox));
        let listening = tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Self { wire: wire.clone(), url, inbox, listening }
    }

    /// An application whose logouts come here.
    pub async fn with_app(server: &Server, name: &str, include_metadata: bool) -> (App, Self) {
        let party = Self::listen(&server.wire).await;
        let app = server
            .app_with(name, json!({ "oidc_logout": party.settings("all", &[], include_metadata) }))
            .await;
        (app, party)
    }

    /// `oidc_logout` settings that lead here.
    pub fn settings(&self, mode: &str, initiators: &[&str], include_metadata: bool) -> Value {
        let mut chosen = json!({ "mode": mode });
        if mode == "custom" {
            chosen["selected_initiators"] = json!(initiators);
        }
        json!({
            "backchannel_logout_urls": [self.url],
            "backchannel_logout_initiators": chosen,
            "backchannel_logout_session_metadata": { "include": include_metadata },
        })
    }

    /// Answers the next tokens so, one each.
    ///
    /// # Panics
    /// Never.
    pub fn answer_next(&self, behaviours: &[Behaviour]) {
        self.inbox.lock().expect("no panic").next.extend(behaviours);
    }

    /// Answers every token so.
    ///
    /// # Panics
    /// Never.
    pub fn answer_always(&self, behaviour: Behaviour) {
        self.inbox.lock().expect("no panic").always = Some(behaviour);
    }

    /// How many tokens came so far.
    ///
    /// # Panics
    /// Never.
    pub fn count(&self) -> usize {
        self.inbox.lock().expect("no panic").received.len()
    }

    /// Waits until so many tokens came in all, and answers the newest of them as they came.
    pub async fn raw(&self, count: usize) -> String {
        wait::until("a logout token", async || {
            let inbox = self.inbox.lock().expect("no panic");
            inbox.received.get(count - 1).cloned()
        })
        .await
    }

    /// Waits until so many tokens came in all, and answers the last of them, verified as its receiver must.
    ///
    /// # Panics
    /// When it is not good.
    pub async fn token(&self, app: &App, count: usize) -> VerifiedLogout {
        let raw = self.raw(count).await;
        let (keys, issuer, now) = (self.wire.keys().await, self.wire.issuer(), self.wire.clock.now());
        logout_token::verify(&keys, &raw, &issuer, &app.id, now, 0).expect("a good logout token")
    }

    /// Waits for the first token, which must be about this session, and answers its metadata.
    ///
    /// # Panics
    /// When it is about another.
    pub async fn hears_of(&self, app: &App, sid: &str) -> Value {
        let token = self.token(app, 1).await;
        assert_eq!(token.sid.as_deref(), Some(sid));
        token.session_metadata.map_or(Value::Null, Value::Object)
    }
}

impl Drop for RelyingParty {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn receive(
    State(inbox): State<Arc<Mutex<Inbox>>>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let form = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let [(name, token)] = &*fields else { return StatusCode::IM_A_TEAPOT.into_response() };
    if name != "logout_token" || form != "application/x-www-form-urlencoded" {
        return StatusCode::IM_A_TEAPOT.into_response();
    }
    let behaviour = {
        let mut inbox = inbox.lock().expect("no panic");
        inbox.received.push(token.clone());
        inbox.next.pop_front().or(inbox.always).unwrap_or(Behaviour::Status(204))
    };
    behaviour.answer().await
}
