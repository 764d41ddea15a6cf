//! The default backend: one SQLite file, one writer that commits in groups, a pool of readers.
//!
//! With `synchronous=FULL` a commit costs one sync, whatever is in it. So one thread takes all waiting batches into
//! one transaction and answers when the sync is done; throughput grows with concurrency. Each batch is checked
//! before it writes, seeing what earlier ones of its group wrote, so a conflict fails that batch alone.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use domain::time::Timestamp;

use crate::backend::{Backend, Batch, BoxFuture, Row, RowKey, Scan, Version};
use crate::error::{Result, StoreError};
use crate::limits::{
    COMMIT_TIMEOUT, GATHER_MAX, GROUP_BATCHES_MAX, READ_INLINE_ROWS_MAX, READ_TIMEOUT, READERS_MAX,
    SQLITE_BUSY_TIMEOUT, WRITER_QUEUE_MAX,
};

/// Marks the file as ours (`PRAGMA application_id`): "VEST".
const APPLICATION_ID: i64 = 0x5645_5354;
/// The form of the file (`PRAGMA user_version`). One table for everything, so it is not expected to change.
const FILE_FORM: i64 = 1;

/// Pages in the log before they are copied into the file: 16 MiB. Ours: with a page written by many groups copied once,
/// random keys were committed a fifth faster than at SQLite's own 1,000; a start reads so much at most again.
const CHECKPOINT_PAGES: i64 = 4_000;
/// A table with row numbers, so that new rows lie one behind another and only their keys are strewn over the index. Kept
/// by key instead, rows of a kilobyte spill over onto pages of their own, which every comparison on the way then reads:
/// random keys were written a third as fast.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS records (
        space TEXT NOT NULL,
        key TEXT NOT NULL,
        version INTEGER NOT NULL,
        value TEXT NOT NULL,
        expires_at INTEGER,
        PRIMARY KEY (space, key)
    );
    CREATE INDEX IF NOT EXISTS records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;";

const SELECT_VERSION: &str = "SELECT version FROM records WHERE space = ?1 AND key = ?2";
const SELECT_ROW: &str = "SELECT version, value FROM records WHERE space = ?1 AND key = ?2";
const SCAN_UP: &str = "SELECT key, version, value FROM records
    WHERE space = ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?4";
const SCAN_DOWN: &str = "SELECT key, version, value FROM records
    WHERE space = ?1 AND key >= ?2 AND key < ?3 ORDER BY key DESC LIMIT ?4";
const UPSERT: &str =
    "INSERT INTO records (space, key, version, value, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (space, key) DO UPDATE SET version = ?3, value = ?4, expires_at = ?5";
const DELETE: &str = "DELETE FROM records WHERE space = ?1 AND key = ?2";
const SWEEP: &str = "DELETE FROM records WHERE (space, key) IN (
    SELECT space, key FROM records WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

/// Rows in one SQLite file. Dropping it lets the writer finish what is queued, and end.
pub struct Sqlite {
    writer: SyncSender<Job>,
    readers: Arc<Readers>,
}

enum Work {
    Commit(Batch),
    Sweep { now: Timestamp, max: usize },
}

struct Job {
    work: Work,
    answer: oneshot::Sender<Result<usize>>,
}

impl Sqlite {
    /// Opens the file, making it (readable by its owner alone) when it is absent.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let opened = tokio::task::spawn_blocking(move || Self::open_now(path)).await;
        opened.unwrap_or_else(|error| Err(StoreError::Unavailable(format!("opening the file: {error}"))))
    }

    fn open_now(path: PathBuf) -> Result<Self> {
        make_private(&path)?;
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        prepare_file(&connection)?;
        let (writer, jobs) = sync_channel(WRITER_QUEUE_MAX);
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || write_groups(&connection, &jobs))
            .map_err(|error| StoreError::Unavailable(format!("starting the writer: {error}")))?;
        let permits = Arc::new(Semaphore::new(READERS_MAX));
        let readers = Arc::new(Readers { path, permits, idle: Mutex::new(Vec::new()) });
        Ok(Self { writer, readers })
    }

    async fn submit(&self, work: Work) -> Result<usize> {
        let (answer, answered) = oneshot::channel();
        self.writer.try_send(Job { work, answer }).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Unavailable("the writer's queue is full".into()),
            TrySendError::Disconnected(_) => StoreError::Unavailable("the writer has ended".into()),
        })?;
        match tokio::time::timeout(COMMIT_TIMEOUT, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(StoreError::Unknown),
        }
    }

    async fn reader(&self) -> Result<Reader> {
        let permit = tokio::time::timeout(READ_TIMEOUT, self.readers.permits.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(StoreError::Unavailable("all readers were busy for too long".into()));
        };
        let idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.readers.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        };
        Ok(Reader { connection: Some(connection), readers: self.readers.clone(), _permit: permit })
    }
}

impl Backend for Sqlite {
    fn get<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Row>>>> {
        Box::pin(async move {
            let reader = self.reader().await?;
            if keys.len() <= READ_INLINE_ROWS_MAX {
                return reader.run(|connection| get_rows(connection, keys));
            }
            let keys = keys.to_vec();
            off_the_async_threads(move || reader.run(|connection| get_rows(connection, &keys))).await
        })
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<(String, Row)>>> {
        Box::pin(async move {
            let reader = self.reader().await?;
            if scan.limit <= READ_INLINE_ROWS_MAX {
                return reader.run(|connection| scan_rows(connection, &scan));
            }
            off_the_async_threads(move || reader.run(|connection| scan_rows(connection, &scan))).await
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.submit(Work::Commit(batch)).await.map(drop) })
    }

    fn sweep(&self, now: Timestamp, max: usize) -> BoxFuture<'_, Result<usize>> {
        Box::pin(self.submit(Work::Sweep { now, max }))
    }
}

async fn off_the_async_threads<T: Send + 'static>(
    read: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::time::timeout(READ_TIMEOUT, tokio::task::spawn_blocking(read)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Err(StoreError::Unavailable(format!("a read ended early: {error}"))),
        Err(_) => Err(StoreError::Unavailable("a read took too long".into())),
    }
}

/// Makes the file with access for its owner alone: it holds what the server must not tell.
fn make_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options.open(path).map(drop);
    made.map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection> {
    let connection =
        Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(unavailable)?;
    connection.busy_timeout(SQLITE_BUSY_TIMEOUT).map_err(unavailable)?;
    // Otherwise SQLite plans a range anew for every value bound to it, which costs more than the read.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(unavailable)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

fn prepare_file(connection: &Connection) -> Result<()> {
    let number = |name: &str| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(unavailable)
    };
    let (application, form) = (number("application_id")?, number("user_version")?);
    if (application, form) != (0, 0) && (application, form) != (APPLICATION_ID, FILE_FORM) {
        return Err(StoreError::Corrupt(format!(
            "the file is not a store of this release (application {application:#x}, form {form})"
        )));
    }
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;
            PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
            BEGIN IMMEDIATE; {SCHEMA}
            PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FILE_FORM}; COMMIT;"
        ))
        .map_err(unavailable)
}

/// What SQLite says, as what we say: bytes that are wrong are `Corrupt`, all else may pass.
fn unavailable(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Unavailable(error.to_string()),
    }
}

struct Readers {
    path: PathBuf,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

/// A connection on loan; goes back when dropped.
struct Reader {
    connection: Option<Connection>,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    fn run<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let connection = self.connection.as_ref().expect("a reader holds its connection until it is dropped");
        read(connection).map_err(unavailable)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().filter(Connection::is_autocommit) {
            self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

fn get_rows(connection: &Connection, keys: &[RowKey]) -> rusqlite::Result<Vec<Option<Row>>> {
    // Several rows of one moment need a transaction; one row is of one moment anyhow.
    let moment = if keys.len() > 1 { Some(connection.unchecked_transaction()?) } else { None };
    let mut select = connection.prepare_cached(SELECT_ROW)?;
    let mut rows = Vec::with_capacity(keys.len());
    for at in keys {
        let row = select.query_row(params![at.space, at.key], |row| {
            Ok(Row { version: Version::from_bits(row.get(0)?), value: row.get(1)? })
        });
        rows.push(row.optional()?);
    }
    drop(select);
    moment.map_or(Ok(()), rusqlite::Transaction::commit)?;
    Ok(rows)
}

fn scan_rows(connection: &Connection, scan: &Scan) -> rusqlite::Result<Vec<(String, Row)>> {
    let mut select = connection.prepare_cached(if scan.descending { SCAN_DOWN } else { SCAN_UP })?;
    let limit = i64::try_from(scan.limit).unwrap_or(i64::MAX);
    let rows = select.query_map(params![scan.space, scan.start, scan.end, limit], |row| {
        Ok((row.get(0)?, Row { version: Version::from_bits(row.get(1)?), value: row.get(2)? }))
    })?;
    rows.collect()
}

/// The writer's life: take what waits, commit it, answer; until every sender is gone.
///
/// Those who got their answers come back together, a moment after the first of them. So a group waits for as many as
/// the one before had, but only a fraction of the time the sync will take; a lone writer is never kept waiting.
fn write_groups(connection: &Connection, jobs: &Receiver<Job>) {
    let (mut size_before, mut took) = (1, Duration::ZERO);
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP_BATCHES_MAX - 1));
        let until = Instant::now() + (took / 4).min(GATHER_MAX);
        while group.len() < size_before {
            let Ok(job) = jobs.recv_timeout(until.saturating_duration_since(Instant::now())) else { break };
            group.push(job);
        }
        let gathered = Instant::now();
        let answers = write_group(connection, &group);
        (size_before, took) = (group.len(), gathered.elapsed());
        for (job, answer) in group.into_iter().zip(answers) {
            // Whoever asked may have stopped waiting; that is theirs to decide.
            let _ = job.answer.send(answer);
        }
    }
}

/// Commits a group in one transaction. The answers stand in the order of the jobs.
fn write_group(connection: &Connection, group: &[Job]) -> Vec<Result<usize>> {
    let fail_all = |error: &StoreError| group.iter().map(|_| Err(error.clone())).collect();
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        return fail_all(&unavailable(error));
    }
    // A batch writes only after its checks, so what fails then is the disk or the file: it takes its group with it.
    let done: rusqlite::Result<Vec<Result<usize>>> =
        group.iter().map(|job| apply(connection, &job.work)).collect();
    let answers = match done {
        Ok(answers) => answers,
        Err(error) => {
            roll_back(connection);
            return fail_all(&unavailable(error));
        }
    };
    if let Err(error) = connection.execute_batch("COMMIT") {
        tracing::error!(%error, batches = group.len(), "a group did not commit");
        roll_back(connection);
        // When the sync fails, nobody can say what of the log is on the disk.
        return fail_all(&StoreError::Unknown);
    }
    answers
}

fn roll_back(connection: &Connection) {
    if connection.is_autocommit() {
        return;
    }
    if let Err(error) = connection.execute_batch("ROLLBACK") {
        tracing::error!(%error, "a group did not roll back");
    }
}

fn apply(connection: &Connection, work: &Work) -> rusqlite::Result<Result<usize>> {
    match work {
        Work::Commit(batch) => Ok(if holds(connection, batch)? {
            write(connection, batch)?;
            Ok(0)
        } else {
            Err(StoreError::Conflict)
        }),
        Work::Sweep { now, max } => {
            let max = i64::try_from(*max).unwrap_or(i64::MAX);
            connection.prepare_cached(SWEEP)?.execute(params![now.as_millis(), max]).map(Ok)
        }
    }
}

fn holds(connection: &Connection, batch: &Batch) -> rusqlite::Result<bool> {
    let mut select = connection.prepare_cached(SELECT_VERSION)?;
    for (at, expected) in &batch.expect {
        let version = select.query_row(params![at.space, at.key], |row| row.get(0)).optional()?;
        if version.map(Version::from_bits) != *expected {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached(DELETE)?;
    for at in &batch.delete {
        delete.execute(params![at.space, at.key])?;
    }
    let mut upsert = connection.prepare_cached(UPSERT)?;
    for put in &batch.put {
        let expires_at = put.expires_at.map(Timestamp::as_millis);
        upsert.execute(params![put.at.space, put.at.key, batch.id.as_i64(), put.value, expires_at])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
