//! Evidence of what callers send: what one source saw of an operation in an hour, packed by the day once that is long
//! over.
//!
//! Evidence is opaque here but for its sum. A packed day says which hours are in it: a snapshot of one of them that
//! comes later is refused, one of another hour lies beside it until it is packed as well.

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_schema::learn::Evidence;
use demilune_traffic::{Hour, Source};

use super::{FINE_SECONDS, Table, integer, lock, lock_shared, log_damaged, of_operations, seconds};
use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Row, Value, columns},
};

/// A day, as long as a packed row is.
pub(super) const DAY_SECONDS: u64 = 24 * Hour::SECONDS;
/// How long after a day its hours are packed: by then all but what comes late has come.
const PACK_AFTER_SECONDS: u64 = DAY_SECONDS;
/// How many days are kept beside the one that has begun: the longest window is of 168 hours, made up to whole days.
const DAYS_KEPT: u64 = 8;
/// Most days of a source and operation that are packed in one transaction; a full one takes some milliseconds.
const PLACES_MAX: usize = 16;

/// Cumulative evidence of one source, operation and hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearningRow {
    /// The zone.
    pub zone: ZoneId,
    /// The operation.
    pub operation: OperationId,
    /// Who saw it.
    pub source: Source,
    /// When the requests arrived.
    pub hour: Hour,
    /// The id of the places that were kept first.
    pub published: u32,
    /// Of two snapshots, the later one has the higher.
    pub sequence: u64,
    /// As `demilune_schema::learn::Evidence` writes it.
    pub evidence: Vec<u8>,
}

/// What became of evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LearningWritten {
    /// Stored, or there already with the same or a higher sequence.
    pub stored: usize,
    /// Of an hour that ended over a week ago, or is packed by now.
    pub refused_late: usize,
}

/// Evidence as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvidence {
    /// Its first hour.
    pub start: Hour,
    /// Hours from there that it covers: 1 or 24.
    pub hours: u64,
    /// Who saw it.
    pub source: Source,
    /// As `demilune_schema::learn::Evidence` writes it.
    pub evidence: Vec<u8>,
}

/// Stores evidence, in the transaction that is open.
pub(crate) async fn write(
    connection: &mut Connection<'_>,
    rows: &[LearningRow],
    now: Timestamp,
) -> Result<LearningWritten, QueryError> {
    lock_shared(connection).await?;
    let oldest = seconds(now).saturating_sub(FINE_SECONDS);
    let mut written = LearningWritten::default();
    let mut rows: Vec<&LearningRow> = rows.iter().collect();
    // In one order, so that two processes cannot wait for each other.
    rows.sort_by_key(|row| (&row.zone, row.operation, row.hour, &row.source, row.published));
    for row in rows {
        if row.hour.end() > oldest && write_row(connection, row).await? {
            written.stored += 1;
        } else {
            written.refused_late += 1;
        }
    }
    Ok(written)
}

/// Stores one snapshot; false if its hour is packed.
async fn write_row(connection: &mut Connection<'_>, row: &LearningRow) -> Result<bool, QueryError> {
    const PACKED: &str = "SELECT 1 FROM traffic_learning WHERE zone_id = $1 AND operation_id = $2 AND seconds = $3 \
                          AND start = $4 AND source = $5 AND published = $6 AND hours / $7 % 2 = 1";
    const UPSERT: &str = "INSERT INTO traffic_learning \
        (zone_id, operation_id, seconds, start, source, published, sequence, hours, evidence) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8) \
        ON CONFLICT (zone_id, operation_id, seconds, start, source, published) DO UPDATE \
        SET sequence = excluded.sequence, evidence = excluded.evidence \
        WHERE excluded.sequence > traffic_learning.sequence";
    let day = day_of(row.hour.start());
    let place = |seconds: u64, start: u64| {
        vec![
            Value::from(row.zone.as_str()),
            Value::Text(row.operation.to_string()),
            integer(seconds),
            integer(start),
            row.source.as_str().into(),
            integer(row.published.into()),
        ]
    };
    let mut packed = place(DAY_SECONDS, day);
    packed.push(integer(hour_bit(row.hour)));
    if !connection.query(PACKED, packed).await?.is_empty() {
        return Ok(false);
    }
    let mut parameters = place(Hour::SECONDS, row.hour.start());
    parameters.extend([integer(row.sequence), Value::Blob(row.evidence.clone())]);
    connection.query(UPSERT, parameters).await?;
    Ok(true)
}

/// The start of the day that a time lies in.
fn day_of(seconds: u64) -> u64 {
    seconds - seconds % DAY_SECONDS
}

/// The bit of an hour of its day.
fn hour_bit(hour: Hour) -> u64 {
    1 << (hour.start() % DAY_SECONDS / Hour::SECONDS)
}

columns! { "traffic_learning":
    SECONDS = 1 "seconds", START = 2 "start", SOURCE = 3 "source",
    SEQUENCE = 5 "sequence", HOURS = 6 "hours", EVIDENCE = 7 "evidence",
}
/// The columns in this order.
const SELECTED: &str = "operation_id, seconds, start, source, published, sequence, hours, evidence";

/// The evidence of an operation in the hours and days that lie in a window, and how many rows cannot be read.
pub(crate) async fn read(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    operation: OperationId,
    from: Hour,
    until: Hour,
) -> Result<(Vec<StoredEvidence>, u64), StoreFailure> {
    let sql = format!(
        "SELECT {SELECTED} FROM traffic_learning WHERE zone_id = $1 AND operation_id = $2 AND seconds IN ($3, $4) \
         AND start >= $5 AND start + seconds <= $6 ORDER BY start, seconds, source, published"
    );
    let mut parameters = vec![Value::from(zone.as_str()), Value::Text(operation.to_string())];
    parameters.extend([Hour::SECONDS, DAY_SECONDS, from.start(), until.start()].map(integer));
    let stored = |row: &Row| {
        Ok(StoredEvidence {
            start: Hour::of(row.count(START)?),
            hours: row.count(SECONDS)? / Hour::SECONDS,
            source: row.parse(SOURCE)?,
            evidence: row.blob_with(EVIDENCE, |bytes| Ok::<_, std::convert::Infallible>(bytes.to_vec()))?,
        })
    };
    let (mut found, mut damaged) = (Vec::new(), 0);
    for row in connection.query(sql, parameters).await? {
        match stored(&row) {
            Ok(evidence) => found.push(evidence),
            Err(failure) => {
                log_damaged(Table::Learning.name(), &row, &failure);
                damaged += 1;
            }
        }
    }
    Ok((found, damaged))
}

/// What was packed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LearningTidied {
    /// Days of a source and operation; when there are none, nothing is left to be packed.
    pub(crate) days: u64,
    /// Rows that were too old.
    pub(crate) aged_out: u64,
    /// Rows that could not be read, and went.
    pub(crate) damaged: u64,
}

/// Takes out what is old and packs some days that are over, in the transaction that is open.
pub(crate) async fn tidy(
    connection: &mut Connection<'_>,
    zone: &str,
    operations: &[String],
    now: Timestamp,
) -> Result<LearningTidied, QueryError> {
    lock(connection).await?;
    let now = seconds(now);
    let oldest = day_of(now).saturating_sub(DAYS_KEPT * DAY_SECONDS);
    let aged_out = super::sessions::prune(connection, Table::Learning, zone, operations, oldest).await?;
    let mut tidied = LearningTidied { aged_out, ..LearningTidied::default() };
    let until = day_of(now.saturating_sub(PACK_AFTER_SECONDS));
    for place in places(connection, zone, operations, until).await? {
        tidied.damaged += pack(connection, zone, &place).await?;
        tidied.days += 1;
    }
    Ok(tidied)
}

/// Whose day it is.
struct Place {
    operation: String,
    source: String,
    published: u64,
    day: u64,
}

impl Place {
    /// The first parameters of what is about it.
    fn parameters(&self, zone: &str) -> Vec<Value> {
        let mut parameters =
            vec![Value::from(zone), Value::Text(self.operation.clone()), Value::Text(self.source.clone())];
        parameters.extend([self.published, self.day, self.day + DAY_SECONDS].map(integer));
        parameters
    }
}

/// Some of those that have evidence of hours before this day.
async fn places(
    connection: &mut Connection<'_>,
    zone: &str,
    operations: &[String],
    until: u64,
) -> Result<Vec<Place>, StoreFailure> {
    columns! { "traffic_learning":
        OPERATION_ID = 0 "operation_id", SOURCE = 1 "source", PUBLISHED = 2 "published", DAY = 3 "start",
    }
    let (mut parameters, of_operations) = of_operations(zone, operations);
    let next = parameters.len() + 1;
    parameters.extend([Hour::SECONDS, until, DAY_SECONDS, PLACES_MAX as u64].map(integer));
    let [hour, until, day, most] = [0, 1, 2, 3].map(|place| next + place);
    let sql = format!(
        "SELECT DISTINCT operation_id, source, published, start / ${day} FROM traffic_learning \
         WHERE {of_operations} AND seconds = ${hour} AND start < ${until} LIMIT ${most}"
    );
    let place = |row: &Row| {
        let day = row.count(DAY)?.saturating_mul(DAY_SECONDS);
        let (operation, source) = (row.parse(OPERATION_ID)?, row.parse(SOURCE)?);
        Ok(Place { operation, source, published: row.count(PUBLISHED)?, day })
    };
    connection.query(sql, parameters).await?.iter().map(place).collect()
}

/// The sum of a day's rows.
#[derive(Default)]
struct Day {
    evidence: Option<Evidence>,
    hours: u64,
    sequence: u64,
}

impl Day {
    fn add(&mut self, row: &Row) -> Result<(), StoreFailure> {
        let evidence = row.blob_with(EVIDENCE, Evidence::decode)?;
        let hours = match row.count(SECONDS)? {
            DAY_SECONDS => row.count(HOURS)?,
            _ => hour_bit(Hour::of(row.count(START)?)),
        };
        match &mut self.evidence {
            Some(sum) => sum.merge(&evidence),
            None => self.evidence = Some(evidence),
        }
        self.hours |= hours;
        self.sequence = self.sequence.saturating_add(row.count(SEQUENCE)?);
        Ok(())
    }
}

/// Makes one row of a source's day; says how many rows of it could not be read.
async fn pack(connection: &mut Connection<'_>, zone: &str, place: &Place) -> Result<u64, QueryError> {
    const OF_PLACE: &str = "zone_id = $1 AND operation_id = $2 AND source = $3 AND published = $4 \
                            AND start >= $5 AND start < $6 AND seconds IN ($7, $8)";
    const INSERT: &str = "INSERT INTO traffic_learning \
        (zone_id, operation_id, source, published, start, seconds, sequence, hours, evidence) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let mut parameters = place.parameters(zone);
    parameters.extend([Hour::SECONDS, DAY_SECONDS].map(integer));
    let rows = connection
        .query(format!("SELECT {SELECTED} FROM traffic_learning WHERE {OF_PLACE}"), parameters.clone())
        .await?;
    let (mut day, mut damaged) = (Day::default(), 0);
    for row in rows {
        if let Err(failure) = day.add(&row) {
            log_damaged(Table::Learning.name(), &row, &failure);
            damaged += 1;
        }
    }
    connection.query(format!("DELETE FROM traffic_learning WHERE {OF_PLACE}"), parameters).await?;
    if let Some(evidence) = day.evidence {
        let mut parameters = place.parameters(zone);
        parameters.pop();
        parameters.extend([DAY_SECONDS, day.sequence, day.hours].map(integer));
        parameters.push(Value::Blob(evidence.encode()));
        connection.query(INSERT, parameters).await?;
    }
    Ok(damaged)
}
