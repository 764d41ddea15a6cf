//! The loop that carries log streams to their receivers, and how an event is written for them.
//!
//! Each stream is a task of its own: a slow receiver holds up neither other streams nor anything else. Not here: which
//! events are sent when, and what becomes of failures (`engine::log_streams`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::event::LogEvent;
use domain::id::LogStreamId;
use engine::ports::Entropy;
use engine::{Engine, Error};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};

/// The shortest and the longest wait between two looks, in milliseconds. Ours: an event is sent so late at most; the
/// spread keeps nodes from looking all at once.
const LOOK_MS: (u64, u64) = (750, 1_250);
/// The version of the events' form (Auth0's tenant log schema).
const SCHEMA_VERSION: &str = "1.0.0";

/// Carries streams until told to stop. A batch under way is then brought to its end.
pub async fn run(engine: Engine, entropy: Arc<dyn Entropy>, mut stop: watch::Receiver<bool>) {
    let mut carrying = JoinSet::new();
    let mut under_way = HashMap::<Id, LogStreamId>::new();
    while !*stop.borrow() {
        let due = engine.log_streams_due().await.unwrap_or_else(|error| {
            report("log streams", &error);
            Vec::new()
        });
        let busy: HashSet<&LogStreamId> = under_way.values().collect();
        let free: Vec<LogStreamId> = due.into_iter().filter(|id| !busy.contains(id)).collect();
        for id in free {
            let task = carrying.spawn(carry(engine.clone(), id.clone(), stop.clone()));
            under_way.insert(task.id(), id);
        }
        let next_look = tokio::time::sleep(wait(&*entropy));
        tokio::pin!(next_look);
        loop {
            tokio::select! {
                Some(ended) = carrying.join_next_with_id() => forget(&mut under_way, ended),
                () = &mut next_look => break,
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
    }
    while let Some(ended) = carrying.join_next_with_id().await {
        forget(&mut under_way, ended);
    }
}

async fn carry(engine: Engine, id: LogStreamId, stop: watch::Receiver<bool>) -> Result<(), Error> {
    let write = |event: &LogEvent| written(&engine, event);
    engine.carry_log_stream(&id, &write, &|| *stop.borrow()).await
}

fn forget(under_way: &mut HashMap<Id, LogStreamId>, ended: Result<(Id, Result<(), Error>), JoinError>) {
    let (task, outcome) = match ended {
        Ok((task, outcome)) => (task, outcome),
        Err(panic) => (panic.id(), Err(Error::Bug(panic.to_string()))),
    };
    let id = under_way.remove(&task).map(|id| id.to_string()).unwrap_or_default();
    if let Err(error) = outcome {
        report(&format!("log stream {id}"), &error);
    }
}

fn report(what: &str, error: &Error) {
    tracing::error!("{what}: {}", error.private().map_or_else(|| error.to_string(), str::to_owned));
}

fn wait(entropy: &dyn Entropy) -> Duration {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    let (least, most) = LOOK_MS;
    Duration::from_millis(least + u64::from_le_bytes(bytes) % (most - least))
}

/// An event as receivers get it: as the Management API shows it, with what Auth0's streams add.
fn written(engine: &Engine, event: &LogEvent) -> Value {
    let mut body = engine.log_body(event);
    body["$event_schema"] = json!({ "version": SCHEMA_VERSION });
    body
}
