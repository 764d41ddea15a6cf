//! The sandbox from outside: real worker processes, one binary.
#![expect(clippy::unwrap_used, reason = "a test whose scene cannot be set should stop there")]

mod contract;
mod fetch;
mod hostile;
mod kit;
mod node;
mod platform;
mod pool;
mod refresh_token;
mod rights;
mod surroundings;
mod triggers;
