//! What one source saw in a day of a zone's requests that no operation matches. Opaque here.

use demilune_inventory::{Timestamp, ZoneId};
use demilune_traffic::Source;

use super::{integer, lock_shared, seconds};
use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Value, columns},
};

const DAY_SECONDS: u64 = 86_400;
/// How many days are kept beside the one that has begun: the ten that discovery looks at, made up to whole days.
const DAYS_KEPT: u64 = 11;

/// Cumulative sightings of one source and day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SightingsRow {
    /// The zone.
    pub zone: ZoneId,
    /// Who saw it.
    pub source: Source,
    /// The first second of the day in UTC, since the epoch.
    pub day: u64,
    /// Of two snapshots, the later one has the higher.
    pub sequence: u64,
    /// As `demilune_discovery::Sightings` writes them.
    pub sightings: Vec<u8>,
}

columns! { "traffic_sightings": DAY = 0 "day", SOURCE = 1 "source", SIGHTINGS = 2 "sightings" }

/// Stores sightings, in the transaction that is open; false if their day is not kept any more.
pub(crate) async fn write(
    connection: &mut Connection<'_>,
    row: &SightingsRow,
    now: Timestamp,
) -> Result<bool, QueryError> {
    const UPSERT: &str = "INSERT INTO traffic_sightings (zone_id, day, source, sequence, sightings) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (zone_id, day, source) DO UPDATE \
        SET sequence = excluded.sequence, sightings = excluded.sightings \
        WHERE excluded.sequence > traffic_sightings.sequence";
    lock_shared(connection).await?;
    if row.day < oldest(now) {
        return Ok(false);
    }
    let parameters = vec![
        row.zone.as_str().into(),
        integer(row.day),
        row.source.as_str().into(),
        integer(row.sequence),
        Value::Blob(row.sightings.clone()),
    ];
    connection.query(UPSERT, parameters).await?;
    Ok(true)
}

/// Which days of a zone were seen by whom, from a day on and before another.
pub(crate) async fn list(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    from: u64,
    until: u64,
) -> Result<Vec<(u64, Source)>, StoreFailure> {
    const SQL: &str = "SELECT day, source FROM traffic_sightings WHERE zone_id = $1 AND day >= $2 AND day < $3 \
        ORDER BY day, source";
    let rows = connection.query(SQL, vec![zone.as_str().into(), integer(from), integer(until)]).await?;
    rows.iter().map(|row| Ok((row.count(DAY)?, row.parse(SOURCE)?))).collect()
}

/// What a source saw in a day.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    day: u64,
    source: &Source,
) -> Result<Option<Vec<u8>>, StoreFailure> {
    const SQL: &str =
        "SELECT day, source, sightings FROM traffic_sightings WHERE zone_id = $1 AND day = $2 AND source = $3";
    let rows = connection.query(SQL, vec![zone.as_str().into(), integer(day), source.as_str().into()]).await?;
    rows.first().map(|row| Ok(row.blob(SIGHTINGS)?.to_vec())).transpose()
}

/// The zones that have sightings.
pub(crate) async fn zones(connection: &mut Connection<'_>) -> Result<Vec<String>, StoreFailure> {
    columns! { "traffic_sightings": ZONE_ID = 0 "zone_id" }
    let rows = connection.query("SELECT DISTINCT zone_id FROM traffic_sightings ORDER BY zone_id", Vec::new()).await?;
    rows.iter().map(|row| row.parse(ZONE_ID)).collect()
}

/// Takes out the days of a zone that are over too long ago or, without a time, all of them, in the transaction that is
/// open; says how many.
pub(crate) async fn prune(
    connection: &mut Connection<'_>,
    zone: &str,
    now: Option<Timestamp>,
) -> Result<u64, QueryError> {
    const SQL: &str = "DELETE FROM traffic_sightings WHERE zone_id = $1 AND day < $2 RETURNING day";
    lock_shared(connection).await?;
    let before = now.map_or(Value::Integer(i64::MAX), |now| integer(oldest(now)));
    Ok(connection.query(SQL, vec![zone.into(), before]).await?.len() as u64)
}

/// Takes out all that a source saw, in the transaction that is open and has locked others out. A zone has a row for each
/// source and day, so that few are looked at.
pub(super) async fn take_out(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    source: &Source,
) -> Result<(), QueryError> {
    const SQL: &str = "DELETE FROM traffic_sightings WHERE zone_id = $1 AND source = $2";
    connection.query(SQL, vec![zone.as_str().into(), source.as_str().into()]).await.map(drop)
}

/// The first day that is kept.
fn oldest(now: Timestamp) -> u64 {
    let now = seconds(now);
    (now - now % DAY_SECONDS).saturating_sub(DAYS_KEPT * DAY_SECONDS)
}
