//! A signed-in browser: who, since when, with which clients, and its metadata.
//!
//! Auth0: manage users › sessions › session lifecycle.

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, ConnectionId, OrganizationId, SessionId, UserId};
use crate::limits::{SESSION_CLIENTS_MAX, SESSION_METHODS_MAX};
use crate::metadata::SessionMetadata;
use crate::time::Timestamp;
use crate::upstream::UpstreamSession;

/// Whether the browser forgets the cookie when it closes. The session itself lives on until it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CookieMode {
    /// Kept until the session's absolute expiry.
    #[default]
    Persistent,
    /// A cookie without an expiry.
    NonPersistent,
}

impl CookieMode {
    /// The mode's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Persistent => "persistent",
            Self::NonPersistent => "non-persistent",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Persistent, Self::NonPersistent].into_iter().find(|mode| mode.as_str() == name)
    }
}

/// Where a session was first and last seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Device {
    /// User agent of the request that made the session.
    pub initial_user_agent: Option<String>,
    /// Address of the request that made the session.
    pub initial_ip: Option<String>,
    /// User agent of the newest interaction.
    pub last_user_agent: Option<String>,
    /// Address of the newest interaction.
    pub last_ip: Option<String>,
}

impl Device {
    /// A device seen for the first time.
    pub fn first_seen(ip: Option<&str>, user_agent: Option<&str>) -> Self {
        let ip = ip.map(str::to_owned);
        let user_agent = user_agent.map(str::to_owned);
        Self {
            initial_user_agent: user_agent.clone(),
            initial_ip: ip.clone(),
            last_user_agent: user_agent,
            last_ip: ip,
        }
    }

    /// Notes a later sighting.
    pub fn seen_again(&mut self, ip: Option<&str>, user_agent: Option<&str>) {
        self.last_ip = ip.map(str::to_owned);
        self.last_user_agent = user_agent.map(str::to_owned);
    }
}

/// One way in which the user proved who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationMethod {
    /// `pwd`, `federated`, `mfa`, …, or a URL for a custom method.
    pub name: String,
    /// When it was completed.
    pub at: Timestamp,
    /// The factor, where `name` is `mfa`.
    pub factor: Option<String>,
}

/// How long sessions live, as the tenant sets it, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// From sign-in to the end, whatever happens between.
    pub absolute_ms: i64,
    /// From one interaction to the end, when no other comes.
    pub idle_ms: i64,
}

/// One browser session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The `sid` claim.
    pub id: SessionId,
    /// Whose session it is.
    pub user_id: UserId,
    /// The connection that vouched for the user.
    pub connection_id: ConnectionId,
    /// The organization the user signed in to, if any.
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
    /// SHA-256 of the cookie's secret, as hexadecimal digits. The secret itself is nowhere stored.
    pub cookie_hash: String,
    /// When the session was made.
    pub created_at: Timestamp,
    /// When anything in it changed last.
    pub updated_at: Timestamp,
    /// When the user last proved who they are.
    pub authenticated_at: Timestamp,
    /// When the browser last reached the authorization server.
    pub last_interacted_at: Timestamp,
    /// When it ends if nothing happens.
    pub idle_expires_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// Whether the browser keeps the cookie.
    pub cookie_mode: CookieMode,
    /// First and last sighting.
    pub device: Device,
    /// Clients that signed in with this session, in the order of their first time.
    pub clients: Vec<ClientId>,
    /// How the user proved who they are.
    pub methods: Vec<AuthenticationMethod>,
    /// The user's epoch when the session was made: one of an earlier epoch was ended with all others, even where its
    /// record still waits for its turn.
    #[serde(default)]
    pub epoch: u64,
    /// The session at another provider that it came from, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<UpstreamSession>,
    /// The session's metadata.
    #[serde(default)]
    pub metadata: SessionMetadata,
}

impl Session {
    /// When the session ends if nothing more happens.
    pub fn ends_at(&self) -> Timestamp {
        self.expires_at.min(self.idle_expires_at)
    }

    /// Whether the session is still good at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.ends_at()
    }

    /// Sees to it that the session ends no later than the provider that it came from wants.
    pub fn heed_upstream(&mut self) {
        if let Some(end) = self.upstream.as_ref().and_then(|upstream| upstream.expires_at) {
            self.expires_at = self.expires_at.min(end);
            self.idle_expires_at = self.idle_expires_at.min(self.expires_at);
        }
    }

    /// Notes an interaction with the authorization server: pushes the idle expiry and the last sighting.
    pub fn touch(&mut self, now: Timestamp, idle_ms: i64, ip: Option<&str>, user_agent: Option<&str>) {
        self.last_interacted_at = now;
        self.updated_at = now;
        self.idle_expires_at = now.plus_millis(idle_ms).min(self.expires_at);
        self.device.seen_again(ip, user_agent);
    }

    /// Notes that a client signed in with this session. Past [`SESSION_CLIENTS_MAX`] the request is refused.
    ///
    /// # Errors
    /// [`TooManyClients`] when the session cannot remember one more.
    pub fn link_client(&mut self, client_id: &ClientId) -> Result<(), TooManyClients> {
        if self.clients.contains(client_id) {
            return Ok(());
        }
        if self.clients.len() >= SESSION_CLIENTS_MAX {
            return Err(TooManyClients);
        }
        self.clients.push(client_id.clone());
        Ok(())
    }

    /// Notes a completed method. A repeat of the same method moves its time; past [`SESSION_METHODS_MAX`] the
    /// oldest one is forgotten.
    pub fn record_method(&mut self, method: AuthenticationMethod) {
        self.methods.retain(|known| known.name != method.name || known.factor != method.factor);
        if self.methods.len() >= SESSION_METHODS_MAX {
            self.methods.remove(0);
        }
        self.methods.push(method);
    }
}

/// A session has been used by as many clients as it can remember; one more would miss its logout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session has signed in to too many applications")]
pub struct TooManyClients;

#[cfg(test)]
mod tests {
    use super::{AuthenticationMethod, CookieMode, Device, Session};
    use crate::metadata::SessionMetadata;
    use crate::time::{Timestamp, hours};
    use crate::upstream::UpstreamSession;

    fn session() -> Session {
        Session {
            id: "sid".into(),
            user_id: "auth0|1".into(),
            connection_id: "con_1".into(),
            organization_id: None,
            cookie_hash: String::new(),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            authenticated_at: Timestamp(0),
            last_interacted_at: Timestamp(0),
            idle_expires_at: Timestamp(hours(72)),
            expires_at: Timestamp(hours(168)),
            cookie_mode: CookieMode::Persistent,
            device: Device::default(),
            clients: Vec::new(),
            methods: Vec::new(),
            epoch: 0,
            upstream: None,
            metadata: SessionMetadata::default(),
        }
    }

    #[test]
    fn an_interaction_pushes_the_idle_expiry_but_never_past_the_absolute_one() {
        let mut session = session();
        assert!(session.is_live(Timestamp(hours(72) - 1)));
        assert!(!session.is_live(Timestamp(hours(72))));
        session.touch(Timestamp(hours(71)), hours(72), Some("192.0.2.1"), None);
        assert_eq!(session.ends_at(), Timestamp(hours(143)));
        session.touch(Timestamp(hours(142)), hours(72), None, None);
        assert_eq!(session.ends_at(), Timestamp(hours(168)));
    }

    #[test]
    fn a_session_lives_no_longer_than_the_provider_that_it_came_from_wants() {
        let mut session = session();
        session.heed_upstream();
        assert_eq!(session.ends_at(), Timestamp(hours(72)));
        session.upstream = Some(UpstreamSession {
            connection_id: "con_1".into(),
            issuer: "https://up.example/".into(),
            subject: "s".into(),
            sid: None,
            issued_at_s: 0,
            expires_at: Some(Timestamp(hours(1))),
        });
        session.heed_upstream();
        assert_eq!((session.ends_at(), session.expires_at), (Timestamp(hours(1)), Timestamp(hours(1))));
    }

    #[test]
    fn a_client_is_linked_once() {
        let mut session = session();
        assert!(session.link_client(&"a".into()).is_ok());
        assert!(session.link_client(&"a".into()).is_ok());
        assert_eq!(session.clients.len(), 1);
    }

    #[test]
    fn a_repeated_method_moves_its_time() {
        let mut session = session();
        for at in [1, 2] {
            let name = "pwd".to_owned();
            session.record_method(AuthenticationMethod { name, at: Timestamp(at), factor: None });
        }
        assert_eq!(session.methods.len(), 1);
        assert_eq!(session.methods[0].at, Timestamp(2));
    }
}
