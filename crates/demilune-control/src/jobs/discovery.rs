//! Finds operations among requests that none matches: every hour, and when somebody asks.

use demilune_discovery::{Candidate, DiscoveryOptions, Sightings, candidates};
use demilune_inventory::{Timestamp, ZoneId};
use demilune_store::{Discovery, FoundOperation, Store, StoreFailure};
use demilune_traffic::Hour;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::hourly::{ComputeError, Hourly, last_complete_hour};
use crate::{
    clock::{hour_time, unix_seconds},
    discovery::explanation,
};

/// How many days are looked at beside the one that has begun.
const DAYS: u64 = 10;

/// Finds operations, in any number of processes on one store.
pub struct DiscoveryJob {
    hourly: Hourly,
}

impl DiscoveryJob {
    /// The job of this process.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { hourly: Hourly::new(store, "discovery") }
    }

    /// Looks at every zone once an hour, until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        self.hourly.run(stop, async |now| self.compute_due(now).await).await;
    }

    pub(crate) async fn compute_due(&self, now: Timestamp) -> Result<(), StoreFailure> {
        self.hourly.each_due(last_complete_hour(now), async |zone: &ZoneId, _| self.compute(zone, now).await).await
    }

    /// Finds a zone's operations anew, from all that is stored by now.
    pub(crate) async fn recompute(&self, zone: &ZoneId, now: Timestamp) -> Result<(), ComputeError> {
        self.hourly.now(self.compute(zone, now)).await
    }

    async fn compute(&self, zone: &ZoneId, now: Timestamp) -> Result<(), StoreFailure> {
        let (seconds, from) = (unix_seconds(now), unix_seconds(period_start(now)));
        let mut sum = Sightings::default();
        for (day, source) in self.hourly.store.sightings_list(zone, from, seconds.saturating_add(1)).await? {
            self.hourly.take_lease().await?;
            let Some(bytes) = self.hourly.store.sightings_get(zone, day, &source).await? else { continue };
            let merged = run(move || match Sightings::decode(&bytes) {
                Ok(sightings) => {
                    sum.merge(&sightings);
                    (sum, None)
                }
                Err(error) => (sum, Some(error)),
            });
            let (merged, damage) = merged.await?;
            sum = merged;
            if let Some(error) = damage {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, %zone, day, %source, "what a source saw in a day cannot be read; it is left out");
            }
        }
        let requests = sum.requests();
        let found = run(move || candidates(&sum, &DiscoveryOptions::default()).iter().map(found).collect()).await?;
        let discovery: Vec<FoundOperation> = found;
        if requests > 0 {
            tracing::info!(%zone, requests, operations = discovery.len(), "requests without an operation were looked at");
        }
        let discovery = Discovery { found: discovery, period_seconds: seconds.saturating_sub(from), computed_at: now };
        self.hourly.store.discovery_replace(zone, discovery).await
    }
}

/// From when on requests are looked at: the start of a day, ten days before this one.
pub(crate) fn period_start(now: Timestamp) -> Timestamp {
    let today = Sightings::day_of(unix_seconds(now));
    hour_time(Hour::of(today.saturating_sub(DAYS * Sightings::DAY_SECONDS)))
}

/// Works on sightings off the threads that answer calls: millions of them take some hundred milliseconds.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreFailure> {
    spawn_blocking(work).await.map_err(|error| StoreFailure::Internal(Box::new(error)))
}

fn found(candidate: &Candidate) -> FoundOperation {
    FoundOperation {
        key: candidate.key.clone(),
        example: candidate.example(),
        origins: candidate.origins.iter().map(|origin| origin.as_str().to_owned()).collect(),
        requests: candidate.requests,
        explanation: explanation(candidate).to_string(),
    }
}
