//! Why a session ended, who wants to hear of it, and what a pending logout must remember.
//!
//! Auth0: back-channel logout › initiators.

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, SessionId, UserId};
use crate::metadata::SessionMetadata;
use crate::time::Timestamp;

/// What ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initiator {
    /// A client sent the user to log out.
    RpLogout,
    /// The upstream provider ended its session.
    IdpLogout,
    /// The user's password changed.
    PasswordChanged,
    /// The idle or the absolute lifetime ran out.
    SessionExpired,
    /// The Management API or an Action ended it.
    SessionRevoked,
    /// The user was deleted.
    AccountDeleted,
    /// The address that identifies the user changed.
    EmailIdentifierChanged,
    /// The telephone used as a second factor was removed.
    MfaPhoneUnenrolled,
    /// The user was blocked.
    AccountDeactivated,
}

impl Initiator {
    /// Each initiator there is.
    pub const ALL: [Self; 9] = [
        Self::RpLogout,
        Self::IdpLogout,
        Self::PasswordChanged,
        Self::SessionExpired,
        Self::SessionRevoked,
        Self::AccountDeleted,
        Self::EmailIdentifierChanged,
        Self::MfaPhoneUnenrolled,
        Self::AccountDeactivated,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RpLogout => "rp-logout",
            Self::IdpLogout => "idp-logout",
            Self::PasswordChanged => "password-changed",
            Self::SessionExpired => "session-expired",
            Self::SessionRevoked => "session-revoked",
            Self::AccountDeleted => "account-deleted",
            Self::EmailIdentifierChanged => "email-identifier-changed",
            Self::MfaPhoneUnenrolled => "mfa-phone-unenrolled",
            Self::AccountDeactivated => "account-deactivated",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|initiator| initiator.as_str() == name)
    }
}

/// Which initiators a client hears of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "mode", content = "selected")]
pub enum Initiators {
    /// Every one, also those that are yet to come.
    All,
    /// These.
    Custom(Vec<Initiator>),
}

/// The header's `typ` of a client's logout tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogoutTokenType {
    /// What Auth0 sends and its receivers demand.
    #[serde(rename = "JWT")]
    Jwt,
    /// What the specification recommends (OIDC Back-Channel Logout 1.0 §2.4).
    #[serde(rename = "logout+jwt")]
    LogoutJwt,
}

impl LogoutTokenType {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::LogoutJwt => "logout+jwt",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Jwt, Self::LogoutJwt].into_iter().find(|typ| typ.as_str() == name)
    }
}

/// Where and when to tell a client that a session ended, and what the token is like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogoutSettings {
    /// Where to post logout tokens.
    #[serde(default)]
    pub urls: Vec<String>,
    /// Which ends count; absent: only [`Initiator::RpLogout`].
    #[serde(default)]
    pub initiators: Option<Initiators>,
    /// Whether the token carries the session's metadata; absent: no.
    #[serde(default)]
    pub include_session_metadata: Option<bool>,
    /// The token's `typ`; absent: [`LogoutTokenType::Jwt`]. Ours.
    #[serde(default)]
    pub token_type: Option<LogoutTokenType>,
    /// Whether the token tells what ended the session; absent: no. Ours.
    #[serde(default)]
    pub tell_initiator: Option<bool>,
    /// What the browser that signs out loads of the client's; absent: nothing.
    #[serde(default)]
    pub front_channel: Option<FrontChannel>,
}

/// A page of a client's that clears its session in the browser (OIDC Front-Channel Logout 1.0 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontChannel {
    /// Where it is: at the origin of one of the client's callbacks.
    pub uri: String,
    /// Whether the client needs `iss` and `sid`. It is told both whatever it needs.
    #[serde(default)]
    pub session_required: bool,
}

impl LogoutSettings {
    /// Whether the client wants to hear of an end that `initiator` caused.
    pub fn wants(&self, initiator: Initiator) -> bool {
        !self.urls.is_empty()
            && match &self.initiators {
                None => initiator == Initiator::RpLogout,
                Some(Initiators::All) => true,
                Some(Initiators::Custom(selected)) => selected.contains(&initiator),
            }
    }
}

/// A logout that a client is yet to be told of: facts, not a token, because a token is minted for each try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLogout {
    /// Whom to tell.
    pub client_id: ClientId,
    /// Whose session it was.
    pub user_id: UserId,
    /// Which session it was.
    pub session_id: SessionId,
    /// What ended it.
    pub initiator: Initiator,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The metadata at that moment: the session itself is gone by the time of delivery.
    pub session_metadata: SessionMetadata,
    /// 16 hexadecimal digits that tie token, log and delivery together.
    pub trace_id: String,
}

#[cfg(test)]
mod tests {
    use super::{Initiator, Initiators, LogoutSettings};

    #[test]
    fn names_read_back() {
        for initiator in Initiator::ALL {
            assert_eq!(Initiator::parse(initiator.as_str()), Some(initiator));
        }
        assert_eq!(Initiator::parse("session-deleted"), None);
    }

    #[test]
    fn without_a_choice_only_rp_logout_counts_and_without_a_url_nothing_does() {
        let mut settings = LogoutSettings { urls: vec!["https://rp.example/".into()], ..Default::default() };
        assert!(settings.wants(Initiator::RpLogout));
        assert!(!settings.wants(Initiator::SessionRevoked));
        settings.initiators = Some(Initiators::Custom(vec![Initiator::SessionRevoked]));
        assert!(settings.wants(Initiator::SessionRevoked));
        assert!(!settings.wants(Initiator::RpLogout));
        settings.initiators = Some(Initiators::All);
        assert!(settings.wants(Initiator::AccountDeleted));
        settings.urls.clear();
        assert!(!settings.wants(Initiator::AccountDeleted));
    }
}
