//! Passwords: hashed and checked with Argon2id (RFC 9106) on a bounded pool of its own.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN};
use domain::secret::Secret;
use tokio::sync::Semaphore;

use crate::settings::PasswordSettings;
use crate::{Engine, Error};

/// What a password turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checked {
    /// It belongs to the hash.
    pub(crate) right: bool,
    /// It belongs to the hash, and is in the list of breached ones.
    pub(crate) breached: bool,
}

/// Hashes and checks passwords, so many at a time.
pub struct Passwords {
    running: Arc<Semaphore>,
    waiting: Semaphore,
    argon2: Argon2<'static>,
    /// The hash of no password that anyone has: checked for unknown users, so that they take as long as known ones.
    nobody: String,
}

impl Passwords {
    pub(crate) fn start(settings: &PasswordSettings) -> Self {
        let params = Params::new(settings.memory_kib, settings.passes, 1, None).unwrap_or_default();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&argon2, b"nobody has this password", &[0; 16]).unwrap_or_default();
        Self {
            running: Arc::new(Semaphore::new(settings.threads.max(1))),
            waiting: Semaphore::new(settings.queue_max.max(1)),
            argon2,
            nobody,
        }
    }

    async fn on_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _place = self.waiting.try_acquire().map_err(|_| Error::Busy)?;
        let turn =
            self.running.clone().acquire_owned().await.map_err(|error| Error::Bug(error.to_string()))?;
        // The turn goes with the work: who hangs up in the middle of it must not make room for more at once.
        let work = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::Bug(error.to_string()))
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8], salt: &[u8; 16]) -> Result<String, Error> {
    let bug = |error: argon2::password_hash::Error| Error::Bug(error.to_string());
    let salt = SaltString::encode_b64(salt).map_err(bug)?;
    Ok(argon2.hash_password(password, &salt).map_err(bug)?.to_string())
}

impl Engine {
    /// Hashes a new password into PHC form.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait.
    pub async fn hash_password(&self, password: Secret<String>) -> Result<String, Error> {
        let argon2 = self.inner.passwords.argon2.clone();
        let salt = self.random::<16>();
        self.inner.passwords.on_pool(move || hash(&argon2, password.expose().as_bytes(), &salt)).await?
    }

    /// Whether a password belongs to a hash. Without a hash it takes as long, and is never right.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait.
    pub async fn password_is_right(
        &self,
        password: Secret<String>,
        known: Option<&str>,
    ) -> Result<bool, Error> {
        Ok(self.check_password(password, known, false).await?.right)
    }

    /// The same; a right one is looked up in the list of breached passwords too, if that is asked for and there is one.
    pub(crate) async fn check_password(
        &self,
        password: Secret<String>,
        known: Option<&str>,
        look_up: bool,
    ) -> Result<Checked, Error> {
        if password.expose().len() > PASSWORD_BYTES_MAX {
            return Ok(Checked { right: false, breached: false });
        }
        let list = self.inner.breached_passwords.clone().filter(|_| look_up);
        let argon2 = self.inner.passwords.argon2.clone();
        let exists = known.is_some();
        let known = known.unwrap_or(&self.inner.passwords.nobody).to_owned();
        self.inner
            .passwords
            .on_pool(move || {
                let right = exists
                    & PasswordHash::new(&known).is_ok_and(|hash| {
                        argon2.verify_password(password.expose().as_bytes(), &hash).is_ok()
                    });
                let breached = right && list.is_some_and(|list| list.contains(password.expose()));
                Checked { right, breached }
            })
            .await
    }

    /// Whether a password is in the list of breached ones, where there is one.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait.
    pub(crate) async fn password_is_breached(&self, password: Secret<String>) -> Result<bool, Error> {
        match self.inner.breached_passwords.clone() {
            Some(list) => self.inner.passwords.on_pool(move || list.contains(password.expose())).await,
            None => Ok(false),
        }
    }
}

/// Whether a new password may be taken; if not, why, for people.
pub fn refuse_password(password: &str) -> Option<String> {
    if password.chars().count() < PASSWORD_CHARACTERS_MIN {
        return Some(format!("The password must have at least {PASSWORD_CHARACTERS_MIN} characters."));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Some(format!("The password must have at most {PASSWORD_BYTES_MAX} bytes."));
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::{PasswordSettings, Passwords};

    #[tokio::test]
    async fn who_hangs_up_in_the_middle_makes_no_room_for_more_at_once() {
        let settings =
            PasswordSettings { threads: 1, memory_kib: 8, passes: 1, ..PasswordSettings::default() };
        let passwords = Arc::new(Passwords::start(&settings));
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (end, may_end) = channel::<()>();
        let work = move || {
            begun.send(()).unwrap();
            may_end.recv().unwrap_err();
        };
        let caller = tokio::spawn({
            let passwords = Arc::clone(&passwords);
            async move { passwords.on_pool(work).await }
        });
        has_begun.await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        assert_eq!(passwords.running.available_permits(), 0);
        drop(end);
        let _turn = passwords.running.acquire().await.unwrap();
    }
}
