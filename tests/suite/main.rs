//! The black-box tests: every one of them talks HTTP to a server, on SQLite and again on PostgreSQL.

mod actions;
mod hostile;
mod journeys;
mod management;
mod oidc;
mod sign_in;
