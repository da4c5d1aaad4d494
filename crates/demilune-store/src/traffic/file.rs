//! The file that SQLite keeps records in: where it is, and whether it is ours.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{
    connection::Connection,
    error::{OpenError, QueryError, StoreFailure},
    row::{Value, columns},
    sqlite::{SqliteConnection, ready},
    writer::transaction,
};

/// The version of the file's schema that this release makes, and the oldest release that works on it, by the newest
/// version that release knew. Apart from the inventory's: the file may be lost, moved away or left out of a backup.
const VERSION: u64 = 5;
const OLDEST_BINARY: u64 = 1;

/// The file beside a SQLite inventory.
pub(crate) fn path_beside(inventory: &Path) -> PathBuf {
    let mut name = OsString::from(inventory.file_stem().unwrap_or_default());
    name.push("-traffic.db");
    inventory.with_file_name(name)
}

/// Opens the file for its writer, and makes it when it is missing.
pub(crate) fn open(path: &Path) -> Result<SqliteConnection, OpenError> {
    let mut connection = SqliteConnection::create(path)?;
    // Counts of a few seconds are not worth an fsync each; WAL keeps the file whole all the same.
    connection.script("PRAGMA synchronous = NORMAL").map_err(StoreFailure::from)?;
    let foreign = |cause: &str| OpenError::NotADatabase { path: path.display().to_string(), cause: cause.into() };
    match ready(prepare(&mut Connection::Sqlite(&mut connection)))? {
        Found::Ours => Ok(connection),
        Found::Inventory => Err(foreign("it holds an inventory, not records of traffic")),
        Found::TooNew { version } => Err(foreign(&format!("a newer release made it, with schema {version}"))),
    }
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Records, or nothing until now.
    Ours,
    /// The other kind of file.
    Inventory,
    /// Records that this release cannot work on.
    TooNew { version: u64 },
}

async fn prepare(connection: &mut Connection<'_>) -> Result<Found, StoreFailure> {
    let prepared: Result<_, QueryError> = transaction!(connection, prepare_locked(connection).await);
    Ok(prepared?)
}

async fn prepare_locked(connection: &mut Connection<'_>) -> Result<Found, QueryError> {
    const INVENTORY: &str = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'zones'";
    const UPDATE: &str = "UPDATE demilune_schema SET version = $1";
    const INSERT: &str = "INSERT INTO demilune_schema (version, oldest_binary) VALUES ($1, $2)";
    columns! { "demilune_schema": RECORDED = 0 "version", OLDEST = 1 "oldest_binary" }
    if !connection.query(INVENTORY, Vec::new()).await?.is_empty() {
        return Ok(Found::Inventory);
    }
    connection.script(include_str!("schema.sql")).await?;
    let recorded = connection.query("SELECT version, oldest_binary FROM demilune_schema", Vec::new()).await?;
    let Some(row) = recorded.first() else {
        let versions = [VERSION, OLDEST_BINARY].map(|number| Value::Integer(number.cast_signed()));
        connection.query(INSERT, versions.to_vec()).await?;
        return Ok(Found::Ours);
    };
    let version = row.count(RECORDED)?;
    if row.count(OLDEST)? > VERSION {
        return Ok(Found::TooNew { version });
    }
    if version < VERSION {
        // All that is new are tables, which the script has made.
        connection.query(UPDATE, vec![Value::Integer(VERSION.cast_signed())]).await?;
    }
    Ok(Found::Ours)
}
