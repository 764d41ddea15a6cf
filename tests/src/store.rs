//! Where a test's records are kept, and the macro that runs each test on every store.
//!
//! `VESTIBULE_TEST_POSTGRES` holds the URL of a PostgreSQL; each test takes a schema of its own in it and drops it.
//! Without it the tests on PostgreSQL fail, so that nobody takes half a suite for a whole one;
//! `VESTIBULE_TEST_POSTGRES_OPTIONAL` lets them pass unseen.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ::server::config::Config;
use domain::secret::Secret;

use crate::server::Server;

/// The longest that one test may take, in seconds: some install npm packages, on whatever else is going on.
const TEST_SECONDS_MAX: u64 = 180;

/// One place for records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// SQLite in the data folder.
    Sqlite,
    /// A schema in PostgreSQL.
    Postgres,
}

/// Names of one test's folder and schema; both go when the test ends, however it ends.
#[derive(Debug)]
pub struct Place {
    /// The data folder.
    pub folder: PathBuf,
    postgres: Option<(String, String)>,
}

impl Place {
    /// A new place. None: the tests on this store are optional, and it is not there.
    ///
    /// # Panics
    /// When the store is not there and not optional either.
    pub fn new(store: Store) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("suite_{}_{number}", std::process::id());
        let folder = std::env::temp_dir().join(format!("vestibule-{name}"));
        let url = std::env::var("VESTIBULE_TEST_POSTGRES").ok();
        let postgres = match (store, url) {
            (Store::Sqlite, _) => None,
            (Store::Postgres, Some(url)) => Some((url, name)),
            (Store::Postgres, None) if std::env::var_os("VESTIBULE_TEST_POSTGRES_OPTIONAL").is_some() => {
                return None;
            }
            (Store::Postgres, None) => panic!(
                "VESTIBULE_TEST_POSTGRES holds no URL: run `cargo xtask test`, which starts a PostgreSQL, or set \
                 VESTIBULE_TEST_POSTGRES_OPTIONAL"
            ),
        };
        Some(Self { folder, postgres })
    }

    /// Tells the configuration.
    pub fn configure(&self, config: &mut Config) {
        if let Some((url, schema)) = &self.postgres {
            config.store.url = Some(Secret::new(url.clone()));
            config.store.schema.clone_from(schema);
            config.store.pool_max = 4;
        }
    }

    /// The `--set` arguments that tell a program.
    pub fn settings(&self) -> Vec<String> {
        let Some((url, schema)) = &self.postgres else { return Vec::new() };
        vec![format!("store.url={url}"), format!("store.schema={schema}"), "store.pool_max=4".to_owned()]
    }

    /// Removes folder and schema.
    pub async fn clear(&self) {
        if let Some((url, schema)) = &self.postgres {
            let (client, connection) =
                tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("PostgreSQL answers");
            let connection = tokio::spawn(connection);
            let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
            client.batch_execute(&drop).await.expect("the schema goes");
            connection.abort();
        }
        let _absent = std::fs::remove_dir_all(&self.folder);
    }
}

/// Runs a test with a server on a store, and clears up whatever comes of it.
///
/// # Panics
/// When the test does, or takes too long.
pub fn run(store: Store, settings: &[(&str, &str)], test: impl AsyncFnOnce(&mut Server)) {
    run_in(store, async |place: &Place| {
        let mut server = Server::start(place, settings).await;
        test(&mut server).await;
        server.stop().await;
    });
}

/// Runs a test with a place on a store and no server yet, and clears up whatever comes of it.
///
/// # Panics
/// When the test does, or takes too long.
pub fn run_in(store: Store, test: impl AsyncFnOnce(&Place)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let Some(place) = Place::new(store) else { return };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let limit = Duration::from_secs(TEST_SECONDS_MAX);
            tokio::time::timeout(limit, test(&place)).await.expect("the test ends within its limit");
        });
    }));
    runtime.block_on(place.clear());
    runtime.shutdown_timeout(Duration::from_secs(5));
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// Makes of each async function two tests: `sqlite::…` and `postgres::…`.
#[macro_export]
macro_rules! on_every_store {
    ($($(#[with($($key:literal = $value:literal),*)])? async fn $name:ident($server:ident) $body:block)*) => {
        $(async fn $name($server: &mut $crate::Server) $body)*

        mod sqlite {
            $(#[test]
            fn $name() {
                $crate::store::run($crate::Store::Sqlite, &[$($(($key, $value)),*)?], super::$name);
            })*
        }

        mod postgres {
            $(#[test]
            fn $name() {
                $crate::store::run($crate::Store::Postgres, &[$($(($key, $value)),*)?], super::$name);
            })*
        }
    };
}
