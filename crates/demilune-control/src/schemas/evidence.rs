//! The hours that a schema rests on, and everything that was seen in them.

use std::sync::Arc;

use demilune_inventory::{OperationId, ZoneId};
use demilune_schema::learn::Evidence;
use demilune_store::{Store, StoreFailure};
use demilune_traffic::Hour;
use tokio::task::spawn_blocking;

/// A day in seconds: evidence is packed by days of UTC.
const DAY_SECONDS: u64 = 24 * Hour::SECONDS;

/// The hours that a schema rests on: at least 72, from the start of a day of UTC, so that packed days are read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EvidenceWindow {
    pub(crate) since: Hour,
    pub(crate) until: Hour,
}

impl EvidenceWindow {
    /// Fewest hours.
    pub(crate) const HOURS_MIN: u64 = 72;

    pub(crate) fn ending_at(until: Hour) -> Self {
        let since = until.start().saturating_sub(Self::HOURS_MIN * Hour::SECONDS);
        Self { since: Hour::of(since - since % DAY_SECONDS), until }
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
}
