//! One signing key follows another: the next is published before it signs, the previous still counts after it did.
//!
//! Auth0: tenant settings › signing keys. Keys of all algorithms rotate together
//! ([why](../../../../docs/adr/0038-signing-keys-of-all-algorithms-rotate-together.md)).

use domain::id::KeyId;
use domain::key::{KeyRole, SigningAlgorithm, SigningKeyRecord};
use domain::limits::{SIGNING_KEY_NEXT_AFTER_MS, SIGNING_KEYS_PREVIOUS_MAX};
use store::Key;

use super::{add, in_role, new_next_key, stored};
use crate::error::Resource;
use crate::{ApiCall, Engine, Error};

impl Engine {
    /// All keys, revoked ones too: those that sign, then the next, then the previous, the newest first.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, Error> {
        stored(self.store()).await
    }

    /// One key.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn signing_key(&self, id: &KeyId) -> Result<SigningKeyRecord, Error> {
        let found = self.store().get::<SigningKeyRecord>(&Key::of(id)).await?;
        found.ok_or(Error::NotFound(Resource::SigningKey))
    }

    /// Makes the keys that will sign next, where there are none. A server that was just made has given out nothing yet that
    /// a rotation could take by surprise, so it starts without them, and sooner.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn make_next_keys(&self) -> Result<(), Error> {
        let records = stored(self.store()).await?;
        let is_due = |record: &&SigningKeyRecord| {
            record.role == KeyRole::Current
                && self.now().millis_since(record.created_at) >= SIGNING_KEY_NEXT_AFTER_MS
        };
        for algorithm in records.iter().filter(is_due).map(|record| record.algorithm) {
            if !records.iter().any(|record| record.algorithm == algorithm && record.role == KeyRole::Next) {
                self.make_next_key(algorithm).await?;
            }
        }
        Ok(())
    }

    async fn make_next_key(&self, algorithm: SigningAlgorithm) -> Result<(), Error> {
        add(self.store(), new_next_key(self.store(), self.issuer(), algorithm, self.now()).await?).await
    }

    /// The next keys sign from now on, and new ones are published in their place. Keys that were revoked are forgotten.
    /// Answers the next key for RS256.
    ///
    /// # Errors
    /// [`Error::Conflict`] where [`SIGNING_KEYS_PREVIOUS_MAX`] previous keys still count.
    pub async fn rotate_signing_keys(&self, call: &ApiCall) -> Result<SigningKeyRecord, Error> {
        let records = stored(self.store()).await?;
        let mut fresh = Vec::new();
        for algorithm in SigningAlgorithm::ALL {
            let mut own = records.iter().filter(|record| record.algorithm == algorithm);
            let counts =
                |record: &&SigningKeyRecord| record.role == KeyRole::Previous && record.revoked_at.is_none();
            if own.clone().filter(counts).count() >= SIGNING_KEYS_PREVIOUS_MAX {
                let message = format!(
                    "{SIGNING_KEYS_PREVIOUS_MAX} previous {} keys still count. Revoke those that signed nothing which is still \
                     in use.",
                    algorithm.as_str()
                );
                return Err(Error::Conflict { message });
            }
            if !own.any(|record| record.role == KeyRole::Next) {
                self.make_next_key(algorithm).await?;
            }
            fresh.push(new_next_key(self.store(), self.issuer(), algorithm, self.now()).await?);
        }
        let missing = || Error::Unavailable("another rotation is under way".to_owned());
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let now = self.now();
                for key in &fresh {
                    let current = in_role(tx, key.algorithm, KeyRole::Current).await?.ok_or_else(missing)?;
                    let next = in_role(tx, key.algorithm, KeyRole::Next).await?.ok_or_else(missing)?;
                    tx.put(SigningKeyRecord {
                        role: KeyRole::Previous,
                        current_since: current.current_since.or(Some(current.created_at)),
                        current_until: Some(now),
                        ..current
                    });
                    tx.put(SigningKeyRecord { role: KeyRole::Current, current_since: Some(now), ..next });
                    tx.insert(key.clone());
                }
                for revoked in records.iter().filter(|record| record.revoked_at.is_some()) {
                    tx.delete::<SigningKeyRecord>(&Key::of(&revoked.id));
                }
                self.record_api(tx, call, "Rotate the Application Signing Key", 201);
                Ok(())
            })
            .await?;
        self.reload_published().await?;
        let rs256 = fresh.into_iter().find(|key| key.algorithm == SigningAlgorithm::Rs256);
        rs256.ok_or_else(|| Error::Bug("no key for RS256 was made".to_owned()))
    }

    /// What a previous key signed does not count any more, here at once and at other nodes with their next sweep.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a key that signs or will.
    pub async fn revoke_signing_key(&self, call: &ApiCall, id: &KeyId) -> Result<SigningKeyRecord, Error> {
        let revoked = self
            .store()
            .transact(async |tx| -> Result<SigningKeyRecord, Error> {
                let key = tx.get::<SigningKeyRecord>(&Key::of(id)).await?;
                let key = key.ok_or(Error::NotFound(Resource::SigningKey))?;
                if key.role != KeyRole::Previous {
                    return Err(Error::Invalid {
                        message: "Only a previous key can be revoked. Rotate first.".to_owned(),
                        code: Some("invalid_operation"),
                    });
                }
                let key = SigningKeyRecord { revoked_at: key.revoked_at.or(Some(self.now())), ..key };
                tx.put(key.clone());
                self.record_api(tx, call, "Revoke an Application Signing Key", 200);
                Ok(key)
            })
            .await?;
        self.reload_published().await?;
        Ok(revoked)
    }
}
