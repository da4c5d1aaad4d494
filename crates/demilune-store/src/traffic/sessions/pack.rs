//! Keeps samples within their time: packs those of an hour that is over, and takes out what is over a week old.

use demilune_inventory::Timestamp;
use demilune_traffic::{Bucket, Hour, HourSessions};

use super::{SELECTED, SourceHour, Stored, prune};
use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Row, Value, columns},
    traffic::{FINE_SECONDS, Table, integer, lock, log_damaged, of_operations, seconds},
};

/// Most hours of a source and operation that are packed in one transaction. A full one takes some 6 ms: twelve samples of
/// 2,048 sessions each.
const HOURS_MAX: usize = 16;

/// What was done to some operations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SessionsTidied {
    /// Hours of a source and operation that were packed; when there are none, nothing is left to be packed.
    pub(crate) hours: u64,
    /// Samples that were too old.
    pub(crate) aged_out: u64,
    /// Samples that could not be read, and went.
    pub(crate) damaged: u64,
}

/// Takes out what is old and packs some of what is over, in the transaction that is open.
pub(crate) async fn tidy(
    connection: &mut Connection<'_>,
    zone: &str,
    operations: &[String],
    now: Timestamp,
) -> Result<SessionsTidied, QueryError> {
    lock(connection).await?;
    let oldest = Hour::of(seconds(now).saturating_sub(FINE_SECONDS));
    let aged_out = prune(connection, Table::Sessions, zone, operations, oldest.start()).await?;
    let mut tidied = SessionsTidied { aged_out, ..SessionsTidied::default() };
    // An hour after the hour, when gateways have sent all of it but for what comes late.
    let until = Hour::of(seconds(now).saturating_sub(Hour::SECONDS));
    for place in places(connection, zone, operations, until).await? {
        tidied.damaged += pack(connection, zone, &place).await?;
        tidied.hours += 1;
    }
    Ok(tidied)
}

/// Whose hour it is.
struct Place {
    operation: String,
    source: String,
    hour: Hour,
}

/// Some of those that have samples of five minutes before this hour.
async fn places(
    connection: &mut Connection<'_>,
    zone: &str,
    operations: &[String],
    until: Hour,
) -> Result<Vec<Place>, StoreFailure> {
    columns! { "traffic_sessions": OPERATION_ID = 0 "operation_id", SOURCE = 1 "source", HOUR = 2 "start" }
    let (mut parameters, of_operations) = of_operations(zone, operations);
    let next = parameters.len() + 1;
    let numbers = [Bucket::SECONDS, until.start(), Hour::SECONDS, HOURS_MAX as u64];
    parameters.extend(numbers.map(integer));
    let [fine, until, hour, most] = [0, 1, 2, 3].map(|place| next + place);
    let sql = format!(
        "SELECT DISTINCT operation_id, source, start / ${hour} FROM traffic_sessions \
         WHERE {of_operations} AND seconds = ${fine} AND start < ${until} LIMIT ${most}"
    );
    let place = |row: &Row| {
        let hour = Hour::of(row.count(HOUR)?.saturating_mul(Hour::SECONDS));
        Ok(Place { operation: row.parse(OPERATION_ID)?, source: row.parse(SOURCE)?, hour })
    };
    connection.query(sql, parameters).await?.iter().map(place).collect()
}

/// Makes one row of what a source saw in an hour; says how many samples of it could not be read.
async fn pack(connection: &mut Connection<'_>, zone: &str, place: &Place) -> Result<u64, QueryError> {
    const DELETE: &str = "DELETE FROM traffic_sessions WHERE zone_id = $1 AND operation_id = $2 AND source = $3 \
                          AND start >= $4 AND start < $5 AND seconds = $6";
    let (found, damaged) = read(connection, zone, place).await?;
    let mut parameters = of_place(zone, place);
    parameters.push(integer(Bucket::SECONDS));
    connection.query(DELETE, parameters).await?;
    if let Some(hour) = found.pack() {
        put(connection, zone, place, &hour).await?;
    }
    Ok(damaged)
}

async fn read(connection: &mut Connection<'_>, zone: &str, place: &Place) -> Result<(SourceHour, u64), QueryError> {
    let sql = format!(
        "SELECT {SELECTED} FROM traffic_sessions WHERE zone_id = $1 AND operation_id = $2 AND source = $3 \
         AND start >= $4 AND start < $5 AND seconds IN ($6, $7)"
    );
    let mut parameters = of_place(zone, place);
    parameters.extend([integer(Bucket::SECONDS), integer(Hour::SECONDS)]);
    let (mut found, mut damaged) = (SourceHour::default(), 0);
    for row in connection.query(sql, parameters).await? {
        let added = match Stored::new(row) {
            Ok(stored) => found.add(&stored),
            Err((row, failure)) => {
                log_damaged("traffic_sessions", &row, &failure);
                false
            }
        };
        damaged += u64::from(!added);
    }
    Ok((found, damaged))
}

async fn put(
    connection: &mut Connection<'_>,
    zone: &str,
    place: &Place,
    hour: &HourSessions,
) -> Result<(), QueryError> {
    const UPSERT: &str = "INSERT INTO traffic_sessions \
        (zone_id, operation_id, seconds, start, source, sequence, sessions) VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (zone_id, operation_id, seconds, start, source) DO UPDATE \
        SET sequence = excluded.sequence, sessions = excluded.sessions";
    // The sequences that count are inside; this one only says which is the latest.
    let sequence = place.hour.buckets().filter_map(|bucket| hour.sequence(bucket)).max();
    let parameters = vec![
        zone.into(),
        Value::Text(place.operation.clone()),
        integer(Hour::SECONDS),
        integer(place.hour.start()),
        Value::Text(place.source.clone()),
        integer(sequence.unwrap_or_default()),
        Value::Blob(hour.encode()),
    ];
    connection.query(UPSERT, parameters).await.map(drop)
}

/// The first five parameters of what is about one source, operation and hour.
fn of_place(zone: &str, place: &Place) -> Vec<Value> {
    let mut parameters =
        vec![Value::from(zone), Value::Text(place.operation.clone()), Value::Text(place.source.clone())];
    parameters.extend([place.hour.start(), place.hour.end()].map(integer));
    parameters
}
