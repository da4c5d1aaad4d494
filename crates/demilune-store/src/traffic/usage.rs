//! How much room records take, and which have to go when it is too much.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{integer, of_operations};
use crate::{
    connection::Connection,
    error::StoreFailure,
    row::{Column, Row, columns},
};

/// What a row takes beside its summary: ids, numbers, and its part of pages that are not full.
const ROW_BYTES: u64 = 200;
const DAY_SECONDS: u64 = 24 * 3_600;

/// Room taken, by length of the records and day: long ones first, then by time.
#[derive(Debug, Default)]
pub(crate) struct Usage(BTreeMap<(Reverse<u64>, u64), Amount>);

/// Rows, and the bytes of what they hold.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amount {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// Records of one length that start before a time, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) seconds: u64,
    pub(crate) before: u64,
}

impl Usage {
    /// Adds the room that some operations' records take.
    pub(crate) async fn read(
        connection: &mut Connection<'_>,
        zone: &str,
        operations: &[String],
    ) -> Result<Self, StoreFailure> {
        columns! { "traffic_records":
            SECONDS = 0 "seconds", DAY = 1 "day", ROWS = 2 "rows", BYTES = 3 "bytes",
        }
        let (mut parameters, of_operations) = of_operations(zone, operations);
        let day = parameters.len() + 1;
        parameters.push(integer(DAY_SECONDS));
        let sql = format!(
            "SELECT seconds, start / ${day} AS day, count(*), CAST(sum(length(record)) AS BIGINT) \
             FROM traffic_records WHERE {of_operations} GROUP BY seconds, day"
        );
        let mut usage = Self::default();
        for row in connection.query(sql, parameters).await? {
            let amount = Amount { rows: number(&row, ROWS), bytes: number(&row, BYTES) };
            usage.add((Reverse(number(&row, SECONDS)), number(&row, DAY)), amount);
        }
        Ok(usage)
    }

    /// Adds other room.
    pub(crate) fn merge(&mut self, other: Self) {
        for (place, amount) in other.0 {
            self.add(place, amount);
        }
    }

    /// Leaves out days, the oldest of the longest records first, until the rest fits; says which.
    pub(crate) fn shrink(&mut self, bytes_max: u64) -> Vec<Cut> {
        let mut cuts: Vec<Cut> = Vec::new();
        let mut left = self.bytes();
        while left > bytes_max
            && let Some(((Reverse(seconds), day), amount)) = self.0.pop_first()
        {
            left = left.saturating_sub(amount.bytes_taken());
            cuts.retain(|cut| cut.seconds != seconds);
            cuts.push(Cut { seconds, before: day.saturating_add(1).saturating_mul(DAY_SECONDS) });
        }
        cuts
    }

    pub(crate) fn rows(&self) -> u64 {
        self.0.values().map(|amount| amount.rows).sum()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.0.values().copied().map(Amount::bytes_taken).sum()
    }

    fn add(&mut self, place: (Reverse<u64>, u64), more: Amount) {
        self.0.entry(place).or_default().add(more);
    }
}

impl Amount {
    pub(super) const fn bytes_taken(self) -> u64 {
        self.bytes + self.rows * ROW_BYTES
    }

    pub(super) const fn add(&mut self, more: Self) {
        self.rows += more.rows;
        self.bytes += more.bytes;
    }
}

/// A number of a row that is only counted: one below 0 is damaged, and goes with the oldest.
pub(super) fn number(row: &Row, column: Column) -> u64 {
    row.count(column).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_days_of_hourly_records_go_first() {
        let check = |bytes_max: u64, expected: &[(u64, u64)], rows: u64| {
            let amount = Amount { rows: 1, bytes: 800 };
            let places = [(3_600, 10), (3_600, 11), (300, 9), (300, 12)];
            let mut usage = Usage(places.map(|(seconds, day)| ((Reverse(seconds), day), amount)).into());
            let cuts: Vec<_> =
                usage.shrink(bytes_max).iter().map(|cut| (cut.seconds, cut.before / DAY_SECONDS)).collect();
            assert_eq!((cuts.as_slice(), usage.rows(), usage.bytes()), (expected, rows, rows * 1_000), "{bytes_max}");
        };
        check(4_000, &[], 4);
        check(3_999, &[(3_600, 11)], 3);
        check(2_000, &[(3_600, 12)], 2);
        check(1_999, &[(3_600, 12), (300, 10)], 1);
        check(0, &[(3_600, 12), (300, 13)], 0);
    }
}
