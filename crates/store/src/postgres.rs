//! The backend for more than one machine: PostgreSQL, in a plain subset of its SQL.
//!
//! A commit is one statement in a serializable transaction of its own, so it takes one round trip and leaves nothing
//! open when its connection dies. It writes its batch's id along. When the answer is lost, the store claims that id
//! for itself: if it is taken, the batch had committed; if not, now it never can. Reads are single statements too,
//! on connections of their own that need no serializable bookkeeping.
//!
//! Not here: TLS to the server, which must be reached over a trusted network or a tunnel.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio::time::{Instant, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls};

use domain::time::Timestamp;

use crate::backend::{Backend, Batch, BoxFuture, Row, RowKey, Scan, Version};
use crate::error::{Result, StoreError};
use crate::limits::{
    COMMIT_TIMEOUT, POSTGRES_BATCH_KEEP_SECONDS, POSTGRES_CONNECT_TIMEOUT, POSTGRES_POOL_MAX,
    POSTGRES_READ_ATTEMPTS_MAX, POSTGRES_RESOLVE_ATTEMPTS_MAX, POSTGRES_STATEMENT_TIMEOUT, READ_TIMEOUT,
};

const SCHEMA: &str = r#"
    CREATE TABLE IF NOT EXISTS records (
        space TEXT COLLATE "C" NOT NULL,
        key TEXT COLLATE "C" NOT NULL,
        version BIGINT NOT NULL,
        value JSON NOT NULL,
        expires_at BIGINT,
        PRIMARY KEY (space, key)
    );
    CREATE INDEX IF NOT EXISTS records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE IF NOT EXISTS batches (
        id BIGINT PRIMARY KEY,
        made_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    CREATE INDEX IF NOT EXISTS batches_by_age ON batches (made_at);"#;

const SELECT_ROW: &str = "SELECT version, value::text FROM records WHERE space = $1 AND key = $2";
const SELECT_ROWS: &str = "SELECT found.version, found.value::text
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (space, key, place)
    LEFT JOIN LATERAL (
        SELECT version, value FROM records WHERE space = wanted.space AND key = wanted.key
    ) AS found ON true
    ORDER BY wanted.place";
const SCAN_UP: &str = "SELECT key, version, value::text FROM records
    WHERE space = $1 AND key >= $2 AND key < $3 ORDER BY key LIMIT $4";
const SCAN_DOWN: &str = "SELECT key, version, value::text FROM records
    WHERE space = $1 AND key >= $2 AND key < $3 ORDER BY key DESC LIMIT $4";
const COMMIT: &str = "WITH holds AS (
        SELECT NOT EXISTS (
            SELECT 1 FROM unnest($1::text[], $2::text[], $3::bigint[]) AS expected (space, key, version)
            WHERE expected.version IS DISTINCT FROM
                (SELECT version FROM records WHERE space = expected.space AND key = expected.key)
        ) AS yes
    ), removed AS (
        DELETE FROM records USING unnest($4::text[], $5::text[]) AS gone (space, key)
        WHERE records.space = gone.space AND records.key = gone.key AND (SELECT yes FROM holds)
    ), written AS (
        INSERT INTO records (space, key, version, value, expires_at)
        SELECT space, key, $6::bigint, value::json, expires_at
        FROM unnest($7::text[], $8::text[], $9::text[], $10::bigint[]) AS new (space, key, value, expires_at)
        WHERE (SELECT yes FROM holds)
        ON CONFLICT (space, key) DO UPDATE
        SET version = excluded.version, value = excluded.value, expires_at = excluded.expires_at
    ), named AS (
        INSERT INTO batches (id) SELECT $6::bigint WHERE (SELECT yes FROM holds)
    )
    SELECT yes FROM holds";
const CLAIM_ID: &str = "INSERT INTO batches (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";
const SWEEP: &str = "DELETE FROM records WHERE (space, key) IN (
    SELECT space, key FROM records WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
const SWEEP_BATCHES: &str = "DELETE FROM batches WHERE id IN (
    SELECT id FROM batches WHERE made_at < now() - make_interval(secs => $1) ORDER BY made_at LIMIT $2)";

const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Rows in one schema of a PostgreSQL database.
pub struct Postgres {
    readers: Pool,
    writers: Pool,
}

/// Why a statement failed, as far as it matters here.
enum Failure {
    /// It lost against another transaction, and left nothing.
    Race,
    /// The server refused it, and it left nothing.
    Refused(StoreError),
    /// Nobody knows: the connection or the answer was lost.
    Lost(String),
}

impl Postgres {
    /// Connects, and makes schema and tables when they are absent. `pool_max` connections in all, half of them for
    /// reading.
    pub async fn open(url: &str, schema: Option<&str>, pool_max: usize) -> Result<Self> {
        let config = || -> Result<Config> {
            url.parse().map_err(|error| StoreError::Unavailable(format!("the PostgreSQL URL: {error}")))
        };
        let schema = schema.map(check_schema).transpose()?;
        let half = pool_max.clamp(2, POSTGRES_POOL_MAX).div_ceil(2);
        let readers = pool(config()?, schema, "read committed", half)?;
        let writers = pool(config()?, schema, "serializable", half)?;
        let opened = Self { readers, writers };
        opened.make_tables(schema).await?;
        Ok(opened)
    }

    async fn make_tables(&self, schema: Option<&str>) -> Result<()> {
        let make_schema =
            schema.map(|name| format!("CREATE SCHEMA IF NOT EXISTS {name};")).unwrap_or_default();
        let statements = format!("{make_schema} {SCHEMA}");
        let mut attempt = 0;
        loop {
            attempt += 1;
            let client = connection(&self.writers).await?;
            match timeout(READ_TIMEOUT, client.batch_execute(&statements)).await {
                Ok(Ok(())) => return Ok(()),
                // Two nodes that start at once may make the same table: one of them is told off, and looks again.
                Ok(Err(error)) if attempt < POSTGRES_READ_ATTEMPTS_MAX && error.code().is_some() => {}
                Ok(Err(error)) => {
                    return Err(StoreError::Unavailable(format!("making the tables: {}", told(&error))));
                }
                Err(_) => return Err(StoreError::Unavailable("making the tables took too long".into())),
            }
        }
    }

    /// Reads have no effect, so one whose connection died is simply asked again.
    async fn read(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<tokio_postgres::Row>> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failure = match query(&self.readers, sql, params, READ_TIMEOUT).await {
                Ok(rows) => return Ok(rows),
                Err(Failure::Refused(error)) => return Err(error),
                Err(Failure::Race) => "lost a race".to_owned(),
                Err(Failure::Lost(what)) => what,
            };
            if attempt >= POSTGRES_READ_ATTEMPTS_MAX {
                return Err(StoreError::Unavailable(failure));
            }
        }
    }

    async fn commit_batch(&self, batch: Batch) -> Result<()> {
        let deadline = Instant::now() + COMMIT_TIMEOUT;
        let expect = Columns::of(batch.expect.iter().map(|(at, _)| at));
        let expect_versions: Vec<Option<i64>> =
            batch.expect.iter().map(|(_, version)| version.map(Version::as_i64)).collect();
        let delete = Columns::of(&batch.delete);
        let put = Columns::of(batch.put.iter().map(|put| &put.at));
        let values: Vec<&str> = batch.put.iter().map(|put| &*put.value).collect();
        let expiries: Vec<Option<i64>> =
            batch.put.iter().map(|put| put.expires_at.map(Timestamp::as_millis)).collect();
        let id = batch.id.as_i64();
        let params: [&(dyn ToSql + Sync); 10] = [
            &expect.spaces,
            &expect.keys,
            &expect_versions,
            &delete.spaces,
            &delete.keys,
            &id,
            &put.spaces,
            &put.keys,
            &values,
            &expiries,
        ];
        match query(&self.writers, COMMIT, &params, POSTGRES_STATEMENT_TIMEOUT * 2).await {
            Ok(rows) if rows.first().is_some_and(|row| row.get::<_, bool>(0)) => Ok(()),
            Ok(_) | Err(Failure::Race) => Err(StoreError::Conflict),
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Lost(what)) => {
                tracing::warn!(what, "the answer to a commit was lost; looking whether it took place");
                self.resolve(id, deadline).await
            }
        }
    }

    /// Finds out what became of a batch whose answer was lost, by taking its id: taken already means committed.
    /// Otherwise it can never commit any more, even if it still runs, and may be done again: `Conflict`.
    async fn resolve(&self, id: i64, deadline: Instant) -> Result<()> {
        for attempt in 0..POSTGRES_RESOLVE_ATTEMPTS_MAX {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match execute(&self.writers, CLAIM_ID, &[&id], left).await {
                Ok(0) => return Ok(()),
                Ok(_) => return Err(StoreError::Conflict),
                Err(_) => tokio::time::sleep(left.min(Duration::from_millis(50 << attempt.min(4)))).await,
            }
        }
        Err(StoreError::Unknown)
    }

    async fn sweep_rows(&self, now: Timestamp, max: usize) -> Result<usize> {
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let rows = self.sweep_statement(SWEEP, &[&now.as_millis(), &limit]).await?;
        #[expect(clippy::cast_precision_loss, reason = "an hour in seconds")]
        let keep_seconds = POSTGRES_BATCH_KEEP_SECONDS as f64;
        self.sweep_statement(SWEEP_BATCHES, &[&keep_seconds, &limit]).await?;
        Ok(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    async fn sweep_statement(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match execute(&self.writers, sql, params, READ_TIMEOUT).await {
                Ok(rows) => return Ok(rows),
                Err(Failure::Race) if attempt < POSTGRES_READ_ATTEMPTS_MAX => {}
                Err(Failure::Race) => return Err(StoreError::Conflict),
                Err(Failure::Refused(error)) => return Err(error),
                Err(Failure::Lost(_)) => return Err(StoreError::Unknown),
            }
        }
    }
}

impl Backend for Postgres {
    fn get<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Row>>>> {
        Box::pin(async move {
            if let [at] = keys {
                let rows = self.read(SELECT_ROW, &[&&*at.space, &at.key]).await?;
                return Ok(vec![rows.first().map(|row| found_row(row, 0)).transpose()?]);
            }
            let wanted = Columns::of(keys);
            let rows = self.read(SELECT_ROWS, &[&wanted.spaces, &wanted.keys]).await?;
            let found = |row: &tokio_postgres::Row| -> Result<Option<Row>> {
                let version: Option<i64> = row.try_get(0).map_err(misread)?;
                version.map(|_| found_row(row, 0)).transpose()
            };
            rows.iter().map(found).collect()
        })
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<(String, Row)>>> {
        Box::pin(async move {
            let limit = i64::try_from(scan.limit).unwrap_or(i64::MAX);
            let sql = if scan.descending { SCAN_DOWN } else { SCAN_UP };
            let rows = self.read(sql, &[&&*scan.space, &scan.start, &scan.end, &limit]).await?;
            rows.iter().map(|row| Ok((row.try_get(0).map_err(misread)?, found_row(row, 1)?))).collect()
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.commit_batch(batch))
    }

    fn sweep(&self, now: Timestamp, max: usize) -> BoxFuture<'_, Result<usize>> {
        Box::pin(self.sweep_rows(now, max))
    }

    fn clock(&self) -> BoxFuture<'_, Result<Option<Timestamp>>> {
        Box::pin(async move {
            let rows = self.read(CLOCK, &[]).await?;
            rows.first().map(|row| row.try_get(0).map(Timestamp).map_err(misread)).transpose()
        })
    }
}

/// Row keys, column by column, as `unnest` takes them.
struct Columns<'a> {
    spaces: Vec<&'a str>,
    keys: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(keys: impl IntoIterator<Item = &'a RowKey>) -> Self {
        let (spaces, keys) = keys.into_iter().map(|at| (&*at.space, &*at.key)).unzip();
        Self { spaces, keys }
    }
}

/// Removes a schema with all that is in it, as tests do with their own.
///
/// # Errors
/// `Unavailable` when the server does not answer, or refuses.
pub async fn drop_schema(url: &str, schema: &str) -> Result<()> {
    let config: Config =
        url.parse().map_err(|error| StoreError::Unavailable(format!("the PostgreSQL URL: {error}")))?;
    let statement = format!("DROP SCHEMA IF EXISTS {} CASCADE", check_schema(schema)?);
    let client = connection(&pool(config, None, "read committed", 1)?).await?;
    let done = timeout(READ_TIMEOUT, client.batch_execute(&statement)).await;
    let done = done.map_err(|_| StoreError::Unavailable("dropping the schema took too long".into()))?;
    done.map_err(|error| StoreError::Unavailable(told(&error)))
}

/// How long [`vacuum_schema`] waits for one table.
const VACUUM_TIMEOUT: Duration = Duration::from_secs(600);

/// Brings a schema that was just filled to where autovacuum brings it in time: dead rows gone, statistics known.
///
/// # Errors
/// `Unavailable` when the server does not answer, or refuses.
pub async fn vacuum_schema(url: &str, schema: &str) -> Result<()> {
    let config: Config =
        url.parse().map_err(|error| StoreError::Unavailable(format!("the PostgreSQL URL: {error}")))?;
    let schema = check_schema(schema)?;
    let client = connection(&pool(config, None, "read committed", 1)?).await?;
    let statements = ["SET statement_timeout = 0".to_owned()]
        .into_iter()
        .chain(["records", "batches"].map(|table| format!("VACUUM (ANALYZE) {schema}.{table}")));
    for statement in statements {
        let done = timeout(VACUUM_TIMEOUT, client.batch_execute(&statement)).await;
        let done = done.map_err(|_| StoreError::Unavailable("the vacuum took too long".into()))?;
        done.map_err(|error| StoreError::Unavailable(told(&error)))?;
    }
    Ok(())
}

/// A schema's name is put into statements, so it must need no quoting.
fn check_schema(name: &str) -> Result<&str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let ok =
        name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain);
    let refuse =
        || StoreError::Unavailable("a schema's name is up to 63 of a-z, 0-9 and _, a letter first".into());
    ok.then_some(name).ok_or_else(refuse)
}

fn pool(mut config: Config, schema: Option<&str>, isolation: &str, size: usize) -> Result<Pool> {
    // Without statistics the planner may read a small table whole, and a serializable transaction that read it whole
    // conflicts with every writer. Every statement here has an index.
    let mut options = config.get_options().map(|own| format!("{own} ")).unwrap_or_default();
    let isolation = isolation.replace(' ', "\\ ");
    let limit_ms = POSTGRES_STATEMENT_TIMEOUT.as_millis();
    options += &format!(
        "-c default_transaction_isolation={isolation} -c statement_timeout={limit_ms} -c enable_seqscan=off"
    );
    if let Some(schema) = schema {
        options += &format!(" -c search_path={schema}");
    }
    config
        .options(options)
        .connect_timeout(POSTGRES_CONNECT_TIMEOUT)
        .keepalives_idle(Duration::from_secs(30));
    config.tcp_user_timeout(READ_TIMEOUT).application_name("vestibule");
    let manager =
        Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(READ_TIMEOUT))
        .create_timeout(Some(POSTGRES_CONNECT_TIMEOUT))
        .recycle_timeout(Some(POSTGRES_CONNECT_TIMEOUT))
        .build()
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

async fn connection(pool: &Pool) -> Result<Object> {
    pool.get().await.map_err(|error| {
        let source =
            std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        StoreError::Unavailable(format!("connecting to PostgreSQL: {error}{source}"))
    })
}

async fn query(
    pool: &Pool,
    sql: &str,
    params: &[&(dyn ToSql + Sync)],
    limit: Duration,
) -> Result<Vec<tokio_postgres::Row>, Failure> {
    let client = connection(pool).await.map_err(Failure::Refused)?;
    let asked = async {
        let statement = client.prepare_cached(sql).await?;
        client.query(&statement, params).await
    };
    let answer = timeout(limit, asked).await;
    settle(client, answer)
}

async fn execute(
    pool: &Pool,
    sql: &str,
    params: &[&(dyn ToSql + Sync)],
    limit: Duration,
) -> Result<u64, Failure> {
    let client = connection(pool).await.map_err(Failure::Refused)?;
    let asked = async {
        let statement = client.prepare_cached(sql).await?;
        client.execute(&statement, params).await
    };
    let answer = timeout(limit, asked).await;
    settle(client, answer)
}

/// Sorts the answer. A connection that did not answer in time is not used again: its answer may still come.
fn settle<T>(
    client: Object,
    answer: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
) -> Result<T, Failure> {
    let error = match answer {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error,
        Err(_) => {
            drop(Object::take(client));
            return Err(Failure::Lost("no answer in time".into()));
        }
    };
    let Some(code) = error.code() else { return Err(Failure::Lost(told(&error))) };
    if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code) {
        return Err(Failure::Race);
    }
    // A server that shuts down or ends the connection may say so after the commit.
    if code.code().starts_with("57P") || code.code().starts_with("08") {
        return Err(Failure::Lost(told(&error)));
    }
    let corrupt = code.code().starts_with("22") || code.code().starts_with("XX");
    let text = told(&error);
    Err(Failure::Refused(if corrupt { StoreError::Corrupt(text) } else { StoreError::Unavailable(text) }))
}

/// What the server says, without the values a detail might hold.
fn told(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("PostgreSQL: {} ({})", said.message(), said.code().code()),
        None => format!("PostgreSQL: {error}"),
    }
}

fn found_row(row: &tokio_postgres::Row, first: usize) -> Result<Row> {
    let version = row.try_get(first).map_err(misread)?;
    Ok(Row { version: Version::from_bits(version), value: row.try_get(first + 1).map_err(misread)? })
}

fn misread(error: tokio_postgres::Error) -> StoreError {
    StoreError::Corrupt(format!("a row of PostgreSQL: {error}"))
}
