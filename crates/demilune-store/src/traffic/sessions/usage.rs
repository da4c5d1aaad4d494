//! How much room samples take, and which have to go when it is too much.

use std::collections::BTreeMap;

use demilune_traffic::Hour;

use crate::{
    connection::Connection,
    error::StoreFailure,
    row::columns,
    traffic::{
        Table, integer, of_operations,
        usage::{Amount, number},
    },
};

/// Room taken, by the number of the hour.
#[derive(Debug, Default)]
pub(crate) struct SessionUsage(BTreeMap<u64, Amount>);

impl SessionUsage {
    /// The room that some operations' samples, or other summaries, take.
    pub(crate) async fn read(
        connection: &mut Connection<'_>,
        table: Table,
        zone: &str,
        operations: &[String],
    ) -> Result<Self, StoreFailure> {
        columns! { "summaries": HOUR = 0 "hour", ROWS = 1 "rows", BYTES = 2 "bytes" }
        let (mut parameters, of_operations) = of_operations(zone, operations);
        let hour = parameters.len() + 1;
        parameters.push(integer(Hour::SECONDS));
        let sql = format!(
            "SELECT start / ${hour} AS hour, count(*), CAST(sum(length({})) AS BIGINT) \
             FROM {} WHERE {of_operations} GROUP BY hour",
            table.summary(),
            table.name()
        );
        let mut usage = Self::default();
        for row in connection.query(sql, parameters).await? {
            usage.add(number(&row, HOUR), Amount { rows: number(&row, ROWS), bytes: number(&row, BYTES) });
        }
        Ok(usage)
    }

    /// Adds other room.
    pub(crate) fn merge(&mut self, other: Self) {
        for (hour, amount) in other.0 {
            self.add(hour, amount);
        }
    }

    /// Leaves out hours, the oldest first, until the rest fits; says, in seconds, before when all has to go.
    pub(crate) fn shrink(&mut self, bytes_max: u64) -> Option<u64> {
        let mut before = None;
        let mut left = self.bytes();
        while left > bytes_max
            && let Some((hour, amount)) = self.0.pop_first()
        {
            left = left.saturating_sub(amount.bytes_taken());
            before = Some(hour.saturating_add(1).saturating_mul(Hour::SECONDS));
        }
        before
    }

    pub(crate) fn rows(&self) -> u64 {
        self.0.values().map(|amount| amount.rows).sum()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.0.values().copied().map(Amount::bytes_taken).sum()
    }

    fn add(&mut self, hour: u64, more: Amount) {
        self.0.entry(hour).or_default().add(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_hours_go_first() {
        let check = |bytes_max: u64, expected: Option<u64>, rows: u64| {
            let mut usage = SessionUsage([12, 10, 11].map(|hour| (hour, Amount { rows: 1, bytes: 800 })).into());
            let before = usage.shrink(bytes_max).map(|before| before / Hour::SECONDS);
            assert_eq!((before, usage.rows(), usage.bytes()), (expected, rows, rows * 1_000), "{bytes_max}");
        };
        check(3_000, None, 3);
        check(2_999, Some(11), 2);
        check(1_000, Some(12), 1);
        check(999, Some(13), 0);
    }
}
