//! A provider says that a session there is over: the sessions that came from it end, and their clients are told.
//!
//! Spec: OIDC Back-Channel Logout 1.0 §2.5–§2.8. Order matters: first it is written that the session there is over, so
//! that a sign-in under way from it makes none; then the sessions that are there end, one commit each; at last the
//! token's name is remembered, so that one that was not acted on to its end may be sent again.

use domain::connection::Connection;
use domain::event::EventKind;
use domain::id::SessionId;
use domain::limits::UPSTREAM_END_MEMORY_MS;
use domain::logout::Initiator;
use domain::session::Session;
use domain::upstream::{HeardLogout, UpstreamEnd, UpstreamSession};
use protocol::error::{OAuthError, OAuthErrorCode};
use protocol::upstream::logout_token::{Ended, Expect, LogoutToken};
use serde_json::json;
use store::{Key, Order, Tx};

use super::{Failure, oidc_of};
use crate::sign_in::hash;
use crate::sign_out::BoundTokens;
use crate::{Engine, Error, RequestFacts};

/// Sessions looked at in one step.
const SESSIONS_PER_STEP_MAX: usize = 50;

impl Engine {
    /// Takes a logout token that was posted for a connection; answers how many sessions it ended.
    ///
    /// # Errors
    /// [`Error::OAuth`] when the token does not count, and then nothing is changed; whatever the store answers, and then
    /// the same token may come again.
    pub async fn hear_logout(&self, name: &str, token: &str, facts: &RequestFacts) -> Result<usize, Error> {
        let connection = self.store().find::<Connection>("name", &Key::of(name)).await?;
        let unknown = || OAuthError::invalid("There is no such connection");
        let connection = connection.filter(|found| oidc_of(found).is_some()).ok_or_else(unknown)?;
        let heard = match self.check_logout_token(&connection, token).await? {
            Ok(heard) => heard,
            Err(why) => {
                self.record_unheard(&connection, &why, facts).await?;
                return Err(OAuthError::invalid("The logout token is not valid").with_debug(why).into());
            }
        };
        self.remember_end(&connection, &heard.ended, heard.issued_at_s).await?;
        let ended = self.end_sessions_from(&connection, &heard.ended, facts).await?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.put(self.heard(&connection, &heard));
                Ok(())
            })
            .await?;
        Ok(ended)
    }

    /// The token, if it counts. Inside, why it does not.
    async fn check_logout_token(
        &self,
        connection: &Connection,
        token: &str,
    ) -> Result<Result<LogoutToken, String>, Error> {
        let oidc = oidc_of(connection).ok_or_else(|| Error::Bug("a provider has settings".to_owned()))?;
        let expect = Expect {
            issuer: &oidc.provider.issuer,
            client_id: &oidc.client_id,
            algorithms: &oidc.algorithms,
            now: self.now(),
        };
        let checked =
            self.check_with_keys(&connection.id, &oidc.provider, |keys| expect.check(keys, token)).await;
        let heard = match checked {
            Ok(heard) => heard,
            // Not the token's fault: the provider may send it again.
            Err(failure @ (Failure::Unreachable(_) | Failure::TooSoon)) => {
                return Err(Error::Unavailable(format!("the keys of {}: {failure}", connection.name)));
            }
            Err(Failure::Refused(refused)) => return Ok(Err(refused.to_string())),
        };
        // §2.6 step 8: no token is heard twice.
        let key = Key::of((&connection.id, &hash(&heard.id)));
        let before = self.store().get::<HeardLogout>(&key).await?;
        let is_replay = before.is_some_and(|before| self.now() < before.expires_at);
        Ok(if is_replay { Err("the logout token was heard before".to_owned()) } else { Ok(heard) })
    }

    fn heard(&self, connection: &Connection, token: &LogoutToken) -> HeardLogout {
        HeardLogout {
            connection_id: connection.id.clone(),
            hash: hash(&token.id),
            expires_at: token.forget_at,
        }
    }

    async fn remember_end(&self, connection: &Connection, ended: &Ended, up_to_s: i64) -> Result<(), Error> {
        let (hash, up_to_s) = match ended {
            // A session there that is over never comes back.
            Ended::Session { sid, .. } => (hash_of_sid(sid), i64::MAX),
            Ended::Subject(subject) => (hash_of_subject(subject), up_to_s),
        };
        let connection_id = connection.id.clone();
        let expires_at = self.now().plus_millis(UPSTREAM_END_MEMORY_MS);
        let end = UpstreamEnd { connection_id, hash, up_to_s, expires_at };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let known = tx.get::<UpstreamEnd>(&Key::of((&end.connection_id, &end.hash))).await?;
                let up_to_s = known.map_or(end.up_to_s, |known| known.up_to_s.max(end.up_to_s));
                tx.put(UpstreamEnd { up_to_s, ..end.clone() });
                Ok(())
            })
            .await
    }

    /// Whether the session that a sign-in came from is over by now. Read in the unit of work that makes or renews ours.
    pub(crate) async fn upstream_is_over(&self, tx: &mut Tx, session: &Session) -> Result<bool, Error> {
        let Some(upstream) = &session.upstream else { return Ok(false) };
        let mut hashes = vec![hash_of_subject(&upstream.subject)];
        hashes.extend(upstream.sid.as_deref().map(hash_of_sid));
        for hash in hashes {
            let end = tx.get::<UpstreamEnd>(&Key::of((&upstream.connection_id, &hash))).await?;
            if end.is_some_and(|end| upstream.issued_at_s <= end.up_to_s) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn end_sessions_from(
        &self,
        connection: &Connection,
        ended: &Ended,
        facts: &RequestFacts,
    ) -> Result<usize, Error> {
        let places = match ended {
            Ended::Session { sid, subject } => {
                let by_sid = ("upstream_sid", Key::of((&connection.id, sid)));
                // Sessions whose ID token had no `sid` are found by their `sub` alone.
                let by_subject = subject.as_ref().map(|subject| by_subject(connection, subject));
                [Some(by_sid), by_subject]
            }
            Ended::Subject(subject) => [Some(by_subject(connection, subject)), None],
        };
        let mut count = 0;
        for (index, key) in places.into_iter().flatten() {
            let mut after = None;
            loop {
                let page = self
                    .store()
                    .page::<Session>(
                        Some(index),
                        &key,
                        after.as_deref(),
                        SESSIONS_PER_STEP_MAX,
                        Order::Ascending,
                    )
                    .await?;
                for found in page.items {
                    count +=
                        usize::from(self.end_if_it_came_from(connection, ended, &found.id, facts).await?);
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(count)
    }

    async fn end_if_it_came_from(
        &self,
        connection: &Connection,
        ended: &Ended,
        id: &SessionId,
        facts: &RequestFacts,
    ) -> Result<bool, Error> {
        let issuer = oidc_of(connection).map(|oidc| oidc.provider.issuer.as_str()).unwrap_or_default();
        let is_over = self
            .store()
            .transact(async |tx| -> Result<bool, Error> {
                let Some(session) = tx.get::<Session>(&Key::of(id)).await? else { return Ok(false) };
                let came_from_there = session
                    .upstream
                    .as_ref()
                    .is_some_and(|upstream| upstream.issuer == issuer && is_of(ended, upstream));
                if !came_from_there {
                    return Ok(false);
                }
                let _ended =
                    self.end_session(tx, &session, Initiator::IdpLogout, BoundTokens::Keep, facts).await?;
                let details = json!({
                    "session_id": session.id,
                    "return_to": "",
                    "allowed_logout_url": [],
                    "initiated_by": Initiator::IdpLogout.as_str(),
                    "protocol": "oidc",
                });
                self.event(EventKind::Logout, facts)
                    .connection(connection)
                    .user_id(session.user_id.as_str())
                    .session(&session)
                    .says("The identity provider ended the session")
                    .details(details)
                    .record(tx);
                Ok(true)
            })
            .await?;
        if is_over {
            self.logouts_may_wait();
        }
        Ok(is_over)
    }

    async fn record_unheard(
        &self,
        connection: &Connection,
        why: &str,
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                self.event(EventKind::LogoutFailed, facts)
                    .connection(connection)
                    .says("A logout token of the identity provider was refused")
                    .details(json!({
                        "return_to": "",
                        "allowed_logout_url": [],
                        "error": { "message": why, "oauthError": OAuthErrorCode::InvalidRequest.as_str() },
                    }))
                    .record(tx);
                Ok(())
            })
            .await
    }
}

/// Whether what ended is what a session came from (§2.6 steps 9 to 11).
fn is_of(ended: &Ended, upstream: &UpstreamSession) -> bool {
    match ended {
        Ended::Session { sid, subject } => {
            let same_subject = subject.as_ref().is_none_or(|subject| *subject == upstream.subject);
            let same_sid = match &upstream.sid {
                Some(own) => own == sid,
                None => subject.is_some(),
            };
            same_subject && same_sid
        }
        Ended::Subject(subject) => *subject == upstream.subject,
    }
}

fn by_subject(connection: &Connection, subject: &str) -> (&'static str, Key) {
    ("upstream_subject", Key::of((&connection.id, subject)))
}

fn hash_of_sid(sid: &str) -> String {
    hash(&format!("sid {sid}"))
}

fn hash_of_subject(subject: &str) -> String {
    hash(&format!("sub {subject}"))
}

#[cfg(test)]
mod tests {
    use domain::upstream::UpstreamSession;
    use protocol::upstream::logout_token::Ended;

    use super::is_of;

    #[test]
    fn only_what_came_from_the_ended_session_or_subject_ends() {
        let upstream = |subject: &str, sid: Option<&str>| UpstreamSession {
            connection_id: "con_1".into(),
            issuer: "https://up.example/".into(),
            subject: subject.into(),
            sid: sid.map(str::to_owned),
            issued_at_s: 0,
            expires_at: None,
        };
        let session =
            |subject: Option<&str>| Ended::Session { sid: "s".into(), subject: subject.map(str::to_owned) };
        let cases = [
            (session(None), upstream("a", Some("s")), true),
            (session(Some("a")), upstream("a", Some("s")), true),
            (session(Some("a")), upstream("b", Some("s")), false),
            (session(Some("a")), upstream("a", Some("t")), false),
            (session(None), upstream("a", None), false),
            (session(Some("a")), upstream("a", None), true),
            (Ended::Subject("a".into()), upstream("a", Some("t")), true),
            (Ended::Subject("a".into()), upstream("b", Some("s")), false),
        ];
        for (ended, upstream, expect) in cases {
            assert_eq!(is_of(&ended, &upstream), expect, "{ended:?} {upstream:?}");
        }
    }
}
