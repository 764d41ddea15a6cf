//! A receiver of a log stream: keeps what is posted to it, and answers as the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::relying_party::Behaviour;
use crate::wait;

/// One post.
#[derive(Debug, Clone)]
pub struct Post {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
    /// Whether it was answered with 2xx.
    pub acknowledged: bool,
}

impl Post {
    /// A header; empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The events in it, whatever its format.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn events(&self) -> Vec<Value> {
        let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        match self.body.starts_with('[') {
            true => parse(&self.body).as_array().expect("an array").clone(),
            false => self.body.lines().map(parse).collect(),
        }
    }
}

#[derive(Default)]
struct Inbox {
    next: VecDeque<Behaviour>,
    always: Option<Behaviour>,
    posts: Vec<Post>,
}

/// A listener on a port of its own.
pub struct LogReceiver {
    /// Where it takes events.
    pub url: String,
    inbox: Arc<Mutex<Inbox>>,
    listening: JoinHandle<()>,
}

impl LogReceiver {
    /// Listens, and acknowledges everything.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/logs", listener.local_addr().expect("an address"));
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let router = Router::new().route("/logs", post(receive)).with_state(Arc::clone(&inbox));
        let listening = tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Self { url, inbox, listening }
    }

    /// Answers the next posts so, one each.
    ///
    /// # Panics
    /// Never.
    pub fn answer_next(&self, behaviours: &[Behaviour]) {
        self.inbox.lock().expect("no panic").next.extend(behaviours);
    }

    /// Answers every post so.
    ///
    /// # Panics
    /// Never.
    pub fn answer_always(&self, behaviour: Behaviour) {
        self.inbox.lock().expect("no panic").always = Some(behaviour);
    }

    /// What came so far, in order.
    ///
    /// # Panics
    /// Never.
    pub fn posts(&self) -> Vec<Post> {
        self.inbox.lock().expect("no panic").posts.clone()
    }

    /// The events that were acknowledged so far, in order: the event's own properties.
    pub fn taken(&self) -> Vec<Value> {
        let posts = self.posts().into_iter().filter(|post| post.acknowledged);
        posts.flat_map(|post| post.events()).map(|event| event["data"].clone()).collect()
    }

    /// Waits until one of the acknowledged events has this value in this property, and answers it.
    pub async fn hears_of(&self, property: &str, value: &str) -> Value {
        wait::until(value, async || self.taken().into_iter().find(|event| event[property] == value)).await
    }
}

impl Drop for LogReceiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn receive(State(inbox): State<Arc<Mutex<Inbox>>>, headers: HeaderMap, body: String) -> Response {
    let behaviour = {
        let mut inbox = inbox.lock().expect("no panic");
        let behaviour = inbox.next.pop_front().or(inbox.always).unwrap_or(Behaviour::Status(204));
        let acknowledged = matches!(behaviour, Behaviour::Status(200..300));
        inbox.posts.push(Post { headers, body, acknowledged });
        behaviour
    };
    behaviour.answer().await
}
