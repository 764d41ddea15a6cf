//! Ends all that a user has at once: every session, every refresh token, or both.
//!
//! What counts is one number in the user's record: sessions and refresh tokens of an earlier epoch are no longer good from
//! that commit on, however many there are. Their records go in the same commit as far as it has room, and the rest in
//! further ones; until then the user's record says so ([`Farewell`]), and the sweep of any node finds it there. Why:
//! `docs/adr/0021-an-end-of-everything-is-one-number.md`.

use domain::id::UserId;
use domain::logout::Initiator;
use domain::session::Session;
use domain::token::RefreshToken;
use domain::user::{Farewell, User};
use store::{Key, Order, Tx};

use super::{BoundTokens, ROWS_PER_COMMIT_MAX, ROWS_PER_REFRESH_TOKEN, SessionEnd};
use crate::{Engine, Error, RequestFacts};

/// Sessions or refresh tokens that are looked at in one step.
const RECORDS_PER_STEP_MAX: usize = 50;
/// Users whose rest one sweep clears up; what is left waits for the next.
const USERS_PER_SWEEP_MAX: usize = 100;

impl Engine {
    /// Ends every session of a user within a unit of work that writes the user, and with [`BoundTokens::Revoke`] every
    /// refresh token, also those that no session holds. The rise of the epoch makes a sign-in that is under way start
    /// over, so none slips through. Call [`Engine::finish_farewell`] after the commit.
    pub(crate) async fn end_sessions_of_user(
        &self,
        tx: &mut Tx,
        user: &mut User,
        initiator: Initiator,
        tokens: BoundTokens,
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        user.sessions_epoch += 1;
        if tokens == BoundTokens::Revoke {
            user.tokens_epoch += 1;
        }
        user.farewell = Some(Farewell { initiator: Some(initiator) });
        self.go_on_ending(tx, user, facts).await
    }

    /// The same for the refresh tokens alone.
    pub(crate) async fn end_refresh_tokens_of_user(
        &self,
        tx: &mut Tx,
        user: &mut User,
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        user.tokens_epoch += 1;
        user.farewell.get_or_insert(Farewell { initiator: None });
        self.go_on_ending(tx, user, facts).await
    }

    /// Clears up what an end of everything has left, in as many commits as it takes. Where that fails, the sweep goes on
    /// later: the end itself has happened.
    pub(crate) async fn finish_farewell(&self, user_id: &UserId, facts: &RequestFacts) {
        self.logouts_may_wait();
        if let Err(error) = self.try_finish_farewell(user_id, facts).await {
            tracing::warn!(user_id = user_id.as_str(), "what is left of an end waits for the sweep: {error}");
        }
    }

    /// Clears up what nodes that stopped in between have left.
    pub(crate) async fn finish_farewells(&self) -> Result<(), Error> {
        let all = Key::all();
        let (index, order) = (Some("farewell"), Order::Ascending);
        let page = self.store().page::<User>(index, &all, None, USERS_PER_SWEEP_MAX, order).await?;
        for user in page.items {
            self.try_finish_farewell(&user.id, &RequestFacts::default()).await?;
        }
        Ok(())
    }

    async fn try_finish_farewell(&self, user_id: &UserId, facts: &RequestFacts) -> Result<(), Error> {
        let go_on = async |tx: &mut Tx| -> Result<bool, Error> {
            let user = tx.get::<User>(&Key::of(user_id)).await?;
            let Some(mut user) = user.filter(|user| user.farewell.is_some()) else { return Ok(false) };
            self.go_on_ending(tx, &mut user, facts).await?;
            let more = user.farewell.is_some();
            tx.put(user);
            Ok(more)
        };
        while self.store().transact(go_on).await? {
            self.logouts_may_wait();
        }
        self.logouts_may_wait();
        Ok(())
    }

    /// Ends as much as this commit has room for; where that was all, nothing of the user waits any longer.
    async fn go_on_ending(&self, tx: &mut Tx, user: &mut User, facts: &RequestFacts) -> Result<(), Error> {
        let Some(farewell) = &user.farewell else { return Ok(()) };
        let mut rows = 0;
        if let Some(initiator) = farewell.initiator
            && !self.end_outdated_sessions(tx, user, initiator, &mut rows, facts).await?
        {
            return Ok(());
        }
        if delete_outdated_tokens(tx, user, &mut rows).await? {
            user.farewell = None;
        }
        Ok(())
    }

    /// Answers whether that were all.
    async fn end_outdated_sessions(
        &self,
        tx: &mut Tx,
        user: &User,
        initiator: Initiator,
        rows_sum: &mut usize,
        facts: &RequestFacts,
    ) -> Result<bool, Error> {
        let (by_user, order) = (Key::of(&user.id), Order::Ascending);
        let mut after: Option<String> = None;
        loop {
            let page = tx
                .page::<Session>(Some("user"), &by_user, after.as_deref(), RECORDS_PER_STEP_MAX, order)
                .await?;
            for found in page.items.iter().filter(|session| session.epoch < user.sessions_epoch) {
                if *rows_sum > ROWS_PER_COMMIT_MAX {
                    return Ok(false);
                }
                // Read again within the unit of work: the page is a snapshot, and the metadata must be the newest.
                let Some(session) = tx.get::<Session>(&Key::of(&found.id)).await? else { continue };
                // The user's tokens are revoked as a whole, where they are.
                let end = self.end_session(tx, &session, initiator, BoundTokens::Keep, facts).await?;
                if let SessionEnd::Ended { rows } = end {
                    *rows_sum += rows;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(true),
            }
        }
    }
}

/// Answers whether that were all.
async fn delete_outdated_tokens(tx: &mut Tx, user: &User, rows_sum: &mut usize) -> Result<bool, Error> {
    let (by_user, order) = (Key::of(&user.id), Order::Ascending);
    let mut after: Option<String> = None;
    loop {
        let page = tx
            .page::<RefreshToken>(Some("user"), &by_user, after.as_deref(), RECORDS_PER_STEP_MAX, order)
            .await?;
        for token in page.items.iter().filter(|token| token.is_outdated(user)) {
            if *rows_sum > ROWS_PER_COMMIT_MAX {
                return Ok(false);
            }
            tx.delete::<RefreshToken>(&Key::of(&token.id));
            *rows_sum += ROWS_PER_REFRESH_TOKEN;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(true),
        }
    }
}
