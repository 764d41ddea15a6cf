//! Sessions as the Management API sees them: read, list, change their metadata, end them.
//!
//! Auth0: Management API v2 › sessions.

use std::collections::BTreeMap;

use domain::id::{SessionId, UserId};
use domain::limits::{PAGE_ITEMS_MAX, SESSION_METADATA_ENTRIES_MAX};
use domain::logout::Initiator;
use domain::metadata::{MetadataError, SessionMetadata};
use domain::session::Session;
use domain::user::User;
use serde_json::Value;
use store::{Key, Order, Page, Tx};

use crate::sign_out::{BoundTokens, SessionEnd};
use crate::{ApiCall, Engine, Error, Resource};

/// The documented answer to metadata that breaks a size rule (Auth0: configure session metadata).
pub const METADATA_TOO_LARGE: &str =
    "Metadata must not exceed 25 entries. Each key and value must be ≤ 255 characters.";

/// Reads metadata of a session or a refresh token from the property of a request body that holds it: a flat object of
/// strings, or null for none.
///
/// # Errors
/// [`Error::Invalid`]: the documented sentence for a broken size rule, a sentence that names the key for a wrong
/// type or character.
pub fn read_metadata(property: &str, value: &Value) -> Result<SessionMetadata, Error> {
    let properties = match value {
        Value::Null => return Ok(SessionMetadata::default()),
        Value::Object(properties) => properties,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(Error::property("Expected type object or null", property));
        }
    };
    if properties.len() > SESSION_METADATA_ENTRIES_MAX {
        return Err(refusal(property, &MetadataError::TooManyEntries));
    }
    let mut entries = BTreeMap::new();
    for (key, value) in properties {
        let Value::String(value) = value else {
            let property = format!("{property}.{key}");
            return Err(Error::property("Expected type string", &property));
        };
        entries.insert(key.clone(), value.clone());
    }
    SessionMetadata::replace_with(entries).map_err(|error| refusal(property, &error))
}

fn refusal(property: &str, error: &MetadataError) -> Error {
    if error.is_about_size() {
        return Error::Invalid { message: METADATA_TOO_LARGE.to_owned(), code: None };
    }
    let property = format!("{property}.{}", error.key().unwrap_or_default());
    Error::property(&error.to_string(), &property)
}

impl Engine {
    /// One live session.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for a session that ran out but was not swept yet.
    pub async fn session(&self, id: &SessionId) -> Result<Session, Error> {
        let session = self.store().get::<Session>(&Key::of(id)).await?;
        session.filter(|session| session.is_live(self.now())).ok_or(Error::NotFound(Resource::Session))
    }

    /// One page of a user's sessions, oldest first. Sessions that ran out are left out, so a page may be short.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user.
    pub async fn sessions_of_user(
        &self,
        user_id: &UserId,
        from: Option<&str>,
        take: usize,
    ) -> Result<Page<Session>, Error> {
        self.require_user(user_id).await?;
        let take = take.clamp(1, PAGE_ITEMS_MAX);
        let mut page = self
            .store()
            .page::<Session>(Some("user"), &Key::of(user_id), from, take, Order::Ascending)
            .await?;
        let now = self.now();
        page.items.retain(|session| session.is_live(now));
        Ok(page)
    }

    async fn require_user(&self, user_id: &UserId) -> Result<(), Error> {
        let user = self.store().get::<User>(&Key::of(user_id)).await?;
        user.map(drop).ok_or(Error::NotFound(Resource::User))
    }

    /// Replaces a session's metadata. The idle timer does not move: nobody interacted.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn replace_session_metadata(
        &self,
        call: &ApiCall,
        id: &SessionId,
        metadata: SessionMetadata,
    ) -> Result<Session, Error> {
        self.store()
            .transact(async |tx| -> Result<Session, Error> {
                let session = tx.get::<Session>(&Key::of(id)).await?;
                let mut session = session
                    .filter(|session| session.is_live(self.now()))
                    .ok_or(Error::NotFound(Resource::Session))?;
                session.metadata = metadata.clone();
                session.updated_at = self.now();
                tx.put(session.clone());
                self.record_api(tx, call, "Update a session", 200);
                Ok(session)
            })
            .await
    }

    /// Ends a session. With [`BoundTokens::Keep`] (the API's DELETE) an unknown session is no error; with
    /// [`BoundTokens::Revoke`] (the API's revoke) it is.
    ///
    /// # Errors
    /// [`Error::NotFound`], on revoke only.
    pub async fn end_session_by_api(
        &self,
        call: &ApiCall,
        id: &SessionId,
        tokens: BoundTokens,
    ) -> Result<(), Error> {
        let description = match tokens {
            BoundTokens::Keep => "Delete a session",
            BoundTokens::Revoke => "Revoke a session",
        };
        let end = async |tx: &mut Tx| -> Result<bool, Error> {
            // One that ran out is the sweep's, whose initiator is the true one.
            let session = tx.get::<Session>(&Key::of(id)).await?;
            match session.filter(|session| session.is_live(self.now())) {
                Some(session) => {
                    let initiator = Initiator::SessionRevoked;
                    let end = self.end_session(tx, &session, initiator, tokens, &call.facts).await?;
                    if end == SessionEnd::TokensLeft {
                        return Ok(false);
                    }
                }
                None if tokens == BoundTokens::Revoke => return Err(Error::NotFound(Resource::Session)),
                None => {}
            }
            self.record_api(tx, call, description, 202);
            Ok(true)
        };
        while !self.store().transact(end).await? {}
        self.logouts_may_wait();
        Ok(())
    }

    /// Ends every session of a user; refresh tokens stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user.
    pub async fn end_sessions_by_api(&self, call: &ApiCall, user_id: &UserId) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let user = tx.get::<User>(&Key::of(user_id)).await?;
                let mut user = user.ok_or(Error::NotFound(Resource::User))?;
                let (initiator, tokens) = (Initiator::SessionRevoked, BoundTokens::Keep);
                self.end_sessions_of_user(tx, &mut user, initiator, tokens, &call.facts).await?;
                tx.put(user);
                self.record_api(tx, call, "Delete sessions for user", 202);
                Ok(())
            })
            .await?;
        self.finish_farewell(user_id, &call.facts).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{METADATA_TOO_LARGE, read_metadata};

    fn check(value: &Value, expect: Result<usize, &str>) {
        let got = read_metadata("session_metadata", value).map(|metadata| metadata.entries().len());
        assert_eq!(got.map_err(|error| error.to_string()), expect.map_err(str::to_owned), "{value}");
    }

    #[test]
    fn size_rules_share_one_sentence_and_other_rules_name_the_key() {
        check(&Value::Null, Ok(0));
        check(&json!({}), Ok(0));
        check(&json!({"a": "1", "b": ""}), Ok(2));
        let many: Map<_, _> = (0..26).map(|n| (format!("k{n}"), json!("v"))).collect();
        check(&Value::Object(many), Err(METADATA_TOO_LARGE));
        check(&json!({"a": "v".repeat(256)}), Err(METADATA_TOO_LARGE));
        check(&json!({"k".repeat(256): "v"}), Err(METADATA_TOO_LARGE));
        check(
            &json!({"a": 1}),
            Err("Payload validation error: 'Expected type string' on property session_metadata.a."),
        );
        check(
            &json!({"bad key!": "v"}),
            Err(
                "Payload validation error: 'Metadata keys may only include letters, numbers, underscores, or \
                 hyphens' on property session_metadata.bad key!.",
            ),
        );
        check(
            &json!([]),
            Err("Payload validation error: 'Expected type object or null' on property session_metadata."),
        );
    }
}
