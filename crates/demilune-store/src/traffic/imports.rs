//! What was imported: each content once, whatever it was imported as.

use std::collections::BTreeMap;

use demilune_inventory::{Timestamp, ZoneId};
use demilune_traffic::Source;

use super::{OPERATIONS_MAX, Table, keys, lock, of_operations, sightings};
use crate::{
    connection::{Connection, placeholders},
    error::{QueryError, StoreFailure},
    row::{Value, columns},
};

/// What an import that begins has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportBegun {
    /// The same content had been imported under another source, and all that this had brought is gone now.
    pub replaced: bool,
    /// The same content had been imported under this source, so that nothing of it is new.
    pub known: bool,
}

columns! { "traffic_imports": SOURCE = 0 "source", SESSION_BY = 1 "session_by" }

/// Notes an import, in the transaction that is open, and takes out what the same content had brought under another
/// source.
pub(crate) async fn begin(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    content_hash: &str,
    source: &Source,
    session_by: Option<&str>,
    now: Timestamp,
) -> Result<ImportBegun, QueryError> {
    const SELECT: &str = "SELECT source FROM traffic_imports WHERE zone_id = $1 AND content_hash = $2";
    const UPSERT: &str = "INSERT INTO traffic_imports (zone_id, content_hash, source, session_by, imported_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (zone_id, content_hash) DO UPDATE \
        SET source = excluded.source, session_by = excluded.session_by, imported_at = excluded.imported_at";
    lock(connection).await?;
    let place = vec![zone.as_str().into(), content_hash.into()];
    let rows = connection.query(SELECT, place.clone()).await?;
    let earlier: Option<Source> = rows.first().map(|row| row.parse(SOURCE)).transpose()?;
    let known = earlier.as_ref() == Some(source);
    let mut begun = ImportBegun { replaced: false, known };
    if let Some(earlier) = earlier.filter(|_| !known) {
        take_out(connection, zone, &earlier).await?;
        begun.replaced = true;
    }
    let mut parameters = place;
    let session_by = Value::TextOrNull(session_by.map(str::to_owned));
    parameters.extend([source.as_str().into(), session_by, now.into()]);
    connection.query(UPSERT, parameters).await?;
    Ok(begun)
}

/// Takes out all that a source has counted and seen. It stands last in the primary keys, so that this looks at every row
/// of the zone: some operations in each statement, none of which may take long.
async fn take_out(connection: &mut Connection<'_>, zone: &ZoneId, source: &Source) -> Result<(), QueryError> {
    for table in [Table::Records, Table::Sessions, Table::Learning] {
        let operations = keys::operations(connection, table, zone.as_str()).await?;
        for some in operations.chunks(OPERATIONS_MAX) {
            let (mut parameters, of_operations) = of_operations(zone.as_str(), some);
            parameters.push(source.as_str().into());
            let sql = format!("DELETE FROM {} WHERE {of_operations} AND source = ${}", table.name(), parameters.len());
            connection.query(sql, parameters).await?;
        }
    }
    sightings::take_out(connection, zone, source).await
}

/// What told sessions apart in imports, in the order of the sources given; others are left out.
pub(crate) async fn session_by(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    sources: &[Source],
) -> Result<Vec<(Source, Option<String>)>, StoreFailure> {
    let mut found: BTreeMap<Source, Option<String>> = BTreeMap::new();
    for some in sources.chunks(SOURCES_MAX) {
        let list = placeholders(2, some.len());
        let sql = format!("SELECT source, session_by FROM traffic_imports WHERE zone_id = $1 AND source IN ({list})");
        let mut parameters = vec![Value::from(zone.as_str())];
        parameters.extend(some.iter().map(|source| Value::from(source.as_str())));
        for row in connection.query(sql, parameters).await? {
            found.insert(row.parse(SOURCE)?, row.parse_or_null(SESSION_BY)?);
        }
    }
    Ok(sources.iter().filter_map(|source| found.remove_entry(source)).collect())
}

/// Most sources in one statement.
const SOURCES_MAX: usize = 512;

/// Forgets all imports of a zone, in the transaction that is open.
pub(crate) async fn forget(connection: &mut Connection<'_>, zone: &str) -> Result<(), QueryError> {
    connection.query("DELETE FROM traffic_imports WHERE zone_id = $1", vec![zone.into()]).await.map(drop)
}
