//! Users: made, found, changed, deleted, by those who administer the tenant.
//!
//! Auth0: manage users › user accounts. What users do themselves (signing up) is in `sign_in`.

mod changes;
mod password_changed;
mod picture;
pub(crate) mod registered;
pub(crate) mod registration;
mod told;

use std::borrow::Cow;

use domain::connection::{Connection, STRATEGY_DATABASE};
use domain::event::EventKind;
use domain::id::UserId;
use domain::limits::OFFSET_ITEMS_MAX;
use domain::logout::Initiator;
use domain::organization::Membership;
use domain::query::{Field, Query, Syntax};
use domain::role::UserPermissions;
use domain::secret::Secret;
use domain::user::{User, comparable_email};
use serde_json::json;
use store::tables::{email_key, username_key};
use store::{Key, Order, Record, Tx};

pub use self::changes::{NewUser, UserChanges};
use self::registration::Registration;
use crate::listing::{Listing, Slice, Source};
use crate::passwords::refuse_password;
use crate::roles::members::delete_roles_of_user;
use crate::sign_out::BoundTokens;
use crate::{ApiCall, Engine, Error, Resource, search};

/// What `q` can say about users. As at Auth0, the case of names and addresses does not count.
pub const USER_SYNTAX: Syntax = Syntax {
    fields: &[
        Field::text("user_id"),
        Field::folded("email"),
        Field::text("email.raw"),
        Field::folded("name"),
        Field::folded("nickname"),
        Field::text("username"),
        Field::folded("given_name"),
        Field::folded("family_name"),
        Field::text("phone_number"),
        Field::text("email_verified"),
        Field::text("phone_verified"),
        Field::text("blocked"),
        Field::moment("created_at"),
        Field::moment("updated_at"),
    ],
    bare: &["email", "name", "nickname", "given_name", "family_name"],
};
/// Users of one address. Ours: one for each connection.
const USERS_OF_ADDRESS_MAX: usize = 100;
/// Memberships of a user that go in one commit with the rest.
const MEMBERSHIPS_STEP: usize = 100;

impl Engine {
    /// Makes a user of a database connection.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a property is not legal or the connection is none of ours; [`Error::Conflict`] when
    /// the address, the name or the identifier is taken.
    pub async fn create_user(&self, call: &ApiCall, new: NewUser) -> Result<User, Error> {
        let Some(connection) = self.store().find::<Connection>("name", &Key::of(&new.connection)).await?
        else {
            let message = "The connection does not exist.".to_owned();
            return Err(Error::Invalid { message, code: Some("inexistent_connection") });
        };
        if connection.strategy != STRATEGY_DATABASE {
            return Err(Error::property("users can only be made in database connections", "connection"));
        }
        let mut user = self.pictured(new.to_user(&connection, self.random(), self.now())?);
        let Some(password) = new.password else {
            return Err(Error::payload("Missing required property: password"));
        };
        user.password_hash = Some(self.new_password_hash(password).await?);
        let registration = self.run_registration_actions(None, &connection, &user, &call.facts).await?;
        let (user, run) = match registration {
            Registration::Allowed { user, run } => (*user, run),
            Registration::Refused { user_message } => {
                return Err(Error::Invalid { message: user_message, code: None });
            }
        };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                // Read, so that a connection that is being deleted takes no newcomers.
                if tx.get::<Connection>(&connection.key()).await?.is_none() {
                    return Err(Error::NotFound(Resource::Connection));
                }
                refuse_taken(tx, &user, &[]).await?;
                // Who deleted one does not take their place by taking their identifier.
                self.protect_administrator(tx, call, &user.id).await?;
                tx.insert(user.clone());
                self.record_run(tx, &run, None, None, &call.facts);
                self.queue_registered(tx, &user, &connection, None, &call.facts).await?;
                self.record_api(tx, call, "Create a User", 201);
                Ok(())
            })
            .await?;
        self.actions_may_wait();
        Ok(user)
    }

    /// One user.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn user(&self, id: &UserId) -> Result<User, Error> {
        self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::User))
    }

    /// Some of the users, in the order of their identifiers, that a query lets pass.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a query that is not understood, or a slice past the first thousand.
    pub async fn users(&self, slice: &Slice, q: Option<&str>) -> Result<Listing<User>, Error> {
        refuse_far_offset(slice)?;
        let query = search::parse(q, &USER_SYNTAX)?;
        if let Some(id) = query.exact("user_id") {
            let found = self.store().get::<User>(&Key::of(id)).await?;
            let all = found.into_iter().filter(|user| matches(&query, user)).collect();
            return Ok(Listing::of_all(all, slice, |user| user.id.to_string()));
        }
        let source = match query.exact("email") {
            Some(email) => Source::index("address", Key::of(comparable_email(email))),
            None => Source::table(),
        };
        self.list(source, slice, |user| matches(&query, user)).await
    }

    /// The users of an address, whatever its case.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn users_by_email(&self, email: &str) -> Result<Vec<User>, Error> {
        let key = Key::of(comparable_email(email));
        let page =
            self.store().page(Some("address"), &key, None, USERS_OF_ADDRESS_MAX, Order::Ascending).await?;
        Ok(page.items)
    }

    /// Changes a user. A new password, a new address or a block ends every session of the user, in the same commit.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] when a property is not legal, [`Error::Conflict`] when an address or a
    /// name is taken, and then nothing is changed.
    pub async fn update_user(
        &self,
        call: &ApiCall,
        id: &UserId,
        changes: UserChanges,
    ) -> Result<User, Error> {
        let password_hash = match changes.password.clone() {
            Some(password) => {
                let hash = self.new_password_hash(password).await;
                if let Err(Error::Invalid { message, .. }) = &hash {
                    self.record_refused_change(call, id, &changes, message).await?;
                }
                Some(hash?)
            }
            None => None,
        };
        let changed = self
            .store()
            .transact(async |tx| {
                let before: User = tx.get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::User))?;
                self.protect_administrator(tx, call, id).await?;
                let mut user = before.clone();
                changes.apply(&mut user, self.now())?;
                refuse_taken(tx, &user, &before.indexes()).await?;
                if let Some(hash) = &password_hash {
                    user.password_hash = Some(hash.clone());
                    user.last_password_reset = Some(self.now());
                    let run = self.queue_password_changed(tx, &user, &call.facts).await?;
                    self.record_new_password(tx, call, &user, run.as_ref());
                }
                self.record_new_names(tx, call, &before, &user);
                if let Some((initiator, tokens)) = what_ends(&before, &user, password_hash.is_some()) {
                    self.end_sessions_of_user(tx, &mut user, initiator, tokens, &call.facts).await?;
                }
                tx.put(user.clone());
                self.record_api(tx, call, "Update a User", 200);
                Ok::<_, Error>(user)
            })
            .await;
        if let Err(Error::Conflict { message }) = &changed {
            self.record_refused_change(call, id, &changes, message).await?;
        }
        let user = changed?;
        self.actions_may_wait();
        self.finish_farewell(id, &call.facts).await;
        Ok(user)
    }

    /// Tells the log of a change that was refused, where the user is there. A password is looked at first, so that it
    /// is the reason if it comes with the change.
    async fn record_refused_change(
        &self,
        call: &ApiCall,
        id: &UserId,
        changes: &UserChanges,
        why: &str,
    ) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let Some(user) = tx.get::<User>(&Key::of(id)).await? else { return Ok(()) };
                match &changes.password {
                    Some(_) => self.record_refused_password(tx, call, &user, why),
                    None => self.record_taken_names(tx, call, &user, changes, why),
                }
                Ok(())
            })
            .await
    }

    /// Deletes a user with sessions, refresh tokens, memberships, roles and permissions. One that is not there is not missed.
    ///
    /// # Errors
    /// What the store answers; a user with very many sessions goes in several commits, the last of which is the end.
    pub async fn delete_user(&self, call: &ApiCall, id: &UserId) -> Result<(), Error> {
        loop {
            let done = self
                .store()
                .transact(async |tx| -> Result<bool, Error> {
                    let Some(mut user) = tx.get::<User>(&Key::of(id)).await? else { return Ok(true) };
                    self.protect_administrator(tx, call, id).await?;
                    let (initiator, tokens) = (Initiator::AccountDeleted, BoundTokens::Revoke);
                    self.end_sessions_of_user(tx, &mut user, initiator, tokens, &call.facts).await?;
                    let more_memberships = delete_memberships(tx, id).await?;
                    let more_roles = delete_roles_of_user(tx, id).await?;
                    if more_memberships || more_roles || user.farewell.is_some() {
                        tx.put(user);
                        return Ok(false);
                    }
                    tx.delete::<UserPermissions>(&Key::of(id));
                    tx.delete::<User>(&Key::of(id));
                    let connection = user.identities.first().map(|identity| &identity.connection);
                    let body = json!({ "connection": connection, "tenant": self.settings().tenant });
                    let event = self.event(EventKind::UserDeleted, &call.facts).user(&user).identity(&user);
                    event.details(json!({ "body": body })).record(tx);
                    self.record_api(tx, call, "Delete a User", 204);
                    Ok(true)
                })
                .await?;
            self.logouts_may_wait();
            if done {
                return Ok(());
            }
        }
    }

    async fn new_password_hash(&self, password: Secret<String>) -> Result<String, Error> {
        if let Some(reason) = refuse_password(password.expose()) {
            let message = format!("PasswordStrengthError: {reason}");
            return Err(Error::Invalid { message, code: Some("invalid_body") });
        }
        self.hash_password(password).await
    }
}

/// Refuses slices past what offset paging reaches.
pub(crate) fn refuse_far_offset(slice: &Slice) -> Result<(), Error> {
    match slice {
        Slice::Offset { start, limit, .. } if start.saturating_add(*limit) > OFFSET_ITEMS_MAX => {
            let message = format!("You can only page through the first {OFFSET_ITEMS_MAX} records.");
            Err(Error::Invalid { message, code: Some("invalid_paging") })
        }
        Slice::Offset { .. } | Slice::Checkpoint { .. } => Ok(()),
    }
}

/// Deletes up to so many memberships of a user; answers whether there may be more.
async fn delete_memberships(tx: &mut Tx, id: &UserId) -> Result<bool, Error> {
    let (index, order) = (Some("user"), Order::Ascending);
    let page = tx.page::<Membership>(index, &Key::of(id), None, MEMBERSHIPS_STEP, order).await?;
    page.items.iter().for_each(|membership| tx.delete::<Membership>(&membership.key()));
    Ok(page.next.is_some())
}

/// Why the user's sessions end with this change, if they do. The gravest reason is the one that clients are told.
fn what_ends(before: &User, after: &User, password_changed: bool) -> Option<(Initiator, BoundTokens)> {
    if after.blocked && !before.blocked {
        return Some((Initiator::AccountDeactivated, BoundTokens::Revoke));
    }
    if password_changed {
        return Some((Initiator::PasswordChanged, BoundTokens::Revoke));
    }
    let comparable = |user: &User| user.email.as_deref().map(comparable_email);
    let email_changed = comparable(before) != comparable(after) && before.email.is_some();
    email_changed.then_some((Initiator::EmailIdentifierChanged, BoundTokens::Keep))
}

/// Refuses a user whose identifier, address or name another one has. `own` are the entries the user has already.
async fn refuse_taken(tx: &mut Tx, user: &User, own: &[store::IndexEntry]) -> Result<(), Error> {
    let taken = || Error::Conflict { message: "The user already exists.".to_owned() };
    if own.is_empty() && tx.get::<User>(&user.key()).await?.is_some() {
        return Err(taken());
    }
    let Some(identity) = user.identities.first() else { return Ok(()) };
    let email = user.email.as_deref().map(|email| ("email", email_key(&identity.connection_id, email)));
    let username =
        user.username.as_deref().map(|name| ("username", username_key(&identity.connection_id, name)));
    for (index, key) in email.into_iter().chain(username) {
        if tx.find::<User>(index, &key).await?.is_some_and(|other| other.id != user.id) {
            return Err(taken());
        }
    }
    Ok(())
}

fn matches(query: &Query, user: &User) -> bool {
    let text = |value: &Option<String>| value.clone().map(Cow::Owned);
    let folded = |value: &Option<String>| value.as_deref().map(str::to_lowercase).map(Cow::Owned);
    query.matches(|field| match field {
        "user_id" => Some(Cow::Owned(user.id.to_string())),
        "email" => folded(&user.email),
        "email.raw" => text(&user.email),
        "name" => folded(&user.name),
        "nickname" => folded(&user.nickname),
        "username" => text(&user.username),
        "given_name" => folded(&user.given_name),
        "family_name" => folded(&user.family_name),
        "phone_number" => text(&user.phone_number),
        "email_verified" => Some(Cow::Owned(user.email_verified.to_string())),
        "phone_verified" => Some(Cow::Owned(user.phone_verified.to_string())),
        "blocked" => Some(Cow::Owned(user.blocked.to_string())),
        "created_at" => Some(Cow::Owned(user.created_at.to_string())),
        "updated_at" => Some(Cow::Owned(user.updated_at.to_string())),
        _ => None,
    })
}
