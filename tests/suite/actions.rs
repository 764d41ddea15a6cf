//! Where Actions run beside a browser's sign-in, and what they may do there.

mod refresh_exchange;
