//! The catalogue: every table, its key and its indexes on one page. This page is the schema.
//!
//! | table | key | indexes |
//! | --- | --- | --- |
//! | `tenant` | `settings` | |
//! | `signing_key` | id | `first` (unique: algorithm, while it is the first one) |
//! | `user` | id | `email` (unique: connection, address), `address` (address), `username` (unique), `identity` (unique: provider, id there), `connection`, `farewell` (id, where one waits) |
//! | `connection` | id | `name` (unique), `strategy` (strategy, name) |
//! | `client` | id | |
//! | `used_assertion` | client, hash | |
//! | `resource_server` | id | `identifier` (unique) |
//! | `client_grant` | id | `pair` (unique: client, audience) |
//! | `organization` | id | `name` (unique), `display_name`, `made` (made at) |
//! | `membership` | organization, user | `user` (user) |
//! | `organization_client` | organization, client | `client` (client) |
//! | `organization_connection` | organization, connection | `connection` (connection) |
//! | `organization_grant` | organization, client grant | `grant` (client grant) |
//! | `discovery_domain` | organization, id | `domain` (unique: organization, domain) |
//! | `invitation` | organization, id | `ticket` (unique: hash), `made` (organization, made at) |
//! | `role` | id | `name` (unique) |
//! | `role_member` | role, user | `user` (user) |
//! | `user_permissions` | user | |
//! | `deleted_role` | id | |
//! | `session` | id | `user` (user, made at), `end` (shard, ends at), `upstream_sid` (connection, `sid` there), `upstream_subject` (connection, `sub` there) |
//! | `sign_in` | id | |
//! | `paused_sign_in` | id | |
//! | `upstream_attempt` | id | |
//! | `upstream_end` | connection, hash | |
//! | `heard_logout` | connection, hash | |
//! | `code` | hash | |
//! | `refresh_token` | id | `user` (user, made at), `session` (session), `client` (client, user, made at) |
//! | `retired_refresh_token` | hash | |
//! | `revoked_access_token` | `jti` | |
//! | `action` | id | `name` (unique) |
//! | `action_version` | id | `action` (Action, number) |
//! | `action_library` | `library` | |
//! | `action_module` | id | `name` (unique) |
//! | `action_module_version` | id | `number` (unique: module, number) |
//! | `trigger_bindings` | trigger | |
//! | `execution` | id | |
//! | `logout_delivery` | shard, id | `client` (client, id), `session` (session, client, id), `open` (client, state, id), `state` (shard, state, id) |
//! | `attack_protection` | `settings` | |
//! | `failed_tries` | account, address | |
//! | `address_tries` | stage, address | |
//! | `settings_document` | kind, name | |
//! | `log` | shard, id | `new` (shard, id) until it is numbered |
//! | `log_head` | `head` | |
//! | `log_block` | number | `ceiling` (highest id), `late` (id) |
//! | `log_segment` | first block | |
//! | `log_posting` | first block, field, bucket | |
//! | `log_stream` | id | `file` (unique) |
//! | `log_stream_position` | id | |
//!
//! Records only gain optional fields: what an older release wrote must decode for ever.

mod organizations;
mod roles;
mod settings;

use domain::action::{Action, ActionLibrary, ActionVersion, Execution, TriggerBindings};
use domain::action_module::{Module, ModuleVersion};
use domain::client::Client;
use domain::client_credential::UsedAssertion;
use domain::connection::{Connection, STRATEGY_DATABASE, STRATEGY_OIDC};
use domain::event::LogEvent;
use domain::grant::ClientGrant;
use domain::id::{
    ActionId, ClientGrantId, ClientId, ConnectionId, DiscoveryDomainId, InvitationId, KeyId, LogId,
    LogStreamId, LogoutDeliveryId, ModuleId, OrganizationId, RefreshTokenId, ResourceServerId, RoleId,
    SessionId, SignInId, UserId,
};
use domain::key::{KeyRole, SigningKeyRecord};
use domain::log_index::{LogBlock, LogHead, LogPosting, LogSegment};
use domain::log_stream::{LogStream, LogStreamPosition, Sink};
use domain::logout_delivery::LogoutDelivery;
use domain::paused::PausedSignIn;
use domain::resource_server::ResourceServer;
use domain::session::Session;
use domain::sign_in::SignIn;
use domain::tenant::Tenant;
use domain::time::Timestamp;
use domain::token::{AuthorizationCode, Grant, RefreshToken, RetiredRefreshToken, RevokedAccessToken};
use domain::upstream::{HeardLogout, UpstreamAttempt, UpstreamEnd};
use domain::user::{User, comparable_email};

use crate::key::{Key, KeyPart, shard_of};
use crate::table::{IndexEntry, Record};

pub use settings::{address_tries_key, attack_protection_key, failed_tries_key, settings_document_key};

macro_rules! identifiers_are_key_parts {
    ($($name:ident)*) => {$(
        impl KeyPart for $name {
            fn write(&self, key: &mut Key) {
                self.as_str().write(key);
            }
        }
    )*};
}
identifiers_are_key_parts!(
    ActionId ClientGrantId ClientId ConnectionId DiscoveryDomainId InvitationId KeyId LogId LogStreamId LogoutDeliveryId ModuleId OrganizationId
    RefreshTokenId ResourceServerId RoleId SessionId SignInId UserId
);

/// Where the tenant's settings lie.
pub fn tenant_key() -> Key {
    Key::of("settings")
}

/// Where the count of Actions and modules lies.
pub fn library_key() -> Key {
    Key::of("library")
}

/// Where a log event lies.
pub fn log_key(id: &LogId) -> Key {
    Key::of((shard_of(id.as_str()), id))
}

/// Where a delivery of a logout token lies.
pub fn logout_delivery_key(id: &LogoutDeliveryId) -> Key {
    Key::of((shard_of(id.as_str()), id))
}

/// Where the end of the log's order lies.
pub fn log_head_key() -> Key {
    Key::of("head")
}

/// Where it is told which events of a segment have which values in a field.
pub fn log_posting_key(first: u64, field: &str, bucket: &str) -> Key {
    Key::of((first, field, bucket))
}

/// Where an address is looked up among the users of one connection.
pub fn email_key(connection: &ConnectionId, email: &str) -> Key {
    Key::of((connection, &comparable_email(email)))
}

/// Where a sign-in name is looked up among the users of one connection.
pub fn username_key(connection: &ConnectionId, username: &str) -> Key {
    Key::of((connection, &username.to_lowercase()))
}

/// Where an account at another provider is looked up among all users.
pub fn identity_key(provider: &str, user_id: &str) -> Key {
    Key::of((provider, user_id))
}

impl Record for Tenant {
    const SPACE: &'static str = "tenant";

    fn key(&self) -> Key {
        tenant_key()
    }
}

impl Record for SigningKeyRecord {
    const SPACE: &'static str = "signing_key";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        // However many nodes start or rotate at once, one key of an algorithm is the current one, and one the next.
        let is_only = self.role != KeyRole::Previous;
        let entry = || IndexEntry::unique("role", Key::of((self.algorithm.as_str(), self.role.as_str())));
        is_only.then(entry).into_iter().collect()
    }
}

impl Record for User {
    const SPACE: &'static str = "user";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        let mut entries = Vec::with_capacity(4);
        if self.farewell.is_some() {
            entries.push(IndexEntry::many("farewell", Key::of(&self.id)));
        }
        let Some(identity) = self.identities.first() else { return entries };
        // Only where we hand out the accounts is an address one user's alone.
        let is_ours = identity.provider == STRATEGY_DATABASE;
        if let Some(email) = &self.email {
            if is_ours {
                entries.push(IndexEntry::unique("email", email_key(&identity.connection_id, email)));
            }
            entries.push(IndexEntry::many("address", Key::of(comparable_email(email))));
        }
        if let Some(username) = self.username.as_ref().filter(|_| is_ours) {
            entries.push(IndexEntry::unique("username", username_key(&identity.connection_id, username)));
        }
        // An account of ours that a user was made with is found by the user's own key.
        for identity in self.identities.iter().skip(usize::from(is_ours)) {
            entries.push(IndexEntry::unique("identity", identity_key(&identity.provider, &identity.user_id)));
            entries.push(IndexEntry::many("connection", Key::of(&identity.connection_id)));
        }
        entries
    }
}

impl Record for Connection {
    const SPACE: &'static str = "connection";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        let mut entries = vec![IndexEntry::unique("name", Key::of(&self.name))];
        // The others are never listed by it.
        if self.strategy == STRATEGY_OIDC {
            entries.push(IndexEntry::many("strategy", Key::of((&self.strategy, &self.name))));
        }
        entries
    }
}

impl Record for Client {
    const SPACE: &'static str = "client";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }
}

impl Record for UsedAssertion {
    const SPACE: &'static str = "used_assertion";

    fn key(&self) -> Key {
        Key::of((&self.client_id, &self.hash))
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for ResourceServer {
    const SPACE: &'static str = "resource_server";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::unique("identifier", Key::of(&self.identifier))]
    }
}

impl Record for ClientGrant {
    const SPACE: &'static str = "client_grant";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        let client_id = self.client_id.as_ref().map_or("", ClientId::as_str);
        vec![IndexEntry::unique("pair", Key::of((client_id, &self.audience)))]
    }
}

impl Record for Session {
    const SPACE: &'static str = "session";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    // No expiry of the row: a session that ran out is ended by the engine's sweep, so that its clients are told.
    fn indexes(&self) -> Vec<IndexEntry> {
        let mut entries = vec![
            IndexEntry::many("user", Key::of((&self.user_id, self.created_at))),
            IndexEntry::many("end", Key::of((shard_of(self.id.as_str()), self.ends_at()))),
        ];
        if let Some(upstream) = &self.upstream {
            let connection = &upstream.connection_id;
            entries.push(IndexEntry::many("upstream_subject", Key::of((connection, &upstream.subject))));
            if let Some(sid) = &upstream.sid {
                entries.push(IndexEntry::many("upstream_sid", Key::of((connection, sid))));
            }
        }
        entries
    }
}

impl Record for SignIn {
    const SPACE: &'static str = "sign_in";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for PausedSignIn {
    const SPACE: &'static str = "paused_sign_in";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for UpstreamAttempt {
    const SPACE: &'static str = "upstream_attempt";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for UpstreamEnd {
    const SPACE: &'static str = "upstream_end";

    fn key(&self) -> Key {
        Key::of((&self.connection_id, &self.hash))
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for HeardLogout {
    const SPACE: &'static str = "heard_logout";

    fn key(&self) -> Key {
        Key::of((&self.connection_id, &self.hash))
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for AuthorizationCode {
    const SPACE: &'static str = "code";

    fn key(&self) -> Key {
        Key::of(&self.hash)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.forget_at)
    }
}

impl Record for RefreshToken {
    const SPACE: &'static str = "refresh_token";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        let Grant { client_id, user_id, .. } = &self.grant;
        let mut entries = vec![
            IndexEntry::many("user", Key::of((user_id, self.created_at))),
            IndexEntry::many("client", Key::of((client_id, user_id, self.created_at))),
        ];
        if let Some(session_id) = &self.grant.session_id {
            entries.push(IndexEntry::many("session", Key::of(session_id)));
        }
        entries
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.ends_at()
    }
}

impl Record for RetiredRefreshToken {
    const SPACE: &'static str = "retired_refresh_token";

    fn key(&self) -> Key {
        Key::of(&self.hash)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.forget_at
    }
}

impl Record for RevokedAccessToken {
    const SPACE: &'static str = "revoked_access_token";

    fn key(&self) -> Key {
        Key::of(&self.jti)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for Action {
    const SPACE: &'static str = "action";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::unique("name", Key::of(&self.name))]
    }
}

impl Record for ActionVersion {
    const SPACE: &'static str = "action_version";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::many("action", Key::of((&self.action_id, self.number)))]
    }
}

impl Record for ActionLibrary {
    const SPACE: &'static str = "action_library";

    fn key(&self) -> Key {
        library_key()
    }
}

impl Record for Module {
    const SPACE: &'static str = "action_module";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::unique("name", Key::of(&self.name))]
    }
}

impl Record for ModuleVersion {
    const SPACE: &'static str = "action_module_version";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::unique("number", Key::of((&self.module_id, self.number)))]
    }
}

impl Record for TriggerBindings {
    const SPACE: &'static str = "trigger_bindings";

    fn key(&self) -> Key {
        Key::of(&self.trigger)
    }
}

impl Record for Execution {
    const SPACE: &'static str = "execution";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for LogoutDelivery {
    const SPACE: &'static str = "logout_delivery";

    fn key(&self) -> Key {
        logout_delivery_key(&self.id)
    }

    // What arrived is found by client and session; only what may still ask something of an operator by its state.
    fn indexes(&self) -> Vec<IndexEntry> {
        let (client, session) = (&self.pending.client_id, &self.pending.session_id);
        let mut entries = vec![
            IndexEntry::many("client", Key::of((client, &self.id))),
            IndexEntry::many("session", Key::of((session, client, &self.id))),
        ];
        if self.state.is_open() {
            let state = self.state.as_str();
            entries.push(IndexEntry::many("open", Key::of((client, state, &self.id))));
            entries.push(IndexEntry::many("state", Key::of((shard_of(self.id.as_str()), state, &self.id))));
        }
        entries
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.kept_until
    }
}

impl Record for LogEvent {
    const SPACE: &'static str = "log";

    fn key(&self) -> Key {
        log_key(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        // Its rows are exactly the events' keys, and so in shards as they are.
        vec![IndexEntry::many("new", Key::all())]
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(LogEvent::expires_at(self))
    }
}

impl Record for LogHead {
    const SPACE: &'static str = "log_head";

    fn key(&self) -> Key {
        log_head_key()
    }
}

impl Record for LogBlock {
    const SPACE: &'static str = "log_block";

    fn key(&self) -> Key {
        Key::of(self.number)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        let late = self.late.iter().map(|id| IndexEntry::many("late", Key::of(id)));
        late.chain([IndexEntry::many("ceiling", Key::of(&self.ceiling))]).collect()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for LogSegment {
    const SPACE: &'static str = "log_segment";

    fn key(&self) -> Key {
        Key::of(self.first)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for LogPosting {
    const SPACE: &'static str = "log_posting";

    fn key(&self) -> Key {
        log_posting_key(self.first, &self.field, &self.bucket)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for LogStream {
    const SPACE: &'static str = "log_stream";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        match &self.sink {
            Sink::Http(_) => Vec::new(),
            Sink::File(file) => vec![IndexEntry::unique("file", Key::of(&file.name))],
        }
    }
}

impl Record for LogStreamPosition {
    const SPACE: &'static str = "log_stream_position";

    fn key(&self) -> Key {
        Key::of(&self.id)
    }
}
