//! The black-box tests: every one of them talks HTTP to a server, on SQLite and again on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "what is absent in an answer fails the test that looks for it")]

mod actions;
mod hostile;
mod journeys;
mod management;
mod oidc;
mod sign_in;
