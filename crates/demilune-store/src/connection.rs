//! One connection to either backend, so that each statement is written and run in one place.

use std::borrow::Cow;

use sqlx::PgConnection;

use crate::{
    error::QueryError,
    operation::{RowUpsert, RowUpserted},
    postgres,
    row::{Row, Value},
    sqlite::SqliteConnection,
};

/// A connection of either backend. On SQLite every future is ready at once: it runs on a thread of its own.
pub(crate) enum Connection<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Connection<'_> {
    /// Runs one statement and collects its rows. The text holds no values, only `$1`, `$2`, …
    pub(crate) async fn query(
        &mut self,
        sql: impl Into<Cow<'static, str>> + Send,
        parameters: Vec<Value>,
    ) -> Result<Vec<Row>, QueryError> {
        match self {
            Self::Sqlite(connection) => connection.query(&sql.into(), &parameters),
            Self::Postgres(connection) => postgres::query(connection, sql.into(), parameters).await,
        }
    }

    /// Runs several statements without parameters.
    pub(crate) async fn script(&mut self, sql: &'static str) -> Result<(), QueryError> {
        match self {
            Self::Sqlite(connection) => connection.script(sql),
            Self::Postgres(connection) => postgres::script(connection, sql).await,
        }
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&mut self) -> Result<(), QueryError> {
        // SQLite takes its write lock at once, so that it cannot be refused in the middle.
        let sql = if self.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN" };
        self.query(sql, Vec::new()).await.map(drop)
    }

    /// Begins a transaction that sees one state of the store throughout, and writes nothing.
    pub(crate) async fn begin_read(&mut self) -> Result<(), QueryError> {
        let sql = if self.is_sqlite() { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" };
        self.query(sql, Vec::new()).await.map(drop)
    }

    /// Takes an exclusive lock until the transaction ends, the same for all who name this number. SQLite's
    /// transactions that write hold one by themselves.
    pub(crate) async fn lock(&mut self, number: i64) -> Result<(), QueryError> {
        if !self.is_sqlite() {
            self.query("SELECT pg_advisory_xact_lock($1)", vec![Value::Integer(number)]).await?;
        }
        Ok(())
    }

    /// Takes a lock that keeps out those who take the same one exclusively, until the transaction ends.
    pub(crate) async fn lock_shared(&mut self, number: i64) -> Result<(), QueryError> {
        if !self.is_sqlite() {
            self.query("SELECT pg_advisory_xact_lock_shared($1)", vec![Value::Integer(number)]).await?;
        }
        Ok(())
    }

    /// Makes the transaction durable.
    pub(crate) async fn commit(&mut self) -> Result<(), QueryError> {
        self.query("COMMIT", Vec::new()).await.map(drop)
    }

    /// Takes the transaction back. A connection on which even that fails is thrown away by its owner.
    pub(crate) async fn rollback(&mut self) {
        if let Err(error) = self.query("ROLLBACK", Vec::new()).await {
            tracing::debug!(%error, "a transaction could not be taken back");
        }
    }

    /// Inserts rows, or moves the `last_updated` of those that are there. The rows must be in the order of their keys.
    pub(crate) async fn upsert(&mut self, rows: &[RowUpsert]) -> Result<Vec<RowUpserted>, QueryError> {
        match self {
            Self::Sqlite(connection) => connection.upsert(rows),
            Self::Postgres(connection) => postgres::upsert(connection, rows).await,
        }
    }

    /// Whether this is SQLite, for the few statements that differ.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// The function that finds one text in another, case-sensitively.
    pub(crate) fn substring_position(&self) -> &'static str {
        if self.is_sqlite() { "instr" } else { "strpos" }
    }

    /// What a SELECT ends in that locks the rows it reads. SQLite has one writer, which holds every lock.
    pub(crate) fn for_update(&self) -> &'static str {
        if self.is_sqlite() { "" } else { " FOR UPDATE" }
    }
}

/// `$first, $first+1, …`: placeholders for a list.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let names: Vec<_> = (first..first + count).map(|number| format!("${number}")).collect();
    names.join(", ")
}
