//! Keeps the refresh tokens of one user in one application within their number: the oldest make room.
//!
//! Auth0: entity limits, refresh tokens.

use domain::client::Client;
use domain::event::EventKind;
use domain::limits::REFRESH_TOKENS_PER_USER_AND_CLIENT_MAX;
use domain::token::RefreshToken;
use domain::user::User;
use serde_json::json;
use store::{Key, Order, Tx};

use crate::{Engine, Error, RequestFacts};

/// Entries that are looked at. Those past the limit belong to tokens that ended, or came in at the same time.
const ENTRIES_MAX: usize = 2 * REFRESH_TOKENS_PER_USER_AND_CLIENT_MAX;

impl Engine {
    /// Makes room for one more, in the unit of work that adds it. Two that are added at the same moment may both find room
    /// for one; the next makes up for it.
    pub(super) async fn make_room_for_refresh_token(
        &self,
        tx: &mut Tx,
        client: &Client,
        user: &User,
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        let prefix = Key::of((&client.id, &user.id));
        let limit = REFRESH_TOKENS_PER_USER_AND_CLIENT_MAX;
        // Counting is cheap and almost always the end of it. Only who has very many pays for reading them.
        if self.store().count_entries::<RefreshToken>("client", &prefix, limit).await? < limit {
            return Ok(());
        }
        let newest =
            tx.page::<RefreshToken>(Some("client"), &prefix, None, ENTRIES_MAX, Order::Descending).await?;
        let now = self.now();
        let good = newest.items.into_iter().filter(|token| token.is_live(now) && !token.is_outdated(user));
        let removed: Vec<RefreshToken> = good.skip(limit - 1).collect();
        if removed.is_empty() {
            return Ok(());
        }
        removed.iter().for_each(|token| tx.delete::<RefreshToken>(&Key::of(&token.id)));
        let count = removed.len();
        self.event(EventKind::ResourceCleanup, facts)
            .client(client)
            .user(user)
            .says(format!(
                "More than {limit} refresh tokens of a user in one application: the oldest were removed"
            ))
            .details(json!({
                "resource": "refresh_tokens",
                "start": limit - 1 + count,
                "removedCount": count,
                "endCount": limit - 1,
            }))
            .record(tx);
        Ok(())
    }
}
