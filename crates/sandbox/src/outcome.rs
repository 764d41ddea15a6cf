//! What a run left behind: commands, console lines, time used, and why it failed if it did.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The result of one run. A failed run may hold the commands given before the failure; whether they count is the
/// caller's decision (for post-login: a failed Action changes nothing).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What the script asked for, in its order.
    pub commands: Vec<Command>,
    /// What the script wrote to its console, up to the limit.
    pub console: Vec<ConsoleLine>,
    /// Processor time of the run in microseconds; zero if the worker was killed.
    pub cpu_us: u64,
    /// Wall clock of the run in microseconds, as the worker measured it, or as the host did if the worker was killed.
    pub wall_us: u64,
    /// Why the run failed; `None` for a run that ended well.
    pub failure: Option<Failure>,
}

impl Outcome {
    /// A run of which nothing is known but that it failed.
    pub(crate) fn failed(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }
}

/// One line that a script wrote to its console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLine {
    /// Which method wrote it.
    pub level: ConsoleLevel,
    /// The formatted arguments.
    pub text: String,
}

/// The methods of `console`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsoleLevel {
    /// `console.debug`
    Debug,
    /// `console.trace`
    Trace,
    /// `console.log`
    Log,
    /// `console.info`
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`
    Error,
}

/// Why a run failed. `Display` gives what the transaction's `error_description` carries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Failure {
    /// The script threw, or its promise was rejected. Displays the exception's message, or its name if that is empty.
    #[error("{}", if message.is_empty() { name } else { message })]
    Script {
        /// The exception's `name`, such as `TypeError`; empty for a thrown value that is no error.
        name: String,
        /// The exception's `message`, or the thrown value as text.
        message: String,
        /// The exception's stack, one frame a line, with the lines of the Action's own source.
        stack: String,
    },
    /// It used up its processor time.
    #[error("The Action exceeded its processor time limit.")]
    CpuTime,
    /// It was not done when its wall clock limit was reached.
    #[error("The Action did not finish within its time limit.")]
    WallClock,
    /// It wanted more memory than it may have.
    #[error("The Action exceeded its memory limit.")]
    Memory,
    /// Its worker process ended unexpectedly.
    #[error("The Action ended unexpectedly.")]
    Crashed,
    /// Too many runs were waiting already; nothing was run.
    #[error("Too many Actions are running. Try again later.")]
    Busy,
    /// The code doesn't export the handler as a function.
    #[error("The Action does not export the handler of its trigger.")]
    NoHandler,
    /// The code can't be parsed; nothing was run.
    #[error("{0}")]
    Syntax(SyntaxError),
    /// No worker could be started, or the sandbox is shut down; the text is for the operator and isn't displayed.
    #[error("Actions cannot be run at the moment.")]
    Unavailable {
        /// What went wrong, for the log.
        reason: String,
    },
}

/// Where and why code can't be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("SyntaxError: {message} (line {line}, column {column})")]
pub struct SyntaxError {
    /// What the parser expected or met.
    pub message: String,
    /// Line, from 1; 0 if unknown.
    pub line: u32,
    /// Column, from 1; 0 if unknown.
    pub column: u32,
}

impl Command {
    /// The reason, where it ends the transaction against the user's wish.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::DenyAccess { reason }
            | Self::DenyAccessWithCode { reason, .. }
            | Self::DenyRegistration { reason, .. }
            | Self::RevokeSession { reason, .. }
            | Self::RevokeRefreshToken { reason } => Some(reason),
            Self::ValidationError { code, message } => Some(if message.is_empty() { code } else { message }),
            _ => None,
        }
    }
}

impl SyntaxError {
    /// Whether this one stands behind the other in their text: whoever read it got farther.
    pub fn is_later_than(&self, other: &Self) -> bool {
        (self.line, self.column) > (other.line, other.column)
    }
}

/// How long a session's cookie lives: `api.session.setCookieMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CookieMode {
    /// Kept over a restart of the browser.
    Persistent,
    /// Gone when the browser closes.
    NonPersistent,
}

/// One thing that a script asked for. Names follow the methods of Auth0's post-login `api`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// `api.session.setMetadata(key, value)`: legal at the time, given the metadata that the script saw.
    SetSessionMetadata {
        /// A legal key.
        key: String,
        /// A legal value.
        value: String,
    },
    /// `api.session.deleteMetadata(key)` or `setMetadata(key, null)`, for a key that was there.
    DeleteSessionMetadata {
        /// The key.
        key: String,
    },
    /// `api.session.evictMetadata()`
    EvictSessionMetadata,
    /// `api.session.setExpiresAt(ms)`; of several the earliest wins.
    SetSessionExpiresAt {
        /// Milliseconds since 1970 (UTC).
        at_ms: i64,
    },
    /// `api.session.setIdleExpiresAt(ms)`; of several the earliest wins; holds until the next interaction.
    SetSessionIdleExpiresAt {
        /// Milliseconds since 1970 (UTC).
        at_ms: i64,
    },
    /// `api.session.setCookieMode(mode)`; the last wins.
    SetSessionCookieMode {
        /// The mode.
        mode: CookieMode,
    },
    /// `api.session.revoke(reason, {preserveRefreshTokens})`: denies the transaction too.
    RevokeSession {
        /// Why; goes to the client as `error_description`.
        reason: String,
        /// Whether the session's refresh tokens stay.
        preserve_refresh_tokens: bool,
    },
    /// `api.refreshToken.setMetadata(key, value)`: legal at the time, given the metadata that the script saw.
    SetRefreshTokenMetadata {
        /// A legal key.
        key: String,
        /// A legal value.
        value: String,
    },
    /// `api.refreshToken.deleteMetadata(key)` or `setMetadata(key, null)`, for a key that was there.
    DeleteRefreshTokenMetadata {
        /// The key.
        key: String,
    },
    /// `api.refreshToken.evictMetadata()`
    EvictRefreshTokenMetadata,
    /// `api.refreshToken.setExpiresAt(ms)`; of several the earliest wins.
    SetRefreshTokenExpiresAt {
        /// Milliseconds since 1970 (UTC).
        at_ms: i64,
    },
    /// `api.refreshToken.setIdleExpiresAt(ms)`; of several the earliest wins; holds until the next exchange.
    SetRefreshTokenIdleExpiresAt {
        /// Milliseconds since 1970 (UTC).
        at_ms: i64,
    },
    /// `api.refreshToken.revoke(reason)`: denies the transaction too.
    RevokeRefreshToken {
        /// Why; goes to the client as `error_description`.
        reason: String,
    },
    /// `api.access.deny(reason)`
    DenyAccess {
        /// Why; goes to the client as `error_description`.
        reason: String,
    },
    /// `api.access.deny(code, reason)` of a credentials exchange.
    DenyAccessWithCode {
        /// Goes to the client as `error`.
        code: String,
        /// Why; goes to the client as `error_description`.
        reason: String,
    },
    /// `api.access.deny(reason, userMessage)` of a registration.
    DenyRegistration {
        /// Why; for the log.
        reason: String,
        /// What the user is shown.
        user_message: String,
    },
    /// `api.cache.set(key, value, {ttl, expires_at})`
    SetCache {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Milliseconds since 1970 (UTC) until which it is kept.
        expires_at_ms: i64,
    },
    /// `api.cache.delete(key)`
    DeleteCache {
        /// The key.
        key: String,
    },
    /// `api.idToken.setCustomClaim(name, value)`
    SetIdTokenClaim {
        /// The claim's name, as the script wrote it: not checked against reserved names.
        name: String,
        /// Any JSON value.
        value: Value,
    },
    /// `api.accessToken.setCustomClaim(name, value)`
    SetAccessTokenClaim {
        /// The claim's name, as the script wrote it: not checked against reserved names.
        name: String,
        /// Any JSON value.
        value: Value,
    },
    /// `api.accessToken.addScope(scope)`
    AddScope {
        /// The scope.
        scope: String,
    },
    /// `api.accessToken.removeScope(scope)`
    RemoveScope {
        /// The scope.
        scope: String,
    },
    /// `api.user.setUserMetadata(name, value)`; null removes.
    SetUserMetadata {
        /// A top-level name in `user_metadata`.
        name: String,
        /// Any JSON value.
        value: Value,
    },
    /// `api.user.setAppMetadata(name, value)`; null removes.
    SetAppMetadata {
        /// A top-level name in `app_metadata`.
        name: String,
        /// Any JSON value.
        value: Value,
    },
    /// `api.transaction.setMetadata(key, value)`; null removes.
    SetTransactionMetadata {
        /// The key.
        key: String,
        /// A string, number, boolean or null.
        value: Value,
    },
    /// `api.validation.error(code, message)`: ends the transaction with a page's or client's error.
    ValidationError {
        /// The tenant's own error code.
        code: String,
        /// What the user is shown.
        message: String,
    },
    /// `api.redirect.sendUserTo(url, {query})`: the transaction waits for the browser to come back; the last wins.
    SendUserTo {
        /// An absolute http or https URL with the query that the script gave, still without `state`.
        url: String,
    },
    /// `api.authentication.recordMethod(url)`
    RecordAuthenticationMethod {
        /// The provider's URL: the method's name from now on.
        name: String,
    },
    /// `api.authentication.setPrimaryUser(user_id)`
    SetPrimaryUser {
        /// Whose sign-in it is from now on; not looked up yet.
        user_id: String,
    },
}
