//! Keeps people from guessing passwords: whether a try is taken at all, and what follows from one that failed.
//!
//! Auth0: secure › attack protection. A try is looked at before its password is, so that one that is refused costs no
//! hash. A right one is looked at once more afterwards: many may have been let in together, and waited for their hashes
//! while others failed. Why counted so: `docs/adr/0036-tries-are-counted-by-account-and-by-address.md`.

use domain::attack_protection::{AddressTries, AttackProtection, FailedTries, Origin, Shield, Stage};
use domain::connection::Connection;
use domain::event::EventKind;
use domain::limits::SIGN_IN_ATTEMPTS_MAX;
use domain::secret::Secret;
use domain::sign_in::SignIn;
use domain::time::Timestamp;
use domain::user::{User, comparable_email};
use protocol::error::OAuthError;
use serde_json::json;
use store::tables::{address_tries_key, failed_tries_key};
use store::{Key, Tx};

use super::hash;
use super::pending::Pending;
use super::prove::{PageView, Proof};
use crate::{Engine, Error, RequestFacts};

/// Tells nobody whether the user exists (OWASP: authentication responses).
const WRONG: &str = "Wrong email or password.";
/// Says the same for a name that nobody has.
const BLOCKED: &str = "There were too many failed tries for this account, so it is blocked. Whoever runs this service can lift the block.";
const BREACHED: &str = "This password is known from a breach of some other service, so it does not protect you any \
                        more. Ask whoever runs this service for a new one.";

/// By what the tries of one request are counted.
pub(super) struct Guard {
    protection: AttackProtection,
    account: String,
    forgiven_at: Option<Timestamp>,
    origin: Option<Origin>,
}

/// Why a try is not taken.
#[derive(Debug, Clone, Copy)]
pub(super) enum TooMany {
    /// Tries for this account.
    ForAccount,
    /// Tries from this address; the next is taken after so many milliseconds.
    FromAddress {
        /// What they are for.
        stage: Stage,
        /// Milliseconds.
        wait_ms: i64,
    },
}

impl TooMany {
    fn message(self) -> String {
        match self {
            Self::ForAccount => BLOCKED.to_owned(),
            Self::FromAddress { stage, wait_ms } => {
                let what = match stage {
                    Stage::SignIn => "failed tries to sign in",
                    Stage::SignUp => "sign-ups",
                };
                let minutes = seconds_up(wait_ms).div_ceil(60);
                let unit = if minutes == 1 { "minute" } else { "minutes" };
                format!("There were too many {what} from your network. Try again in {minutes} {unit}.")
            }
        }
    }

    const fn wait_seconds(self) -> Option<u64> {
        match self {
            Self::ForAccount => None,
            Self::FromAddress { wait_ms, .. } => Some(seconds_up(wait_ms)),
        }
    }
}

const fn seconds_up(ms: i64) -> u64 {
    ms.unsigned_abs().div_ceil(1000)
}

impl Guard {
    /// Whether a right password is to be looked up among breached ones.
    pub(super) fn looks_for_breaches(&self) -> bool {
        self.protection.breached_passwords.enabled
    }

    fn counts_account(&self) -> bool {
        self.protection.brute_force.counts(self.origin)
    }

    fn address_of_account(&self) -> Option<String> {
        self.protection.brute_force.address_of(self.origin)
    }

    fn failed_tries_key(&self) -> Key {
        failed_tries_key(&self.account, self.address_of_account().as_deref())
    }

    fn is_too_many(&self, tries: &FailedTries, now: Timestamp) -> bool {
        let settings = &self.protection.brute_force;
        settings.blocks() && tries.failures >= settings.attempts_max && tries.counts(now, self.forgiven_at)
    }
}

impl Engine {
    /// What holds for a try with this name.
    pub(super) async fn guard(
        &self,
        connection: &Connection,
        user: Option<&User>,
        name: &str,
        facts: &RequestFacts,
    ) -> Result<Guard, Error> {
        let nobody = || hash(&format!("{} {}", connection.id, comparable_email(name.trim())));
        Ok(Guard {
            protection: self.attack_protection().await?,
            account: user.map_or_else(nobody, |user| user.id.to_string()),
            forgiven_at: user.and_then(User::tries_forgiven_at),
            origin: facts.ip.as_deref().and_then(Origin::parse),
        })
    }

    /// Why a try is refused before its password is looked at, if it is.
    pub(super) async fn too_many(&self, guard: &Guard) -> Result<Option<TooMany>, Error> {
        if guard.counts_account() {
            let tries = self.store().get::<FailedTries>(&guard.failed_tries_key()).await?;
            if tries.is_some_and(|tries| guard.is_too_many(&tries, self.now())) {
                return Ok(Some(TooMany::ForAccount));
            }
        }
        let stage = Stage::SignIn;
        let wait_ms = self.wait_of(&guard.protection.suspicious_ip, stage, guard.origin).await?;
        Ok(wait_ms.map(|wait_ms| TooMany::FromAddress { stage, wait_ms }))
    }

    /// After a right password: the failures before it are forgiven, unless there were too many of them meanwhile.
    pub(super) async fn forgive(&self, guard: &Guard) -> Result<Option<TooMany>, Error> {
        if !guard.counts_account() {
            return Ok(None);
        }
        let (key, now) = (guard.failed_tries_key(), self.now());
        self.store()
            .transact(async |tx| -> Result<Option<TooMany>, Error> {
                let Some(tries) = tx.get::<FailedTries>(&key).await? else { return Ok(None) };
                if guard.is_too_many(&tries, now) {
                    return Ok(Some(TooMany::ForAccount));
                }
                tx.delete::<FailedTries>(&key);
                Ok(None)
            })
            .await
    }

    /// Counts a wrong password, tells the log, and shows the page again.
    pub(super) async fn wrong_password(
        &self,
        pending: Pending,
        guard: &Guard,
        user: Option<User>,
        username: &str,
        facts: &RequestFacts,
    ) -> Result<Proof, Error> {
        let (left, too_many) = self
            .store()
            .transact(async |tx| -> Result<(bool, Option<TooMany>), Error> {
                let event = match &user {
                    Some(user) => self.event(EventKind::PasswordWrong, facts).user(user).says(WRONG),
                    // What was typed might be a password in the wrong field, so the log does not hold it.
                    None => self.event(EventKind::UserUnknown, facts).says("Unknown user."),
                };
                let details = json!({ "error": { "message": WRONG }, "transaction_id": pending.sign_in.id });
                event.client(&pending.client).connection(&pending.connection).details(details).record(tx);
                let for_account = self.count_for_account(tx, guard, &pending, user.as_ref(), facts).await?;
                let from_address =
                    self.count_from_address(tx, guard, Stage::SignIn, &pending, user.as_ref(), facts).await?;
                Ok((use_up_attempt(tx, &pending.sign_in).await?, for_account.or(from_address)))
            })
            .await?;
        self.again(pending, username, left, too_many, WRONG).await
    }

    /// Tells the log of a try that is not taken, and shows the page again.
    pub(super) async fn turn_away(
        &self,
        pending: Pending,
        user: Option<User>,
        username: &str,
        too_many: TooMany,
        facts: &RequestFacts,
    ) -> Result<Proof, Error> {
        let left = self
            .store()
            .transact(async |tx| -> Result<bool, Error> {
                self.record_too_many(tx, too_many, &pending, user.as_ref(), facts);
                use_up_attempt(tx, &pending.sign_in).await
            })
            .await?;
        self.again(pending, username, left, Some(too_many), BLOCKED).await
    }

    /// What follows from a right password that is known from a breach: the log is told, and where the tenant wants it
    /// so, the user is not let in; then the page says why.
    pub(super) async fn breached(
        &self,
        pending: &Pending,
        guard: &Guard,
        user: &User,
        facts: &RequestFacts,
    ) -> Result<Option<Proof>, Error> {
        let refuses = guard.protection.breached_passwords.shields.contains(&Shield::Block);
        let left = self
            .store()
            .transact(async |tx| -> Result<bool, Error> {
                let says = if refuses { "The sign-in was refused." } else { "The user was let in." };
                let event = self.event(EventKind::BreachedPassword, facts).user(user).says(says);
                event.client(&pending.client).connection(&pending.connection).record(tx);
                if refuses { use_up_attempt(tx, &pending.sign_in).await } else { Ok(true) }
            })
            .await?;
        if !refuses {
            return Ok(None);
        }
        let name = user.email.clone().or_else(|| user.username.clone()).unwrap_or_default();
        self.again(pending.clone(), &name, left, None, BREACHED).await.map(Some)
    }

    /// Counts a sign-up, whatever becomes of it; one too many is not taken, and then the log is told and the page says it.
    pub(super) async fn count_sign_up(
        &self,
        pending: &Pending,
        guard: &Guard,
        email: &str,
        facts: &RequestFacts,
    ) -> Result<Option<Proof>, Error> {
        let stage = Stage::SignUp;
        if let Some(wait_ms) = self.wait_of(&guard.protection.suspicious_ip, stage, guard.origin).await? {
            let too_many = TooMany::FromAddress { stage, wait_ms };
            return self.turn_away(pending.clone(), None, email, too_many, facts).await.map(Some);
        }
        self.store()
            .transact(async |tx| self.count_from_address(tx, guard, stage, pending, None, facts).await)
            .await?;
        Ok(None)
    }

    /// Whether a new user's password is known from a breach and the tenant does not want it; the log is told of it
    /// either way.
    pub(super) async fn sign_up_is_breached(
        &self,
        pending: &Pending,
        guard: &Guard,
        email: &str,
        password: &Secret<String>,
        facts: &RequestFacts,
    ) -> Result<bool, Error> {
        if !guard.looks_for_breaches() || !self.password_is_breached(password.clone()).await? {
            return Ok(false);
        }
        let refuses = guard.protection.breached_passwords.sign_up_shields.contains(&Shield::Block);
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let says = if refuses { "The sign-up was refused." } else { "The user may sign up." };
                let event = self.event(EventKind::BreachedSignUp, facts).user_name(email).says(says);
                event.client(&pending.client).connection(&pending.connection).record(tx);
                Ok(())
            })
            .await?;
        Ok(refuses)
    }

    async fn count_for_account(
        &self,
        tx: &mut Tx,
        guard: &Guard,
        pending: &Pending,
        user: Option<&User>,
        facts: &RequestFacts,
    ) -> Result<Option<TooMany>, Error> {
        if !guard.counts_account() {
            return Ok(None);
        }
        let now = self.now();
        let known = tx.get::<FailedTries>(&guard.failed_tries_key()).await?;
        let known = known.filter(|tries| tries.counts(now, guard.forgiven_at));
        let none = || FailedTries::none(guard.account.clone(), guard.address_of_account(), now);
        let mut tries = known.unwrap_or_else(none);
        tries.count(now);
        let is_last = tries.failures == guard.protection.brute_force.attempts_max;
        let too_many = guard.is_too_many(&tries, now).then_some(TooMany::ForAccount);
        if is_last {
            self.record_too_many(tx, TooMany::ForAccount, pending, user, facts);
        }
        tx.put(tries);
        Ok(too_many)
    }

    async fn count_from_address(
        &self,
        tx: &mut Tx,
        guard: &Guard,
        stage: Stage,
        pending: &Pending,
        user: Option<&User>,
        facts: &RequestFacts,
    ) -> Result<Option<TooMany>, Error> {
        let settings = &guard.protection.suspicious_ip;
        let Some(origin) = guard.origin.filter(|origin| settings.counts(*origin)) else { return Ok(None) };
        let (now, name, throttle) = (self.now(), origin.name(), settings.throttle(stage));
        let known = tx.get::<AddressTries>(&address_tries_key(stage, &name)).await?;
        let mut tries = known.unwrap_or_else(|| AddressTries::none(stage, name, now));
        let was_one_left = tries.wait_ms(throttle, now).is_none();
        tries.count(throttle, now);
        let wait_ms = tries.wait_ms(throttle, now);
        tx.put(tries);
        let Some(too_many) = wait_ms.map(|wait_ms| TooMany::FromAddress { stage, wait_ms }) else {
            return Ok(None);
        };
        if was_one_left {
            self.record_too_many(tx, too_many, pending, user, facts);
        }
        Ok(Some(too_many).filter(|_| settings.blocks()))
    }

    fn record_too_many(
        &self,
        tx: &mut Tx,
        too_many: TooMany,
        pending: &Pending,
        user: Option<&User>,
        facts: &RequestFacts,
    ) {
        let event = match too_many {
            TooMany::ForAccount => self
                .event(EventKind::AccountLimited, facts)
                .says("Too many failed tries to sign in to this account."),
            TooMany::FromAddress { stage, .. } => {
                let says = match stage {
                    Stage::SignIn => "Too many failed tries to sign in from this address.",
                    Stage::SignUp => "Too many sign-ups from this address.",
                };
                let details = json!({ "flow": stage.as_str() });
                self.event(EventKind::AddressLimited, facts).says(says).details(details)
            }
        };
        let event = event.client(&pending.client).connection(&pending.connection);
        match user {
            Some(user) => event.user(user).record(tx),
            None => event.record(tx),
        }
    }

    /// The page with what to say, if the sign-in has another try left.
    async fn again(
        &self,
        pending: Pending,
        username: &str,
        left: bool,
        too_many: Option<TooMany>,
        otherwise: &str,
    ) -> Result<Proof, Error> {
        if !left {
            return Err(OAuthError::invalid(
                "There were too many failed tries. Go back to the application and start again.",
            )
            .into());
        }
        let view = self.with_connections(&pending).await?;
        let view = PageView { login_hint: Some(username.to_owned()), ..view };
        Ok(match too_many {
            None => Proof::Again { view, message: otherwise.to_owned() },
            Some(too_many) => {
                Proof::TurnedAway { view, message: too_many.message(), wait_seconds: too_many.wait_seconds() }
            }
        })
    }
}

/// Uses up one of the tries that a sign-in has; answers whether one is left.
async fn use_up_attempt(tx: &mut Tx, sign_in: &SignIn) -> Result<bool, Error> {
    let key = Key::of(&sign_in.id);
    let Some(mut sign_in) = tx.get::<SignIn>(&key).await? else { return Ok(false) };
    sign_in.attempts += 1;
    if sign_in.attempts >= SIGN_IN_ATTEMPTS_MAX {
        tx.delete::<SignIn>(&key);
        return Ok(false);
    }
    tx.put(sign_in);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use domain::attack_protection::{AttackProtection, FailedTries, Origin};
    use domain::egress::Egress;
    use store::Key;

    use super::{Guard, TooMany};
    use crate::{Engine, Error, Ports, Settings};

    #[tokio::test]
    async fn a_right_password_that_waited_while_others_failed_is_not_taken() {
        let ports = Ports::real(Egress::default()).unwrap();
        let engine = Engine::open(Settings::for_testing(), ports).await.unwrap();
        let guard = Guard {
            protection: AttackProtection::default(),
            account: "auth0|ann".to_owned(),
            forgiven_at: None,
            origin: Origin::parse("192.0.2.1"),
        };
        for (failures, is_taken) in [(9, true), (10, false)] {
            assert!(engine.too_many(&guard).await.unwrap().is_none(), "it is let in");
            let address = Some("192.0.2.1".to_owned());
            let mut tries = FailedTries::none("auth0|ann".to_owned(), address, engine.now());
            (0..failures).for_each(|_| tries.count(engine.now()));
            let failed = engine.store().transact(async |tx| -> Result<(), Error> {
                tx.put(tries.clone());
                Ok(())
            });
            failed.await.unwrap();
            let refusal = engine.forgive(&guard).await.unwrap();
            assert_eq!(matches!(refusal, Some(TooMany::ForAccount)), !is_taken);
            let key: Key = guard.failed_tries_key();
            let left = engine.store().get::<FailedTries>(&key).await.unwrap();
            assert_eq!(left.is_none(), is_taken, "a new start only for whoever is let in");
        }
    }
}
