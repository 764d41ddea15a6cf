//! Where a request comes from, and what an API call was: facts for sessions, events and the log.

use serde_json::Value;

use crate::caller::Caller;

/// What the boundary knows of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// The client's address.
    pub ip: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Host`.
    pub hostname: Option<String>,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The first language of `Accept-Language`.
    pub language: Option<String>,
    /// `X-Correlation-ID`, cut to its limit.
    pub correlation_id: Option<String>,
    /// What the library that made the request says of itself (`Auth0-Client`): `name`, `version`, `env`.
    pub auth0_client: Option<Value>,
    /// The pairs of the query of a call of the Management API; the log shows the harmless ones.
    pub query: Vec<(String, String)>,
}

/// A call of the Management API, as the log will tell of it.
#[derive(Debug, Clone)]
pub struct ApiCall {
    /// Who calls.
    pub caller: Caller,
    /// From where.
    pub facts: RequestFacts,
    /// The body as it came; the log shows the harmless parts.
    pub body: Value,
}
