//! A user, their identities, and their two kinds of metadata.
//!
//! Auth0: manage users › user accounts › user profiles.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::connection::Connection;
use crate::id::{ConnectionId, UserId};
use crate::limits::USER_METADATA_BYTES_MAX;
use crate::logout::Initiator;
use crate::time::Timestamp;

/// An account at one connection that belongs to the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The connection's name.
    pub connection: String,
    /// The connection.
    pub connection_id: ConnectionId,
    /// The connection's strategy (`auth0` for a database).
    pub provider: String,
    /// The user's identifier there, without the strategy.
    pub user_id: String,
    /// Whether the provider is a social network.
    #[serde(default)]
    pub is_social: bool,
    /// What the provider last told of the user, for an identity at another provider.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub profile: Map<String, Value>,
}

impl Identity {
    /// An account at a connection that keeps its users here.
    pub fn of_database(connection: &Connection, user_id: String) -> Self {
        Self {
            connection: connection.name.clone(),
            connection_id: connection.id.clone(),
            provider: connection.strategy.clone(),
            user_id,
            is_social: false,
            profile: Map::new(),
        }
    }
}

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The `sub` claim.
    pub id: UserId,
    /// Address, as the user wrote it; compared in lower case.
    pub email: Option<String>,
    /// Whether someone proved that they read mail there.
    #[serde(default)]
    pub email_verified: bool,
    /// Name chosen for sign-in, where the connection asks for one.
    #[serde(default)]
    pub username: Option<String>,
    /// Telephone number in E.164 form.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// Whether someone proved that they answer there.
    #[serde(default)]
    pub phone_verified: bool,
    /// Full name.
    #[serde(default)]
    pub name: Option<String>,
    /// First name.
    #[serde(default)]
    pub given_name: Option<String>,
    /// Last name.
    #[serde(default)]
    pub family_name: Option<String>,
    /// Casual name.
    #[serde(default)]
    pub nickname: Option<String>,
    /// URL of a picture.
    #[serde(default)]
    pub picture: Option<String>,
    /// Whether sign-in is refused.
    #[serde(default)]
    pub blocked: bool,
    /// Accounts that belong to this user; the first is the one they were made with.
    pub identities: Vec<Identity>,
    /// What the user may change about themselves.
    #[serde(default)]
    pub user_metadata: Map<String, Value>,
    /// What only the tenant may change.
    #[serde(default)]
    pub app_metadata: Map<String, Value>,
    /// Argon2id hash in PHC form (RFC 9106). Absent for users of other connections.
    #[serde(default)]
    pub password_hash: Option<String>,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When anything about the user changed.
    pub updated_at: Timestamp,
    /// When the password was last changed.
    #[serde(default)]
    pub last_password_reset: Option<Timestamp>,
    /// When the user last signed in.
    #[serde(default)]
    pub last_login: Option<Timestamp>,
    /// From which address.
    #[serde(default)]
    pub last_ip: Option<String>,
    /// How often the user has signed in.
    #[serde(default)]
    pub logins_count: u64,
    /// Rises when every session of the user is ended at once, so that a sign-in under way at that moment
    /// conflicts and starts over.
    #[serde(default)]
    pub sessions_epoch: u64,
    /// Rises when every refresh token of the user is revoked at once: one of an earlier epoch is no longer good, even
    /// where its record still waits for its turn.
    #[serde(default)]
    pub tokens_epoch: u64,
    /// What is still to be cleared up after all sessions or refresh tokens ended at once; absent: nothing.
    #[serde(default)]
    pub farewell: Option<Farewell>,
    /// When somebody last lifted the blocks that failed tries had led to.
    #[serde(default)]
    pub blocks_lifted_at: Option<Timestamp>,
}

impl User {
    /// Until when failed tries are forgiven: a new password, or whoever lifted the blocks, made a new start.
    pub fn tries_forgiven_at(&self) -> Option<Timestamp> {
        self.blocks_lifted_at.max(self.last_password_reset)
    }
}

impl User {
    /// Somebody with one identity, of whom nothing else is known yet.
    pub fn new(identity: Identity, now: Timestamp) -> Self {
        Self {
            id: UserId::new(format!("{}|{}", identity.provider, identity.user_id)),
            email: None,
            email_verified: false,
            username: None,
            phone_number: None,
            phone_verified: false,
            name: None,
            given_name: None,
            family_name: None,
            nickname: None,
            picture: None,
            blocked: false,
            identities: vec![identity],
            user_metadata: Map::new(),
            app_metadata: Map::new(),
            password_hash: None,
            created_at: now,
            updated_at: now,
            last_password_reset: None,
            last_login: None,
            last_ip: None,
            logins_count: 0,
            sessions_epoch: 0,
            tokens_epoch: 0,
            farewell: None,
            blocks_lifted_at: None,
        }
    }
}

/// What stands for a user who has no picture: the first two letters of what they are called, in lower case; `user` where
/// they are not plain ones.
pub fn initials(called: &str) -> String {
    let letters: String = called.chars().take(2).flat_map(char::to_lowercase).collect();
    let plain = letters.len() == 2 && letters.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { letters } else { "user".to_owned() }
}

/// Records of earlier epochs that wait for their turn: sessions, whose clients are yet to be told, and refresh tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Farewell {
    /// What ended the sessions; absent: only refresh tokens are left.
    #[serde(default)]
    pub initiator: Option<Initiator>,
}

/// Merges a patch into metadata at the first level: a null removes its key, any other value replaces.
///
/// Auth0: manage users › metadata › manage user metadata.
pub fn merge_metadata(metadata: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        if value.is_null() {
            metadata.remove(&key);
        } else {
            metadata.insert(key, value);
        }
    }
}

/// Whether metadata, serialised, is small enough to be stored ([`USER_METADATA_BYTES_MAX`]).
pub fn metadata_fits(metadata: &Map<String, Value>) -> bool {
    serde_json::to_vec(metadata).is_ok_and(|bytes| bytes.len() <= USER_METADATA_BYTES_MAX)
}

/// The form in which addresses are compared: trimmed, in lower case.
pub fn comparable_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Whether the text has the form of an address: one `@` with something on both sides, no space, at most 320
/// bytes (RFC 5321 §4.5.3.1). Whether mail arrives there is a question for a letter.
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    text.len() <= 320
        && !local.is_empty()
        && !local.contains('@')
        && !host.is_empty()
        && !host.starts_with('.')
        && !host.ends_with('.')
        && !text.chars().any(|character| character.is_whitespace() || character.is_control())
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{is_email, merge_metadata};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_patch_merges_at_the_first_level_only() {
        let mut metadata = map(json!({"a": {"x": 1}, "b": 2, "c": 3}));
        merge_metadata(&mut metadata, map(json!({"a": {"y": 1}, "b": null})));
        assert_eq!(metadata, map(json!({"a": {"y": 1}, "c": 3})));
    }

    #[test]
    fn an_address_needs_two_sides() {
        for good in ["ada@example.com", "a+b@localhost", "ö@example.com"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "ada", "@example.com", "ada@", "a b@example.com", "a@b@c", "a@.com"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
