//! How many deliveries each host may be sent at once, and the circuit of one that only fails.
//!
//! Each node keeps its own in memory: it learns within seconds what another one knows, and a restart begins with trust
//! (docs/adr/0024-a-host-that-only-fails-is-probed.md). Hosts are named by their origin. Pure but for
//! the lock: time and chance are arguments.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::limits::{
    LOGOUT_DELIVERIES_PER_HOST_MAX, LOGOUT_FAILURES_IN_A_ROW_MAX, LOGOUT_PROBE_FIRST_MS, LOGOUT_PROBE_MS_MAX,
};
use domain::time::Timestamp;

/// What this node knows of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Circuit {
    /// Failures since the host last answered.
    pub failures_in_a_row: u32,
    /// When it is probed next: the circuit is open. Absent: it is closed.
    pub probe_at: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Host {
    in_flight: usize,
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    probe_at: Timestamp,
    /// The wait that led to this probe.
    wait_ms: i64,
}

/// The hosts that something is under way to, or that failed last. One that answers is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Hosts(Mutex<HashMap<String, Host>>);

impl Hosts {
    /// How many further deliveries the host may be sent now.
    pub(crate) fn free(&self, origin: &str, now: Timestamp) -> usize {
        match self.lock().get(origin) {
            None => LOGOUT_DELIVERIES_PER_HOST_MAX,
            Some(Host { in_flight, open: None, .. }) => {
                LOGOUT_DELIVERIES_PER_HOST_MAX.saturating_sub(*in_flight)
            }
            Some(Host { in_flight, open: Some(open), .. }) => {
                usize::from(*in_flight == 0 && open.probe_at <= now)
            }
        }
    }

    /// Takes a place at the host.
    pub(crate) fn take(self: &Arc<Self>, origin: &str) -> Place {
        self.lock().entry(origin.to_owned()).or_default().in_flight += 1;
        Place { hosts: Arc::clone(self), origin: origin.to_owned() }
    }

    /// What is known of the host.
    pub(crate) fn circuit(&self, origin: &str) -> Circuit {
        self.lock().get(origin).map_or_else(Circuit::default, |host| Circuit {
            failures_in_a_row: host.failures,
            probe_at: host.open.map(|open| open.probe_at),
        })
    }

    /// Has the host probed as soon as there is something to send, because an operator wants it.
    pub(crate) fn probe_now(&self, origin: &str, now: Timestamp) {
        if let Some(open) = self.lock().get_mut(origin).and_then(|host| host.open.as_mut()) {
            open.probe_at = now;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        // Nothing below can panic between two changes of one host.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place at a host. Without a report it is given back, and nothing was learnt.
#[derive(Debug)]
pub(crate) struct Place {
    hosts: Arc<Hosts>,
    origin: String,
}

impl Place {
    /// Whether the host's circuit is open, so that this is a probe.
    pub(crate) fn is_probe(&self) -> bool {
        self.hosts.circuit(&self.origin).probe_at.is_some()
    }

    /// The host answered: whatever it said, it is there.
    pub(crate) fn answered(self) {
        if let Some(host) = self.hosts.lock().get_mut(&self.origin) {
            (host.failures, host.open) = (0, None);
        }
    }

    /// The host did not answer, or not in a state to. `chance` is between 0 and 1.
    pub(crate) fn failed(self, now: Timestamp, chance: f64) {
        let mut hosts = self.hosts.lock();
        let Some(host) = hosts.get_mut(&self.origin) else { return };
        host.failures = host.failures.saturating_add(1);
        if host.failures < LOGOUT_FAILURES_IN_A_ROW_MAX {
            return;
        }
        let wait_ms = match host.open {
            None => LOGOUT_PROBE_FIRST_MS,
            Some(open) if open.probe_at <= now => (open.wait_ms.saturating_mul(2)).min(LOGOUT_PROBE_MS_MAX),
            // Sent before the circuit opened.
            Some(_) => return,
        };
        host.open = Some(Open { probe_at: now.plus_millis(super::shortened(wait_ms, chance)), wait_ms });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut hosts = self.hosts.lock();
        let Some(host) = hosts.get_mut(&self.origin) else { return };
        host.in_flight = host.in_flight.saturating_sub(1);
        if host.in_flight == 0 && host.failures == 0 {
            hosts.remove(&self.origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::limits::{
        LOGOUT_DELIVERIES_PER_HOST_MAX, LOGOUT_FAILURES_IN_A_ROW_MAX, LOGOUT_PROBE_FIRST_MS,
        LOGOUT_PROBE_MS_MAX,
    };
    use domain::time::Timestamp;

    use super::{Circuit, Hosts};

    const NOW: Timestamp = Timestamp(1_000_000);
    const HOST: &str = "https://rp.example";

    fn after(ms: i64) -> Timestamp {
        NOW.plus_millis(ms)
    }

    fn opened() -> Arc<Hosts> {
        let hosts = Arc::new(Hosts::default());
        for _ in 0..LOGOUT_FAILURES_IN_A_ROW_MAX {
            assert_eq!(hosts.free(HOST, NOW), LOGOUT_DELIVERIES_PER_HOST_MAX);
            hosts.take(HOST).failed(NOW, 1.0);
        }
        hosts
    }

    #[test]
    fn a_host_has_so_many_places_and_another_has_its_own() {
        let hosts = Arc::new(Hosts::default());
        let places: Vec<_> = (0..LOGOUT_DELIVERIES_PER_HOST_MAX).map(|_| hosts.take(HOST)).collect();
        assert_eq!(hosts.free(HOST, NOW), 0);
        assert_eq!(hosts.free("https://other.example", NOW), LOGOUT_DELIVERIES_PER_HOST_MAX);
        drop(places);
        assert_eq!(hosts.free(HOST, NOW), LOGOUT_DELIVERIES_PER_HOST_MAX);
        assert!(hosts.lock().is_empty(), "a host that is well takes no memory");
    }

    #[test]
    fn after_failures_in_a_row_only_one_probe_per_interval_goes_and_intervals_grow() {
        let hosts = opened();
        assert_eq!(hosts.free(HOST, after(LOGOUT_PROBE_FIRST_MS - 1)), 0);
        let mut now = after(LOGOUT_PROBE_FIRST_MS);
        let mut wait = LOGOUT_PROBE_FIRST_MS;
        for _ in 0..10 {
            assert_eq!(hosts.free(HOST, now), 1);
            let probe = hosts.take(HOST);
            assert!(probe.is_probe());
            assert_eq!(hosts.free(HOST, now), 0, "one at a time");
            probe.failed(now, 1.0);
            wait = (2 * wait).min(LOGOUT_PROBE_MS_MAX);
            assert_eq!(hosts.circuit(HOST).probe_at, Some(now.plus_millis(wait)));
            now = now.plus_millis(wait);
        }
        hosts.take(HOST).answered();
        assert_eq!(hosts.free(HOST, now), LOGOUT_DELIVERIES_PER_HOST_MAX);
        assert_eq!(hosts.circuit(HOST), Circuit::default());
    }

    #[test]
    fn chance_brings_a_probe_forward_by_up_to_half() {
        let hosts = opened();
        hosts.probe_now(HOST, NOW);
        hosts.take(HOST).failed(NOW, 0.0);
        assert_eq!(
            hosts.circuit(HOST).probe_at,
            Some(after(LOGOUT_PROBE_FIRST_MS)),
            "half of twice the first"
        );
    }

    #[test]
    fn an_answer_in_between_begins_the_count_anew() {
        let hosts = Arc::new(Hosts::default());
        for _ in 1..LOGOUT_FAILURES_IN_A_ROW_MAX {
            hosts.take(HOST).failed(NOW, 1.0);
        }
        hosts.take(HOST).answered();
        hosts.take(HOST).failed(NOW, 1.0);
        assert_eq!(hosts.circuit(HOST), Circuit { failures_in_a_row: 1, probe_at: None });
    }

    #[test]
    fn those_that_were_under_way_when_the_circuit_opened_do_not_lengthen_the_wait() {
        let hosts = Arc::new(Hosts::default());
        let places: Vec<_> = (0..LOGOUT_DELIVERIES_PER_HOST_MAX).map(|_| hosts.take(HOST)).collect();
        places.into_iter().for_each(|place| place.failed(NOW, 1.0));
        assert_eq!(hosts.circuit(HOST).probe_at, Some(after(LOGOUT_PROBE_FIRST_MS)));
    }

    #[test]
    fn a_probe_that_was_not_made_leaves_the_circuit_as_it_is() {
        let hosts = opened();
        let now = after(LOGOUT_PROBE_FIRST_MS);
        drop(hosts.take(HOST));
        assert_eq!(hosts.free(HOST, now), 1);
        hosts.probe_now("https://unknown.example", now);
    }
}
