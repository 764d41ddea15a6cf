//! The time that all nodes share: this machine's clock, set right by the database's where the database has one.
//!
//! Codes, leases, sessions and the order of the log are judged by every node, so the nodes must agree on the time, not
//! each with the world ([why](../../../docs/adr/0032-nodes-take-the-time-from-the-database.md)).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::limits::{CLOCK_OFF_MS_MAX, CLOCK_ROUND_TRIP_MS_MAX};
use domain::time::Timestamp;
use store::Store;

use crate::ports::Clock;
use crate::{Engine, Error};

/// How often the database is asked before its answers count as too slow.
const QUESTIONS_MAX: usize = 5;

/// This machine's clock, and by how much the database's is ahead of it.
pub(crate) struct SharedClock {
    own: Arc<dyn Clock>,
    ahead_ms: AtomicI64,
    follows: bool,
}

impl SharedClock {
    /// This machine's clock as it is; with `follows`, until the database is asked.
    pub(crate) fn new(own: Arc<dyn Clock>, follows: bool) -> Self {
        Self { own, ahead_ms: AtomicI64::new(0), follows }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.own.now().plus_millis(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// Asks the database for the time. Where it has no clock, or answers too slowly to be believed, what held
    /// before holds on.
    pub(crate) async fn follow(&self, store: &Store) -> Result<(), Error> {
        if !self.follows {
            return Ok(());
        }
        for _ in 0..QUESTIONS_MAX {
            let asked = self.own.now();
            let Some(there) = store.clock().await? else { return Ok(()) };
            let took = self.own.now().millis_since(asked);
            // Less than nothing: this machine's clock was set meanwhile.
            if (0..=CLOCK_ROUND_TRIP_MS_MAX).contains(&took) {
                self.set_ahead(there.millis_since(asked.plus_millis(took / 2)));
                return Ok(());
            }
        }
        tracing::warn!(
            "the database takes too long to tell the time; this machine's clock is used as it was"
        );
        Ok(())
    }

    fn set_ahead(&self, ahead_ms: i64) {
        let before = self.ahead_ms.swap(ahead_ms, Ordering::Relaxed);
        let is_news = (ahead_ms - before).abs() > CLOCK_OFF_MS_MAX;
        if is_news && ahead_ms.abs() > CLOCK_OFF_MS_MAX {
            let side = if ahead_ms > 0 { "behind" } else { "ahead of" };
            let seconds = ahead_ms.abs() / 1000;
            tracing::warn!(
                seconds,
                "this machine's clock is {seconds} s {side} the database's, whose time is used; set it right"
            );
        }
    }
}

impl Engine {
    /// Asks the database for the time again, so that a clock that was set or drifts does no harm.
    ///
    /// # Errors
    /// Whatever the store answers; the time goes on as before.
    pub(crate) async fn follow_clock(&self) -> Result<(), Error> {
        self.inner.clock.follow(self.store()).await
    }
}
