//! What the server remembers: typed records over a narrow waist, one unit of work at a time.
//!
//! A [`Tx`] remembers the version of everything it read and buffers what it writes; [`Store::transact`] commits it
//! all at one moment, and runs the closure again if someone else changed what it had read. No lock and no database
//! transaction is held while the closure runs, so it may take its time.
//!
//! | word | module |
//! | --- | --- |
//! | the waist: get, scan, commit | [`backend`] |
//! | a unit of work | [`tx`] |
//! | keys and their order | [`key`](mod@key) |
//! | records, indexes, pages | [`table`] |
//! | reading pages | [`read`] |
//! | durable work with leases | [`outbox`] |
//! | sealed secrets | [`seal`] |
//! | backends | [`memory`], [`sqlite`], [`postgres`], [`faulty`] for tests |
//! | bounds | [`limits`] |
//!
//! Not here: what the records mean (`domain`), and when anything happens (time is always an argument). Random bits
//! are drawn here for batch ids, nonces and the jitter of retries; nothing that is stored for its own sake.

pub mod backend;
pub mod error;
pub mod faulty;
pub mod key;
pub mod limits;
pub mod memory;
pub mod outbox;
pub mod postgres;
pub mod read;
mod seal;
pub mod sqlite;
pub mod table;
pub mod tables;
pub mod tx;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::secret::Secret;
use domain::time::Timestamp;

use crate::backend::{RowKey, Version};
use crate::seal::Sealer;

pub use crate::backend::Backend;
pub use crate::error::{Result, StoreError};
pub use crate::key::{Key, KeyPart, KeyParts, Order, Shard, shard_of};
pub use crate::limits::TIME_SHARDS;
pub use crate::outbox::{Claimed, LaneTurn, Lease, NewOutboxEntry, OutboxEntry, OutboxFilter, OutboxState};
pub use crate::table::{IndexEntry, Page, Record};
pub use crate::tx::Tx;
pub use domain::secret::Sealed;

/// What a store is opened with.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Where the rows are kept.
    pub backend: BackendSettings,
    /// Every key begins with it.
    pub tenant: String,
    /// Seals secrets at rest.
    pub master_key: Secret<[u8; 32]>,
}

/// Which backend, and where. Prints without the URL, which may hold a password.
#[derive(Clone)]
pub enum BackendSettings {
    /// In memory: gone with the process.
    Memory,
    /// One file, made when absent, and its write-ahead log beside it.
    Sqlite {
        /// The file. Its folder must exist.
        path: PathBuf,
    },
    /// A PostgreSQL server, for more than one machine.
    Postgres {
        /// `postgres://user:password@host:port/database`.
        url: String,
        /// The schema to use, made when absent; `None` for the connection's own.
        schema: Option<String>,
        /// Connections at most (1 to `limits::POSTGRES_POOL_MAX`).
        pool_max: usize,
    },
}

impl fmt::Debug for BackendSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("Memory"),
            Self::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
            Self::Postgres { url: _, schema, pool_max } => f
                .debug_struct("Postgres")
                .field("schema", schema)
                .field("pool_max", pool_max)
                .finish_non_exhaustive(),
        }
    }
}

/// The store of one tenant. Clones are cheap and are the same store.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) backend: Arc<dyn Backend>,
    tenant: String,
    /// The tenant as the first segment of a key.
    tenant_prefix: String,
    sealer: Sealer,
}

impl Store {
    /// Opens the backend, making its tables when they are absent.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be reached or made, `Corrupt` when what is there is not a store of this release.
    pub async fn open(settings: StoreSettings) -> Result<Store> {
        let backend: Arc<dyn Backend> = match settings.backend {
            BackendSettings::Memory => Arc::new(memory::Memory::new()),
            BackendSettings::Sqlite { path } => Arc::new(sqlite::Sqlite::open(path).await?),
            BackendSettings::Postgres { url, schema, pool_max } => {
                Arc::new(postgres::Postgres::open(&url, schema.as_deref(), pool_max).await?)
            }
        };
        Ok(Store::over(backend, &settings.tenant, &settings.master_key))
    }

    /// A store over a backend that is open already: several tenants or stores may share one, and tests bring theirs.
    pub fn over(backend: Arc<dyn Backend>, tenant: &str, master_key: &Secret<[u8; 32]>) -> Store {
        let tenant_prefix = Key::of(tenant).as_str().to_owned();
        let sealer = Sealer::new(master_key.expose());
        Store { inner: Arc::new(Inner { backend, tenant: tenant.to_owned(), tenant_prefix, sealer }) }
    }

    /// The tenant whose records these are.
    pub fn tenant(&self) -> &str {
        &self.inner.tenant
    }

    /// Runs `work` on a fresh [`Tx`] and commits what it did; when someone else changed what it had read, runs it
    /// again, up to `limits::TRANSACT_ATTEMPTS_MAX` times with growing, jittered waits (about a second in all).
    ///
    /// `store.transact(async |tx| { … Ok::<_, Error>(answer) }).await`. The closure borrows what it uses: no `move`.
    /// It must have no effects of its own, since it may run more than once and its last run may not commit.
    /// An error it returns is passed on and nothing is committed.
    ///
    /// # Errors
    /// What `work` returns, and as `StoreError`: `Conflict` after the last attempt, `AlreadyExists` when something
    /// inserted is taken and `work` did not look first, `Unknown` when the commit's answer was lost (not retried),
    /// `Unavailable` when nothing was committed, `Corrupt`.
    pub fn transact<'s, T, E, F>(
        &'s self,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<'s, T, E, F>
    where
        F: AsyncFn(&mut Tx) -> Result<T, E> + for<'t> Work<'t, T, E> + Send + Sync,
        E: From<StoreError> + Send,
        T: Send,
    {
        self.run_until_committed(work)
    }

    async fn run_until_committed<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> Work<'t, T, E>,
        E: From<StoreError>,
    {
        let mut attempt = 0;
        loop {
            let mut tx = Tx::new(self.clone());
            let answer = work.run(&mut tx).await?;
            match tx.commit().await {
                Ok(()) => return Ok(answer),
                Err(tx::CommitError::Rerun) => {}
                Err(tx::CommitError::Final(error)) => return Err(error.into()),
            }
            attempt += 1;
            if attempt >= limits::TRANSACT_ATTEMPTS_MAX {
                return Err(StoreError::Conflict.into());
            }
            tokio::time::sleep(backoff(attempt, random_bits())).await;
        }
    }

    /// Encrypts a secret for storage. Unsealing needs the same purpose, so that one record's secret cannot be passed
    /// off as another's: name table, record and field in it.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Sealed {
        self.inner.sealer.seal(purpose, plain)
    }

    /// Decrypts what [`Store::seal`] made.
    ///
    /// # Errors
    /// `Corrupt` when it was changed, was made for another purpose or under another master key.
    pub fn unseal(&self, purpose: &str, sealed: &Sealed) -> Result<Vec<u8>> {
        self.inner.sealer.unseal(purpose, sealed)
    }

    /// Removes up to `max` (and `limits::SWEEP_ROWS_MAX`) expired rows of all tenants, soonest first; answers how
    /// many. Index entries count as rows. When it answers `max`, there may be more: call again.
    pub async fn sweep_expired(&self, now: Timestamp, max: usize) -> Result<usize> {
        self.inner.backend.sweep(now, max.min(limits::SWEEP_ROWS_MAX)).await
    }

    /// What the clock of the database shows, where it has one of its own: PostgreSQL.
    pub async fn clock(&self) -> Result<Option<Timestamp>> {
        self.inner.backend.clock().await
    }

    /// Reads one row that need not exist: proves that the backend answers.
    pub async fn ping(&self) -> Result<()> {
        let nowhere = self.inner.at("ping".into(), &Key::of("ping"));
        self.inner.backend.get(&[nowhere]).await.map(drop)
    }
}

/// What [`Store::transact`] runs: an async closure that borrows what it uses, `async |tx| …`, without `move`.
///
/// `AsyncFn` cannot say that the closure's future is `Send` for each lifetime of the `Tx`; without that no caller
/// could be spawned. Every such closure has this trait; there is nothing to implement.
pub trait Work<'t, T, E> {
    /// What the closure returns.
    type Answer: Future<Output = Result<T, E>> + Send;

    /// Calls the closure.
    fn run(&self, tx: &'t mut Tx) -> Self::Answer;
}

impl<'t, T, E, F, A> Work<'t, T, E> for F
where
    F: Fn(&'t mut Tx) -> A,
    A: Future<Output = Result<T, E>> + Send,
{
    type Answer = A;

    fn run(&self, tx: &'t mut Tx) -> A {
        self(tx)
    }
}

impl Inner {
    /// The row of this tenant at `key`.
    pub(crate) fn at(&self, space: std::borrow::Cow<'static, str>, key: &Key) -> RowKey {
        RowKey { space, key: self.row_key(key) }
    }

    /// `key` with the tenant in front.
    pub(crate) fn row_key(&self, key: &Key) -> String {
        let mut row = String::with_capacity(self.tenant_prefix.len() + key.as_str().len());
        row.push_str(&self.tenant_prefix);
        row.push_str(key.as_str());
        row
    }

    /// A row's key without the tenant.
    pub(crate) fn own_key<'a>(&self, row: &'a str) -> &'a str {
        row.strip_prefix(&self.tenant_prefix).unwrap_or(row)
    }
}

/// Sixty-four random bits.
pub(crate) fn random_bits() -> i64 {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system gives randomness");
    i64::from_le_bytes(bytes)
}

/// A name for a new batch.
pub(crate) fn new_version() -> Version {
    Version::from_bits(random_bits())
}

/// Between half and all of a wait that doubles with each attempt, up to its bound.
fn backoff(attempt: u32, random: i64) -> Duration {
    let doubled = limits::TRANSACT_BACKOFF_FIRST_US.saturating_mul(1 << attempt.min(20));
    let full = doubled.min(limits::TRANSACT_BACKOFF_MAX_US);
    Duration::from_micros(full / 2 + random.unsigned_abs() % (full / 2 + 1))
}
