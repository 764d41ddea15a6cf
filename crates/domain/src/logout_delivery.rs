//! From the end of a session to the logout tokens that follow from it: what is written at the end, and one delivery.
//!
//! Spec: OIDC Back-Channel Logout 1.0 §2.5–§2.8. When a delivery is tried is the outbox's business.

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, LogoutDeliveryId, SessionId, UserId};
use crate::logout::{Initiator, PendingLogout};
use crate::metadata::SessionMetadata;
use crate::time::Timestamp;

/// A session that ended and whose clients are yet to be looked at: one entry, however many clients it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSession {
    /// Whose session it was.
    pub user_id: UserId,
    /// Which session it was.
    pub session_id: SessionId,
    /// What ended it.
    pub initiator: Initiator,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The metadata at that moment: the session itself is gone.
    pub session_metadata: SessionMetadata,
    /// 16 hexadecimal digits that tie token, log and deliveries together.
    pub trace_id: String,
    /// The clients that are yet to be looked at.
    #[serde(default)]
    pub clients: Vec<ClientId>,
    /// The only client, where an older release wrote the entry: it wrote one for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
}

impl EndedSession {
    /// The clients that are yet to be looked at, whichever release wrote the entry.
    pub fn clients(&self) -> impl Iterator<Item = &ClientId> {
        self.client_id.iter().chain(&self.clients)
    }

    /// The same with these clients left.
    #[must_use]
    pub fn with_rest(&self, clients: Vec<ClientId>) -> Self {
        Self { clients, client_id: None, ..self.clone() }
    }

    /// What one client is to be told.
    pub fn pending(&self, client_id: &ClientId) -> PendingLogout {
        PendingLogout {
            client_id: client_id.clone(),
            user_id: self.user_id.clone(),
            session_id: self.session_id.clone(),
            initiator: self.initiator,
            ended_at: self.ended_at,
            session_metadata: self.session_metadata.clone(),
            trace_id: self.trace_id.clone(),
        }
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It waits for its first try, or for the next.
    Pending,
    /// The client took the token.
    Delivered,
    /// Given up: refused, or failed for too long.
    Dead,
    /// The client left, unsubscribed or took the URL back before it was told.
    Dropped,
}

impl DeliveryState {
    /// Each state there is.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Dead, Self::Dropped];

    /// The name in keys and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// Whether an operator may have to do something about it. Only such ones can be counted quickly.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Dead => true,
            Self::Delivered | Self::Dropped => false,
        }
    }
}

/// One logout token for one URL of one client, and what came of it so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutDelivery {
    /// The record; sorts by time.
    pub id: LogoutDeliveryId,
    /// What the client is told. A token is minted of it for each try.
    pub pending: PendingLogout,
    /// Where it goes.
    pub url: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is given up if it is still pending.
    pub expires_at: Timestamp,
    /// Tries since it was made, or last sent again.
    #[serde(default)]
    pub attempts: u32,
    /// When it was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempted_at: Option<Timestamp>,
    /// What the last try was answered, if it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When the next try is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// When the client took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// When a try failed last, though a later one may have succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// What that try was answered, if it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_status: Option<u16>,
    /// What went wrong then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// From when on the record may be swept; absent while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<Timestamp>,
}

impl LogoutDelivery {
    /// One that was not tried yet.
    pub fn new(
        id: LogoutDeliveryId,
        pending: PendingLogout,
        url: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id,
            pending,
            url: url.to_owned(),
            state: DeliveryState::Pending,
            created_at: now,
            expires_at,
            attempts: 0,
            attempted_at: None,
            status: None,
            next_attempt_at: Some(now),
            delivered_at: None,
            failed_at: None,
            failed_status: None,
            error: None,
            kept_until: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::EndedSession;

    #[test]
    fn what_an_older_release_queued_for_one_client_is_still_read() {
        let old = json!({
            "client_id": "c", "user_id": "u", "session_id": "s", "initiator": "rp-logout", "ended_at": 7,
            "session_metadata": {}, "trace_id": "t",
        });
        let ended: EndedSession = serde_json::from_value(old).unwrap();
        assert_eq!(ended.clients().map(|client| client.as_str()).collect::<Vec<_>>(), ["c"]);
        assert_eq!(ended.with_rest(Vec::new()).clients().count(), 0);
    }
}
