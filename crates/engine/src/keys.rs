//! Keys that sign: made on the first start, kept sealed, parsed once, published as bytes.
//!
//! Signing with RSA costs a quarter of a millisecond, so it runs on a bounded pool beside the async threads.

mod recent;

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use domain::id::KeyId;
use domain::key::{SigningAlgorithm, SigningKeyRecord};
use domain::tenant::Tenant;
use domain::time::Timestamp;
use protocol::discovery::{Features, Metadata};
use protocol::jose::{JoseError, KeySet, SigningKey, Verified};
use serde::Serialize;
use serde_json::json;
use serde_json::value::to_raw_value;
use store::tables::tenant_key;
use store::{Key, Order, Store};
use tokio::sync::Semaphore;

use crate::{Engine, Error};

/// Keys at most; more than a rotation ever leaves.
const KEYS_MAX: usize = 32;
/// Signatures that may wait for a thread.
const SIGNATURES_WAITING_MAX: usize = 4096;

/// The keys in force, ready to use.
pub struct Keys {
    rs256: Arc<SigningKey>,
    es256: Arc<SigningKey>,
    /// Every key whose signatures count.
    pub set: KeySet,
    recent: recent::Recent,
    /// The JWK set (RFC 7517 §5), as it is served.
    pub jwks: Bytes,
    /// The metadata document (OIDC Discovery 1.0 §3), as it is served. It stands here because it changes as rarely,
    /// and is asked for as often.
    pub discovery: Bytes,
}

impl Keys {
    /// Verifies a token's signature; one that comes again is recognised.
    ///
    /// # Errors
    /// As [`KeySet::verify`].
    pub fn verify(&self, token: &str) -> Result<Arc<Verified>, JoseError> {
        self.recent.verify(&self.set, token)
    }

    /// The key that signs with an algorithm.
    pub fn signer(&self, algorithm: SigningAlgorithm) -> &Arc<SigningKey> {
        match algorithm {
            SigningAlgorithm::Rs256 => &self.rs256,
            SigningAlgorithm::Es256 => &self.es256,
        }
    }
}

/// The keys in force, replaced as a whole when they change.
pub struct Published(ArcSwap<Keys>);

impl Published {
    /// The keys in force now.
    pub fn current(&self) -> Arc<Keys> {
        self.0.load_full()
    }
}

/// The bounded pool on which RSA signatures are made.
pub struct Signers {
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Signers {
    /// A pool of so many threads.
    pub fn start(threads: usize) -> Self {
        let running = Arc::new(Semaphore::new(threads.max(1)));
        Self { running, waiting: Semaphore::new(SIGNATURES_WAITING_MAX) }
    }
}

const fn seal_purpose() -> &'static str {
    "signing_key.private"
}

/// Loads the keys, and makes those that are missing.
pub(crate) async fn load(store: &Store, issuer: &str, now: Timestamp) -> Result<Published, Error> {
    let mut records = stored(store).await?;
    for algorithm in [SigningAlgorithm::Rs256, SigningAlgorithm::Es256] {
        if !records.iter().any(|record| record.algorithm == algorithm && record.revoked_at.is_none()) {
            make(store, algorithm, now).await?;
            records = stored(store).await?;
        }
    }
    Ok(Published(ArcSwap::from_pointee(parse(store, &records, &stored_discovery(store, issuer).await?)?)))
}

async fn stored_discovery(store: &Store, issuer: &str) -> Result<Bytes, Error> {
    let tenant = store.get::<Tenant>(&tenant_key()).await?.unwrap_or_default();
    let features = Features {
        end_session_endpoint: tenant.logout_endpoint_discovery,
        session_management: tenant.session_management,
    };
    let document = serde_json::to_vec(&Metadata::new(issuer, features));
    document.map(Bytes::from).map_err(|error| Error::Bug(error.to_string()))
}

async fn stored(store: &Store) -> Result<Vec<SigningKeyRecord>, Error> {
    let page = store.page::<SigningKeyRecord>(None, &Key::all(), None, KEYS_MAX, Order::Ascending).await?;
    let mut records = page.items;
    records.sort_by(|left, right| right.created_at.cmp(&left.created_at).then(left.id.cmp(&right.id)));
    Ok(records)
}

/// Makes the first key of an algorithm. Of nodes that start at once one does; the others find its key.
async fn make(store: &Store, algorithm: SigningAlgorithm, now: Timestamp) -> Result<(), Error> {
    let key = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm))
        .await
        .map_err(|error| Error::Bug(error.to_string()))?
        .map_err(|error| Error::Bug(format!("a signing key could not be made: {error}")))?;
    let pkcs8 = key.to_pkcs8().map_err(|error| Error::Bug(error.to_string()))?;
    let private = store.seal(seal_purpose(), pkcs8.expose());
    let record = SigningKeyRecord {
        id: KeyId::new(key.kid()),
        algorithm,
        private,
        created_at: now,
        revoked_at: None,
        is_first: true,
    };
    store
        .transact(async |tx| -> Result<(), Error> {
            if tx.find::<SigningKeyRecord>("first", &Key::of(algorithm.as_str())).await?.is_none() {
                tx.insert(record.clone());
            }
            Ok(())
        })
        .await
}

fn parse(store: &Store, records: &[SigningKeyRecord], discovery: &Bytes) -> Result<Keys, Error> {
    let mut keys = Vec::new();
    for record in records.iter().filter(|record| record.revoked_at.is_none()) {
        let private = store.unseal(seal_purpose(), &record.private)?;
        let key = SigningKey::from_pkcs8(record.algorithm, &private)
            .map_err(|error| Error::Bug(format!("signing key {} does not parse: {error}", record.id)))?;
        keys.push((record.algorithm, Arc::new(key)));
    }
    let newest = |wanted: SigningAlgorithm| {
        keys.iter()
            .find(|(algorithm, _)| *algorithm == wanted)
            .map(|(_, key)| key.clone())
            .ok_or_else(|| Error::Bug(format!("there is no {} key", wanted.as_str())))
    };
    let (rs256, es256) = (newest(SigningAlgorithm::Rs256)?, newest(SigningAlgorithm::Es256)?);
    let jwks: Vec<_> = keys.iter().map(|(_, key)| key.jwk()).collect();
    let set = KeySet::new(keys.iter().map(|(_, key)| key.verifying_key()).collect());
    Ok(Keys {
        rs256,
        es256,
        set,
        recent: recent::Recent::default(),
        jwks: Bytes::from(json!({ "keys": jwks }).to_string()),
        discovery: discovery.clone(),
    })
}

impl Engine {
    /// The keys in force.
    pub fn keys(&self) -> Arc<Keys> {
        self.inner.keys.current()
    }

    /// Reads again what is published, so that a change by another node is seen.
    ///
    /// # Errors
    /// Whatever the store answers; what was published stays.
    pub async fn reload_published(&self) -> Result<(), Error> {
        let records = stored(self.store()).await?;
        let discovery = stored_discovery(self.store(), self.issuer()).await?;
        self.inner.keys.0.store(Arc::new(parse(self.store(), &records, &discovery)?));
        Ok(())
    }

    /// Signs claims as a compact JWS. RSA runs on the bounded pool.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many signatures wait.
    pub(crate) async fn sign(
        &self,
        algorithm: SigningAlgorithm,
        typ: &'static str,
        claims: &impl Serialize,
    ) -> Result<String, Error> {
        let bug = |error: &dyn std::error::Error| Error::Bug(error.to_string());
        let key = self.keys().signer(algorithm).clone();
        // Serialised here, so that what goes to the pool borrows nothing.
        let claims = to_raw_value(claims).map_err(|error| bug(&error))?;
        let sign = move || key.sign(typ, &claims);
        match algorithm {
            SigningAlgorithm::Es256 => Ok(sign()),
            SigningAlgorithm::Rs256 => {
                let _place = self.inner.signers.waiting.try_acquire().map_err(|_| Error::Busy)?;
                let running = self.inner.signers.running.clone();
                let turn = running.acquire_owned().await.map_err(|error| bug(&error))?;
                // The turn goes with the work, also where the caller hangs up in the middle of it.
                let sign = move || {
                    let _turn = turn;
                    sign()
                };
                tokio::task::spawn_blocking(sign).await.map_err(|error| bug(&error))
            }
        }
    }
}
