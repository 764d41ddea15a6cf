//! What expires, and when it goes: sessions with a farewell to their clients, everything else silently.
//!
//! A sweep takes a bounded part of each kind, so that no backlog of one holds up the other, and tells whether to go on at
//! once. Several nodes may sweep at the same time: each begins somewhere else, and what another was faster with is not
//! there when it is looked at again.

use domain::logout::Initiator;
use domain::session::Session;
use domain::time::Timestamp;
use store::{Key, Order, Shard, Tx};
use tokio::task::JoinSet;

use crate::sign_out::{BoundTokens, ROWS_PER_COMMIT_MAX, SessionEnd};
use crate::{Engine, Error, RequestFacts};

/// Sessions of one page.
const SESSIONS_PER_PAGE: usize = 500;
/// Pages of one shard in one sweep.
const PAGES_PER_SHARD_MAX: usize = 5;
/// Sessions that one commit ends, where its rows allow it.
const SESSIONS_PER_COMMIT_MAX: usize = 25;
/// Commits under way at once: the store writes them together.
const COMMITS_AT_ONCE_MAX: usize = 8;
/// Rows removed in one step.
const ROWS_PER_STEP: usize = 500;
/// Such steps in one sweep.
const ROW_STEPS_MAX: usize = 20;

/// What a sweep came to.
#[derive(Debug)]
pub struct Swept {
    /// Sessions that it ended.
    pub ended: usize,
    /// Whether there is more that expired, and this sweep got on: the next may follow at once.
    pub more: bool,
    /// Why a session could not be ended, or something else that a sweep does was not, if so. It held up nothing else.
    pub failure: Option<Error>,
}

impl Engine {
    /// Ends sessions that ran out, removes rows past their time, rows of deleted roles and packages without use, clears up what other nodes left
    /// of an end, and reads again the time and what they may have published.
    ///
    /// # Errors
    /// Whatever the store answers; what was swept before stays swept.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        let mut swept = Swept { ended: 0, more: false, failure: None };
        // Whatever of this fails must not keep sessions from ending.
        let first = [
            self.follow_clock().await,
            self.reload_published().await,
            self.sweep_packages().await,
            self.finish_farewells().await,
            self.sweep_deleted_roles().await,
        ];
        swept.failure = first.into_iter().find_map(Result::err);
        let sessions_left = self.end_expired_sessions(&mut swept).await?;
        swept.more = sessions_left && swept.ended > 0;
        for step in 1..=ROW_STEPS_MAX {
            if self.store().sweep_expired(self.now(), ROWS_PER_STEP).await? < ROWS_PER_STEP {
                break;
            }
            swept.more |= step == ROW_STEPS_MAX;
        }
        Ok(swept)
    }

    /// Answers whether some may be left.
    async fn end_expired_sessions(&self, swept: &mut Swept) -> Result<bool, Error> {
        let mut shards: Vec<Shard> = Shard::all().collect();
        let first = usize::from(self.random::<1>()[0]) % shards.len();
        shards.rotate_left(first);
        let mut left = false;
        for shard in shards {
            left |= self.end_expired_sessions_of(shard, swept).await?;
        }
        Ok(left)
    }

    async fn end_expired_sessions_of(&self, shard: Shard, swept: &mut Swept) -> Result<bool, Error> {
        let prefix = Key::of(shard);
        let mut after: Option<String> = None;
        for _ in 0..PAGES_PER_SHARD_MAX {
            let (index, order) = (Some("end"), Order::Ascending);
            let page = self
                .store()
                .page::<Session>(index, &prefix, after.as_deref(), SESSIONS_PER_PAGE, order)
                .await?;
            let now = self.now();
            let due = page.items.iter().take_while(|session| !session.is_live(now));
            let due: Vec<Key> = due.map(|session| Key::of(&session.id)).collect();
            let is_last = due.len() < page.items.len();
            self.end_each(&due, now, swept).await;
            match page.next {
                Some(next) if !is_last => after = Some(next),
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Ends these sessions, several in a commit and several commits at once.
    async fn end_each(&self, due: &[Key], now: Timestamp, swept: &mut Swept) {
        let mut running = JoinSet::new();
        let mut chunks = due.chunks(SESSIONS_PER_COMMIT_MAX);
        loop {
            while running.len() < COMMITS_AT_ONCE_MAX
                && let Some(chunk) = chunks.next()
            {
                let (engine, chunk) = (self.clone(), chunk.to_vec());
                running.spawn(async move { engine.end_chunk(&chunk, now).await });
            }
            let Some(done) = running.join_next().await else { break };
            let (ended, failure) = done.unwrap_or_else(|panic| (0, Some(Error::Bug(panic.to_string()))));
            swept.ended += ended;
            if let Some(error) = failure {
                swept.failure.get_or_insert(error);
            }
        }
        if !due.is_empty() {
            self.logouts_may_wait();
        }
    }

    /// Where one of them cannot be ended, the others are, each alone.
    async fn end_chunk(&self, chunk: &[Key], now: Timestamp) -> (usize, Option<Error>) {
        let (mut ended, mut failure) = (0, None);
        if self.end_together(chunk, now, &mut ended).await.is_err() {
            for one in chunk {
                if let Err(error) = self.end_together(std::slice::from_ref(one), now, &mut ended).await {
                    failure.get_or_insert(error);
                }
            }
        }
        (ended, failure)
    }

    async fn end_together(&self, mut due: &[Key], now: Timestamp, ended: &mut usize) -> Result<(), Error> {
        let facts = RequestFacts::default();
        while !due.is_empty() {
            let end = async |tx: &mut Tx| -> Result<(usize, usize), Error> {
                let (mut rows_sum, mut gone) = (0, 0);
                for (at, session) in tx.get_many::<Session>(due).await?.into_iter().enumerate() {
                    if rows_sum > ROWS_PER_COMMIT_MAX {
                        return Ok((at, gone));
                    }
                    let Some(session) = session.filter(|session| !session.is_live(now)) else { continue };
                    let (initiator, tokens) = (Initiator::SessionExpired, BoundTokens::Keep);
                    let end = self.end_session(tx, &session, initiator, tokens, &facts).await?;
                    if let SessionEnd::Ended { rows } = end {
                        (rows_sum, gone) = (rows_sum + rows, gone + 1);
                    }
                }
                Ok((due.len(), gone))
            };
            let (done, gone) = self.store().transact(end).await?;
            *ended += gone;
            due = &due[done..];
        }
        Ok(())
    }
}
