//! One error, three faces: the Management API's body, the OAuth answer, the page.
//!
//! Each face is one exhaustive match over [`engine::Error`]. What only the log may hold rides along as [`Private`]
//! in the response's extensions and is written once, at the front door.

mod api;
pub mod fallback;
mod oauth;
mod page;

pub use api::{ApiError, reason};
pub use oauth::{Challenge, OAuthFailure};
pub use page::PageError;

/// What the operator's log is told about a failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private(pub String);

/// Seconds after which a client may come back when the server was too busy.
const RETRY_AFTER_SECONDS: &str = "1";
