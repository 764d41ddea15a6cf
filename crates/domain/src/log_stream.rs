//! A log stream: where events are sent, which of them, and how far it has come.
//!
//! Auth0: Management API v2 › log streams; log streams › filters. What a stream is and how far it has come are two
//! records, so that a change by an administrator and a batch under way do not stand in each other's way.

use serde::{Deserialize, Serialize};

use crate::event::EventKind;
use crate::id::{LogId, LogStreamId};
use crate::secret::Sealed;
use crate::time::Timestamp;

/// A stream as it was made and changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogStream {
    /// The identifier.
    pub id: LogStreamId,
    /// For people.
    pub name: String,
    /// Whether it sends.
    pub status: LogStreamStatus,
    /// Where to.
    pub sink: Sink,
    /// Which events; none given: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Category>,
    /// Given back as it was set; no stream waits for another here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_priority: Option<bool>,
    /// Which personal data is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal_data: Option<PersonalData>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whether a stream sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStreamStatus {
    /// It does.
    Active,
    /// An administrator stopped it.
    Paused,
    /// The server stopped it, because its receiver failed for too long.
    Suspended,
}

impl LogStreamStatus {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Suspended].into_iter().find(|status| status.as_str() == name)
    }
}

/// Where events go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Sink {
    /// Posted to a URL.
    Http(HttpSink),
    /// Appended to a file below the folder that the operator's configuration names.
    File(FileSink),
}

impl Sink {
    /// The stream's `type`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::File(_) => "file",
        }
    }
}

/// A receiver of posts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpSink {
    /// Where to post.
    pub endpoint: String,
    /// How the body is put together.
    pub format: ContentFormat,
    /// The `Content-Type`.
    pub content_type: String,
    /// The `Authorization`, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Sealed>,
    /// Further headers; their values are sealed, for they may be keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<SealedHeader>,
}

/// A header of the operator's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SealedHeader {
    /// Its name.
    pub name: String,
    /// Its value, sealed.
    pub value: Sealed,
}

/// How a body holds events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentFormat {
    /// One event a line.
    #[serde(rename = "JSONLINES")]
    Lines,
    /// An array of events.
    #[serde(rename = "JSONARRAY")]
    Array,
    /// One event a post.
    #[serde(rename = "JSONOBJECT")]
    Object,
}

impl ContentFormat {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "JSONLINES",
            Self::Array => "JSONARRAY",
            Self::Object => "JSONOBJECT",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Lines, Self::Array, Self::Object].into_iter().find(|format| format.as_str() == name)
    }
}

/// A file of JSON lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSink {
    /// Its name without folder and ending, see [`is_file_name`].
    pub name: String,
}

/// Whether a text may name a stream's file: letters, digits, `.`, `_` and `-`, with a letter or digit first, so that it
/// stays in its folder and is not hidden.
pub fn is_file_name(text: &str) -> bool {
    text.len() <= crate::limits::LOG_STREAM_FILE_NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Which personal data is starred before an event leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalData {
    /// The fields.
    pub fields: Vec<PersonalField>,
}

macro_rules! names {
    ($(#[doc = $about:literal])* $type:ident { $($(#[doc = $doc:literal])* $variant:ident $name:literal;)* }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $type {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)*
        }

        impl $type {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Reads the name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|own| own.as_str() == name)
            }
        }
    };
}

names! {
    /// A kind of personal data.
    PersonalField {
        /// Given names.
        FirstName "first_name";
        /// Family names.
        LastName "last_name";
        /// Sign-in names.
        Username "username";
        /// Addresses of mail.
        Email "email";
        /// Numbers of telephones.
        Phone "phone";
        /// Postal addresses.
        Address "address";
    }
}

impl PersonalField {
    /// The names that it has in events. `user_name` holds whichever of address and sign-in name there is.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::FirstName => &["first_name", "given_name"],
            Self::LastName => &["last_name", "family_name"],
            Self::Username => &["username", "user_name", "nickname"],
            Self::Email => &["email", "user_name"],
            Self::Phone => &["phone", "phone_number"],
            Self::Address => &["address"],
        }
    }
}

names! {
    /// A group of events that a stream can be narrowed to.
    Category {
        /// Failed sign-ins.
        LoginFail "auth.login.fail";
        /// Warnings during a sign-in, and what attack protection found.
        LoginNotification "auth.login.notification";
        /// Sign-ins.
        LoginSuccess "auth.login.success";
        /// Failed sign-outs, and logout tokens that did not arrive.
        LogoutFail "auth.logout.fail";
        /// Sign-outs and other ends of sessions.
        LogoutSuccess "auth.logout.success";
        /// Failed sign-ups.
        SignupFail "auth.signup.fail";
        /// Sign-ups.
        SignupSuccess "auth.signup.success";
        /// Failed sign-ins without a page.
        SilentAuthFail "auth.silent_auth.fail";
        /// Sign-ins without a page.
        SilentAuthSuccess "auth.silent_auth.success";
        /// Refused exchanges for tokens.
        TokenExchangeFail "auth.token_exchange.fail";
        /// Exchanges for tokens.
        TokenExchangeSuccess "auth.token_exchange.success";
        /// Failed calls of the Management API.
        ManagementFail "management.fail";
        /// Calls of the Management API.
        ManagementSuccess "management.success";
        /// Provisioning.
        Scim "scim.event";
        /// What the server has to say of itself.
        SystemNotification "system.notification";
        /// What users failed to do with their accounts.
        UserFail "user.fail";
        /// What users should know of.
        UserNotification "user.notification";
        /// What users did with their accounts.
        UserSuccess "user.success";
        /// Failed Actions.
        Actions "actions";
        /// The rest.
        Other "other";
    }
}

impl Category {
    /// The one group that a kind of event is in. Auth0: log streams › filters.
    pub const fn of(kind: EventKind) -> Self {
        match kind {
            EventKind::LoginFailed | EventKind::PasswordWrong | EventKind::UserUnknown => Self::LoginFail,
            EventKind::Warning
            | EventKind::AccountLimited
            | EventKind::AddressLimited
            | EventKind::BreachedPassword
            | EventKind::BreachedSignUp => Self::LoginNotification,
            EventKind::Login => Self::LoginSuccess,
            EventKind::LogoutFailed | EventKind::BackchannelLogoutFailed => Self::LogoutFail,
            EventKind::Logout
            | EventKind::BackchannelLogout
            | EventKind::SessionRevoked
            | EventKind::SessionExpired => Self::LogoutSuccess,
            EventKind::SignUpFailed => Self::SignupFail,
            EventKind::SignUp => Self::SignupSuccess,
            EventKind::SilentAuthFailed => Self::SilentAuthFail,
            EventKind::SilentAuth => Self::SilentAuthSuccess,
            EventKind::CodeExchangeFailed
            | EventKind::ClientCredentialsFailed
            | EventKind::RefreshExchangeFailed
            | EventKind::RefreshReuse => Self::TokenExchangeFail,
            EventKind::CodeExchange | EventKind::ClientCredentials | EventKind::RefreshExchange => {
                Self::TokenExchangeSuccess
            }
            EventKind::ApiOperation | EventKind::ApiSecretRead => Self::ManagementSuccess,
            EventKind::LogStreamFailing | EventKind::LogStreamSuspended | EventKind::ResourceCleanup => {
                Self::SystemNotification
            }
            EventKind::RefreshRevoked
            | EventKind::UserDeleted
            | EventKind::PasswordChanged
            | EventKind::EmailChanged
            | EventKind::UsernameChanged
            | EventKind::PhoneChanged => Self::UserSuccess,
            EventKind::PasswordChangeFailed
            | EventKind::EmailChangeFailed
            | EventKind::UsernameChangeFailed => Self::UserFail,
            EventKind::ActionsFailed => Self::Actions,
        }
    }
}

/// How far a stream has come, and how it fares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogStreamPosition {
    /// The stream's identifier.
    pub id: LogStreamId,
    /// The last event that the receiver has, or that was not for it; absent: it begins with the oldest event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<LogId>,
    /// Who sends at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<LogStreamClaim>,
    /// Failed tries in a row.
    #[serde(default)]
    pub failures: u32,
    /// When the first of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Whether the log was told of them.
    #[serde(default)]
    pub failing_told: bool,
    /// Not before this moment, after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Timestamp>,
    /// What went wrong last. It stays when things go well again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_at: Option<Timestamp>,
    /// When the receiver took something last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_delivered_at: Option<Timestamp>,
    /// Events that the receiver took, in all.
    #[serde(default)]
    pub delivered: u64,
}

/// A node's right to send for a stream, for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogStreamClaim {
    /// Never used before: what is reported under another one does not count.
    pub id: String,
    /// Which node.
    pub node: String,
    /// When it runs out.
    pub until: Timestamp,
}

impl LogStreamPosition {
    /// Where a stream begins that reads on after an event.
    pub fn after(id: LogStreamId, cursor: Option<LogId>) -> Self {
        Self {
            id,
            cursor,
            claim: None,
            failures: 0,
            failing_since: None,
            failing_told: false,
            next_try_at: None,
            last_error: None,
            last_error_at: None,
            last_delivered_at: None,
            delivered: 0,
        }
    }

    /// Whether a node may claim the stream now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.claim.as_ref().is_none_or(|claim| claim.until <= now)
            && self.next_try_at.is_none_or(|next| next <= now)
    }

    /// Forgets failures: the next try is at once.
    pub fn forgive(&mut self) {
        self.failures = 0;
        self.failing_since = None;
        self.failing_told = false;
        self.next_try_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::{Category, LogStreamClaim, LogStreamPosition, is_file_name};
    use crate::event::EventKind;
    use crate::time::Timestamp;

    #[test]
    fn a_file_name_stays_in_its_folder() {
        for good in ["audit", "a", "tenant-1.logins", "A_b"] {
            assert!(is_file_name(good), "{good}");
        }
        for bad in ["", ".", "..", ".hidden", "../x", "a/b", "a\\b", "a b", "é", "a\n", &"a".repeat(65)] {
            assert!(!is_file_name(bad), "{bad}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for category in Category::ALL {
            assert_eq!(Category::parse(category.as_str()), Some(*category));
        }
        assert_eq!(Category::parse("auth.ancillary.fail"), None);
        assert_eq!(Category::of(EventKind::PasswordWrong).as_str(), "auth.login.fail");
    }

    #[test]
    fn a_stream_waits_for_the_end_of_a_lease_and_of_a_pause() {
        let mut position = LogStreamPosition::after("lst_1".into(), None);
        assert!(position.is_due(Timestamp(0)));
        let until = Timestamp(10);
        position.claim = Some(LogStreamClaim { id: "c".into(), node: "n".into(), until });
        assert!(!position.is_due(Timestamp(9)) && position.is_due(Timestamp(10)));
        position.next_try_at = Some(Timestamp(20));
        assert!(!position.is_due(Timestamp(19)) && position.is_due(Timestamp(20)));
        position.forgive();
        assert!(position.is_due(Timestamp(10)));
    }
}
