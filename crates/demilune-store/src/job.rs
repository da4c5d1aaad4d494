//! Jobs that one process does for all: who does one at the moment, and how far it has come in a zone.

use demilune_inventory::{Timestamp, ZoneId};

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Value, columns},
    zone,
};

/// Takes a lease that is free, has run out or is the holder's own; false while it is somebody else's.
///
/// One statement, which the database runs once at a time for each name: of several takers at once, one wins.
pub(crate) async fn lease_take(
    connection: &mut Connection<'_>,
    name: &str,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, QueryError> {
    const UPSERT: &str = "INSERT INTO job_leases (name, holder, expires_at) VALUES ($1, $2, $3) \
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
        WHERE job_leases.holder = excluded.holder OR job_leases.expires_at <= $4 RETURNING name";
    let parameters = vec![name.into(), holder.into(), until.into(), now.into()];
    Ok(!connection.query(UPSERT, parameters).await?.is_empty())
}

/// Gives a lease back; false if it was not the holder's.
pub(crate) async fn lease_release(
    connection: &mut Connection<'_>,
    name: &str,
    holder: &str,
) -> Result<bool, QueryError> {
    const DELETE: &str = "DELETE FROM job_leases WHERE name = $1 AND holder = $2 RETURNING name";
    Ok(!connection.query(DELETE, vec![name.into(), holder.into()]).await?.is_empty())
}

/// What was last noted of a job in a zone; none if nothing was.
pub(crate) async fn done(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    name: &str,
) -> Result<Option<u64>, StoreFailure> {
    const SELECT: &str = "SELECT zone_id, value FROM job_state WHERE zone_id = $1 AND name = $2";
    columns! { "job_state": VALUE = 1 "value" }
    let rows = connection.query(SELECT, vec![zone.as_str().into(), name.into()]).await?;
    rows.first().map(|row| row.count(VALUE)).transpose()
}

/// Notes how far a job has come in a zone, in the transaction that is open; false if there is no such zone.
pub(crate) async fn note(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    name: &str,
    value: u64,
) -> Result<bool, QueryError> {
    const UPSERT: &str = "INSERT INTO job_state (zone_id, name, value) VALUES ($1, $2, $3) \
        ON CONFLICT (zone_id, name) DO UPDATE SET value = excluded.value";
    if !zone::lock(connection, zone).await? {
        return Ok(false);
    }
    let value = Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    connection.query(UPSERT, vec![zone.as_str().into(), name.into(), value]).await?;
    Ok(true)
}
