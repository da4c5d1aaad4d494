//! Rows of records: written by sequence, read as sums.

use std::collections::BTreeMap;

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_traffic::{Bucket, Record};

use super::{FINE_SECONDS, TrafficPoint, TrafficRow, TrafficScope, TrafficSeries, TrafficWritten, seconds};
use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Column, Row, Value, columns},
};

columns! { "traffic_records":
OPERATION_ID = 0 "operation_id", SECONDS = 1 "seconds", START = 2 "start", RECORD = 3 "record" }

/// Stores snapshots, in the transaction that is open. One replaces what is stored when its sequence is higher.
pub(crate) async fn write(
    connection: &mut Connection<'_>,
    rows: &[TrafficRow],
    now: Timestamp,
) -> Result<TrafficWritten, QueryError> {
    const UPSERT: &str = "INSERT INTO traffic_records \
        (zone_id, operation_id, seconds, start, source, sequence, record) VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (zone_id, operation_id, seconds, start, source) DO UPDATE \
        SET sequence = excluded.sequence, record = excluded.record \
        WHERE excluded.sequence > traffic_records.sequence";
    let oldest = seconds(now).saturating_sub(FINE_SECONDS);
    let mut written = TrafficWritten::default();
    let mut rows: Vec<&TrafficRow> = rows.iter().collect();
    // In one order, so that two processes cannot wait for each other.
    rows.sort_by(|a, b| (&a.key, a.bucket, a.source.as_str()).cmp(&(&b.key, b.bucket, b.source.as_str())));
    for row in rows {
        if row.bucket.end() <= oldest {
            written.refused_late += 1;
            continue;
        }
        let parameters = vec![
            row.key.zone.as_str().into(),
            operation_text(row.key.operation),
            integer(Bucket::SECONDS),
            integer(row.bucket.start()),
            row.source.as_str().into(),
            integer(row.snapshot.sequence),
            Value::Blob(row.snapshot.record.encode()),
        ];
        connection.query(UPSERT, parameters).await?;
        written.stored += 1;
    }
    Ok(written)
}

/// Sums over sources by time.
pub(crate) async fn read_series(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    scope: TrafficScope,
    since: Timestamp,
    until: Timestamp,
) -> Result<TrafficSeries, StoreFailure> {
    const ZONE: &str = "SELECT operation_id, seconds, start, record FROM traffic_records \
        WHERE zone_id = $1 AND start >= $2 AND start < $3";
    const ONE: &str = "SELECT operation_id, seconds, start, record FROM traffic_records \
        WHERE zone_id = $1 AND start >= $2 AND start < $3 AND operation_id = $4";
    let mut parameters = vec![Value::from(zone.as_str()), integer(first_start(since)), integer(seconds(until))];
    let sql = match scope {
        TrafficScope::Zone => ZONE,
        TrafficScope::Operation(id) => {
            parameters.push(operation_text(Some(id)));
            ONE
        }
        TrafficScope::Unmatched => {
            parameters.push(operation_text(None));
            ONE
        }
    };
    let mut points: BTreeMap<(u64, u64), Record> = BTreeMap::new();
    for row in connection.query(sql, parameters).await? {
        let place = (row.count(START)?, row.count(SECONDS)?);
        points.entry(place).or_default().merge(&record(&row, RECORD)?);
    }
    let points = points.into_iter().map(|((start, seconds), record)| TrafficPoint { start, seconds, record });
    Ok(TrafficSeries { points: points.collect() })
}

/// Sums over sources and time, by operation.
pub(crate) async fn read_totals(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<(Option<OperationId>, Record)>, StoreFailure> {
    const SQL: &str = "SELECT operation_id, seconds, start, record FROM traffic_records \
        WHERE zone_id = $1 AND start >= $2 AND start < $3";
    let parameters = vec![Value::from(zone.as_str()), integer(first_start(since)), integer(seconds(until))];
    let mut totals: BTreeMap<Option<OperationId>, Record> = BTreeMap::new();
    for row in connection.query(SQL, parameters).await? {
        totals.entry(operation(&row, OPERATION_ID)?).or_default().merge(&record(&row, RECORD)?);
    }
    Ok(totals.into_iter().collect())
}

/// A bucket belongs to a window when it begins in it, or when the window begins within it.
fn first_start(since: Timestamp) -> u64 {
    Bucket::of(seconds(since)).start()
}

/// An operation's id, or nothing where no operation fits.
pub(super) fn operation_text(operation: Option<OperationId>) -> Value {
    Value::Text(operation.map_or_else(String::new, |id| id.to_string()))
}

pub(super) fn operation(row: &Row, column: Column) -> Result<Option<OperationId>, StoreFailure> {
    row.parse_with(column, |text| if text.is_empty() { Ok(None) } else { text.parse().map(Some) })
}

pub(super) fn record(row: &Row, column: Column) -> Result<Record, StoreFailure> {
    row.blob_with(column, Record::decode)
}

pub(super) fn integer(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
