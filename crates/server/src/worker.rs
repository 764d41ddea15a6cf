//! The loops that run beside requests: deliver pending logouts, and sweep what expired.
//!
//! Each runs at its own pace, so a burst of requests makes queues longer, not loops busier. Every node runs them; what
//! two nodes both want to do is claimed in the store.

use std::sync::Arc;
use std::time::Duration;

use engine::ports::Entropy;
use engine::{Engine, Error};
use tokio::sync::watch;

/// The shortest and the longest wait between two looks at the outbox, in milliseconds. Ours: another node's logouts
/// are seen so late at most; the spread keeps nodes from looking all at once.
const DELIVER_MS: (u64, u64) = (2_000, 4_000);
/// The shortest and the longest wait between two sweeps, in milliseconds. Ours.
const SWEEP_MS: (u64, u64) = (25_000, 35_000);
/// Batches that are delivered in a row before the loop rests. Ours: a backlog is worked off, a loop is not endless.
const BATCHES_MAX: usize = 1_000;

/// Delivers pending logouts until told to stop: at once when this node queued one, else every few seconds.
pub async fn deliver(engine: Engine, entropy: Arc<dyn Entropy>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = engine.logout_queued() => {}
            () = pause(DELIVER_MS, &*entropy) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        for _ in 0..BATCHES_MAX {
            match engine.deliver_due().await {
                Ok(0) => break,
                Ok(_) if *stop.borrow() => return,
                Ok(_) => {}
                Err(error) => {
                    report("deliver", &error);
                    break;
                }
            }
        }
    }
}

/// Sweeps what expired until told to stop.
pub async fn sweep(engine: Engine, entropy: Arc<dyn Entropy>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = pause(SWEEP_MS, &*entropy) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        match engine.sweep().await {
            Ok(0) => {}
            Ok(ended) => tracing::debug!(ended, "expired sessions were ended"),
            Err(error) => report("sweep", &error),
        }
    }
}

fn report(what: &str, error: &Error) {
    tracing::error!("{what}: {}", error.private().map_or_else(|| error.to_string(), str::to_owned));
}

async fn pause((least, most): (u64, u64), entropy: &dyn Entropy) {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    let wait = least + u64::from_le_bytes(bytes) % (most - least);
    tokio::time::sleep(Duration::from_millis(wait)).await;
}
