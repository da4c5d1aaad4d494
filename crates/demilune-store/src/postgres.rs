//! PostgreSQL: a pool that reads, a task that writes, and what differs in its statements.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_channel::{Receiver, Sender};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions, Connection as _, Executor, PgConnection, PgPool, Row as _, TypeInfo,
    ValueRef,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions, PgRow},
};
use tokio::task::{JoinHandle, JoinSet};

use crate::{
    changes::Announcer,
    connection::Connection,
    database::Database,
    error::{Cause, OpenError, QueryError, StoreFailure},
    operation::{RowUpsert, RowUpserted, UPSERT_CONFLICT, row_upserted},
    row::{Row, Value},
    stats::Counters,
    writer::{BATCH_REQUESTS_MAX, Batches, WAITING_MAX, WriteRequest},
};

/// Connections that read, those that write something rare, and the one that listens.
const CONNECTIONS_MAX: u32 = 9;
/// How long a caller waits for one of them before the store counts as away.
const ACQUIRE_TIME_MAX: Duration = Duration::from_secs(3);
/// How long the writing connection may lie idle before it is tried before use.
const IDLE_TRUSTED: Duration = Duration::from_secs(1);
/// Least time between two notifications of a process: sending one takes a lock that all senders of a server share.
const NOTIFY_INTERVAL: Duration = Duration::from_millis(100);
/// How long to wait before listening again after that failed.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// The channel of the notifications, as it stands in `NOTIFY` below.
const CHANNEL: &str = "demilune_changes";

/// The pool, and the tasks beside it.
pub(crate) struct Postgres {
    pool: PgPool,
    writes: Sender<WriteRequest>,
    counters: Arc<Counters>,
    write_task: Mutex<Option<JoinHandle<()>>>,
    /// Those that tell and listen. They end with this.
    tasks: Mutex<JoinSet<()>>,
}

impl Postgres {
    /// Starts the pool and the tasks on a database that is migrated.
    pub(crate) fn start(
        url: &str,
        batches: Batches,
        counters: Arc<Counters>,
        announcer: &Arc<Announcer>,
    ) -> Result<Self, OpenError> {
        let options = connect_options(url)?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_TIME_MAX)
            .connect_lazy_with(options.clone());
        let (writes, waiting) = async_channel::bounded(WAITING_MAX);
        let write_task = tokio::spawn(write_all(options, waiting, batches));
        let mut tasks = JoinSet::new();
        tasks.spawn(tell(pool.clone(), Arc::clone(announcer)));
        tasks.spawn(listen(pool.clone(), Arc::clone(announcer)));
        Ok(Self { pool, writes, counters, write_task: Mutex::new(Some(write_task)), tasks: Mutex::new(tasks) })
    }

    /// A connection of the pool.
    pub(crate) async fn acquire(&self) -> Result<Acquired, StoreFailure> {
        let held = self.pool.acquire().await.map_err(query_error)?;
        Ok(Acquired { held, in_transaction: false, since: Instant::now(), counters: Arc::clone(&self.counters) })
    }

    /// Hands a write to the next batch.
    pub(crate) fn write(&self, request: WriteRequest) -> Result<(), StoreFailure> {
        let sent = self.writes.try_send(request);
        sent.map_err(|refused| if refused.is_full() { StoreFailure::Overloaded } else { StoreFailure::closed() })
    }

    /// Writes waiting now.
    pub(crate) fn writes_waiting(&self) -> usize {
        self.writes.len()
    }

    /// Takes no more work, finishes what was accepted, and waits for that.
    pub(crate) async fn close(&self) {
        self.writes.close();
        let write_task = self.write_task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(write_task) = write_task {
            drop(write_task.await);
        }
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
        self.pool.close().await;
    }
}

/// A connection of the pool, whose use is timed.
pub(crate) struct Acquired {
    held: PoolConnection<sqlx::Postgres>,
    in_transaction: bool,
    since: Instant,
    counters: Arc<Counters>,
}

impl Acquired {
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        Connection::Postgres(&mut self.held)
    }

    /// The connection for a transaction, until `ended`. A caller who goes away before that takes the connection along:
    /// the next one must not come into the open transaction, nor anybody wait for its locks.
    pub(crate) fn transaction(&mut self) -> Connection<'_> {
        self.in_transaction = true;
        self.connection()
    }

    /// The transaction has ended.
    pub(crate) fn ended(&mut self) {
        self.in_transaction = false;
    }
}

impl Drop for Acquired {
    fn drop(&mut self) {
        if self.in_transaction {
            self.held.close_on_drop();
        }
        self.counters.read_seconds.observe_duration(self.since.elapsed());
    }
}

/// Connects once, outside the pool.
pub(crate) async fn connect(url: &str) -> Result<PgConnection, OpenError> {
    let connecting = connect_options(url)?;
    let connect_error = |cause: Cause| {
        let database = Database::Postgres(url.to_owned()).to_string();
        OpenError::Connect { database, cause }
    };
    connect_in_time(&connecting).await.map_err(connect_error)
}

fn connect_options(url: &str) -> Result<PgConnectOptions, OpenError> {
    let options: PgConnectOptions = url.parse().map_err(|_| OpenError::Connect {
        database: "PostgreSQL".to_owned(),
        cause: "its URL cannot be read".into(),
    })?;
    // A statement that hangs must not hold up the batches behind it.
    let options = options.application_name("demilune").options([("statement_timeout", "10s")]);
    Ok(options.disable_statement_logging())
}

async fn write_all(options: PgConnectOptions, waiting: Receiver<WriteRequest>, mut batches: Batches) {
    let mut connection: Option<PgConnection> = None;
    let mut used = Instant::now();
    while let Ok(first) = waiting.recv().await {
        let mut batch = vec![first];
        while batch.len() < BATCH_REQUESTS_MAX
            && let Ok(next) = waiting.try_recv()
        {
            batch.push(next);
        }
        if let Some(held) = &mut connection
            && used.elapsed() > IDLE_TRUSTED
            && held.ping().await.is_err()
        {
            connection = None;
        }
        let mut held = match connection.take() {
            Some(held) => held,
            None => match connect_in_time(&options).await {
                Ok(held) => held,
                Err(cause) => {
                    for request in batch {
                        request.fail(&cause.to_string());
                    }
                    continue;
                }
            },
        };
        batches.write(&mut Connection::Postgres(&mut held), batch).await;
        used = Instant::now();
        if !batches.take_lost() {
            connection = Some(held);
        }
    }
}

/// Tells other processes what this one announces. Nobody waits for it, and what is lost is found by polling.
async fn tell(pool: PgPool, announcer: Arc<Announcer>) {
    loop {
        announcer.untold().await;
        if let Err(error) = sqlx::query("NOTIFY demilune_changes").execute(&pool).await {
            tracing::debug!(%error, "other processes could not be told of a change");
        }
        tokio::time::sleep(NOTIFY_INTERVAL).await;
    }
}

/// Hears what other processes tell, and this one.
async fn listen(pool: PgPool, announcer: Arc<Announcer>) {
    loop {
        if let Err(error) = listen_until_lost(&pool, &announcer).await {
            tracing::debug!(%error, "cannot listen for changes");
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

async fn listen_until_lost(pool: &PgPool, announcer: &Announcer) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // At first, and after each loss of the connection, there may have been changes that nobody heard of.
        announcer.hear();
        listener.try_recv().await?;
    }
}

async fn connect_in_time(options: &PgConnectOptions) -> Result<PgConnection, Cause> {
    Ok(tokio::time::timeout(ACQUIRE_TIME_MAX, options.connect()).await??)
}

pub(crate) async fn query(
    connection: &mut PgConnection,
    sql: Cow<'static, str>,
    parameters: Vec<Value>,
) -> Result<Vec<Row>, QueryError> {
    // Safe: no text of ours holds a value; they all come as parameters.
    let mut query = sqlx::query(AssertSqlSafe(sql.into_owned()));
    for value in parameters {
        query = match value {
            Value::Text(text) => query.bind(text),
            Value::TextOrNull(text) => query.bind(text),
            Value::Integer(number) => query.bind(number),
            Value::IntegerOrNull(number) => query.bind(number),
            Value::Real(number) => query.bind(number),
            Value::Blob(bytes) => query.bind(bytes),
            Value::BlobOrNull(bytes) => query.bind(bytes),
            Value::Null => query.bind(None::<String>),
        };
    }
    let rows = query.fetch_all(connection).await.map_err(query_error)?;
    rows.iter().map(row).collect::<Result<_, _>>().map_err(query_error)
}

pub(crate) async fn script(connection: &mut PgConnection, sql: &'static str) -> Result<(), QueryError> {
    connection.execute(sqlx::raw_sql(sql)).await.map(drop).map_err(query_error)
}

pub(crate) async fn upsert(connection: &mut PgConnection, rows: &[RowUpsert]) -> Result<Vec<RowUpserted>, QueryError> {
    const INSERT: &str = "INSERT INTO operations \
        (zone_id, key_hash, operation_id, method, host, endpoint, last_updated) SELECT * FROM unnest(\
        $1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])";
    let sql = [INSERT, UPSERT_CONFLICT].concat();
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(rows.iter().map(|row| row.zone.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.key_hash.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.proposed.to_string()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.key.method.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.key.host.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.key.endpoint.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.now.as_micros()).collect::<Vec<_>>());
    let upserted = query.fetch_all(connection).await.map_err(query_error)?;
    let mut answers = Vec::with_capacity(upserted.len());
    for stored in &upserted {
        answers.push(row_upserted(&row(stored).map_err(query_error)?)?);
    }
    Ok(answers)
}

fn row(row: &PgRow) -> Result<Row, sqlx::Error> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let is_null = row.try_get_raw(index)?.is_null();
        values.push(match column.type_info().name() {
            _ if is_null => Value::Null,
            "INT8" => Value::Integer(row.try_get(index)?),
            "INT4" => Value::Integer(row.try_get::<i32, _>(index)?.into()),
            "FLOAT8" => Value::Real(row.try_get(index)?),
            "BYTEA" => Value::Blob(row.try_get(index)?),
            "VOID" => Value::Null,
            _ => Value::Text(row.try_get(index)?),
        });
    }
    Ok(Row(values))
}

fn query_error(error: sqlx::Error) -> QueryError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).map(Cow::into_owned);
    let answered = matches!(
        error,
        sqlx::Error::RowNotFound
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_)
    );
    let cause: Cause = Box::new(error);
    // The classes of PostgreSQL's error codes, its documentation's appendix A.
    match code.as_deref() {
        Some("23505") => QueryError::Unique(cause),
        Some("40001" | "40P01") => QueryError::Conflict(cause),
        Some(code) if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) || code == "25006" => {
            StoreFailure::Unavailable(cause).into()
        }
        Some(_) => StoreFailure::Internal(cause).into(),
        None if answered => StoreFailure::Internal(cause).into(),
        None => StoreFailure::Unavailable(cause).into(),
    }
}
