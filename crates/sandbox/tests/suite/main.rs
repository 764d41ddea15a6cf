//! The sandbox from outside: real worker processes, one binary.
#![expect(clippy::unwrap_used, reason = "a test whose scene cannot be set should stop there")]

mod afterwards;
mod cache;
mod contract;
mod corpora;
mod distrust;
mod fetch;
mod hostile;
mod isolation;
mod killed;
mod kit;
mod modules;
mod node;
mod platform;
mod pool;
mod redirect;
mod refresh_token;
mod rights;
mod standing_clock;
mod surroundings;
mod triggers;
mod typescript;
