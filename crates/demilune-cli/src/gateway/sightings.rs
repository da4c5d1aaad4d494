//! Takes what the gateway saw of requests that no operation matches to the store.

use std::time::Duration;

use demilune_gateway::{Learner, SightedDay};
use demilune_store::{SightingsRow, Store, StoreFailure};
use demilune_traffic::Source;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{flush::now, periodically::periodically};

/// How often to look for what has grown.
const EVERY: Duration = Duration::from_secs(5);

/// Goes on until it is told to stop, and once more then. Sightings are cumulative: what the store did not take is part of
/// what comes next.
pub(crate) async fn sightings(learner: Option<Learner>, store: Store, source: Source, stop: CancellationToken) {
    let Some(learner) = learner else { return };
    periodically(EVERY, "sightings", stop, async |end| store_changed(&learner, &store, &source, end).await).await;
}

async fn store_changed(learner: &Learner, store: &Store, source: &Source, end: bool) -> Result<(), StoreFailure> {
    loop {
        let Some(now) = now() else { return Ok(()) };
        let seconds = u64::try_from(now.as_micros() / 1_000_000).unwrap_or(0);
        let asked = learner.clone();
        // Takes some milliseconds to write sightings as bytes.
        let sighted = spawn_blocking(move || asked.sighted(seconds, end)).await;
        let Some(sighted) = sighted.map_err(|error| StoreFailure::Internal(Box::new(error)))? else { return Ok(()) };
        let SightedDay { key, day, sequence, sightings } = sighted;
        if let Ok(zone) = key.zone().parse() {
            store.sightings_write(SightingsRow { zone, source: source.clone(), day, sequence, sightings }, now).await?;
        }
        learner.sighted_stored(key, day, sequence);
    }
}
