//! Waits for something to become true: at once where it is, with a limit where it never does.

use std::time::{Duration, Instant};

/// The longest wait for anything, in milliseconds. A failing test takes this long; a passing one hardly any. Longer
/// than the lease on a delivery, which a killed server leaves behind.
pub const WAIT_MS_MAX: u64 = 40_000;
const _: () = assert!(WAIT_MS_MAX as i64 > domain::limits::OUTBOX_LEASE_MS + 10_000);
/// Between two looks, in milliseconds.
const LOOK_MS: u64 = 10;

/// Looks until there is an answer.
///
/// # Panics
/// When there is none within [`WAIT_MS_MAX`].
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_millis(WAIT_MS_MAX), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
}
