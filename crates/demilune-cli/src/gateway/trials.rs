//! Takes what was counted of documents on trial to the store.

use std::time::Duration;

use demilune_gateway::{Gateway, TrialCounts};
use demilune_store::{Store, StoreFailure, TrialRow};
use demilune_traffic::Source;
use tokio_util::sync::CancellationToken;

use super::periodically::periodically;

/// How often: who looks at a trial sees what was a few seconds ago.
const EVERY: Duration = Duration::from_secs(3);
/// Most operations in one transaction.
const BATCH_MAX: usize = 500;

/// Goes on until it is told to stop, and once more then. Counts are cumulative: what the store did not take is part of what
/// comes next.
pub(crate) async fn trials(gateway: Gateway, store: Store, source: Source, stop: CancellationToken) {
    periodically(EVERY, "counts of trials", stop, async |_| store_changed(&gateway, &store, &source).await).await;
}

async fn store_changed(gateway: &Gateway, store: &Store, source: &Source) -> Result<(), StoreFailure> {
    loop {
        let changed = gateway.trials().changed(BATCH_MAX);
        if changed.is_empty() {
            return Ok(());
        }
        store.trial_count(changed.iter().filter_map(|counts| row(counts, source)).collect()).await?;
        gateway.trials().stored(&changed);
        if changed.len() < BATCH_MAX {
            return Ok(());
        }
    }
}

fn row(counts: &TrialCounts, source: &Source) -> Option<TrialRow> {
    let TrialCounts { key, trial, tally } = counts;
    Some(TrialRow {
        zone: key.zone().parse().ok()?,
        trial: trial.parse().ok()?,
        operation: key.operation?,
        source: source.clone(),
        tally: tally.clone(),
    })
}
