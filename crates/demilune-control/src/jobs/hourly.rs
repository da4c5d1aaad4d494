//! What jobs share that are done once for each complete hour, by one process for all.

use std::{error::Error, time::Duration};

use demilune_inventory::{Timestamp, ZoneId};
use demilune_store::{Store, StoreFailure};
use demilune_traffic::Hour;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::clock::{self, unix_seconds};

/// How often to see whether an hour is complete.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// How long after an hour its records are taken for complete: gateways send theirs every ten seconds, and evidence of
/// what requests look like every minute; a request is counted when it ends, in the hour of its arrival.
const SETTLE_SECONDS: u64 = 90;
/// How long a lease lasts that is not renewed; some operations take a second.
const LEASE_SECONDS: i64 = 120;
/// How long somebody who asks waits for another process that is at it.
const LEASE_WAIT: Duration = Duration::from_secs(30);

/// A job's place among the processes on one store.
pub(super) struct Hourly {
    /// The store.
    pub(super) store: Store,
    /// The name of the lease, and of the hour that was done last.
    name: &'static str,
    /// Tells this process from others.
    holder: String,
}

/// Why nothing was computed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ComputeError {
    /// Another process is at it, and does not finish.
    #[error("another process is computing: try again in a minute")]
    Busy,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl Hourly {
    pub(super) fn new(store: Store, name: &'static str) -> Self {
        // A process without random numbers tells itself from others by its id; two on one machine differ in it.
        let random = crate::secret::random_bytes::<8>().unwrap_or_default();
        let holder = format!("{:016x}-{}", u64::from_be_bytes(random), std::process::id());
        Self { store, name, holder }
    }

    /// Looks once a minute whether there is something to do, until it is told to stop.
    pub(super) async fn run(&self, stop: CancellationToken, look: impl AsyncFn(Timestamp) -> Result<(), StoreFailure>) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failed = false;
        loop {
            let looked = async {
                ticks.tick().await;
                look(clock::now()).await
            };
            let outcome = tokio::select! {
                outcome = looked => outcome,
                // What is half done is done again by the next; a lease runs out by itself.
                () = stop.cancelled() => return,
            };
            if let Err(error) = &outcome
                && !failed
            {
                let error = error as &dyn Error;
                tracing::warn!(error, "{} cannot be computed; the next try is in a minute", self.name);
            }
            failed = outcome.is_err();
        }
    }

    /// Does the work for each zone whose last complete hour is not done yet, given the hour that was done last; nothing
    /// where another process is at it.
    pub(super) async fn each_due(
        &self,
        end: Hour,
        work: impl AsyncFn(&ZoneId, Option<Hour>) -> Result<(), StoreFailure>,
    ) -> Result<(), StoreFailure> {
        let mut due = Vec::new();
        for zone in self.store.zone_list().await? {
            let done = self.store.job_done(&zone.id, self.name).await?.map(Hour::of);
            if done.is_none_or(|done| done < end) {
                due.push((zone.id, done));
            }
        }
        if due.is_empty() || !self.take_lease().await? {
            return Ok(());
        }
        let worked = async {
            for (zone, done) in due {
                work(&zone, done).await?;
                self.store.job_note(&zone, self.name, end.start()).await?;
            }
            Ok(())
        };
        let worked = worked.await;
        self.release_lease().await?;
        worked
    }

    /// Does some work as soon as no other process is at it.
    pub(super) async fn now<T>(&self, work: impl Future<Output = Result<T, StoreFailure>>) -> Result<T, ComputeError> {
        let give_up = Instant::now() + LEASE_WAIT;
        while !self.take_lease().await? {
            if Instant::now() >= give_up {
                return Err(ComputeError::Busy);
            }
            sleep(Duration::from_millis(200)).await;
        }
        let worked = work.await;
        self.release_lease().await?;
        Ok(worked?)
    }

    /// Takes the lease, or renews it.
    pub(super) async fn take_lease(&self) -> Result<bool, StoreFailure> {
        let now = clock::now();
        let until = now.as_micros().saturating_add(LEASE_SECONDS * 1_000_000);
        let until = Timestamp::from_micros(until).unwrap_or(now);
        self.store.lease_take(self.name, &self.holder, now, until).await
    }

    async fn release_lease(&self) -> Result<(), StoreFailure> {
        self.store.lease_release(self.name, &self.holder).await.map(drop)
    }
}

/// The end of the last hour whose records are complete.
pub(crate) fn last_complete_hour(now: Timestamp) -> Hour {
    Hour::of(unix_seconds(now).saturating_sub(SETTLE_SECONDS))
}

pub(super) fn hours_before(hour: Hour, hours: u64) -> Hour {
    Hour::of(hour.start().saturating_sub(hours * Hour::SECONDS))
}

pub(super) fn hours_after(hour: Hour, hours: u64) -> Hour {
    Hour::of(hour.start().saturating_add(hours * Hour::SECONDS))
}
