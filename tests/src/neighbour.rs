//! Another service that Actions call: it expects certain requests, answers each as prepared, and says what came otherwise.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::wait;

/// A request that must come, and its answer.
///
/// The JSON form holds `request` (method and path with query), what must be `sent` with it (`headers`, of which there may
/// be more, and `json`, `form` or `text`), and the answer: `status` (200), `answer` (text, or JSON), `hangs`.
type Exchange = Value;

/// What an exchange may say.
pub const EXCHANGE_KEYS: &[&str] =
    &["request", "headers", "json", "form", "text", "status", "answer", "hangs"];

#[derive(Default)]
struct Ledger {
    expected: Vec<Exchange>,
    complaints: Vec<String>,
}

/// A listener on a port of its own.
pub struct Neighbour {
    /// Where it is, without a slash at the end.
    pub url: String,
    ledger: Arc<Mutex<Ledger>>,
    listening: JoinHandle<()>,
}

impl Neighbour {
    /// Listens, and expects nothing.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let router = Router::new().fallback(receive).with_state(Arc::clone(&ledger));
        let listening = tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Self { url, ledger, listening }
    }

    /// Expects these requests from now on, in any order.
    ///
    /// # Panics
    /// Never.
    pub fn expect(&self, exchanges: Vec<Exchange>) {
        *self.ledger.lock().expect("no panic") = Ledger { expected: exchanges, complaints: Vec::new() };
    }

    /// What came otherwise than expected, and what did not come.
    ///
    /// # Panics
    /// Never.
    pub fn complaints(&self) -> Vec<String> {
        let ledger = std::mem::take(&mut *self.ledger.lock().expect("no panic"));
        let missing = ledger.expected.iter().map(|one| format!("{} was not requested", one["request"]));
        ledger.complaints.into_iter().chain(missing).collect()
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn receive(
    State(ledger): State<Arc<Mutex<Ledger>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("{method} {uri}");
    let exchange = {
        let mut ledger = ledger.lock().expect("no panic");
        let Some(at) = ledger.expected.iter().position(|one| one["request"] == request.as_str()) else {
            ledger.complaints.push(format!("{request} was requested and is not expected"));
            return StatusCode::NOT_IMPLEMENTED.into_response();
        };
        let exchange = ledger.expected.remove(at);
        let differences = differences(&exchange, &headers, &body);
        ledger.complaints.extend(differences.into_iter().map(|text| format!("{request}: {text}")));
        exchange
    };
    if exchange["hangs"] == true {
        // Longer than any caller waits; the server drops this with the connection.
        tokio::time::sleep(Duration::from_millis(2 * wait::WAIT_MS_MAX)).await;
    }
    let status = exchange["status"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(200);
    let status = StatusCode::from_u16(status).expect("a status");
    match &exchange["answer"] {
        Value::Null => status.into_response(),
        Value::String(text) => (status, text.clone()).into_response(),
        json => (status, [("content-type", "application/json")], json.to_string()).into_response(),
    }
}

/// What a request lacks of what must be sent with it.
fn differences(exchange: &Exchange, headers: &HeaderMap, body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, wanted) in exchange["headers"].as_object().into_iter().flatten() {
        let sent = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !is_like(wanted, &Value::from(sent)) {
            found.push(format!("the header {name} is {sent:?} in place of {wanted}"));
        }
    }
    let text = String::from_utf8_lossy(body);
    let form = || url::form_urlencoded::parse(body).into_owned().map(|(key, text)| (key, text.into()));
    let read: [(&str, &dyn Fn() -> Value); 3] = [
        ("json", &|| serde_json::from_slice(body).unwrap_or_default()),
        ("form", &|| Value::Object(form().collect())),
        ("text", &|| Value::from(&*text)),
    ];
    for (kind, read) in read {
        if let Some(wanted) = exchange.get(kind) {
            let sent = read();
            if !is_like(wanted, &sent) {
                found.push(format!("the body is\n  {sent}\nin place of\n  {wanted}"));
            }
        }
    }
    found
}

/// Whether a value is the expected one; the text `{any}` stands for any text.
pub fn is_like(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::String(text), Value::String(_)) if text == "{any}" => true,
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.len() == found.len()
                && wanted.iter().all(|(key, one)| found.get(key).is_some_and(|other| is_like(one, other)))
        }
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(one, other)| is_like(one, other))
        }
        _ => wanted == found,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_like;

    #[test]
    fn only_a_text_may_be_any() {
        assert!(is_like(&json!({ "a": ["{any}", 1] }), &json!({ "a": ["x", 1] })));
        assert!(!is_like(&json!({ "a": "{any}" }), &json!({ "a": 1 })));
        assert!(!is_like(&json!({ "a": 1 }), &json!({ "a": 1, "b": 2 })));
        assert!(!is_like(&json!([1]), &json!([1, 2])));
    }
}
