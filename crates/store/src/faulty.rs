//! Wraps a backend.
