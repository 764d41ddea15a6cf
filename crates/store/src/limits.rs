//! The bounds of the store: each with its reason. All are ours.

use std::time::Duration;

/// How often `Store::transact` runs a closure before it answers `Conflict`. With the waits below, that is about a
/// second of contention, more than a sign-in should ever wait.
pub const TRANSACT_ATTEMPTS_MAX: u32 = 16;
/// The first wait between two attempts, in microseconds, before jitter. Doubles each time.
pub const TRANSACT_BACKOFF_FIRST_US: u64 = 500;
/// The longest wait between two attempts, in microseconds, before jitter.
pub const TRANSACT_BACKOFF_MAX_US: u64 = 150_000;

/// Rows and expectations in one batch, together. A batch is held in memory and, on SQLite, delays its whole group.
pub const BATCH_ROWS_MAX: usize = 8_192;
/// Bytes of one stored value. The largest legal record, a user with full metadata, is far below.
pub const VALUE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of one row key; PostgreSQL's index takes at most 2,704 for space and key together.
pub const KEY_BYTES_MAX: usize = 2_500;
/// Keys of one `get`.
pub const GET_KEYS_MAX: usize = 4_096;
/// Records in one page, whoever asks.
pub const PAGE_MAX: usize = 1_000;

/// Batches waiting for SQLite's writer. A full queue answers `Unavailable` at once: shedding beats waiting.
pub const WRITER_QUEUE_MAX: usize = 4_096;
/// Batches in one group. At 3 ms a sync, more would only make the first of them wait.
pub const GROUP_BATCHES_MAX: usize = 512;
/// The longest a group waits for company, after one that had some: below the sync it saves.
pub const GATHER_MAX: Duration = Duration::from_millis(1);
/// Read connections to one SQLite file.
pub const READERS_MAX: usize = 32;
/// A read of at most so many rows runs on SQLite without a trip to the blocking pool, which costs more than the read:
/// about 16 µs a row from the page cache.
pub const READ_INLINE_ROWS_MAX: usize = 16;

/// How long one read may take, waiting for a connection included.
pub const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one commit may take, queueing included. After it the answer is `Unknown`.
pub const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long SQLite waits for another process's lock on the file.
pub const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long connecting to PostgreSQL may take.
pub const POSTGRES_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long PostgreSQL itself lets one statement run. Below `READ_TIMEOUT`, so that its own error arrives first.
pub const POSTGRES_STATEMENT_TIMEOUT: Duration = Duration::from_secs(8);
/// How often a read is asked when its connection died: stale ones in the pool are found out one by one.
pub const POSTGRES_READ_ATTEMPTS_MAX: u32 = 5;
/// How often PostgreSQL is asked whether a commit with a lost answer took place, before it is `Unknown`. With up to
/// 0.8 s in between, and `COMMIT_TIMEOUT` in all: long enough for another node to take over from a dead one.
pub const POSTGRES_RESOLVE_ATTEMPTS_MAX: u32 = 60;
/// How long the ids of committed batches are kept, in seconds: far longer than any commit is asked about.
pub const POSTGRES_BATCH_KEEP_SECONDS: i64 = 3_600;
/// Connections to PostgreSQL, whatever the settings say.
pub const POSTGRES_POOL_MAX: usize = 256;

/// Shards in front of time-ordered keys, so that a range-sharded database has no single hot range. Part of the
/// stored format: it must never change.
pub const TIME_SHARDS: u8 = 4;
/// Index entries of a record that expires are kept a multiple of this, in milliseconds, so that a record whose
/// expiry slides with every use rewrites its entries once a day and not each time.
pub const INDEX_EXPIRY_STEP_MS: i64 = 24 * 3_600 * 1_000;

/// Outbox entries one claim takes.
pub const OUTBOX_CLAIM_MAX: usize = 256;
/// Rows of the lanes' index that are looked at in one step of a claim: the lanes that they belong to are passed by then,
/// however much waits in them.
pub const OUTBOX_LANE_ROWS: usize = 128;
/// Steps of one claim. Where there are more lanes, the next claim goes on from there.
pub const OUTBOX_LANE_STEPS_MAX: usize = 32;
/// How long a dead outbox entry stays readable, in milliseconds, before the sweeper may take it.
pub const OUTBOX_DEAD_KEEP_MS: i64 = 7 * 24 * 3_600 * 1_000;
/// Characters kept of an outbox entry's last error.
pub const OUTBOX_ERROR_CHARS_MAX: usize = 1_000;

/// Rows one call of the sweeper removes.
pub const SWEEP_ROWS_MAX: usize = 10_000;

const _: () = assert!(READ_TIMEOUT.as_millis() > POSTGRES_STATEMENT_TIMEOUT.as_millis());
const _: () = assert!(COMMIT_TIMEOUT.as_millis() > SQLITE_BUSY_TIMEOUT.as_millis());
const _: () = assert!(GROUP_BATCHES_MAX < WRITER_QUEUE_MAX && PAGE_MAX < GET_KEYS_MAX);
const _: () = assert!(TIME_SHARDS >= 1 && TIME_SHARDS <= 16);
