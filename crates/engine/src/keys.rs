//! Keys that sign: made on the first start, kept sealed, parsed once, published as bytes.
//!
//! Signing with RSA costs a quarter of a millisecond, so it runs on a bounded pool beside the async threads. How one key
//! follows another: [`rotate`].

pub mod certificate;
mod recent;
pub mod rotate;

use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::id::KeyId;
use domain::key::{KeyRole, SigningAlgorithm, SigningKeyRecord};
use domain::tenant::Tenant;
use domain::time::Timestamp;
use protocol::discovery::{Features, Metadata};
use protocol::jose::{JoseError, KeySet, SigningKey, Verified};
use serde::Serialize;
use serde_json::json;
use serde_json::value::to_raw_value;
use store::tables::tenant_key;
use store::{Key, Order, Store, Tx};
use tokio::sync::Semaphore;

use self::certificate::Certificate;
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
    /// The certificate of the key that signs with RS256.
    pub certificate: Certificate,
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

const SEAL_PURPOSE: &str = "signing_key.private";

/// Loads the keys, and makes those that are missing.
pub(crate) async fn load(store: &Store, issuer: &str, now: Timestamp) -> Result<Published, Error> {
    let mut records = stored(store).await?;
    for algorithm in SigningAlgorithm::ALL {
        if !records.iter().any(|record| is_in_force(record, algorithm, KeyRole::Current)) {
            add(store, new_key(store, issuer, algorithm, now).await?).await?;
            records = stored(store).await?;
        }
    }
    if records.iter().any(|record| record.certificate.is_none()) {
        add_certificates(store, issuer, &records).await?;
        records = stored(store).await?;
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
    // The current ones first, RSA before the others, then the newest: some verifiers take the first key that they find.
    let rank = |record: &SigningKeyRecord| {
        let role =
            [KeyRole::Current, KeyRole::Next, KeyRole::Previous].iter().position(|role| *role == record.role);
        (role, record.algorithm == SigningAlgorithm::Es256, std::cmp::Reverse(record.created_at))
    };
    records.sort_by(|left, right| rank(left).cmp(&rank(right)).then(left.id.cmp(&right.id)));
    Ok(records)
}

fn is_in_force(record: &SigningKeyRecord, algorithm: SigningAlgorithm, role: KeyRole) -> bool {
    record.algorithm == algorithm && record.role == role && record.revoked_at.is_none()
}

/// Makes a key that signs from now on.
async fn new_key(
    store: &Store,
    issuer: &str,
    algorithm: SigningAlgorithm,
    now: Timestamp,
) -> Result<SigningKeyRecord, Error> {
    let bug = |error: JoseError| Error::Bug(format!("a signing key could not be made: {error}"));
    let key = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm))
        .await
        .map_err(|error| Error::Bug(error.to_string()))?
        .map_err(bug)?;
    let pkcs8 = key.to_pkcs8().map_err(bug)?;
    Ok(SigningKeyRecord {
        id: KeyId::new(key.kid()),
        algorithm,
        private: store.seal(SEAL_PURPOSE, pkcs8.expose()),
        role: KeyRole::Current,
        certificate: Some(Certificate::make(algorithm, pkcs8.expose(), issuer, now)?.to_base64()),
        created_at: now,
        current_since: Some(now),
        current_until: None,
        revoked_at: None,
    })
}

/// Makes a key that is published and signs later.
async fn new_next_key(
    store: &Store,
    issuer: &str,
    algorithm: SigningAlgorithm,
    now: Timestamp,
) -> Result<SigningKeyRecord, Error> {
    let key = new_key(store, issuer, algorithm, now).await?;
    Ok(SigningKeyRecord { role: KeyRole::Next, current_since: None, ..key })
}

/// Adds a key whose role no other of its algorithm has. Of nodes that add one at once one does; the others find its key.
async fn add(store: &Store, key: SigningKeyRecord) -> Result<(), Error> {
    store
        .transact(async |tx| -> Result<(), Error> {
            if in_role(tx, key.algorithm, key.role).await?.is_none() {
                tx.insert(key.clone());
            }
            Ok(())
        })
        .await
}

/// The current or the next key of an algorithm.
async fn in_role(
    tx: &mut Tx,
    algorithm: SigningAlgorithm,
    role: KeyRole,
) -> Result<Option<SigningKeyRecord>, Error> {
    Ok(tx.find::<SigningKeyRecord>("role", &Key::of((algorithm.as_str(), role.as_str()))).await?)
}

/// Gives certificates to keys of a version that had none.
async fn add_certificates(store: &Store, issuer: &str, records: &[SigningKeyRecord]) -> Result<(), Error> {
    for record in records.iter().filter(|record| record.certificate.is_none()) {
        let pkcs8 = store.unseal(SEAL_PURPOSE, &record.private)?;
        let made = Certificate::make(record.algorithm, &pkcs8, issuer, record.created_at)?.to_base64();
        store
            .transact(async |tx| -> Result<(), Error> {
                let stored = tx.get::<SigningKeyRecord>(&Key::of(&record.id)).await?;
                if let Some(stored) = stored.filter(|stored| stored.certificate.is_none()) {
                    tx.put(SigningKeyRecord { certificate: Some(made.clone()), ..stored });
                }
                Ok(())
            })
            .await?;
    }
    Ok(())
}

fn parse(store: &Store, records: &[SigningKeyRecord], discovery: &Bytes) -> Result<Keys, Error> {
    let bug = |record: &SigningKeyRecord, error: &dyn std::fmt::Display| {
        Error::Bug(format!("signing key {} does not parse: {error}", record.id))
    };
    let mut keys = Vec::new();
    for record in records.iter().filter(|record| record.revoked_at.is_none()) {
        let private = store.unseal(SEAL_PURPOSE, &record.private)?;
        let key = SigningKey::from_pkcs8(record.algorithm, &private).map_err(|error| bug(record, &error))?;
        keys.push((record, Arc::new(key), Certificate::of(record)?));
    }
    let current = |algorithm: SigningAlgorithm| {
        keys.iter()
            .find(|(record, _, _)| record.algorithm == algorithm && record.role == KeyRole::Current)
            .ok_or_else(|| Error::Bug(format!("there is no {} key", algorithm.as_str())))
    };
    let ((_, rs256, certificate), (_, es256, _)) =
        (current(SigningAlgorithm::Rs256)?, current(SigningAlgorithm::Es256)?);
    let jwk = |(_, key, certificate): &(_, Arc<SigningKey>, Certificate)| {
        let mut jwk = key.jwk();
        jwk["x5t"] = URL_SAFE_NO_PAD.encode(certificate.thumbprint()).into();
        jwk["x5c"] = json!([certificate.to_base64()]);
        jwk
    };
    let jwks: Vec<_> = keys.iter().map(jwk).collect();
    Ok(Keys {
        rs256: Arc::clone(rs256),
        es256: Arc::clone(es256),
        set: KeySet::new(keys.iter().map(|(_, key, _)| key.verifying_key()).collect()),
        certificate: certificate.clone(),
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
