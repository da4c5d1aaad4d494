//! Numbered steps of the schema, applied in one transaction under one lock.
//!
//! The schema says which releases it serves: its version, and the oldest release (by the newest version that release
//! knew) that can still work on it. A release stops only when it is older than that, so that nodes can be upgraded
//! one at a time: expand first, contract in a later release.

use crate::{
    connection::Connection,
    error::{Cause, OpenError, QueryError, StoreFailure},
    row::{Value, columns},
    writer::transaction,
};

/// A migration that has not been applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingMigration {
    /// The schema version it leads to.
    pub version: u32,
    /// What it is for.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

struct Migration {
    version: u32,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
    /// The oldest release that works on the schema after this step, by the newest version it knew.
    oldest_binary: u32,
}

const MIGRATIONS: [Migration; 11] = [
    Migration {
        version: 1,
        name: "inventory",
        sqlite: include_str!("migrations/sqlite_0001_inventory.sql"),
        postgres: include_str!("migrations/postgres_0001_inventory.sql"),
        oldest_binary: 1,
    },
    Migration {
        version: 2,
        name: "gateway",
        sqlite: include_str!("migrations/sqlite_0002_gateway.sql"),
        postgres: include_str!("migrations/postgres_0002_gateway.sql"),
        oldest_binary: 1,
    },
    Migration {
        version: 3,
        name: "traffic",
        sqlite: include_str!("migrations/sqlite_0003_traffic.sql"),
        postgres: include_str!("migrations/postgres_0003_traffic.sql"),
        oldest_binary: 1,
    },
    Migration {
        version: 4,
        name: "thresholds",
        sqlite: include_str!("migrations/sqlite_0004_thresholds.sql"),
        postgres: include_str!("migrations/postgres_0004_thresholds.sql"),
        oldest_binary: 1,
    },
    Migration {
        version: 5,
        name: "schemas",
        sqlite: include_str!("migrations/sqlite_0005_schemas.sql"),
        postgres: include_str!("migrations/postgres_0005_schemas.sql"),
        oldest_binary: 1,
    },
    Migration {
        version: 6,
        name: "validation",
        sqlite: include_str!("migrations/sqlite_0006_validation.sql"),
        postgres: include_str!("migrations/postgres_0006_validation.sql"),
        oldest_binary: 1,
    },
    Migration {
        version: 7,
        name: "events",
        sqlite: include_str!("migrations/sqlite_0007_events.sql"),
        postgres: include_str!("migrations/postgres_0007_events.sql"),
        oldest_binary: 1,
    },
    Migration {
        version: 8,
        name: "log first",
        sqlite: include_str!("migrations/sqlite_0008_log_first.sql"),
        postgres: include_str!("migrations/postgres_0008_log_first.sql"),
        oldest_binary: 1,
    },
    Migration {
        version: 9,
        name: "limits",
        sqlite: include_str!("migrations/sqlite_0009_limits.sql"),
        postgres: include_str!("migrations/postgres_0009_limits.sql"),
        oldest_binary: 1,
    },
    Migration {
        version: 10,
        name: "trials",
        sqlite: include_str!("migrations/sqlite_0010_trials.sql"),
        postgres: include_str!("migrations/postgres_0010_trials.sql"),
        oldest_binary: 1,
    },
    Migration {
        version: 11,
        name: "discovery",
        sqlite: include_str!("migrations/sqlite_0011_discovery.sql"),
        postgres: include_str!("migrations/postgres_0011_discovery.sql"),
        oldest_binary: 1,
    },
];

/// The newest version that this release knows.
const KNOWN: u32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Any number will do, as long as every release uses the same.
const POSTGRES_LOCK: i64 = 0x64_65_6d_69_6c_75_6e_65;

impl Migration {
    fn sql(&self, connection: &Connection<'_>) -> &'static str {
        if connection.is_sqlite() { self.sqlite } else { self.postgres }
    }
}

/// The schema of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Schema {
    version: u32,
    oldest_binary: u32,
}

/// Before the first migration.
const EMPTY: Schema = Schema { version: 0, oldest_binary: 0 };

/// Brings the schema up to date, or says why it must not.
pub(crate) async fn migrate(connection: &mut Connection<'_>, allowed: bool) -> Result<(), OpenError> {
    let schema = schema(connection).await?;
    check_age(schema)?;
    if schema.version >= KNOWN {
        return Ok(());
    }
    if !allowed {
        return Err(OpenError::MigrationNeeded { found: schema.version, known: KNOWN });
    }
    let applied: Result<(), Failed> = transaction!(connection, apply(connection).await);
    applied.map_err(|failed| OpenError::Migration { version: failed.version, cause: failed.cause })
}

/// The migrations that `migrate` would apply, oldest first.
pub(crate) async fn pending(connection: &mut Connection<'_>) -> Result<Vec<PendingMigration>, OpenError> {
    let schema = schema(connection).await?;
    check_age(schema)?;
    let pending = MIGRATIONS.iter().filter(|migration| migration.version > schema.version);
    Ok(pending
        .map(|step| PendingMigration { version: step.version, name: step.name, sql: step.sql(connection) })
        .collect())
}

/// The migrations of a SQLite file that is not there yet.
pub(crate) fn pending_on_nothing() -> Vec<PendingMigration> {
    MIGRATIONS
        .iter()
        .map(|step| PendingMigration { version: step.version, name: step.name, sql: step.sqlite })
        .collect()
}

/// What opening that file without migrating says.
pub(crate) fn needed_on_nothing() -> OpenError {
    OpenError::MigrationNeeded { found: EMPTY.version, known: KNOWN }
}

/// Keeps others from migrating, and from making a first credential, until the transaction ends.
pub(crate) async fn lock(connection: &mut Connection<'_>) -> Result<(), QueryError> {
    connection.lock(POSTGRES_LOCK).await
}

fn check_age(schema: Schema) -> Result<(), OpenError> {
    if schema.oldest_binary > KNOWN {
        return Err(OpenError::TooNew { found: schema.version, oldest: schema.oldest_binary, known: KNOWN });
    }
    Ok(())
}

struct Failed {
    version: u32,
    cause: Cause,
}

impl From<QueryError> for Failed {
    fn from(error: QueryError) -> Self {
        Self { version: KNOWN, cause: Box::new(error) }
    }
}

async fn apply(connection: &mut Connection<'_>) -> Result<(), Failed> {
    const CREATE: &str = "CREATE TABLE IF NOT EXISTS demilune_schema \
                          (version BIGINT NOT NULL, oldest_binary BIGINT NOT NULL)";
    const INSERT: &str = "INSERT INTO demilune_schema (version, oldest_binary) VALUES ($1, $2)";
    lock(connection).await?;
    connection.query(CREATE, Vec::new()).await?;
    // Another process may have migrated while this one waited for the lock.
    let found = recorded(connection).await?;
    for step in MIGRATIONS.iter().filter(|step| step.version > found.version) {
        let sql = step.sql(connection);
        let outcome = connection.script(sql).await;
        outcome.map_err(|error| Failed { version: step.version, cause: Box::new(error) })?;
        let parameters = vec![Value::Integer(step.version.into()), Value::Integer(step.oldest_binary.into())];
        connection.query("DELETE FROM demilune_schema", Vec::new()).await?;
        connection.query(INSERT, parameters).await?;
        tracing::info!(version = step.version, name = step.name, "schema migrated");
    }
    Ok(())
}

/// The schema, which is empty where its table is not there.
async fn schema(connection: &mut Connection<'_>) -> Result<Schema, StoreFailure> {
    let sql = if connection.is_sqlite() {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'demilune_schema'"
    } else {
        "SELECT tablename::text FROM pg_tables WHERE tablename = 'demilune_schema' AND schemaname = ANY (current_schemas(false))"
    };
    if connection.query(sql, Vec::new()).await?.is_empty() { Ok(EMPTY) } else { Ok(recorded(connection).await?) }
}

async fn recorded(connection: &mut Connection<'_>) -> Result<Schema, QueryError> {
    columns! { "demilune_schema": VERSION = 0 "version", OLDEST_BINARY = 1 "oldest_binary" }
    let rows = connection.query("SELECT version, oldest_binary FROM demilune_schema", Vec::new()).await?;
    let Some(row) = rows.first() else { return Ok(EMPTY) };
    let number = |column| Ok::<_, StoreFailure>(u32::try_from(row.count(column)?).unwrap_or(u32::MAX));
    Ok(Schema { version: number(VERSION)?, oldest_binary: number(OLDEST_BINARY)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_without_gaps() {
        assert!(MIGRATIONS.iter().map(|step| step.version).eq(1..=KNOWN));
    }

    #[test]
    fn a_release_works_on_a_newer_schema_that_still_serves_it() {
        let check = |version, oldest_binary, works: bool| {
            assert_eq!(check_age(Schema { version, oldest_binary }).is_ok(), works, "{version} {oldest_binary}");
        };
        check(KNOWN, KNOWN, true);
        check(KNOWN + 5, KNOWN, true);
        check(KNOWN + 5, KNOWN + 1, false);
        check(0, 0, true);
    }
}
