//! Moments in milliseconds, and how they are written. Nothing here reads a clock.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// A moment given in milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// A moment given in seconds since the epoch, as in a JWT's `iat`. Saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down (RFC 7519 §2 NumericDate).
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment that lies `millis` later (or earlier, if negative). Saturates.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this moment; negative when it lies before.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads an ISO 8601 date-time with offset (RFC 3339).
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }
}

impl Timestamp {
    /// Reads a date as HTTP writes it (RFC 9110 §5.6.7, the preferred form).
    pub fn parse_http_date(text: &str) -> Option<Self> {
        // The form is RFC 2822's with the zone's old name.
        let text = text.strip_suffix("GMT")?;
        let moment = OffsetDateTime::parse(&format!("{text}+0000"), &Rfc2822).ok()?;
        Some(Self::from_seconds(moment.unix_timestamp()))
    }
}

/// `2026-11-22T21:02:57.123Z`: always three digits of milliseconds, as JavaScript's `toISOString` writes it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0) * 1_000_000;
        let Ok(moment) = OffsetDateTime::from_unix_timestamp_nanos(nanos) else {
            return write!(f, "+{}ms", self.0);
        };
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            moment.year(),
            u8::from(moment.month()),
            moment.day(),
            moment.hour(),
            moment.minute(),
            moment.second(),
            moment.millisecond()
        )
    }
}

/// Milliseconds in so many hours.
pub const fn hours(hours: i64) -> i64 {
    hours.saturating_mul(3600 * 1000)
}

/// Milliseconds in so many minutes.
pub const fn minutes(minutes: i64) -> i64 {
    minutes.saturating_mul(60 * 1000)
}

/// Milliseconds in so many days.
pub const fn days(days: u32) -> i64 {
    // Lossless: there is no `From` in a constant function.
    days as i64 * 24 * 3600 * 1000
}

/// Milliseconds in so many seconds.
pub const fn seconds(seconds: i64) -> i64 {
    seconds.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn a_moment_is_written_as_javascript_writes_it_and_read_back() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_600_000_000_007, "2020-09-13T12:26:40.007Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp(millis).to_string(), text);
            assert_eq!(Timestamp::parse(text), Some(Timestamp(millis)));
        }
        assert_eq!(Timestamp::parse("2020-09-13T14:26:40+02:00"), Some(Timestamp(1_600_000_000_000)));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        assert_eq!(Timestamp(i64::MAX).plus_millis(1), Timestamp(i64::MAX));
        assert!(!Timestamp(i64::MAX).to_string().is_empty());
    }
}
