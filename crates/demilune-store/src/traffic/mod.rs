//! Records of traffic: what operations saw, in buckets of five minutes for a week and of an hour for a year and more.
//!
//! On SQLite they are in a file of their own beside the inventory, whose commits do not wait for the disk: a power cut
//! may take the last of them, never more.

mod maintain;
mod rows;

use std::path::{Path, PathBuf};

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_traffic::{Bucket, Record, Snapshot, Source};

pub(crate) use maintain::{forget, maintain};
pub(crate) use rows::{read_series, read_totals, write};

use crate::{
    error::{OpenError, StoreFailure},
    sqlite::SqliteConnection,
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
    /// Of five minutes that ended over a week ago.
    pub refused_late: usize,
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
    /// By time; points of different lengths do not overlap.
    pub points: Vec<TrafficPoint>,
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
    /// Most bytes of records; the oldest hourly ones go first.
    pub bytes_max: u64,
}

impl Default for TrafficLimits {
    /// 4 GiB: 10,000 busy operations for more than a year.
    fn default() -> Self {
        Self { bytes_max: 4 << 30 }
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
}

/// The file beside a SQLite inventory.
pub(crate) fn path_beside(inventory: &Path) -> PathBuf {
    let stem = inventory.file_stem().unwrap_or_default().to_string_lossy();
    inventory.with_file_name(format!("{stem}-traffic.db"))
}

/// Opens that file, and makes it when it is missing.
pub(crate) fn create(path: &Path) -> Result<SqliteConnection, OpenError> {
    let mut connection = SqliteConnection::create(path)?;
    // Counts of a few seconds are not worth an fsync each; WAL keeps the file whole all the same.
    connection.script("PRAGMA synchronous = NORMAL").map_err(StoreFailure::from)?;
    connection.script(include_str!("schema.sql")).map_err(StoreFailure::from)?;
    Ok(connection)
}

/// Seconds since the epoch.
pub(crate) fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_micros() / 1_000_000).unwrap_or(0)
}
