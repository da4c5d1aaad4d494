//! Zones: the tenant boundary.

use demilune_inventory::{Timestamp, ZoneId};

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure, ZoneCreateError},
    row::{Row, Value, columns},
};

/// A tenant: the boundary of operations, settings and the scope of credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its id.
    pub id: ZoneId,
    /// Unique, 1 to 253 characters.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
}

columns! { "zones": ZONE_ID = 0 "zone_id", NAME = 1 "name", CREATED_AT = 2 "created_at" }

fn zone(row: &Row) -> Result<Zone, StoreFailure> {
    Ok(Zone { id: row.parse(ZONE_ID)?, name: row.parse(NAME)?, created_at: row.time(CREATED_AT)? })
}

/// Adds a zone, in the transaction that is open. Its revision starts at the time, so that a zone that is made again
/// under the same id does not come to a revision that somebody knows of the one before.
pub(crate) async fn create(connection: &mut Connection<'_>, zone: &Zone) -> Result<(), ZoneCreateError> {
    const INSERT: &str = "INSERT INTO zones (zone_id, name, created_at, revision) VALUES ($1, $2, $3, $4)";
    if get(connection, &zone.id).await?.is_some() {
        return Err(ZoneCreateError::IdTaken);
    }
    let revision = Value::Integer(zone.created_at.as_micros().max(0));
    let parameters = vec![zone.id.as_str().into(), zone.name.as_str().into(), zone.created_at.into(), revision];
    match connection.query(INSERT, parameters).await {
        Ok(_) => Ok(()),
        Err(QueryError::Unique(_)) => Err(ZoneCreateError::NameTaken),
        Err(error) => Err(error.into()),
    }
}

/// One zone.
pub(crate) async fn get(connection: &mut Connection<'_>, id: &ZoneId) -> Result<Option<Zone>, StoreFailure> {
    const SQL: &str = "SELECT zone_id, name, created_at FROM zones WHERE zone_id = $1";
    connection.query(SQL, vec![id.as_str().into()]).await?.first().map(zone).transpose()
}

/// Every zone, by name.
pub(crate) async fn list(connection: &mut Connection<'_>) -> Result<Vec<Zone>, StoreFailure> {
    const SQL: &str = "SELECT zone_id, name, created_at FROM zones ORDER BY name";
    connection.query(SQL, Vec::new()).await?.iter().map(zone).collect()
}

/// The zone's revision; none if there is no such zone.
pub(crate) async fn revision(connection: &mut Connection<'_>, id: &ZoneId) -> Result<Option<u64>, StoreFailure> {
    const SQL: &str = "SELECT revision FROM zones WHERE zone_id = $1";
    columns! { "zones": REVISION = 0 "revision" }
    connection.query(SQL, vec![id.as_str().into()]).await?.first().map(|row| row.count(REVISION)).transpose()
}

/// Every zone with its revision, by id.
pub(crate) async fn revisions(connection: &mut Connection<'_>) -> Result<Vec<(ZoneId, u64)>, StoreFailure> {
    const SQL: &str = "SELECT zone_id, revision FROM zones ORDER BY zone_id";
    columns! { "zones": REVISION = 1 "revision" }
    let rows = connection.query(SQL, Vec::new()).await?;
    rows.iter().map(|row| Ok((row.parse(ZONE_ID)?, row.count(REVISION)?))).collect()
}

/// Locks the zone's row until the transaction ends; false if there is no such zone.
pub(crate) async fn lock(connection: &mut Connection<'_>, id: &ZoneId) -> Result<bool, QueryError> {
    let sql = ["SELECT zone_id FROM zones WHERE zone_id = $1", connection.for_update()].concat();
    Ok(!connection.query(sql, vec![id.as_str().into()]).await?.is_empty())
}

/// Advances the zone's revision, in the transaction that is open.
pub(crate) async fn advance(connection: &mut Connection<'_>, id: &ZoneId) -> Result<(), QueryError> {
    const SQL: &str = "UPDATE zones SET revision = revision + 1 WHERE zone_id = $1";
    connection.query(SQL, vec![id.as_str().into()]).await.map(drop)
}

/// Removes a zone with all that is in it, in the transaction that is open; false if there was none.
///
/// The zone goes first: whoever is adding an operation either has locked the zone's row, so that this waits and then
/// sees the operation, or comes to that row later, finds it gone and takes everything back. Origins and settings refer
/// to the zone's row and go with it.
pub(crate) async fn delete(connection: &mut Connection<'_>, id: &ZoneId) -> Result<bool, QueryError> {
    const SQL: &str = "DELETE FROM zones WHERE zone_id = $1 RETURNING zone_id";
    let parameters = || vec![Value::from(id.as_str())];
    let found = !connection.query(SQL, parameters()).await?.is_empty();
    connection.query("DELETE FROM operations WHERE zone_id = $1", parameters()).await?;
    connection.query("DELETE FROM grants WHERE zone_id = $1", parameters()).await?;
    Ok(found)
}
