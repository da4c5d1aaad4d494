//! Stores snapshots: the one with the highest sequence counts, whatever order they come in.

use demilune_inventory::Timestamp;
use demilune_traffic::{Bucket, Hour};

use super::{FINE_SECONDS, TrafficRow, TrafficWritten, integer, lock_shared, operation_text, seconds, sessions};
use crate::{connection::Connection, error::QueryError, row::Value};

/// Stores snapshots, in the transaction that is open. One replaces what is stored when its sequence is higher.
pub(crate) async fn write(
    connection: &mut Connection<'_>,
    rows: &[TrafficRow],
    now: Timestamp,
) -> Result<TrafficWritten, QueryError> {
    lock_shared(connection).await?;
    let oldest = seconds(now).saturating_sub(FINE_SECONDS);
    let mut written = TrafficWritten::default();
    let mut rows: Vec<&TrafficRow> = rows.iter().collect();
    // In one order, so that two processes cannot wait for each other.
    rows.sort_by(|a, b| (&a.key, a.bucket, &a.source).cmp(&(&b.key, b.bucket, &b.source)));
    for row in rows {
        let outcome = if row.bucket.end() > oldest { write_row(connection, row).await? } else { Outcome::Late };
        match outcome {
            Outcome::Changed => written.stored += 1,
            Outcome::There => {
                written.stored += 1;
                written.already_there += 1;
            }
            Outcome::Late => written.refused_late += 1,
        }
        // What no operation fits has no threshold.
        if let Some(operation) = row.key.operation.filter(|_| !row.snapshot.sessions.is_empty()) {
            // By the hour, which is what is packed and what a window is made of.
            if row.bucket.hour().end() > oldest {
                sessions::write(connection, row, operation).await?;
                written.sessions_stored += 1;
            } else {
                written.sessions_refused_late += 1;
            }
        }
    }
    Ok(written)
}

/// What became of one snapshot.
enum Outcome {
    Changed,
    /// With the same or a higher sequence.
    There,
    Late,
}

/// Stores one snapshot, unless its hour is packed: the hourly record holds what the source had counted by then, and
/// nothing tells how much of that the snapshot would count again. Clocks that differ by hours lead here, not age.
async fn write_row(connection: &mut Connection<'_>, row: &TrafficRow) -> Result<Outcome, QueryError> {
    const UPSERT: &str = "INSERT INTO traffic_records \
        (zone_id, operation_id, seconds, start, source, sequence, record) \
        SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT 1 FROM traffic_records \
        WHERE zone_id = $1 AND operation_id = $2 AND seconds = $8 AND start = $9 AND source = $5) \
        ON CONFLICT (zone_id, operation_id, seconds, start, source) DO UPDATE \
        SET sequence = excluded.sequence, record = excluded.record \
        WHERE excluded.sequence > traffic_records.sequence RETURNING start";
    const EXISTS: &str = "SELECT start FROM traffic_records \
        WHERE zone_id = $1 AND operation_id = $2 AND seconds = $3 AND start = $4 AND source = $5";
    let place = vec![
        row.key.zone.as_str().into(),
        Value::Text(operation_text(row.key.operation)),
        integer(Bucket::SECONDS),
        integer(row.bucket.start()),
        row.source.as_str().into(),
    ];
    let mut parameters = place.clone();
    parameters.extend([
        integer(row.snapshot.sequence),
        Value::Blob(row.snapshot.record.encode()),
        integer(Hour::SECONDS),
        integer(row.bucket.hour().start()),
    ]);
    if !connection.query(UPSERT, parameters).await?.is_empty() {
        return Ok(Outcome::Changed);
    }
    // What changes nothing is either there already or packed.
    let is_there = !connection.query(EXISTS, place).await?.is_empty();
    Ok(if is_there { Outcome::There } else { Outcome::Late })
}
