//! `[events]`: the tenant's event log.

use domain::limits::{LOG_RETENTION_DAYS, LOG_RETENTION_DAYS_MAX};

use super::section::section;
use super::value::Setting;

section! {
    /// The tenant's event log.
    "events" Events {
        /// Days that an event is kept, from 1 to 400. It counts for events that are written from then on.
        retention_days: RetentionDays = RetentionDays(LOG_RETENTION_DAYS);
    }
}

/// How many days an event is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionDays(pub u32);

impl Setting for RetentionDays {
    fn read(text: &str) -> Result<Self, String> {
        let expected = || format!("expected a number of days from 1 to {LOG_RETENTION_DAYS_MAX}");
        let days = text.parse().map_err(|_| expected())?;
        if (1..=LOG_RETENTION_DAYS_MAX).contains(&days) { Ok(Self(days)) } else { Err(expected()) }
    }
    fn show(&self) -> String {
        self.0.to_string()
    }
}
