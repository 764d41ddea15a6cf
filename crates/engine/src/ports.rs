//! The things that tests replace: the clock, the source of randomness, and the way out to relying parties.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::egress::Egress;
use domain::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The moment it is.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes that nobody can guess.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// What came back from a call to a relying party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// When to try again, where it says so (`Retry-After`, RFC 9110 §10.2.3).
    pub retry_after: Option<RetryAfter>,
}

/// `Retry-After`: so many seconds, or a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// So many seconds from now.
    Seconds(u64),
    /// Not before this moment.
    At(Timestamp),
}

impl RetryAfter {
    /// Reads the header's value; anything else than its two forms is no wish at all.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        let date = || Timestamp::parse_http_date(value).map(Self::At);
        value.parse().map(Self::Seconds).ok().or_else(date)
    }

    /// Milliseconds to wait from `now`.
    pub fn wait_ms(self, now: Timestamp) -> i64 {
        match self {
            Self::Seconds(seconds) => i64::try_from(seconds).map_or(i64::MAX, domain::time::seconds),
            Self::At(at) => at.millis_since(now).max(0),
        }
    }
}

/// Why a call gave no answer; the text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The URL is one that must not be called.
    #[error("{0}")]
    Refused(String),
    /// No answer within the time limit.
    #[error("no answer within {0} ms")]
    Timeout(i64),
    /// No connection, or it broke.
    #[error("{0}")]
    Failed(String),
}

/// The future that [`Outbound::post_form`] gives.
pub type OutboundFuture<'a> = Pin<Box<dyn Future<Output = Result<Answer, OutboundError>> + Send + 'a>>;

/// Calls out to relying parties.
pub trait Outbound: Send + Sync {
    /// Posts an `application/x-www-form-urlencoded` body. Follows no redirect, waits for
    /// `domain::limits::LOGOUT_DELIVERY_MS_MAX` at most.
    fn post_form<'a>(&'a self, url: &'a str, body: String) -> OutboundFuture<'a>;
}

/// All of them.
#[derive(Clone)]
pub struct Ports {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The way out to relying parties.
    pub outbound: Arc<dyn Outbound>,
}

impl Ports {
    /// The real ones, with the places where logout tokens may go.
    ///
    /// # Errors
    /// [`OutboundError::Failed`] when the HTTP client does not start.
    pub fn real(logout: Egress) -> Result<Self, OutboundError> {
        Ok(Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            outbound: Arc::new(crate::outbound::HttpOutbound::new(logout)?),
        })
    }
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_millis()))
    }

    /// Moves it forward by so many milliseconds.
    pub fn advance_millis(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// The operating system's randomness.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        aws_lc_rs::rand::fill(buffer).expect("the system gives randomness");
    }
}
