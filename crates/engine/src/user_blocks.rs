//! Who is kept out by failed tries, and how that is lifted.
//!
//! Auth0: Management API v2 › user blocks. A user whom an administrator blocked is another matter: see `users`.

use domain::attack_protection::{Counting, FailedTries};
use domain::connection::{Connection, STRATEGY_DATABASE};
use domain::id::UserId;
use domain::limits::USER_BLOCKS_MAX;
use domain::user::{User, is_email};
use store::tables::username_key;
use store::{Key, Order, Tx};

use crate::{ApiCall, Engine, Error, Resource};

/// Records looked at in one step.
const STEP: usize = 100;
/// Such steps for one user. Ours: somebody who guesses from more addresses than that has more than we list anyway.
const STEPS_MAX: usize = 100;

/// A user who may not sign in for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// By what they are known: their address, or their name for sign-in.
    pub identifier: String,
    /// From where, where only tries from there are refused.
    pub address: Option<String>,
    /// The connection's name.
    pub connection: String,
}

impl Engine {
    /// The blocks of one user. With `in_force`, none where the tenant's settings would not refuse anybody.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn user_blocks(&self, id: &UserId, in_force: bool) -> Result<Vec<Block>, Error> {
        let user = self.user(id).await?;
        self.blocks_of(&[user], in_force).await
    }

    /// The blocks of whoever has this address, or this name for sign-in, in any connection.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn user_blocks_by_identifier(
        &self,
        identifier: &str,
        in_force: bool,
    ) -> Result<Vec<Block>, Error> {
        let users = self.users_known_as(identifier).await?;
        self.blocks_of(&users, in_force).await
    }

    /// Lifts the blocks of one user.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn lift_user_blocks(&self, call: &ApiCall, id: &UserId) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                if !self.lift_blocks(tx, call, id).await? {
                    return Err(Error::NotFound(Resource::User));
                }
                self.record_api(tx, call, "Unblock a User", 204);
                Ok(())
            })
            .await
    }

    /// Lifts the blocks of whoever has this address or name. If nobody has, nobody is missed.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn lift_user_blocks_by_identifier(
        &self,
        call: &ApiCall,
        identifier: &str,
    ) -> Result<(), Error> {
        let users = self.users_known_as(identifier).await?;
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                for user in &users {
                    self.lift_blocks(tx, call, &user.id).await?;
                }
                self.record_api(tx, call, "Unblock a User", 204);
                Ok(())
            })
            .await
    }

    /// Makes all failed tries so far count for nothing. Answers whether the user is there.
    async fn lift_blocks(&self, tx: &mut Tx, call: &ApiCall, id: &UserId) -> Result<bool, Error> {
        let Some(mut user) = tx.get::<User>(&Key::of(id)).await? else { return Ok(false) };
        // Who may not give an administrator a new password may not give guesses at the old one another start either.
        self.protect_administrator(tx, call, id).await?;
        user.blocks_lifted_at = Some(self.now());
        tx.put(user);
        Ok(true)
    }

    async fn blocks_of(&self, users: &[User], in_force: bool) -> Result<Vec<Block>, Error> {
        let settings = self.attack_protection().await?.brute_force;
        if in_force && !settings.blocks() {
            return Ok(Vec::new());
        }
        let (now, by_address) = (self.now(), settings.counting == Counting::PerAccountAndAddress);
        let mut blocks = Vec::new();
        for user in users {
            let is_block = |tries: &FailedTries| {
                tries.failures >= settings.attempts_max
                    && tries.counts(now, user.tries_forgiven_at())
                    && (by_address || tries.address.is_none())
            };
            let (mut after, mut steps) = (None, 0);
            loop {
                let prefix = Key::of(user.id.as_str());
                let order = Order::Ascending;
                let page =
                    self.store().page::<FailedTries>(None, &prefix, after.as_deref(), STEP, order).await?;
                blocks.extend(
                    page.items.iter().filter(|tries| is_block(tries)).map(|tries| block(user, tries)),
                );
                (after, steps) = (page.next, steps + 1);
                if after.is_none() || steps == STEPS_MAX || blocks.len() >= USER_BLOCKS_MAX {
                    break;
                }
            }
        }
        blocks.truncate(USER_BLOCKS_MAX);
        Ok(blocks)
    }

    /// Everybody who has this address or, in some database, this name for sign-in.
    async fn users_known_as(&self, identifier: &str) -> Result<Vec<User>, Error> {
        if is_email(identifier) {
            return self.users_by_email(identifier).await;
        }
        let (mut users, mut after) = (Vec::new(), None);
        loop {
            let page = self
                .store()
                .page::<Connection>(None, &Key::all(), after.as_deref(), STEP, Order::Ascending)
                .await?;
            for connection in page.items.iter().filter(|connection| connection.strategy == STRATEGY_DATABASE)
            {
                let key = username_key(&connection.id, identifier);
                users.extend(self.store().find::<User>("username", &key).await?);
            }
            after = page.next;
            if after.is_none() {
                return Ok(users);
            }
        }
    }
}

fn block(user: &User, tries: &FailedTries) -> Block {
    let name = user.email.as_ref().or(user.username.as_ref()).or(user.phone_number.as_ref());
    Block {
        identifier: name.cloned().unwrap_or_default(),
        address: tries.address.clone(),
        connection: user.identities.first().map(|identity| identity.connection.clone()).unwrap_or_default(),
    }
}
