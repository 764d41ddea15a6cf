//! Somebody else's system: listens for what Actions post to it, and answers as the test says.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::wait;

struct Inbox {
    received: Mutex<Vec<Value>>,
    /// A permit for each request that may be answered.
    answers: Semaphore,
}

/// A listener on a port of its own.
pub struct Webhook {
    /// Where it takes JSON.
    pub url: String,
    inbox: Arc<Inbox>,
    listening: JoinHandle<()>,
}

impl Webhook {
    /// Listens, and answers at once.
    pub async fn listen() -> Self {
        let webhook = Self::hanging().await;
        webhook.answer_all();
        webhook
    }

    /// Listens, and answers nobody before [`Webhook::answer_all`].
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn hanging() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let inbox = Arc::new(Inbox { received: Mutex::default(), answers: Semaphore::new(0) });
        let router = Router::new().route("/hook", post(receive)).with_state(Arc::clone(&inbox));
        let listening = tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Self { url, inbox, listening }
    }

    /// Answers what waits and what will come.
    pub fn answer_all(&self) {
        self.inbox.answers.close();
    }

    /// What came so far, in order.
    ///
    /// # Panics
    /// Never.
    pub fn received(&self) -> Vec<Value> {
        self.inbox.received.lock().expect("no panic").clone()
    }

    /// Waits until so many came in all, and answers the last of them.
    pub async fn nth(&self, count: usize) -> Value {
        wait::until("a request of an Action", async || self.received().get(count - 1).cloned()).await
    }

    /// The body of an Action that posts a JavaScript expression here.
    pub fn post(&self, expression: &str) -> String {
        format!(r#"await fetch("{}", {{ method: "POST", body: JSON.stringify({expression}) }});"#, self.url)
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn receive(State(inbox): State<Arc<Inbox>>, body: String) -> StatusCode {
    let value = serde_json::from_str(&body).unwrap_or(Value::String(body));
    inbox.received.lock().expect("no panic").push(value);
    // A closed semaphore lets everybody through.
    let _open = inbox.answers.acquire().await;
    StatusCode::NO_CONTENT
}
