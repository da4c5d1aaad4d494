//! Takes what the gateway counted to the store, every ten seconds and at the end, and keeps the store's records tidy.

use std::{
    error::Error,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use demilune_gateway::{Gateway, RecordKey};
use demilune_inventory::Timestamp;
use demilune_store::{Store, StoreFailure, TrafficKey, TrafficLimits, TrafficMaintained, TrafficRow};
use demilune_traffic::{Bucket, Snapshot, Source};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::periodically::periodically;

/// How often: what a crash loses at most.
const EVERY: Duration = Duration::from_secs(10);
/// How often stored records are tidied: each round has an hour's worth to do.
const MAINTAIN_EVERY: Duration = Duration::from_hours(1);
/// Most snapshots in one transaction, so that none holds the store for long.
const BATCH_MAX: usize = 2_000;

/// Flushes until it is told to stop, and once more then. Snapshots are cumulative: one that the store did not take is
/// part of the next.
pub(crate) async fn flush(gateway: Gateway, store: Store, source: Source, stop: CancellationToken) {
    periodically(EVERY, "records", stop, async |_| flush_all(&gateway, &store, &source).await).await;
}

/// Keeps stored records within their time and room, once an hour. Any number of gateways may do it.
pub(crate) async fn maintain(store: Store, stop: CancellationToken) {
    let mut ticks = interval(MAINTAIN_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let Some(now) = now() else { continue };
        match store.traffic_maintain(now, TrafficLimits::default()).await {
            Ok(done) if done != TrafficMaintained::default() => {
                let TrafficMaintained { hours_packed, aged_out, orphans, over_limit, sessions, learning } = done;
                tracing::info!(
                    hours_packed,
                    aged_out,
                    orphans,
                    over_limit,
                    ?sessions,
                    ?learning,
                    "stored records were tidied"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = &error as &dyn Error, "stored records could not be tidied"),
        }
    }
}

/// A clock beyond the year 9999 has no timestamp.
pub(super) fn now() -> Option<Timestamp> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_micros()).ok().and_then(Timestamp::from_micros)
}

async fn flush_all(gateway: &Gateway, store: &Store, source: &Source) -> Result<(), StoreFailure> {
    loop {
        let Some(now) = now() else { return Ok(()) };
        let seconds = u64::try_from(now.as_micros() / 1_000_000).unwrap_or(0);
        let changed = gateway.records().changed(seconds, BATCH_MAX);
        let stored: Vec<_> = changed.iter().map(|(key, bucket, snapshot)| (*key, *bucket, snapshot.sequence)).collect();
        if stored.is_empty() {
            return Ok(());
        }
        let rows = changed.into_iter().filter_map(|(key, bucket, snapshot)| row(&key, bucket, snapshot, source));
        store.traffic_write(rows.collect(), now).await?;
        gateway.records().stored(&stored);
        if stored.len() < BATCH_MAX {
            return Ok(());
        }
    }
}

fn row(key: &RecordKey, bucket: Bucket, snapshot: Snapshot, source: &Source) -> Option<TrafficRow> {
    let zone = key.zone().parse().ok()?;
    Some(TrafficRow { key: TrafficKey { zone, operation: key.operation }, bucket, source: source.clone(), snapshot })
}
