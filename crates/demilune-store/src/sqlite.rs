//! SQLite: a thread that writes, a few that read, and the connection they hold.

use std::{
    fs::OpenOptions,
    future::Future,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use async_channel::{Receiver, Sender, TrySendError};
use rusqlite::{CachedStatement, ErrorCode, OpenFlags, types::ValueRef};
use tokio::sync::oneshot;

use crate::{
    connection::Connection,
    error::{BackupError, Cause, OpenError, QueryError, StoreFailure},
    operation::{RowUpsert, RowUpserted, UPSERT_CONFLICT, row_upserted},
    row::{Row, Value},
    stats::Counters,
    writer::{BATCH_REQUESTS_MAX, Batches, WAITING_MAX, WriteRequest},
};

/// How long a statement waits for another process, such as a backup tool, to let go of the file.
const BUSY_TIME_MAX: Duration = Duration::from_secs(5);
/// How often it looks again where SQLite does not wait by itself.
const BUSY_RETRY: Duration = Duration::from_millis(10);
/// Threads that read; each answers in tens of microseconds, so few keep up with many callers.
const READERS: usize = 2;
/// Statements kept prepared on each connection.
const STATEMENTS_KEPT: usize = 64;

/// What a thread does with its connection.
type Job = Box<dyn FnOnce(&mut SqliteConnection) + Send>;

enum Write {
    Batched(WriteRequest),
    /// Something rare that needs a transaction of its own.
    Alone(Job),
}

/// The file, and the threads on it.
pub(crate) struct Sqlite {
    path: PathBuf,
    writes: Sender<Write>,
    reads: Sender<Job>,
    counters: Arc<Counters>,
    /// The thread that writes, then those that read.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Sqlite {
    /// Starts the threads on a file that is open and migrated.
    pub(crate) fn start(
        path: &Path,
        connection: SqliteConnection,
        batches: Batches,
        counters: Arc<Counters>,
    ) -> Result<Self, OpenError> {
        let (writes, waiting_writes) = async_channel::bounded(WAITING_MAX);
        let (reads, waiting_reads) = async_channel::bounded(WAITING_MAX);
        let mut threads = vec![spawn("store-writer", move || write_all(connection, &waiting_writes, batches), path)?];
        for _ in 0..READERS {
            let mut connection = SqliteConnection::open(path)?;
            connection.script("PRAGMA query_only = ON").map_err(StoreFailure::from)?;
            let waiting: Receiver<Job> = waiting_reads.clone();
            let read_all = move || {
                while let Ok(job) = waiting.recv_blocking() {
                    job(&mut connection);
                }
            };
            threads.push(spawn("store-reader", read_all, path)?);
        }
        Ok(Self { path: path.to_owned(), writes, reads, counters, threads: Mutex::new(threads) })
    }

    /// Hands a write to the next batch.
    pub(crate) fn write(&self, request: WriteRequest) -> Result<(), StoreFailure> {
        accepted(self.writes.try_send(Write::Batched(request)))
    }

    /// Runs something on the writing connection, between batches.
    pub(crate) async fn write_alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> T + Send + 'static,
    ) -> Result<T, StoreFailure> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut SqliteConnection| drop(answer.send(work(connection))));
        accepted(self.writes.try_send(Write::Alone(job)))?;
        answered.await.map_err(|_| StoreFailure::closed())
    }

    /// Runs something on a reading connection.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> T + Send + 'static,
    ) -> Result<T, StoreFailure> {
        let (answer, answered) = oneshot::channel();
        let counters = Arc::clone(&self.counters);
        let job = Box::new(move |connection: &mut SqliteConnection| {
            let started = Instant::now();
            let outcome = work(connection);
            counters.read_seconds.observe_duration(started.elapsed());
            drop(answer.send(outcome));
        });
        accepted(self.reads.try_send(job))?;
        answered.await.map_err(|_| StoreFailure::closed())
    }

    /// Writes waiting now.
    pub(crate) fn writes_waiting(&self) -> usize {
        self.writes.len()
    }

    /// Takes no more work, finishes what was accepted, and waits for that.
    pub(crate) async fn close(&self) {
        self.reads.close();
        let mut writer = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let readers = writer.split_off(writer.len().min(1));
        join(readers).await;
        // Last, and alone: the connection that closes last moves the write-ahead log into the file, and of two that
        // close at once neither may be the last.
        self.writes.close();
        join(writer).await;
    }

    /// Copies the store into a new file, as one reader sees it at one moment.
    pub(crate) async fn backup(&self, to: PathBuf) -> Result<(), BackupError> {
        let from = self.path.clone();
        let copied = tokio::task::spawn_blocking(move || copy(&from, &to));
        copied.await.map_err(|error| StoreFailure::Internal(Box::new(error)))?
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static, path: &Path) -> Result<JoinHandle<()>, OpenError> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map_err(|cause| OpenError::File { path: path.display().to_string(), cause: Box::new(cause) })
}

async fn join(threads: Vec<JoinHandle<()>>) {
    let joined = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
    drop(joined.await);
}

fn accepted<T>(sent: Result<(), TrySendError<T>>) -> Result<(), StoreFailure> {
    sent.map_err(|refused| if refused.is_full() { StoreFailure::Overloaded } else { StoreFailure::closed() })
}

fn write_all(mut connection: SqliteConnection, waiting: &Receiver<Write>, mut batches: Batches) {
    while let Ok(first) = waiting.recv_blocking() {
        let mut batch = Vec::with_capacity(BATCH_REQUESTS_MAX);
        let mut alone = None;
        let mut next = Some(first);
        // What came in while the last batch was being committed makes up this one.
        while let Some(write) = next {
            match write {
                Write::Batched(request) => batch.push(request),
                Write::Alone(job) => alone = Some(job),
            }
            let full = batch.len() == BATCH_REQUESTS_MAX || alone.is_some();
            next = if full { None } else { waiting.try_recv().ok() };
        }
        if !batch.is_empty() {
            ready(batches.write(&mut Connection::Sqlite(&mut connection), batch));
        }
        if let Some(job) = alone {
            job(&mut connection);
        }
    }
}

/// The outcome of a future that never waits.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        // Futures over `Connection::Sqlite` await nothing but one another, and those at the bottom are plain calls.
        Poll::Pending => unreachable!("a statement on SQLite does not wait"),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let target = |cause| BackupError::Target { path: to.display().to_string(), cause };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(target)?;
    let copied = (|| {
        let connection = SqliteConnection::open(from).map_err(|error| StoreFailure::Unavailable(Box::new(error)))?;
        let name = to.to_str().ok_or_else(|| target(std::io::ErrorKind::InvalidFilename.into()))?;
        // VACUUM INTO reads in one transaction, and takes a file that is empty for one that is not there.
        let vacuum = connection.inner.execute("VACUUM INTO ?1", [name]);
        vacuum.map_err(|error| StoreFailure::from(query_error(error)))?;
        file.sync_all().map_err(target)
    })();
    if copied.is_err() {
        // Half a copy must not be taken for a whole one.
        let _ = std::fs::remove_file(to);
    }
    copied
}

/// A connection and the statements prepared on it.
pub(crate) struct SqliteConnection {
    inner: rusqlite::Connection,
}

impl SqliteConnection {
    /// Opens a file that must exist.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let inner = rusqlite::Connection::open_with_flags(path, flags)?;
            inner.busy_timeout(BUSY_TIME_MAX)?;
            inner.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
            // Before the settings, since the first of them is written into the file.
            if is_foreign(&inner)? {
                return Ok(None);
            }
            write_ahead(&inner)?;
            // A commit is on the disk when it returns.
            inner.pragma_update(None, "synchronous", "FULL")?;
            inner.pragma_update(None, "fullfsync", "ON")?;
            inner.pragma_update(None, "foreign_keys", "ON")?;
            // Keeps the write-ahead log from staying as large as it once was.
            inner.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
            Ok(Some(Self { inner }))
        };
        match open() {
            Ok(Some(connection)) => Ok(connection),
            Ok(None) => Err(OpenError::NotADatabase {
                path: path.display().to_string(),
                cause: "it holds the tables of another program".into(),
            }),
            Err(error) => Err(open_error(path, error)),
        }
    }

    /// Creates the file, readable by its owner alone, if it is not there, and opens it.
    pub(crate) fn create(path: &Path) -> Result<Self, OpenError> {
        let created = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        created.map_err(|cause| OpenError::File { path: path.display().to_string(), cause: Box::new(cause) })?;
        Self::open(path)
    }

    pub(crate) fn script(&mut self, sql: &str) -> Result<(), QueryError> {
        self.inner.execute_batch(sql).map_err(query_error)
    }

    pub(crate) fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, QueryError> {
        let mut statement = self.inner.prepare_cached(sql).map_err(query_error)?;
        bind(&mut statement, parameters).map_err(query_error)?;
        collect(&mut statement).map_err(query_error)
    }

    pub(crate) fn upsert(&mut self, rows: &[RowUpsert]) -> Result<Vec<RowUpserted>, QueryError> {
        const INSERT: &str = "INSERT INTO operations \
            (zone_id, key_hash, operation_id, method, host, endpoint, last_updated) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let sql = [INSERT, UPSERT_CONFLICT].concat();
        let mut statement = self.inner.prepare_cached(&sql).map_err(query_error)?;
        let mut upserted = Vec::with_capacity(rows.len());
        for row in rows {
            // The hottest statement of all: its parameters first stand in the order of their numbers, so they can be
            // bound by place and without a copy.
            let bound = (|| {
                statement.raw_bind_parameter(1, row.zone.as_str())?;
                statement.raw_bind_parameter(2, row.key_hash)?;
                statement.raw_bind_parameter(3, row.proposed.to_string())?;
                statement.raw_bind_parameter(4, row.key.method.as_str())?;
                statement.raw_bind_parameter(5, row.key.host.as_str())?;
                statement.raw_bind_parameter(6, row.key.endpoint.as_str())?;
                statement.raw_bind_parameter(7, row.now.as_micros())
            })();
            bound.map_err(query_error)?;
            for row in collect(&mut statement).map_err(query_error)? {
                upserted.push(row_upserted(&row)?);
            }
        }
        Ok(upserted)
    }
}

/// Has the file written ahead. While another process is doing the same for the first time, SQLite answers at once that it
/// is busy, whatever was said about waiting.
fn write_ahead(inner: &rusqlite::Connection) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        match inner.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && begun.elapsed() < BUSY_TIME_MAX =>
            {
                thread::sleep(BUSY_RETRY);
            }
            done => return done,
        }
    }
}

/// Whether the file holds another program's tables. One that holds nothing may become ours.
fn is_foreign(connection: &rusqlite::Connection) -> rusqlite::Result<bool> {
    const SQL: &str = "SELECT count(*) > 0 AND count(*) FILTER (WHERE name = 'demilune_schema') = 0 FROM sqlite_master";
    connection.query_row(SQL, [], |row| row.get(0))
}

fn bind(statement: &mut CachedStatement<'_>, parameters: &[Value]) -> rusqlite::Result<()> {
    for (place, value) in (1..).zip(parameters) {
        // SQLite numbers `$3` by where it first stands in the text, not by its digits.
        let Some(index) = statement.parameter_index(&format!("${place}"))? else { continue };
        match value {
            Value::Text(text) => statement.raw_bind_parameter(index, text)?,
            Value::TextOrNull(text) => statement.raw_bind_parameter(index, text)?,
            Value::Integer(number) => statement.raw_bind_parameter(index, number)?,
            Value::IntegerOrNull(number) => statement.raw_bind_parameter(index, number)?,
            Value::Real(number) => statement.raw_bind_parameter(index, number)?,
            Value::Blob(bytes) => statement.raw_bind_parameter(index, bytes)?,
            Value::BlobOrNull(bytes) => statement.raw_bind_parameter(index, bytes)?,
            Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null)?,
        }
    }
    Ok(())
}

fn collect(statement: &mut CachedStatement<'_>) -> rusqlite::Result<Vec<Row>> {
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut collected = Vec::new();
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(columns);
        for index in 0..columns {
            values.push(match row.get_ref(index)? {
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
                ValueRef::Real(number) => Value::Real(number),
                ValueRef::Null => Value::Null,
            });
        }
        collected.push(Row(values));
    }
    Ok(collected)
}

fn query_error(error: rusqlite::Error) -> QueryError {
    let Some(code) = error.sqlite_error_code() else { return StoreFailure::Internal(Box::new(error)).into() };
    let extended = error.sqlite_error().map(|error| error.extended_code);
    let cause: Cause = Box::new(error);
    match code {
        ErrorCode::ConstraintViolation
            if extended == Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
                || extended == Some(rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY) =>
        {
            QueryError::Unique(cause)
        }
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory => StoreFailure::Unavailable(cause).into(),
        _ => StoreFailure::Internal(cause).into(),
    }
}

fn open_error(path: &Path, error: rusqlite::Error) -> OpenError {
    let code = error.sqlite_error_code();
    let (path, cause) = (path.display().to_string(), Box::new(error));
    match code {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenError::NotADatabase { path, cause },
        _ => OpenError::File { path, cause },
    }
}
