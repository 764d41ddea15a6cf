//! What must hold after any fault, when the process is up again and what waited was done.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::{EventKind, LogEvent};
use domain::secret::Secret;
use domain::session::Session;
use domain::token::RefreshToken;
use domain::user::User;
use engine::Engine;
use protocol::logout_token::{VerifiedLogout, verify};
use serde_json::Value;
use store::{Key, Order, Record, Store};

use crate::story::{End, NEW_EMAIL, NEW_PASSWORD, Told, metadata, refresh};
use crate::world::{CLIENTS, PASSWORD, Post, Run};

/// The records and the log as they are, and what relying parties heard.
struct Found {
    sessions: BTreeMap<String, Session>,
    tokens: Vec<RefreshToken>,
    user: Option<User>,
    log: Vec<LogEvent>,
    heard: Vec<(Post, VerifiedLogout)>,
}

/// Checks every invariant.
pub async fn check(run: &Run, engine: &Engine, end: End, told: &Told) {
    let store = run.store();
    let sessions = all::<Session>(&store).await;
    let heard = run.parties.heard().into_iter().map(|post| {
        let logout = verify(&engine.keys().set, &post.token, engine.issuer(), &post.client, post.at, 0);
        (post, logout.unwrap())
    });
    let found = Found {
        sessions: sessions.into_iter().map(|session| (session.id.to_string(), session)).collect(),
        tokens: all(&store).await,
        user: store.get(&Key::of(&told.user)).await.unwrap(),
        log: all(&store).await,
        heard: heard.collect(),
    };
    found.every_end_is_logged_once_and_told_to_those_who_listen();
    found.metadata_is_what_was_acknowledged(told);
    found.what_was_acknowledged_has_ended(end, told);
    found.the_user_is_as_the_log_says(engine, end, told).await;
    found.refresh_tokens_go_with_their_cause(engine, end, told).await;
}

async fn all<R: Record>(store: &Store) -> Vec<R> {
    let page = store.page::<R>(None, &Key::all(), None, 1_000, Order::Ascending).await.unwrap();
    assert!(page.next.is_none(), "more records than one page");
    page.items
}

/// Whether a client of a story hears of an end.
fn wants(client: &str, initiator: &str) -> bool {
    client != CLIENTS[2] || initiator == "rp-logout"
}

impl Found {
    fn events(&self, kind: EventKind) -> impl Iterator<Item = &LogEvent> {
        self.log.iter().filter(move |event| event.kind == kind)
    }

    fn count(&self, kind: EventKind) -> usize {
        self.events(kind).count()
    }

    fn api_operations(&self, description: &str) -> usize {
        self.events(EventKind::ApiOperation)
            .filter(|event| event.description.as_deref() == Some(description))
            .count()
    }

    /// Every session that a sign-in was logged for, with its clients.
    fn signed_in(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut sessions = BTreeMap::<_, BTreeSet<_>>::new();
        for event in self.events(EventKind::Login) {
            let (session, client) = (event.session_id.as_deref(), event.client_id.as_deref());
            sessions.entry(session.unwrap()).or_default().insert(client.unwrap());
        }
        sessions
    }

    /// What ended a session, by the log.
    fn initiators(&self, sid: &str) -> Vec<String> {
        let of_session = |event: &&LogEvent| event.session_id.as_deref() == Some(sid);
        let initiator = |event: &LogEvent| match event.kind {
            EventKind::Logout => Some("rp-logout".to_owned()),
            EventKind::SessionExpired => Some("session-expired".to_owned()),
            EventKind::SessionRevoked => event.details["initiator"].as_str().map(str::to_owned),
            _ => None,
        };
        self.log.iter().filter(of_session).filter_map(initiator).collect()
    }

    fn told_about(&self, client: &str, sid: &str) -> Vec<&(Post, VerifiedLogout)> {
        self.heard
            .iter()
            .filter(|(post, logout)| post.client == client && logout.sid.as_deref() == Some(sid))
            .collect()
    }

    fn every_end_is_logged_once_and_told_to_those_who_listen(&self) {
        let signed_in = self.signed_in();
        for (sid, session) in &self.sessions {
            let clients = signed_in.get(&**sid).unwrap_or_else(|| panic!("{sid} began without an event"));
            let own: BTreeSet<&str> = session.clients.iter().map(|client| client.as_str()).collect();
            assert_eq!(*clients, own, "clients of {sid}");
        }
        for (sid, clients) in &signed_in {
            let initiators = self.initiators(sid);
            let is_live = self.sessions.contains_key(*sid);
            assert_eq!(initiators.len(), usize::from(!is_live), "ends of {sid} in the log: {initiators:?}");
            for client in CLIENTS {
                let posts = self.told_about(client, sid);
                let succeeded = self
                    .events(EventKind::BackchannelLogout)
                    .filter(|event| event.client_id.as_deref() == Some(client))
                    .filter(|event| event.session_id.as_deref() == Some(sid))
                    .count();
                let must_hear =
                    clients.contains(client) && initiators.iter().any(|initiator| wants(client, initiator));
                let taken = posts.iter().filter(|(post, _)| post.status == 204).count();
                assert_eq!(taken > 0, must_hear, "{client} and the end of {sid}: {posts:?}");
                assert_eq!(succeeded, usize::from(must_hear), "{client} and {sid} in the log");
                assert!(must_hear || posts.is_empty(), "{client} heard of {sid}: {posts:?}");
                let names: BTreeSet<&str> = posts.iter().map(|(_, logout)| &*logout.jti).collect();
                assert_eq!(names.len(), posts.len(), "each try has a name of its own");
            }
        }
        let is_known =
            |(_, logout): &(Post, VerifiedLogout)| signed_in.contains_key(logout.sid.as_deref().unwrap());
        assert!(self.heard.iter().all(is_known), "{:?}", self.heard);
    }

    fn metadata_is_what_was_acknowledged(&self, told: &Told) {
        let Some(one) = told.one.as_ref().map(|one| one.as_str()) else { return };
        let written = self.api_operations("Update a session");
        assert!(told.metadata.is_none() || written > 0, "an acknowledged change is not in the log");
        assert!(told.metadata_wished || written == 0);
        let expected = if written > 0 { metadata() } else { Value::Null };
        if let Some(session) = self.sessions.get(one) {
            let entries = session.metadata.entries();
            let own = if entries.is_empty() { Value::Null } else { serde_json::to_value(entries).unwrap() };
            assert_eq!(own, expected);
        }
        for (_, logout) in self.heard.iter().filter(|(_, logout)| logout.sid.as_deref() == Some(one)) {
            assert_eq!(logout.session_metadata.clone().map_or(Value::Null, Value::Object), expected);
        }
    }

    fn what_was_acknowledged_has_ended(&self, end: End, told: &Told) {
        let both = [&told.one, &told.two].map(|session| session.as_ref().map(|session| session.as_str()));
        let (initiator, ends_both) = match end {
            End::SignIn | End::RpLogout => ("rp-logout", false),
            End::Revoke | End::Delete => ("session-revoked", false),
            End::DeleteAll | End::RevokeAccess => ("session-revoked", true),
            End::Password => ("password-changed", true),
            End::Block => ("account-deactivated", true),
            End::Email => ("email-identifier-changed", true),
            End::DeleteUser => ("account-deleted", true),
            End::Expiry => ("session-expired", true),
            // Whether its session goes with the family is another test's.
            End::Reuse => return,
        };
        for (sid, ends) in both.into_iter().zip([true, ends_both]) {
            let Some(sid) = sid else { continue };
            let is_live = self.sessions.contains_key(sid);
            assert!(!is_live || !ends || !told.ended, "{sid} was acknowledged to have ended");
            assert!(is_live || ends, "{sid} was nobody's to end");
            assert!(is_live || self.initiators(sid) == [initiator], "{:?}", self.initiators(sid));
        }
    }

    async fn the_user_is_as_the_log_says(&self, engine: &Engine, end: End, told: &Told) {
        let deleted = self.count(EventKind::UserDeleted);
        assert_eq!(deleted, usize::from(self.user.is_none()), "deletions in the log");
        assert!(deleted == 0 || self.tokens.is_empty(), "tokens of nobody");
        let changes = match end {
            End::DeleteUser => self.user.is_none(),
            End::Password | End::Block | End::Email => self.api_operations("Update a User") > 0,
            _ => false,
        };
        let is_change =
            matches!(end, End::DeleteUser | End::Password | End::Block | End::Email) && told.ended;
        assert!(changes || !is_change, "an acknowledged change is gone");
        let Some(user) = &self.user else { return };
        let is_email = user.email.as_deref() == Some(NEW_EMAIL);
        assert_eq!((user.blocked, is_email), (changes && end == End::Block, changes && end == End::Email));
        assert_eq!(self.count(EventKind::PasswordChanged) > 0, changes && end == End::Password);
        let password = if changes && end == End::Password { NEW_PASSWORD } else { PASSWORD };
        let password = Secret::new(password.to_owned());
        assert!(engine.password_is_right(password, user.password_hash.as_deref()).await.unwrap());
        // Whoever has ended all sessions has raised the epoch, so that none that is under way slips through.
        assert!(!changes || user.sessions_epoch > 0);
    }

    async fn refresh_tokens_go_with_their_cause(&self, engine: &Engine, end: End, told: &Told) {
        let (Some(newest), Some(one)) = (told.refresh.last(), &told.one) else { return };
        let family = newest.split('.').nth(1).unwrap();
        let is_there = self.tokens.iter().any(|token| token.id.as_str() == family);
        let takes_it = matches!(
            end,
            End::Revoke | End::RevokeAccess | End::Password | End::Block | End::DeleteUser | End::Reuse
        );
        assert!(is_there || takes_it, "an acknowledged refresh token is gone");
        assert!(!is_there || !takes_it || !told.ended, "{end:?} was acknowledged and left a refresh token");
        let reused = self.count(EventKind::RefreshReuse);
        match end {
            End::Reuse => assert_eq!(reused, usize::from(!is_there), "reuse in the log"),
            _ => assert_eq!(reused, 0),
        }
        // In one commit with its session, except where the API asks for both one after the other.
        if takes_it && end != End::Reuse && is_there {
            let of_one = self.tokens.iter().any(|token| token.grant.session_id.as_ref() == Some(one));
            assert_eq!(of_one, self.sessions.contains_key(one.as_str()), "a token without its session");
        }
        if is_there && !told.refresh_unsure && self.user.as_ref().is_some_and(|user| !user.blocked) {
            refresh(engine, newest).await.unwrap();
        }
    }
}
