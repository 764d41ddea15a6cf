//! The loops that run beside requests: deliver pending logouts, run queued Actions, number log events, sweep what
//! expired, keep the certificate fresh.
//!
//! Each runs at its own pace, so a burst of requests makes queues longer, not loops busier. Every node runs them; what
//! two nodes both want to do is claimed in the store.

use std::sync::Arc;
use std::time::Duration;

use domain::limits::LOGOUT_DELIVERIES_MAX;
use engine::ports::{Clock, Entropy, SystemClock};
use engine::{Engine, Error};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_rustls::rustls::ServerConfig;

use crate::tls::{Certificate, Certificates};

/// The shortest and the longest wait between two looks at the outbox, in milliseconds. Ours: what another node queued
/// is seen so late at most; the spread keeps nodes from looking all at once.
const DELIVER_MS: (u64, u64) = (2_000, 4_000);
/// The shortest and the longest wait between two sweeps, in milliseconds. Ours.
const SWEEP_MS: (u64, u64) = (12_000, 18_000);
/// The shortest and the longest wait between two looks for new log events, in milliseconds. Ours: whoever reads sees
/// them before too, but has to look at each.
const NUMBER_MS: (u64, u64) = (750, 1_250);
/// The wait between two looks at the certificate, in milliseconds. Ours: certificates are replaced weeks before
/// their end.
const CERTIFICATE_MS: u64 = 6 * 3600 * 1000;

/// Delivers logout tokens until told to stop, so many at once: at once when this node queued some, else every few
/// seconds. A place that gets free is given to the next at once, so a slow relying party holds up no other.
pub async fn deliver(engine: Engine, entropy: Arc<dyn Entropy>, mut stop: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        let steps = engine.fan_out_logouts().await.unwrap_or_else(|error| {
            report("deliver", &error);
            0
        });
        let free = LOGOUT_DELIVERIES_MAX.saturating_sub(running.len());
        let claimed = match free {
            0 => Ok(Vec::new()),
            _ => engine.claim_deliveries(free).await,
        };
        for delivery in claimed.unwrap_or_else(|error| {
            report("claim deliveries", &error);
            Vec::new()
        }) {
            let engine = engine.clone();
            running.spawn(async move { engine.deliver(delivery).await });
        }
        if steps == 0 {
            tokio::select! {
                () = engine.logout_queued() => {}
                Some(ended) = running.join_next() => report_run("deliver", ended),
                () = pause(DELIVER_MS, &*entropy) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        while let Some(ended) = running.try_join_next() {
            report_run("deliver", ended);
        }
    }
    while let Some(ended) = running.join_next().await {
        report_run("deliver", ended);
    }
}

/// Runs Actions that nobody waits for until told to stop, so many at once: at once when this node queued some, else
/// every few seconds. A slow one holds up neither logouts nor, while there is another place, the next.
pub async fn run_queued_actions(engine: Engine, entropy: Arc<dyn Entropy>, mut stop: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        let free = engine.queued_runs_max().saturating_sub(running.len());
        let claimed = match free {
            0 => Ok(Vec::new()),
            _ => engine.claim_queued_runs(free).await,
        };
        for run in claimed.unwrap_or_else(|error| {
            report("claim queued Actions", &error);
            Vec::new()
        }) {
            let engine = engine.clone();
            running.spawn(async move { engine.carry_out(run).await });
        }
        tokio::select! {
            () = engine.actions_queued() => {}
            Some(ended) = running.join_next() => report_run("queued Actions", ended),
            () = pause(DELIVER_MS, &*entropy) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    while let Some(ended) = running.join_next().await {
        report_run("queued Actions", ended);
    }
}

fn report_run(what: &str, ended: Result<Result<(), Error>, JoinError>) {
    if let Err(error) = ended.unwrap_or_else(|panic| Err(Error::Bug(panic.to_string()))) {
        report(what, &error);
    }
}

/// Gives log events their places until told to stop: every second or so, and on at once while there is a backlog.
pub async fn number_logs(engine: Engine, entropy: Arc<dyn Entropy>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let more = engine.number_logs().await.unwrap_or_else(|error| {
            report("number log events", &error);
            false
        });
        if !more {
            tokio::select! {
                () = pause(NUMBER_MS, &*entropy) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
    }
}

/// Sweeps what expired until told to stop: four times a minute, and on at once while there is a backlog.
pub async fn sweep(engine: Engine, entropy: Arc<dyn Entropy>, mut stop: watch::Receiver<bool>) {
    let mut more = false;
    loop {
        if more {
            if *stop.borrow() {
                return;
            }
        } else {
            tokio::select! {
                () = pause(SWEEP_MS, &*entropy) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
        more = match engine.sweep().await {
            Ok(swept) => {
                if let Some(error) = &swept.failure {
                    report("sweep", error);
                }
                if swept.ended > 0 {
                    tracing::debug!(swept.ended, "expired sessions were ended");
                }
                swept.more
            }
            Err(error) => {
                report("sweep", &error);
                false
            }
        };
        // Behind the sweep, since an RSA key takes a while to make. The next sweep publishes it.
        if let Err(error) = engine.make_next_keys().await {
            report("make the next signing keys", &error);
        }
    }
}

/// Looks at the certificate again every few hours until told to stop: a local one that nears its end is made anew, an
/// operator's may have been replaced. New connections get the newer one.
pub async fn certificates(
    certificates: Certificates,
    mut in_use: Certificate,
    listener: watch::Sender<Option<Arc<ServerConfig>>>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(CERTIFICATE_MS)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let current = match certificates.current(SystemClock.now()) {
            Ok(current) if current == in_use => continue,
            Ok(current) => current,
            Err(error) => {
                tracing::error!("the certificate in use stays: {error}");
                continue;
            }
        };
        match current.listener() {
            Ok(config) => {
                listener.send_replace(Some(config));
                in_use = current;
                tracing::info!("a newer certificate is in use");
            }
            // A chain and a key that do not fit may be two files of which only one is replaced yet.
            Err(error) => tracing::error!("the certificate in use stays: {error}"),
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
