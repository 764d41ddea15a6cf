//! What expires, and when it goes: sessions with a farewell to their clients, everything else silently.

use domain::logout::Initiator;
use domain::session::Session;
use store::{Key, Order};

use crate::sign_out::BoundTokens;
use crate::{Engine, Error, RequestFacts};

/// Sessions looked at in one step.
const SESSIONS_PER_STEP_MAX: usize = 100;
/// Rows removed in one step.
const ROWS_PER_STEP_MAX: usize = 500;
/// Steps in one sweep; what is left waits for the next.
const STEPS_MAX: usize = 200;

impl Engine {
    /// Ends sessions that ran out, removes rows past their time and packages without use, and reads again what other nodes may have published.
    /// Answers how many sessions it ended.
    ///
    /// # Errors
    /// Whatever the store answers; what was swept before stays swept.
    pub async fn sweep(&self) -> Result<usize, Error> {
        self.reload_published().await?;
        self.sweep_packages().await?;
        let (mut ended, mut failure) = (0, None);
        for _ in 0..STEPS_MAX {
            let step = self.end_expired_sessions(&mut failure).await?;
            ended += step;
            if step == 0 {
                break;
            }
        }
        for _ in 0..STEPS_MAX {
            if self.store().sweep_expired(self.now(), ROWS_PER_STEP_MAX).await? < ROWS_PER_STEP_MAX {
                break;
            }
        }
        failure.map_or(Ok(ended), Err)
    }

    /// Ends the sessions of one step. One that cannot be ended is left for the next sweep and does not hold up those
    /// behind it; the first such `failure` is kept.
    async fn end_expired_sessions(&self, failure: &mut Option<Error>) -> Result<usize, Error> {
        let soonest = self
            .store()
            .page_sharded::<Session>(Some("end"), &Key::all(), None, SESSIONS_PER_STEP_MAX, Order::Ascending)
            .await?;
        let now = self.now();
        let facts = RequestFacts::default();
        let mut ended = 0;
        for found in soonest.items.into_iter().take_while(|session| !session.is_live(now)) {
            let gone = self
                .store()
                .transact(async |tx| -> Result<bool, Error> {
                    let Some(session) = tx.get::<Session>(&Key::of(&found.id)).await? else {
                        return Ok(false);
                    };
                    if session.is_live(self.now()) {
                        return Ok(false);
                    }
                    let initiator = Initiator::SessionExpired;
                    let _ended = self.end_session(tx, &session, initiator, BoundTokens::Keep, &facts).await?;
                    Ok(true)
                })
                .await;
            match gone {
                Ok(gone) => ended += usize::from(gone),
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        if ended > 0 {
            self.logouts_may_wait();
        }
        Ok(ended)
    }
}
