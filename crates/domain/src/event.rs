//! The log catalogue: every event code, its meaning, its fields.
//!
//! Auth0: deploy & monitor › logs › log event type codes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::LogId;
use crate::limits::LOG_RETENTION_DAYS;
use crate::time::{Timestamp, days};

macro_rules! catalogue {
    ($($name:ident $code:literal $meaning:literal;)*) => {
        /// What kind of thing happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventKind {
            $(
                #[doc = $meaning]
                #[serde(rename = $code)]
                $name,
            )*
        }

        impl EventKind {
            /// Every kind there is, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The `type` of the event.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What it means, for people.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning),* }
            }
        }
    };
}

catalogue! {
    Login "s" "Success Login";
    LoginFailed "f" "Failed Login";
    PasswordWrong "fp" "Failed Login (Incorrect Password)";
    UserUnknown "fu" "Failed Login (Invalid Email/Username)";
    SignUp "ss" "Success Signup";
    SignUpFailed "fs" "Failed Signup";
    Logout "slo" "Success Logout";
    LogoutFailed "flo" "Failed Logout";
    SilentAuth "ssa" "Success Silent Auth";
    SilentAuthFailed "fsa" "Failed Silent Auth";
    CodeExchange "seacft" "Success Exchange (Authorization Code for Access Token)";
    CodeExchangeFailed "feacft" "Failed Exchange (Authorization Code for Access Token)";
    ClientCredentials "seccft" "Success Exchange (Client Credentials for Access Token)";
    ClientCredentialsFailed "feccft" "Failed Exchange (Client Credentials for Access Token)";
    RefreshExchange "sertft" "Success Exchange (Refresh Token for Access Token)";
    RefreshExchangeFailed "fertft" "Failed Exchange (Refresh Token for Access Token)";
    RefreshReuse "ferrt" "Failed Exchange (Rotating Refresh Token Reuse)";
    RefreshRevoked "srrt" "Success Revocation (Refresh Token)";
    ResourceCleanup "resource_cleanup" "Refresh Token Excess Warning";
    ApiOperation "sapi" "Success API Operation";
    ApiSecretRead "mgmt_api_read" "Management API Read Operation";
    ActionsFailed "actions_execution_failed" "Actions Execution Failed";
    BackchannelLogout "oidc_backchannel_logout_succeeded" "OIDC Back-Channel Logout Succeeded";
    BackchannelLogoutFailed "oidc_backchannel_logout_failed" "OIDC Back-Channel Logout Failed";
    SessionRevoked "session_revoked" "Session Revoked";
    SessionExpired "session_expired" "Session Expired";
    UserDeleted "sdu" "Success User Deletion";
    PasswordChanged "scp" "Success Change Password";
    PasswordChangeFailed "fcp" "Failed Change Password";
    EmailChanged "sce" "Success Change Email";
    EmailChangeFailed "fce" "Failed Change Email";
    UsernameChanged "scu" "Success Change Username";
    UsernameChangeFailed "fcu" "Failed Change Username";
    PhoneChanged "scpn" "Success Change Phone Number";
    Warning "w" "Warnings During Login";
    AccountLimited "limit_wc" "Blocked Account - Failed Logins";
    AddressLimited "limit_mu" "Blocked Account - Too many attempts or signups";
    BreachedPassword "pwd_leak" "Breached Password - Login";
    BreachedSignUp "signup_pwd_leak" "Breached Password - Signup";
    LogStreamFailing "log_stream_failing" "Log Stream Failing";
    LogStreamSuspended "log_stream_suspended" "Log Stream Suspended";
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEvent {
    /// The record; sorts by time.
    pub id: LogId,
    /// When.
    pub date: Timestamp,
    /// What kind of thing.
    pub kind: EventKind,
    /// What happened, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The client's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The client's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The user's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The session's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The connection's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The connection's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// The connection's strategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// The organization's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// The organization's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// The address of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The user agent of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The host name of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The library that made the request, as it says of itself: `name`, `version`, `env`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth0_client: Option<Value>,
    /// `X-Correlation-ID` of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The API that a token was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The scopes of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// More, by kind.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
    /// How many days it is kept, where the operator chose another number than [`LOG_RETENTION_DAYS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_days: Option<u32>,
}

impl LogEvent {
    /// When it may go.
    pub fn expires_at(&self) -> Timestamp {
        self.date.plus_millis(days(self.kept_days.unwrap_or(LOG_RETENTION_DAYS)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::EventKind;

    #[test]
    fn no_two_kinds_share_a_code() {
        let codes: HashSet<_> = EventKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), EventKind::ALL.len());
    }
}
