//! What every request meets before and after its handler, and the parts of HTTP that handlers use.
//!
//! | part | module |
//! | --- | --- |
//! | request id, time limit, panics, common headers | [`front`] |
//! | where a request comes from | [`facts`] |
//! | cookies | [`cookies`] |
//! | cross-site request forgery | [`csrf`] |
//! | content security policy of pages | [`csp`] |
//! | bodies and queries | [`body`] |
//! | cross-origin reads | [`cors`] |

pub mod body;
pub mod cookies;
pub mod cors;
pub mod csp;
pub mod csrf;
pub mod facts;
pub mod front;
