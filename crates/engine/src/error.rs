//! What can go wrong, as a closed set. How it looks to a client is the boundary's business.
//!
//! Each error has two texts: what the caller may read (`Display`) and, where there is more to say, what only the
//! operator's log may hold ([`Error::private`]).

use protocol::error::OAuthError;
use store::StoreError;

/// A kind of thing that can be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// A session.
    Session,
    /// A user.
    User,
    /// A client.
    Client,
    /// A credential of a client.
    ClientCredential,
    /// A client grant.
    ClientGrant,
    /// A resource server.
    ResourceServer,
    /// A role.
    Role,
    /// A connection.
    Connection,
    /// An organization.
    Organization,
    /// A domain of an organization.
    DiscoveryDomain,
    /// An invitation to an organization.
    Invitation,
    /// An application that an organization names.
    OrganizationClient,
    /// A connection of an organization.
    OrganizationConnection,
    /// An Action.
    Action,
    /// A version of an Action.
    ActionVersion,
    /// A module that Actions share.
    Module,
    /// A version of one.
    ModuleVersion,
    /// A run of a trigger.
    Execution,
    /// A trigger.
    Trigger,
    /// A log event.
    Log,
    /// A log stream.
    LogStream,
    /// A delivery of a logout token.
    LogoutDelivery,
    /// A refresh token.
    RefreshToken,
    /// A signing key.
    SigningKey,
}

/// What can go wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The thing is not there.
    #[error("{0:?} not found")]
    NotFound(Resource),
    /// Something that the input names is not there; nothing was changed.
    #[error("{message}")]
    Missing {
        /// What is not there, by name.
        message: String,
    },
    /// The input is not legal; nothing was changed.
    #[error("{message}")]
    Invalid {
        /// What is wrong, naming the field.
        message: String,
        /// The API's error code, where it has one (`invalid_body`, …).
        code: Option<&'static str>,
    },
    /// It is there already.
    #[error("{message}")]
    Conflict {
        /// What is there already.
        message: String,
    },
    /// Other things stand in the way, and must be changed first.
    #[error("{message}")]
    Precondition {
        /// Which ones.
        message: String,
    },
    /// The caller did not prove who they are.
    #[error("{message}")]
    Unauthenticated {
        /// Why the proof does not count.
        message: String,
    },
    /// The caller may not do this with the scopes that they have; any one of `needs` would do.
    #[error("Insufficient scope, expected any of: {}", needs.join(","))]
    Forbidden {
        /// Scopes that would do.
        needs: Vec<&'static str>,
    },
    /// The caller may not do this at all.
    #[error("{message}")]
    Refused {
        /// Why.
        message: String,
        /// The API's error code.
        code: Option<&'static str>,
    },
    /// An OAuth request failed.
    #[error("{0:?}")]
    OAuth(OAuthError),
    /// An Action refused with an error code of its own.
    #[error("{description}")]
    Denied {
        /// The answer's `error`.
        code: String,
        /// The answer's `error_description`.
        description: String,
    },
    /// More is asked for than the server takes on at once. Nothing was changed.
    #[error("The server is busy. Try again in a moment.")]
    Busy,
    /// The store does not answer, or lost the race too often. The text is for the log.
    #[error("The service is unavailable for the moment.")]
    Unavailable(String),
    /// The server is wrong. The text is for the log.
    #[error("Internal error")]
    Bug(String),
}

impl Error {
    /// Illegal input, in the words of the Management API: `Payload validation error: '…'`.
    pub fn payload(reason: &str) -> Self {
        Self::Invalid {
            message: format!("Payload validation error: '{reason}'."),
            code: Some("invalid_body"),
        }
    }

    /// Illegal input in one property: `Payload validation error: '…' on property …`.
    pub fn property(reason: &str, property: &str) -> Self {
        Self::Invalid {
            message: format!("Payload validation error: '{reason}' on property {property}."),
            code: Some("invalid_body"),
        }
    }

    /// Illegal input in the query: `Query validation error: '…' on property …`.
    pub fn query(reason: &str, property: &str) -> Self {
        Self::Invalid {
            message: format!("Query validation error: '{reason}' on property {property}."),
            code: Some("invalid_query_string"),
        }
    }

    /// What only the operator's log may hold.
    pub fn private(&self) -> Option<&str> {
        match self {
            Self::Unavailable(text) | Self::Bug(text) => Some(text),
            Self::OAuth(error) => error.debug.as_deref(),
            Self::NotFound(_)
            | Self::Missing { .. }
            | Self::Invalid { .. }
            | Self::Conflict { .. }
            | Self::Precondition { .. }
            | Self::Unauthenticated { .. }
            | Self::Forbidden { .. }
            | Self::Refused { .. }
            | Self::Denied { .. }
            | Self::Busy => None,
        }
    }
}

impl From<OAuthError> for Error {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Unavailable("too many conflicting writes".to_owned()),
            StoreError::Unknown => Self::Unavailable("the store lost the answer to a commit".to_owned()),
            StoreError::Unavailable(text) => Self::Unavailable(text),
            StoreError::Corrupt(text) => Self::Bug(text),
            StoreError::AlreadyExists { index } => {
                Self::Conflict { message: format!("The {index} is already in use.") }
            }
        }
    }
}
