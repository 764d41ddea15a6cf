//! The backend for more than one machine.
