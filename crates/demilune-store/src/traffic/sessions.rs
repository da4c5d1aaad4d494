//! Samples of sessions: what one source saw of an operation in five minutes, packed by the hour once that is over.
//!
//! A packed hour is not sealed: a snapshot that comes later lies beside it, and the next maintenance packs it as well.
//! Of both, readers take the one with the higher sequence for each five minutes.

mod pack;
mod usage;
mod window;

use demilune_inventory::OperationId;
use demilune_traffic::{Bucket, Hour, HourSessions, SessionSample, Source};

pub(crate) use pack::{SessionsTidied, tidy};
pub(crate) use usage::SessionUsage;
pub(crate) use window::{operations, read};

use super::{Table, TrafficRow, integer, lock, log_damaged, of_operations};
use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Row, Value, columns},
};

columns! { "traffic_sessions":
    OPERATION_ID = 0 "operation_id", SECONDS = 1 "seconds", START = 2 "start", SOURCE = 3 "source",
    SEQUENCE = 4 "sequence", SESSIONS = 5 "sessions",
}
/// The columns in this order.
const SELECTED: &str = "operation_id, seconds, start, source, sequence, sessions";

/// Stores a snapshot of an operation's sessions, in the transaction that is open, unless it is there already with the
/// same or a higher sequence.
pub(super) async fn write(
    connection: &mut Connection<'_>,
    row: &TrafficRow,
    operation: OperationId,
) -> Result<(), QueryError> {
    const UPSERT: &str = "INSERT INTO traffic_sessions \
        (zone_id, operation_id, seconds, start, source, sequence, sessions) VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (zone_id, operation_id, seconds, start, source) DO UPDATE \
        SET sequence = excluded.sequence, sessions = excluded.sessions \
        WHERE excluded.sequence > traffic_sessions.sequence";
    let parameters = vec![
        row.key.zone.as_str().into(),
        Value::Text(operation.to_string()),
        integer(Bucket::SECONDS),
        integer(row.bucket.start()),
        row.source.as_str().into(),
        integer(row.snapshot.sequence),
        Value::Blob(row.snapshot.sessions.encode()),
    ];
    connection.query(UPSERT, parameters).await.map(drop)
}

/// Takes out the samples, or other summaries, of operations that start before a time, in the transaction that is open;
/// says how many.
pub(crate) async fn prune(
    connection: &mut Connection<'_>,
    table: Table,
    zone: &str,
    operations: &[String],
    before: u64,
) -> Result<u64, QueryError> {
    lock(connection).await?;
    let (mut parameters, of_operations) = of_operations(zone, operations);
    let next = parameters.len() + 1;
    parameters.extend(table.lengths().into_iter().chain([before]).map(integer));
    let [fine, coarse, before] = [0, 1, 2].map(|place| next + place);
    let sql = format!(
        "DELETE FROM {} WHERE {of_operations} AND seconds IN (${fine}, ${coarse}) AND start < ${before} \
         RETURNING start",
        table.name()
    );
    Ok(connection.query(sql, parameters).await?.len() as u64)
}

/// A row of one source and hour.
#[derive(Debug)]
struct Stored {
    source: Source,
    hour: Hour,
    /// None if the row is a packed hour.
    bucket: Option<Bucket>,
    row: Row,
}

impl Stored {
    fn new(row: Row) -> Result<Self, (Row, StoreFailure)> {
        let place = || {
            let (start, source) = (row.count(START)?, row.parse(SOURCE)?);
            let bucket = (row.count(SECONDS)? != Hour::SECONDS).then(|| Bucket::of(start));
            Ok((source, Hour::of(start), bucket))
        };
        match place() {
            Ok((source, hour, bucket)) => Ok(Self { source, hour, bucket, row }),
            Err(failure) => Err((row, failure)),
        }
    }

    /// What the row holds, as one sample.
    fn sample(&self) -> Result<SessionSample, StoreFailure> {
        match self.bucket {
            None => Ok(self.row.blob_with(SESSIONS, HourSessions::decode)?.sample()),
            Some(_) => self.row.blob_with(SESSIONS, SessionSample::decode),
        }
    }
}

/// What one source saw in one hour.
#[derive(Debug, Default)]
struct SourceHour {
    packed: Option<HourSessions>,
    loose: Vec<(Bucket, u64, SessionSample)>,
}

impl SourceHour {
    /// Adds a row; false if it cannot be read, which is logged.
    fn add(&mut self, stored: &Stored) -> bool {
        let added = self.try_add(stored);
        if let Err(failure) = &added {
            log_damaged("traffic_sessions", &stored.row, failure);
        }
        added.is_ok()
    }

    fn try_add(&mut self, stored: &Stored) -> Result<(), StoreFailure> {
        match stored.bucket {
            None => self.packed = Some(stored.row.blob_with(SESSIONS, HourSessions::decode)?),
            Some(bucket) => {
                let sample = stored.row.blob_with(SESSIONS, SessionSample::decode)?;
                self.loose.push((bucket, stored.row.count(SEQUENCE)?, sample));
            }
        }
        Ok(())
    }

    /// All of it in one piece; none if there is nothing.
    fn pack(self) -> Option<HourSessions> {
        if self.packed.is_none() && self.loose.is_empty() {
            return None;
        }
        let mut hour = self.packed.unwrap_or_default();
        for (bucket, sequence, sample) in &self.loose {
            hour.put(*bucket, *sequence, sample);
        }
        Some(hour)
    }
}
