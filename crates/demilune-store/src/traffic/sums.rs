//! Sums over records: of sources, and of time or operations as the caller asks.

use std::collections::BTreeMap;

use demilune_inventory::{OperationId, Timestamp};
use demilune_traffic::{Bucket, Hour, Record};

use super::{COARSE_SECONDS, FINE_SECONDS, TrafficPoint, integer, log_damaged, of_operations, seconds};
use crate::{
    connection::Connection,
    error::StoreFailure,
    row::{Row, Value, columns},
};

/// Most records of one source that a statement reads, so that what is held at once is some ten megabytes.
const RECORDS_MAX: u64 = 20_000;
/// Most operations in one statement.
const OPERATIONS_MAX: u64 = 64;

columns! { "traffic_records":
    OPERATION_ID = 0 "operation_id", SECONDS = 1 "seconds", START = 2 "start", RECORD = 4 "record",
}

/// A stretch of time in whole seconds since the epoch. A record that touches it belongs to it as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    since: u64,
    until: u64,
}

impl Window {
    pub(crate) fn new(since: Timestamp, until: Timestamp) -> Self {
        let until = u64::try_from(until.as_micros()).unwrap_or(0).div_ceil(1_000_000);
        Self { since: seconds(since), until }
    }

    /// How many operations to read in one statement.
    pub(crate) fn operations_at_once(self) -> usize {
        let length = self.until.saturating_sub(self.since);
        let records = length.min(FINE_SECONDS) / Bucket::SECONDS + length.min(COARSE_SECONDS) / Hour::SECONDS + 2;
        usize::try_from((RECORDS_MAX / records).clamp(1, OPERATIONS_MAX)).unwrap_or(1)
    }
}

/// What a record is about, but for its zone and source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) operation: Option<OperationId>,
    pub(crate) start: u64,
    pub(crate) seconds: u64,
}

/// Sums by what the caller tells records apart by.
#[derive(Debug)]
pub(crate) struct Sums<K> {
    pub(crate) by_key: BTreeMap<K, Record>,
    /// Records that cannot be read, and are left out: one of them must not hide all the others.
    pub(crate) damaged: u64,
}

impl<K: Ord> Sums<K> {
    pub(crate) const fn new() -> Self {
        Self { by_key: BTreeMap::new(), damaged: 0 }
    }

    /// Adds the records of some operations of a zone. One statement reads them, so that no record is missed or taken
    /// twice while its hour is packed.
    pub(crate) async fn read(
        connection: &mut Connection<'_>,
        zone: &str,
        operations: &[String],
        window: Window,
        key: fn(Place) -> K,
    ) -> Result<Self, StoreFailure> {
        let (mut parameters, of_operations) = of_operations(zone, operations);
        let next = parameters.len() + 1;
        let [fine, coarse, low, until, since] = [0, 1, 2, 3, 4].map(|place| next + place);
        let sql = format!(
            "SELECT operation_id, seconds, start, source, record FROM traffic_records WHERE {of_operations} \
             AND seconds IN (${fine}, ${coarse}) AND start > ${low} AND start < ${until} AND start + seconds > ${since}"
        );
        let low = i64::try_from(window.since).unwrap_or(i64::MAX) - Hour::SECONDS.cast_signed();
        parameters.extend([integer(Bucket::SECONDS), integer(Hour::SECONDS), Value::Integer(low)]);
        parameters.extend([integer(window.until), integer(window.since)]);
        let mut sums = Self::new();
        for row in connection.query(sql, parameters).await? {
            sums.add(&row, key);
        }
        Ok(sums)
    }

    /// Adds other sums.
    pub(crate) fn merge(&mut self, other: Self) {
        for (key, record) in other.by_key {
            self.by_key.entry(key).or_default().merge(&record);
        }
        self.damaged = self.damaged.saturating_add(other.damaged);
    }

    fn add(&mut self, row: &Row, key: fn(Place) -> K) {
        match parse(row) {
            Ok((place, record)) => self.by_key.entry(key(place)).or_default().merge(&record),
            Err(failure) => {
                log_damaged("traffic_records", row, &failure);
                self.damaged += 1;
            }
        }
    }
}

/// Sums by start and length as points. Some sources may have an hour packed that others have not yet, or one operation
/// before another: then the hour is one point.
pub(crate) fn without_overlap(sums: BTreeMap<(u64, u64), Record>) -> Vec<TrafficPoint> {
    let mut points: Vec<TrafficPoint> = Vec::with_capacity(sums.len());
    let hours: Vec<u64> =
        sums.keys().filter(|(_, seconds)| *seconds == Hour::SECONDS).map(|(start, _)| *start).collect();
    for ((start, seconds), record) in sums {
        let hour = Hour::of(start).start();
        let is_packed = hours.binary_search(&hour).is_ok();
        let (start, seconds) = if is_packed { (hour, Hour::SECONDS) } else { (start, seconds) };
        match points.last_mut() {
            Some(last) if last.start == start => last.record.merge(&record),
            _ => points.push(TrafficPoint { start, seconds, record }),
        }
    }
    points
}

fn parse(row: &Row) -> Result<(Place, Record), StoreFailure> {
    let id = |text: &str| if text.is_empty() { Ok(None) } else { text.parse().map(Some) };
    let place =
        Place { operation: row.parse_with(OPERATION_ID, id)?, start: row.count(START)?, seconds: row.count(SECONDS)? };
    Ok((place, row.blob_with(RECORD, Record::decode)?))
}

#[cfg(test)]
mod tests {
    use demilune_traffic::Observation;

    use super::*;

    fn record(requests: u64) -> Record {
        let mut record = Record::default();
        for _ in 0..requests {
            record.observe(&Observation::default());
        }
        record
    }

    #[test]
    fn an_hour_takes_in_what_is_not_packed_yet() {
        let check = |sums: &[(u64, u64, u64)], expected: &[(u64, u64, u64)]| {
            let sums = sums.iter().map(|(start, seconds, requests)| ((*start, *seconds), record(*requests)));
            let points = without_overlap(sums.collect());
            let points: Vec<_> =
                points.iter().map(|point| (point.start, point.seconds, point.record.requests())).collect();
            assert_eq!(points, expected);
        };
        check(&[], &[]);
        check(&[(300, 300, 1), (600, 300, 2)], &[(300, 300, 1), (600, 300, 2)]);
        check(&[(0, 3_600, 5), (3_600, 300, 2)], &[(0, 3_600, 5), (3_600, 300, 2)]);
        check(&[(0, 300, 1), (0, 3_600, 5), (300, 300, 2)], &[(0, 3_600, 8)]);
        check(&[(300, 300, 1), (3_600, 3_600, 5), (3_900, 300, 2)], &[(300, 300, 1), (3_600, 3_600, 7)]);
    }

    #[test]
    fn a_statement_reads_fewer_operations_of_a_longer_time() {
        let check = |seconds: i64, expected: usize| {
            let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000).unwrap();
            assert_eq!(Window::new(at(0), at(seconds)).operations_at_once(), expected, "{seconds}");
        };
        check(0, 64);
        check(86_400, 63);
        check(7 * 86_400, 9);
        check(400 * 86_400, 1);
    }
}
