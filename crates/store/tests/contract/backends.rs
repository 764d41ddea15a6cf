//! Opens a store of each kind for one test, and clears up after it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::secret::Secret;
use store::faulty::{Fault, Faulty};
use store::memory::Memory;
use store::postgres::Postgres;
use store::sqlite::Sqlite;
use store::{Backend, Store};

/// Every backend of the suite.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Memory,
    Sqlite,
    Postgres,
    MemoryLosingRaces,
    SqliteLosingRaces,
    PostgresLosingRaces,
}

pub const MASTER_KEY: Secret<[u8; 32]> = Secret::new([7; 32]);

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("store-contract-{}", unique_name()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn unique_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn postgres_url() -> Option<String> {
    std::env::var("VESTIBULE_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

pub fn over(backend: Arc<dyn Backend>) -> Store {
    Store::over(backend, "tenant one", &MASTER_KEY)
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs one test of the suite on one backend.
pub fn run<F: Future<Output = ()>>(kind: Kind, name: &str, test: impl FnOnce(Store) -> F) {
    runtime().block_on(async {
        let folder = Folder::new();
        let schema = unique_name();
        let plain: Arc<dyn Backend> = match kind {
            Kind::Memory | Kind::MemoryLosingRaces => Arc::new(Memory::new()),
            Kind::Sqlite | Kind::SqliteLosingRaces => {
                Arc::new(Sqlite::open(folder.file("store.db")).await.unwrap())
            }
            Kind::Postgres | Kind::PostgresLosingRaces => {
                let Some(url) = postgres_url() else {
                    eprintln!("{name}: did NOT run on PostgreSQL, VESTIBULE_TEST_POSTGRES is not set");
                    return;
                };
                Arc::new(Postgres::open(&url, Some(&schema), 8).await.unwrap())
            }
        };
        match kind {
            Kind::Memory | Kind::Sqlite | Kind::Postgres => test(over(plain)).await,
            Kind::MemoryLosingRaces | Kind::SqliteLosingRaces | Kind::PostgresLosingRaces => {
                let faulty = Faulty::over(plain);
                faulty.fail_randomly(0x5eed, 3, &[Fault::Race]);
                test(over(faulty)).await;
            }
        }
        if matches!(kind, Kind::Postgres | Kind::PostgresLosingRaces) {
            drop_schema(&schema).await;
        }
    });
}

/// Drops a test's schema.
pub async fn drop_schema(schema: &str) {
    store::postgres::drop_schema(&postgres_url().unwrap(), schema).await.unwrap();
}
