//! The `q` of lists, as callers write it.

use domain::query::{Query, Syntax};

use crate::Error;

/// Reads a `q`; without one, everything passes.
///
/// # Errors
/// [`Error::Invalid`], saying what is not understood, and where.
pub(crate) fn parse(q: Option<&str>, syntax: &Syntax) -> Result<Query, Error> {
    let parsed = Query::parse(q.unwrap_or_default(), syntax);
    parsed.map_err(|error| Error::query(&format!("Failed to parse query: {error}"), "q"))
}
