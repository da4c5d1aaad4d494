//! Records of traffic: what operations saw, in buckets of five minutes for a week and of an hour for a year and more;
//! and samples of its sessions, for a week. And events, for a month.
//!
//! On SQLite all are in a file of their own beside the inventory, whose commits do not wait for the disk: a power cut
//! may take the last of them, never more.

pub(crate) mod events;
mod file;
pub(crate) mod imports;
mod keys;
pub(crate) mod learning;
pub(crate) mod sessions;
pub(crate) mod sightings;
mod sums;
mod tidy;
mod usage;
mod write;

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_traffic::{Bucket, Record, Snapshot, Source};

pub use events::{EventFilter, EventPage, EventViolation, ValidationEvent};
pub use imports::ImportBegun;
pub use learning::{LearningRow, LearningWritten, StoredEvidence};
pub use sightings::SightingsRow;

pub(crate) use file::{open, path_beside};
pub(crate) use keys::{OPERATIONS_MAX, Table, operations, zones};
pub(crate) use sums::{Place, Sums, Window, without_overlap};
pub(crate) use tidy::{Tidied, forget, prune, tidy};
pub(crate) use usage::{Cut, Usage};
pub(crate) use write::write;

use crate::{
    connection::{Connection, placeholders},
    error::{QueryError, StoreFailure},
    row::{Row, Value},
};

/// How long five-minute records are kept: a week, with which a day can be compared with the same day before.
pub(crate) const FINE_SECONDS: u64 = 7 * 24 * 3_600;
/// How long hourly records are kept: a year and a month, so that a month can be compared with that of the year before.
pub(crate) const COARSE_SECONDS: u64 = 400 * 24 * 3_600;

/// What a record is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrafficKey {
    /// The zone.
    pub zone: ZoneId,
    /// The operation; none for requests that no operation fits, and for CORS preflights.
    pub operation: Option<OperationId>,
}

/// A cumulative snapshot of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficRow {
    /// What it is about.
    pub key: TrafficKey,
    /// Its five minutes.
    pub bucket: Bucket,
    /// Who counted.
    pub source: Source,
    /// What was counted so far.
    pub snapshot: Snapshot,
}

/// What became of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficWritten {
    /// Stored, or there already with the same or a higher sequence.
    pub stored: usize,
    /// Of these, those that were there already.
    pub already_there: usize,
    /// Of five minutes that ended over a week ago, or are part of an hourly record by now.
    pub refused_late: usize,
    /// Of their samples of sessions: stored, or there already.
    pub sessions_stored: usize,
    /// Samples of an hour that ended over a week ago.
    pub sessions_refused_late: usize,
}

/// Whose records are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrafficScope {
    /// All requests of the zone.
    Zone,
    /// Those of one operation.
    Operation(OperationId),
    /// Those that no operation fits.
    Unmatched,
}

/// Sums over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrafficSeries {
    /// By time; no two overlap.
    pub points: Vec<TrafficPoint>,
    /// Records that cannot be read, and are left out. The log names them.
    pub damaged: u64,
}

/// The sum over one stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficPoint {
    /// Its first second, since the epoch.
    pub start: u64,
    /// Its length.
    pub seconds: u64,
    /// What was counted.
    pub record: Record,
}

/// How much may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficLimits {
    /// Most bytes of records; the oldest hourly ones go first, a day at a time.
    pub bytes_max: u64,
    /// Most bytes of samples of sessions; those of the oldest hours go first.
    pub session_bytes_max: u64,
    /// Most bytes of evidence of what callers send; that of the oldest hours goes first.
    pub learning_bytes_max: u64,
    /// Most events of a zone; its oldest go first.
    pub events_per_zone_max: u64,
    /// Most events in all; the oldest of the zone that has most go first.
    pub events_max: u64,
}

impl Default for TrafficLimits {
    /// 4 GiB of records: a year of a thousand operations that have requests in every five minutes, at some 330 bytes a
    /// record. More of them keep fewer months; ten thousand, not quite a week. 4 GiB of samples: a week of a thousand
    /// operations with over two thousand sessions in every hour, at some 25 KiB an hour; most have far fewer. The last
    /// day is what thresholds are made from. 4 GiB of evidence: eight days of some ten thousand operations, at some 12 KiB
    /// an hour for two days and a day before that. A million events: some 1 GiB, mostly indexes, at one or two violations
    /// each.
    fn default() -> Self {
        Self {
            bytes_max: 4 << 30,
            session_bytes_max: 4 << 30,
            learning_bytes_max: 4 << 30,
            events_per_zone_max: 100_000,
            events_max: 1_000_000,
        }
    }
}

/// What maintenance did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficMaintained {
    /// Hours whose five-minute records became hourly ones.
    pub hours_packed: u64,
    /// Records that were too old.
    pub aged_out: u64,
    /// Records of operations and zones that are gone.
    pub orphans: u64,
    /// Records that went since there were too many bytes.
    pub over_limit: u64,
    /// What it did to samples of sessions.
    pub sessions: SummariesMaintained,
    /// What it did to evidence of what callers send.
    pub learning: SummariesMaintained,
}

/// What maintenance did to summaries that are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SummariesMaintained {
    /// Hours of sessions, or days of evidence, of one source and operation that became one row, or took in what came
    /// late.
    pub packed: u64,
    /// Rows that were too old.
    pub aged_out: u64,
    /// Rows of operations and zones that are gone.
    pub orphans: u64,
    /// Rows that went since there were too many bytes.
    pub over_limit: u64,
}

/// Any number will do, as long as every release uses the same.
const POSTGRES_LOCK: i64 = 0x74_72_61_66_66_69_63;

/// Keeps writers out until the transaction ends: what is summed up or taken out must not change meanwhile.
async fn lock(connection: &mut Connection<'_>) -> Result<(), QueryError> {
    connection.lock(POSTGRES_LOCK).await
}

/// Keeps those out who take the above; writers do not mind one another.
async fn lock_shared(connection: &mut Connection<'_>) -> Result<(), QueryError> {
    connection.lock_shared(POSTGRES_LOCK).await
}

/// An operation's id as it is stored, empty where no operation fits.
pub(crate) fn operation_text(operation: Option<OperationId>) -> String {
    operation.map_or_else(String::new, |id| id.to_string())
}

/// The rows of these operations of a zone: the start of a list of parameters, and of the condition they stand in.
fn of_operations(zone: &str, operations: &[String]) -> (Vec<Value>, String) {
    let mut parameters = vec![Value::from(zone)];
    parameters.extend(operations.iter().cloned().map(Value::Text));
    (parameters, format!("zone_id = $1 AND operation_id IN ({})", placeholders(2, operations.len())))
}

/// Tells the log of a row that cannot be read, by its key.
fn log_damaged(table: &str, row: &Row, cause: &StoreFailure) {
    let cause: &dyn std::error::Error = cause;
    let name = row.texts().join(" ");
    tracing::warn!(table, row = name, cause, "a summary of traffic cannot be read");
}

fn integer(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Seconds since the epoch.
pub(crate) fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_micros() / 1_000_000).unwrap_or(0)
}
