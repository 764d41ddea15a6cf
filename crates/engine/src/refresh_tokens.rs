//! Refresh tokens as the Management API sees them: read, list, change their metadata, revoke them; and a user's access
//! as a whole.
//!
//! Auth0: Management API v2 › refresh tokens, users › revoke access. The values themselves are nowhere.

use domain::event::EventKind;
use domain::id::{RefreshTokenId, SessionId, UserId};
use domain::limits::PAGE_ITEMS_MAX;
use domain::logout::Initiator;
use domain::metadata::SessionMetadata;
use domain::session::Session;
use domain::token::RefreshToken;
use store::{Key, Order, Page, Tx};

use crate::sign_out::{BoundTokens, SessionEnd};
use crate::{ApiCall, Engine, Error, Resource};

/// Refresh tokens that one commit deletes; more go in further commits.
const DELETE_STEP: usize = 100;

impl Engine {
    /// One live refresh token.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for one that ran out but was not swept yet.
    pub async fn refresh_token(&self, id: &RefreshTokenId) -> Result<RefreshToken, Error> {
        let token = self.store().get::<RefreshToken>(&Key::of(id)).await?;
        token.filter(|token| token.is_live(self.now())).ok_or(Error::NotFound(Resource::RefreshToken))
    }

    /// One page of a user's refresh tokens, oldest first. Tokens that ran out are left out, so a page may be short.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user.
    pub async fn refresh_tokens_of_user(
        &self,
        user_id: &UserId,
        from: Option<&str>,
        take: usize,
    ) -> Result<Page<RefreshToken>, Error> {
        self.user(user_id).await?;
        let take = take.clamp(1, PAGE_ITEMS_MAX);
        let mut page = self
            .store()
            .page::<RefreshToken>(Some("user"), &Key::of(user_id), from, take, Order::Ascending)
            .await?;
        let now = self.now();
        page.items.retain(|token| token.is_live(now));
        Ok(page)
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
                let mut token = token
                    .filter(|token| token.is_live(self.now()))
                    .ok_or(Error::NotFound(Resource::RefreshToken))?;
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
                tx.delete::<RefreshToken>(&Key::of(id));
                self.event(EventKind::RefreshRevoked, &call.facts)
                    .client_id(Some(token.grant.client_id.as_str()))
                    .user_id(token.grant.user_id.as_str())
                    .record(tx);
                self.record_api(tx, call, "Delete a refresh token", 202);
                Ok(())
            })
            .await
    }

    /// Revokes every refresh token of a user; sessions stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user.
    pub async fn delete_refresh_tokens_of_user(&self, call: &ApiCall, user_id: &UserId) -> Result<(), Error> {
        self.user(user_id).await?;
        self.revoke_all_refresh_tokens(user_id).await?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                self.record_api(tx, call, "Delete refresh tokens for user", 202);
                Ok(())
            })
            .await
    }

    async fn revoke_all_refresh_tokens(&self, user_id: &UserId) -> Result<(), Error> {
        loop {
            let more = self
                .store()
                .transact(async |tx| -> Result<bool, Error> {
                    let page = tx
                        .page::<RefreshToken>(
                            Some("user"),
                            &Key::of(user_id),
                            None,
                            DELETE_STEP,
                            Order::Ascending,
                        )
                        .await?;
                    page.items.iter().for_each(|token| tx.delete::<RefreshToken>(&Key::of(&token.id)));
                    Ok(page.next.is_some())
                })
                .await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Ends one session of a user, or all of them, with the refresh tokens unless those are to stay. Without a session
    /// named, refresh tokens that belong to no session go too. A session that is not there, or another user's, is not
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
        match session_id {
            None => {
                self.end_all_sessions(user_id, Initiator::SessionRevoked, tokens, &call.facts).await?;
                if !preserve_refresh_tokens {
                    self.revoke_all_refresh_tokens(user_id).await?;
                }
            }
            Some(id) => {
                let end = async |tx: &mut Tx| -> Result<bool, Error> {
                    let session = tx.get::<Session>(&Key::of(id)).await?;
                    let Some(session) = session.filter(|session| session.user_id == *user_id) else {
                        return Ok(true);
                    };
                    let initiator = Initiator::SessionRevoked;
                    let end = self.end_session(tx, &session, initiator, tokens, &call.facts).await?;
                    Ok(end != SessionEnd::TokensLeft)
                };
                while !self.store().transact(end).await? {}
            }
        }
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                self.record_api(tx, call, "Revoke a user's access", 202);
                Ok(())
            })
            .await?;
        self.logouts_may_wait();
        Ok(())
    }
}
