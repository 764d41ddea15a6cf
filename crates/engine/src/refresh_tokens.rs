//! Refresh tokens as the Management API sees them: read, list, change their metadata, revoke them; and a user's access
//! as a whole.
//!
//! Auth0: Management API v2 › refresh tokens, users › revoke access. The values themselves are nowhere.

use domain::id::{ClientId, RefreshTokenId, SessionId, UserId};
use domain::logout::Initiator;
use domain::metadata::SessionMetadata;
use domain::session::Session;
use domain::token::RefreshToken;
use domain::user::User;
use store::{Key, Order, Tx};

use crate::listing::{Listing, Slice, Source};
use crate::sign_out::{BoundTokens, SessionEnd};
use crate::{ApiCall, Engine, Error, RequestFacts, Resource};

/// Refresh tokens of an application that one commit deletes; more go in further commits.
const DELETE_STEP: usize = 200;

/// Which refresh tokens one call revokes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokedTokens {
    /// These; unknown ones are not missed.
    Ids(Vec<RefreshTokenId>),
    /// Every one of a user. One who is not there is not missed.
    OfUser(UserId),
    /// Those of an application.
    OfClient {
        /// Which application.
        client_id: ClientId,
        /// Of this user only.
        user_id: Option<UserId>,
        /// For this API only.
        audience: Option<String>,
    },
}

impl Engine {
    /// One live refresh token.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for one that ran out, or was revoked with all others of its user, but was not swept yet.
    pub async fn refresh_token(&self, id: &RefreshTokenId) -> Result<RefreshToken, Error> {
        let token = self.store().get::<RefreshToken>(&Key::of(id)).await?;
        self.only_good(token).await
    }

    async fn only_good(&self, token: Option<RefreshToken>) -> Result<RefreshToken, Error> {
        let missing = || Error::NotFound(Resource::RefreshToken);
        let token = token.filter(|token| token.is_live(self.now())).ok_or_else(missing)?;
        let user = self.store().get::<User>(&Key::of(&token.grant.user_id)).await?;
        if user.is_some_and(|user| !token.is_outdated(&user)) { Ok(token) } else { Err(missing()) }
    }

    /// Some of a user's refresh tokens, oldest first: all of them, or those of one application.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user; [`Error::Invalid`] for a checkpoint that is none.
    pub async fn refresh_tokens_of_user(
        &self,
        user_id: &UserId,
        client_id: Option<&ClientId>,
        slice: &Slice,
    ) -> Result<Listing<RefreshToken>, Error> {
        let user = self.user(user_id).await?;
        let source = match client_id {
            Some(client_id) => Source::index("client", Key::of((client_id, user_id))),
            None => Source::index("user", Key::of(user_id)),
        };
        let now = self.now();
        self.list(source, slice, |token: &RefreshToken| token.is_live(now) && !token.is_outdated(&user)).await
    }

    /// Replaces a refresh token's metadata.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn replace_refresh_token_metadata(
        &self,
        call: &ApiCall,
        id: &RefreshTokenId,
        metadata: SessionMetadata,
    ) -> Result<RefreshToken, Error> {
        self.store()
            .transact(async |tx| -> Result<RefreshToken, Error> {
                let token = tx.get::<RefreshToken>(&Key::of(id)).await?;
                let mut token = self.only_good(token).await?;
                token.metadata = metadata.clone();
                tx.put(token.clone());
                self.record_api(tx, call, "Update a refresh token", 200);
                Ok(token)
            })
            .await
    }

    /// Revokes a refresh token.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_refresh_token(&self, call: &ApiCall, id: &RefreshTokenId) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let token = tx.get::<RefreshToken>(&Key::of(id)).await?;
                let token = token.ok_or(Error::NotFound(Resource::RefreshToken))?;
                self.revoke_refresh_token(tx, &token, &call.facts);
                self.record_api(tx, call, "Delete a refresh token", 202);
                Ok(())
            })
            .await
    }

    fn revoke_refresh_token(&self, tx: &mut Tx, token: &RefreshToken, facts: &RequestFacts) {
        tx.delete::<RefreshToken>(&Key::of(&token.id));
        self.refresh_token_revoked(token, facts).record(tx);
    }

    /// Revokes every refresh token of a user; sessions stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user.
    pub async fn delete_refresh_tokens_of_user(&self, call: &ApiCall, user_id: &UserId) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let user = tx.get::<User>(&Key::of(user_id)).await?;
                let mut user = user.ok_or(Error::NotFound(Resource::User))?;
                self.end_refresh_tokens_of_user(tx, &mut user, &call.facts).await?;
                tx.put(user);
                self.record_api(tx, call, "Delete refresh tokens for user", 202);
                Ok(())
            })
            .await?;
        self.finish_farewell(user_id, &call.facts).await;
        Ok(())
    }

    /// Revokes many refresh tokens at once; sessions stay.
    ///
    /// # Errors
    /// What the store answers. An application's tokens go in several commits: what was revoked before stays revoked.
    pub async fn revoke_refresh_tokens(&self, call: &ApiCall, which: &RevokedTokens) -> Result<(), Error> {
        match which {
            RevokedTokens::Ids(ids) => {
                let keys: Vec<Key> = ids.iter().map(Key::of).collect();
                let revoke = async |tx: &mut Tx| -> Result<(), Error> {
                    for token in tx.get_many::<RefreshToken>(&keys).await?.into_iter().flatten() {
                        self.revoke_refresh_token(tx, &token, &call.facts);
                    }
                    self.record_api(tx, call, "Revoke refresh tokens", 202);
                    Ok(())
                };
                self.store().transact(revoke).await
            }
            RevokedTokens::OfUser(user_id) => {
                let revoke = async |tx: &mut Tx| -> Result<(), Error> {
                    if let Some(mut user) = tx.get::<User>(&Key::of(user_id)).await? {
                        self.end_refresh_tokens_of_user(tx, &mut user, &call.facts).await?;
                        tx.put(user);
                    }
                    self.record_api(tx, call, "Revoke refresh tokens", 202);
                    Ok(())
                };
                self.store().transact(revoke).await?;
                self.finish_farewell(user_id, &call.facts).await;
                Ok(())
            }
            RevokedTokens::OfClient { client_id, user_id, audience } => {
                let prefix = match user_id {
                    Some(user_id) => Key::of((client_id, user_id)),
                    None => Key::of(client_id),
                };
                self.revoke_refresh_tokens_under(call, &prefix, audience.as_deref()).await
            }
        }
    }

    async fn revoke_refresh_tokens_under(
        &self,
        call: &ApiCall,
        prefix: &Key,
        audience: Option<&str>,
    ) -> Result<(), Error> {
        let mut after: Option<String> = None;
        loop {
            let (index, order) = (Some("client"), Order::Ascending);
            let page = self
                .store()
                .page::<RefreshToken>(index, prefix, after.as_deref(), DELETE_STEP, order)
                .await?;
            let is_first = after.is_none();
            let revoke = async |tx: &mut Tx| -> Result<(), Error> {
                let meant = |token: &&RefreshToken| {
                    audience.is_none_or(|audience| token.grant.audience.as_deref() == Some(audience))
                };
                page.items.iter().filter(meant).for_each(|token| {
                    tx.delete::<RefreshToken>(&Key::of(&token.id));
                });
                if is_first {
                    self.record_api(tx, call, "Revoke refresh tokens", 202);
                }
                Ok(())
            };
            self.store().transact(revoke).await?;
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Ends one session of a user, or all of them, with the refresh tokens unless those are to stay. Without a session
    /// named, refresh tokens that belong to no session, or to one that ended before, go too. A session that is not there, or another user's, is not
    /// missed.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn revoke_access(
        &self,
        call: &ApiCall,
        user_id: &UserId,
        session_id: Option<&SessionId>,
        preserve_refresh_tokens: bool,
    ) -> Result<(), Error> {
        let tokens = if preserve_refresh_tokens { BoundTokens::Keep } else { BoundTokens::Revoke };
        let initiator = Initiator::SessionRevoked;
        let revoke = async |tx: &mut Tx| -> Result<bool, Error> {
            if let Some(id) = session_id {
                let session = tx.get::<Session>(&Key::of(id)).await?;
                if let Some(session) = session.filter(|session| session.user_id == *user_id) {
                    let end = self.end_session(tx, &session, initiator, tokens, &call.facts).await?;
                    if end == SessionEnd::TokensLeft {
                        return Ok(false);
                    }
                }
            } else if let Some(mut user) = tx.get::<User>(&Key::of(user_id)).await? {
                self.end_sessions_of_user(tx, &mut user, initiator, tokens, &call.facts).await?;
                tx.put(user);
            }
            self.record_api(tx, call, "Revoke a user's access", 202);
            Ok(true)
        };
        while !self.store().transact(revoke).await? {}
        self.finish_farewell(user_id, &call.facts).await;
        Ok(())
    }
}
