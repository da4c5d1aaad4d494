//! Keeps records within their time and room: packs old ones by the hour, and takes out what is old, orphaned or too much.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_traffic::{Bucket, Hour, Record};

use super::{
    COARSE_SECONDS, FINE_SECONDS, TrafficLimits, TrafficMaintained,
    rows::{integer, operation_text, record},
    seconds,
};
use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Value, columns},
};

/// Most hours packed in one go, so that others get their turn.
const HOURS_MAX: usize = 24;
/// Most rows taken out at once where there are too many bytes.
const ROWS_MAX: i64 = 10_000;
/// What a row takes beside its record: ids, numbers and its places in two indexes.
const ROW_BYTES: u64 = 200;

/// One round of maintenance, in the transaction that is open. `known` are the operations of every zone that is there.
pub(crate) async fn maintain(
    connection: &mut Connection<'_>,
    known: &BTreeMap<ZoneId, BTreeSet<OperationId>>,
    now: Timestamp,
    limits: TrafficLimits,
) -> Result<TrafficMaintained, QueryError> {
    let mut done = TrafficMaintained { orphans: take_orphans(connection, known).await?, ..Default::default() };
    // An hour more than writes are refused for: clocks differ.
    let packed_until = seconds(now).saturating_sub(FINE_SECONDS + Hour::SECONDS);
    for hour in old_hours(connection, packed_until).await? {
        pack(connection, hour).await?;
        done.hours_packed += 1;
    }
    done.aged_out = take_older(connection, seconds(now).saturating_sub(COARSE_SECONDS)).await?;
    done.over_limit = take_excess(connection, limits.bytes_max).await?;
    Ok(done)
}

/// Takes out the records of operations.
pub(crate) async fn forget(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    operations: &[OperationId],
) -> Result<(), QueryError> {
    const SQL: &str = "DELETE FROM traffic_records WHERE zone_id = $1 AND operation_id = $2";
    for id in operations {
        connection.query(SQL, vec![zone.as_str().into(), operation_text(Some(*id))]).await?;
    }
    Ok(())
}

async fn take_orphans(
    connection: &mut Connection<'_>,
    known: &BTreeMap<ZoneId, BTreeSet<OperationId>>,
) -> Result<u64, QueryError> {
    const SELECT: &str = "SELECT DISTINCT zone_id, operation_id FROM traffic_records";
    const DELETE: &str = "DELETE FROM traffic_records WHERE zone_id = $1 AND operation_id = $2 RETURNING zone_id";
    columns! { "traffic_records": ZONE_ID = 0 "zone_id", OPERATION_ID = 1 "operation_id" }
    let mut taken = 0;
    for row in connection.query(SELECT, Vec::new()).await? {
        let zone: ZoneId = row.parse(ZONE_ID)?;
        let operation = super::rows::operation(&row, OPERATION_ID)?;
        let operations = known.get(&zone);
        let is_known = operations.is_some_and(|known| operation.is_none_or(|id| known.contains(&id)));
        if !is_known {
            let parameters = vec![zone.as_str().into(), operation_text(operation)];
            taken += connection.query(DELETE, parameters).await?.len() as u64;
        }
    }
    Ok(taken)
}

/// The oldest hours that still have five-minute records and ended before a time.
async fn old_hours(connection: &mut Connection<'_>, until: u64) -> Result<Vec<Hour>, QueryError> {
    const SQL: &str = "SELECT DISTINCT start FROM traffic_records WHERE seconds = $1 AND start < $2 ORDER BY start";
    columns! { "traffic_records": START = 0 "start" }
    let mut hours = BTreeSet::new();
    for row in connection.query(SQL, vec![integer(Bucket::SECONDS), integer(until)]).await? {
        let hour = Hour::of(row.count(START)?);
        if hour.end() <= until {
            hours.insert(hour.start());
        }
    }
    Ok(hours.into_iter().take(HOURS_MAX).filter_map(Hour::starting_at).collect())
}

/// Makes one hourly record of each source's five-minute ones.
async fn pack(connection: &mut Connection<'_>, hour: Hour) -> Result<(), QueryError> {
    const SELECT: &str = "SELECT zone_id, operation_id, source, record FROM traffic_records \
        WHERE start >= $1 AND start < $2";
    const DELETE: &str = "DELETE FROM traffic_records WHERE start >= $1 AND start < $2";
    const INSERT: &str = "INSERT INTO traffic_records \
        (zone_id, operation_id, seconds, start, source, sequence, record) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    columns! { "traffic_records":
    ZONE_ID = 0 "zone_id", OPERATION_ID = 1 "operation_id", SOURCE = 2 "source", RECORD = 3 "record" }
    let window = || vec![integer(hour.start()), integer(hour.end())];
    let mut sums: BTreeMap<(String, String, String), Record> = BTreeMap::new();
    for row in connection.query(SELECT, window()).await? {
        // What was packed before is summed again with what came behind it.
        let key = (row.parse(ZONE_ID)?, row.parse(OPERATION_ID)?, row.parse(SOURCE)?);
        sums.entry(key).or_default().merge(&record(&row, RECORD)?);
    }
    connection.query(DELETE, window()).await?;
    for ((zone, operation, source), record) in sums {
        let parameters = vec![
            Value::Text(zone),
            Value::Text(operation),
            integer(Hour::SECONDS),
            integer(hour.start()),
            Value::Text(source),
            integer(record.requests()),
            Value::Blob(record.encode()),
        ];
        connection.query(INSERT, parameters).await?;
    }
    Ok(())
}

async fn take_older(connection: &mut Connection<'_>, oldest: u64) -> Result<u64, QueryError> {
    const SQL: &str = "DELETE FROM traffic_records WHERE start < $1 RETURNING zone_id";
    Ok(connection.query(SQL, vec![integer(oldest)]).await?.len() as u64)
}

/// Takes the oldest hourly records, then the oldest of all, until the rest fits.
async fn take_excess(connection: &mut Connection<'_>, bytes_max: u64) -> Result<u64, QueryError> {
    const DELETE: &str = "DELETE FROM traffic_records WHERE (zone_id, operation_id, seconds, start, source) IN \
        (SELECT zone_id, operation_id, seconds, start, source FROM traffic_records \
         ORDER BY seconds DESC, start LIMIT $1) RETURNING zone_id";
    let mut taken = 0;
    while bytes(connection).await? > bytes_max {
        let gone = connection.query(DELETE, vec![Value::Integer(ROWS_MAX)]).await?.len() as u64;
        if gone == 0 {
            break;
        }
        taken += gone;
    }
    Ok(taken)
}

async fn bytes(connection: &mut Connection<'_>) -> Result<u64, StoreFailure> {
    const SQL: &str = "SELECT count(*), CAST(coalesce(sum(length(record)), 0) AS BIGINT) FROM traffic_records";
    columns! { "traffic_records": ROWS = 0 "count", BYTES = 1 "bytes" }
    let rows = connection.query(SQL, Vec::new()).await?;
    let Some(row) = rows.first() else { return Ok(0) };
    Ok(row.count(BYTES)? + row.count(ROWS)? * ROW_BYTES)
}
