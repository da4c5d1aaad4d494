//! Makes thresholds of what gateways and imports have stored: every hour, and when somebody asks.
//!
//! An operation's result is that of the latest day, ending at a full hour, with at least 50 sessions; it is kept for as
//! long as that day lies within the last 168 hours. So a night or a weekend without traffic takes nothing away, and the
//! same records give the same results, whenever and wherever they are computed.

mod lookback;

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_store::{Store, StoreFailure, StoredThresholds};
use demilune_traffic::{Hour, SessionWindow, Source, Thresholds, WindowTotals};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::hourly::{ComputeError, Hourly, hours_after, hours_before, last_complete_hour};

/// How long a result is kept after the end of its day: then the day no longer lies within the last 168 hours.
const KEEP_HOURS: u64 = 168 - SessionWindow::HOURS;
/// Operations at a time: their rows and distributions are held at once, and written in one transaction.
const OPERATIONS_AT_ONCE: usize = 64;

/// Computes thresholds, in any number of processes on one store.
pub struct ThresholdsJob {
    hourly: Hourly,
}

/// What was computed for a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Computed {
    /// Operations that had sessions, or a result from before.
    pub(crate) operations: u64,
    /// Those that have a result now.
    pub(crate) with_thresholds: u64,
}

impl ThresholdsJob {
    /// The job of this process.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { hourly: Hourly::new(store, "thresholds") }
    }

    /// Computes every zone's thresholds once an hour, until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        self.hourly.run(stop, async |now| self.compute_due(now).await).await;
    }

    /// Computes what is not computed yet for the last complete hour.
    pub(crate) async fn compute_due(&self, now: Timestamp) -> Result<(), StoreFailure> {
        let end = last_complete_hour(now);
        let compute = async |zone: &ZoneId, done| {
            let Computed { operations, with_thresholds } = self.compute(zone, end, done, false).await?;
            if operations > 0 {
                tracing::info!(%zone, operations, with_thresholds, "thresholds were computed");
            }
            Ok(())
        };
        self.hourly.each_due(end, compute).await
    }

    /// Computes a zone's thresholds anew as of an hour, and replaces what is stored; what is stored of later hours only
    /// if `keep_newer` is not asked for.
    pub(crate) async fn recompute(&self, zone: &ZoneId, end: Hour, keep_newer: bool) -> Result<Computed, ComputeError> {
        self.hourly.now(self.compute(zone, end, None, keep_newer)).await
    }

    /// Computes a zone's thresholds as of an hour. What is stored counts for the hours until `done`; without it, the
    /// records alone do.
    async fn compute(
        &self,
        zone: &ZoneId,
        end: Hour,
        done: Option<Hour>,
        keep_newer: bool,
    ) -> Result<Computed, StoreFailure> {
        let oldest = hours_before(end, KEEP_HOURS);
        // A day that ended then began 24 hours before.
        let first = hours_before(done.map_or(oldest, |done| done.max(oldest)), SessionWindow::HOURS);
        let stored = self.hourly.store.thresholds_all(zone).await?;
        let mut operations = self.hourly.store.session_operations(zone, first, end).await?;
        operations.extend(stored.iter().map(|(operation, _)| *operation));
        operations.sort_unstable();
        operations.dedup();
        let mut computed = Computed { operations: operations.len() as u64, with_thresholds: 0 };
        for some in operations.chunks(OPERATIONS_AT_ONCE) {
            self.hourly.take_lease().await?;
            let mut results = self.results(zone, some, end, done).await?;
            let before = |operation: OperationId| {
                let place = stored.binary_search_by_key(&operation, |(operation, _)| *operation).ok()?;
                Some(Hour::of(stored[place].1))
            };
            results.retain(|(operation, result)| {
                let stays = before(*operation).is_some_and(|before| {
                    // A result of a day that was looked at before stays until it is too old.
                    let still_holds = result.is_none() && done.is_some() && before >= oldest;
                    still_holds || (keep_newer && before > end)
                });
                computed.with_thresholds += u64::from(stays || result.is_some());
                !stays
            });
            self.hourly.store.thresholds_replace(zone, results).await?;
        }
        Ok(computed)
    }

    /// The results of some operations: of this day, or of the latest one that was not looked at yet and had enough
    /// sessions.
    async fn results(
        &self,
        zone: &ZoneId,
        operations: &[OperationId],
        end: Hour,
        done: Option<Hour>,
    ) -> Result<Vec<(OperationId, Option<StoredThresholds>)>, StoreFailure> {
        let windows = self.hourly.store.session_windows(zone, operations.to_vec(), end).await?;
        let mut found = self.judged(zone, end, windows).await?;
        let earliest = hours_before(end, KEEP_HOURS).max(done.map_or(Hour::of(0), |done| hours_after(done, 1)));
        for operation in operations {
            if found.iter().any(|(with_result, _)| with_result == operation) {
                continue;
            }
            let earlier = lookback::latest(&self.hourly.store, zone, *operation, earliest, end).await?;
            let result = match earlier {
                Some((end, window)) => self.judged(zone, end, vec![window]).await?.pop().map(|(_, result)| result),
                None => None,
            };
            if let Some(result) = result {
                found.push((*operation, result));
            }
        }
        let result_of = |operation: &OperationId| {
            let place = found.iter().position(|(with_result, _)| with_result == operation)?;
            Some(found[place].1.clone())
        };
        Ok(operations.iter().map(|operation| (*operation, result_of(operation))).collect())
    }

    /// What days suggest; those without enough sessions are left out. Takes milliseconds for each, on another thread.
    async fn judged(
        &self,
        zone: &ZoneId,
        end: Hour,
        windows: Vec<(OperationId, WindowTotals, Vec<Source>)>,
    ) -> Result<Vec<(OperationId, StoredThresholds)>, StoreFailure> {
        let judging = spawn_blocking(move || {
            let judged = windows
                .into_iter()
                .filter_map(|(operation, totals, sources)| Some((operation, Thresholds::of(end, totals)?, sources)));
            judged.collect::<Vec<_>>()
        });
        let judged = judging.await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
        let mut results = Vec::with_capacity(judged.len());
        for (operation, thresholds, sources) in judged {
            let session_by = session_by(&self.hourly.store, zone, &sources).await?;
            results.push((operation, StoredThresholds { thresholds, session_by }));
        }
        Ok(results)
    }
}

/// What told sessions apart in these sources, where it was not the zone's session identifiers.
pub(crate) async fn session_by(
    store: &Store,
    zone: &ZoneId,
    sources: &[Source],
) -> Result<Option<String>, StoreFailure> {
    let imported: Vec<Source> =
        sources.iter().filter(|source| source.as_str().starts_with("import:")).cloned().collect();
    if imported.is_empty() {
        return Ok(None);
    }
    let mut fields: Vec<String> =
        store.import_session_by(zone, &imported).await?.into_iter().filter_map(|(_, field)| field).collect();
    fields.sort_unstable();
    fields.dedup();
    Ok(Some(fields.join(", ")).filter(|fields| !fields.is_empty()))
}
