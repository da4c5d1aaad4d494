//! Takes what the gateway learned to the store, once a minute for each operation and at the end.

use std::time::Duration;

use demilune_gateway::{LearnedHour, Learner};
use demilune_store::{LearningRow, Store, StoreFailure};
use demilune_traffic::Source;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{flush::now, periodically::periodically};

/// How often to look for evidence: each operation's is due once a minute.
const EVERY: Duration = Duration::from_secs(10);
/// Most evidence in one transaction: usually some megabytes, at most some tens.
const BATCH_MAX: usize = 200;

/// Goes on until it is told to stop, and once more then. Evidence is cumulative: what the store did not take is part of
/// what comes next.
pub(crate) async fn learn(learner: Option<Learner>, store: Store, source: Source, stop: CancellationToken) {
    let Some(learner) = learner else { return };
    periodically(EVERY, "pieces of evidence", stop, async |end| store_changed(&learner, &store, &source, end).await)
        .await;
}

async fn store_changed(learner: &Learner, store: &Store, source: &Source, end: bool) -> Result<(), StoreFailure> {
    let mut stored: Vec<_> = Vec::new();
    loop {
        let Some(now) = now() else { return Ok(()) };
        let seconds = u64::try_from(now.as_micros() / 1_000_000).unwrap_or(0);
        let asked = learner.clone();
        // Waits while the learner is at it, and takes some milliseconds to write evidence as bytes.
        let changed = spawn_blocking(move || {
            asked.stored(&stored);
            asked.changed(seconds, BATCH_MAX, end)
        });
        let changed = changed.await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
        if changed.is_empty() {
            return Ok(());
        }
        stored = changed.iter().map(|hour| (hour.key, hour.hour, hour.sequence)).collect();
        let rows = changed.into_iter().filter_map(|hour| row(hour, source));
        store.learning_write(rows.collect(), now).await?;
    }
}

fn row(learned: LearnedHour, source: &Source) -> Option<LearningRow> {
    let LearnedHour { key, hour, published, sequence, evidence } = learned;
    let (zone, operation) = (key.zone().parse().ok()?, key.operation?);
    Some(LearningRow { zone, operation, source: source.clone(), hour, published, sequence, evidence })
}
