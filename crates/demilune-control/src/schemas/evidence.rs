//! The hours that a schema rests on, and everything that was seen in them.

use std::sync::Arc;

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_schema::learn::Evidence;
use demilune_store::{Store, StoreFailure};
use demilune_traffic::Hour;
use tokio::task::spawn_blocking;

use crate::clock::unix_seconds;

/// A day in seconds: evidence is packed by days of UTC.
const DAY_SECONDS: u64 = 24 * Hour::SECONDS;

/// The hours that a schema rests on, from the start of a day of UTC, so that packed days are read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EvidenceWindow {
    pub(crate) since: Hour,
    pub(crate) until: Hour,
}

impl EvidenceWindow {
    /// Fewest hours of a schema to be read.
    pub(crate) const HOURS_MIN: u64 = 72;
    /// Fewest hours of a schema to be enforced: as many as evidence is kept.
    const ENFORCED_HOURS_MIN: u64 = 168;

    /// At least 72 hours, which end here.
    pub(crate) fn ending_at(until: Hour) -> Self {
        Self::from_day_of(until.start().saturating_sub(Self::HOURS_MIN * Hour::SECONDS), until)
    }

    /// At least a week up to now, the hour that is not over included.
    pub(crate) fn of_week(now: Timestamp) -> Self {
        let now = unix_seconds(now);
        let until = Hour::of(Hour::of(now).end());
        Self::from_day_of(now.saturating_sub(Self::ENFORCED_HOURS_MIN * Hour::SECONDS), until)
    }

    fn from_day_of(second: u64, until: Hour) -> Self {
        Self { since: Hour::of(second - second % DAY_SECONDS), until }
    }

    /// Its parts by day of UTC.
    fn days(self) -> impl Iterator<Item = (Hour, Hour)> {
        let ends = move |start: u64| Hour::of((start - start % DAY_SECONDS + DAY_SECONDS).min(self.until.start()));
        let mut next = self.since;
        std::iter::from_fn(move || {
            let start = next;
            next = ends(start.start());
            (start < self.until).then_some((start, next))
        })
    }
}

/// Everything that was seen of an operation in these hours. Reads a day at a time, which is what it holds in memory.
pub(crate) async fn sum(
    store: &Store,
    zone: &ZoneId,
    operation: OperationId,
    window: EvidenceWindow,
) -> Result<Box<Evidence>, StoreFailure> {
    // On the heap: it is some kilobytes even when it is empty.
    let mut sum = Box::new(Evidence::new(Arc::default()));
    for (since, until) in window.days() {
        let rows = store.learning_evidence(zone, operation, since, until).await?;
        if rows.is_empty() {
            continue;
        }
        // Milliseconds for each of them: not where requests are answered.
        let adding = spawn_blocking(move || {
            // What is damaged was left out and named in the log by the store.
            for evidence in rows.iter().filter_map(|row| Evidence::decode(&row.evidence).ok()) {
                sum.merge(&evidence);
            }
            sum
        });
        sum = adding.await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_with_a_day_and_has_72_to_96_hours() {
        let day = 20_000 * DAY_SECONDS;
        let check = |hour: u64, since: u64, parts: &[u64]| {
            let window = EvidenceWindow::ending_at(Hour::of(day + hour * Hour::SECONDS));
            assert_eq!(window.since.start(), since, "{hour}");
            let hours: Vec<_> =
                window.days().map(|(start, end)| (end.start() - start.start()) / Hour::SECONDS).collect();
            assert_eq!(hours, parts, "{hour}");
        };
        check(0, day - 3 * DAY_SECONDS, &[24, 24, 24]);
        check(1, day - 3 * DAY_SECONDS, &[24, 24, 24, 1]);
        check(23, day - 3 * DAY_SECONDS, &[24, 24, 24, 23]);
        check(24, day - 2 * DAY_SECONDS, &[24, 24, 24]);
    }

    #[test]
    fn a_week_begins_with_its_day_and_ends_with_this_hour() {
        let check = |now: &str, since: &str, until: &str| {
            let [since, until] = [since, until].map(|text| Hour::of(unix_seconds(text.parse().unwrap())));
            assert_eq!(EvidenceWindow::of_week(now.parse().unwrap()), EvidenceWindow { since, until }, "{now}");
        };
        check("2026-11-23T10:20:00Z", "2026-11-16T00:00:00Z", "2026-11-23T11:00:00Z");
        check("2026-11-23T00:00:00Z", "2026-11-16T00:00:00Z", "2026-11-23T01:00:00Z");
        check("2026-11-23T23:59:59Z", "2026-11-16T00:00:00Z", "2026-11-24T00:00:00Z");
    }
}
