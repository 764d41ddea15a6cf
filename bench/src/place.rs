//! The store of a measured server, which is filled straight, past its API.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use domain::secret::Secret;
use domain::time::Timestamp;
use store::{BackendSettings, Record, Store, StoreSettings};

use crate::process::Folder;
use crate::{Options, Result};

/// The server's own tenant.
const TENANT: &str = "main";
/// Records in one commit of the filling, and commits at once.
const FILL: (usize, usize) = (500, 4);

/// Where a server keeps what it is given.
pub(crate) struct Place {
    /// The store's name, for readers.
    pub(crate) name: &'static str,
    backend: BackendSettings,
    /// What the server is to be started with.
    pub(crate) settings: Vec<String>,
}

/// The time by which the measured server goes.
#[expect(clippy::disallowed_methods, reason = "the measured server keeps and sweeps by the machine's clock")]
pub(crate) fn now() -> Result<Timestamp> {
    Ok(Timestamp(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?))
}

/// Measures on SQLite, and on PostgreSQL in a schema of its own where the URL is given: URL and schema are passed on.
pub(crate) async fn on_each(
    options: &Options,
    measure: impl AsyncFn(Option<(&str, &str)>) -> Result<String>,
) -> Result<String> {
    let mut text = measure(None).await?;
    if let Some(url) = &options.postgres {
        let schema = format!("bench_{}", std::process::id());
        let measured = measure(Some((url, &schema))).await;
        store::postgres::drop_schema(url, &schema).await?;
        text += &measured?;
    }
    Ok(text)
}

impl Place {
    /// The store of the server in this folder, or the one on PostgreSQL.
    pub(crate) fn of(folder: &Folder, postgres: Option<(&str, &str)>) -> Self {
        match postgres {
            None => {
                let path: PathBuf = folder.file("data").join("vestibule.sqlite");
                Self { name: "SQLite", backend: BackendSettings::Sqlite { path }, settings: Vec::new() }
            }
            Some((url, schema)) => {
                let settings = vec![format!("store.url={url}"), format!("store.schema={schema}")];
                let (url, schema) = (url.to_owned(), Some(schema.to_owned()));
                let backend = BackendSettings::Postgres { url, schema, pool_max: FILL.1 };
                Self { name: "PostgreSQL", backend, settings }
            }
        }
    }

    /// Lets the store finish what it does behind writes, which in a server that runs for days lies long back.
    pub(crate) async fn settle(&self) -> Result<()> {
        if let BackendSettings::Postgres { url, schema: Some(schema), .. } = &self.backend {
            store::postgres::vacuum_schema(url, schema).await?;
        }
        Ok(())
    }

    /// Opens the store beside the server.
    pub(crate) async fn open(&self) -> Result<Store> {
        // Nothing here is sealed.
        let (tenant, master_key) = (TENANT.to_owned(), Secret::new([0; 32]));
        Ok(Store::open(StoreSettings { backend: self.backend.clone(), tenant, master_key }).await?)
    }

    /// Writes so many records.
    pub(crate) async fn fill<R: Record + Clone + Send + Sync + 'static>(
        &self,
        records: u64,
        record: impl Fn(u64) -> R,
    ) -> Result<()> {
        let (store, (step, at_once)) = (self.open().await?, FILL);
        let mut starts = (0..records).step_by(step);
        loop {
            let mut writing = tokio::task::JoinSet::new();
            for start in starts.by_ref().take(at_once) {
                let store = store.clone();
                let batch: Vec<R> = (start..records.min(start + step as u64)).map(&record).collect();
                writing.spawn(async move {
                    let work = async |tx: &mut store::Tx| -> store::Result<()> {
                        batch.iter().for_each(|record| tx.insert(record.clone()));
                        Ok(())
                    };
                    store.transact(work).await
                });
            }
            if writing.is_empty() {
                return Ok(());
            }
            while let Some(written) = writing.join_next().await {
                written??;
            }
        }
    }
}
