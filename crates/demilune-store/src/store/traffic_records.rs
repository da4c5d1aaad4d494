//! Questions about records of traffic and samples of its sessions.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_traffic::Record;

use super::{
    Announcer, Backend, Batches, Connection, Counters, Sqlite, SqliteConnection, Store, StoreFailure, ready,
    transaction,
};
use crate::{
    error::{Cause, OpenError, QueryError},
    traffic::{self, Place, Sums, Table, TrafficRow, TrafficScope, TrafficSeries, TrafficWritten, Window},
};

/// Runs a question about records on a connection that reads.
macro_rules! read_traffic {
    ($store:ident, |$connection:ident| $question:expr) => {{
        let outcome = match &$store.inner.backend {
            Backend::Sqlite { traffic, .. } => {
                let work = move |held: &mut SqliteConnection| {
                    let $connection = &mut Connection::Sqlite(held);
                    ready($question)
                };
                match traffic.opened() {
                    Ok(sqlite) => sqlite.read(work).await.and_then(|outcome| outcome),
                    Err(failure) => Err(failure),
                }
                .map_err(|failure| traffic.named(failure))
            }
            Backend::Postgres(postgres) => match postgres.acquire().await {
                Ok(mut held) => {
                    let $connection = &mut held.connection();
                    $question.await
                }
                Err(failure) => Err(failure),
            },
        };
        outcome.map_err(|failure| $store.counted(failure))
    }};
}

/// Changes records, in a transaction of its own.
macro_rules! write_traffic {
    ($store:ident, |$connection:ident| $work:expr) => {{
        let outcome: Result<_, StoreFailure> = match &$store.inner.backend {
            Backend::Sqlite { traffic, .. } => {
                let work = move |held: &mut SqliteConnection| {
                    let $connection = &mut Connection::Sqlite(held);
                    ready(async { transaction!($connection, $work.await) })
                };
                let outcome: Result<_, QueryError> = match traffic.opened() {
                    Ok(sqlite) => sqlite.write_alone(work).await.map_err(QueryError::from).and_then(|outcome| outcome),
                    Err(failure) => Err(failure.into()),
                };
                outcome.map_err(|error| traffic.named(error.into()))
            }
            Backend::Postgres(postgres) => match postgres.acquire().await {
                Ok(mut held) => {
                    let $connection = &mut held.transaction();
                    let outcome: Result<_, QueryError> = transaction!($connection, $work.await);
                    held.ended();
                    outcome.map_err(StoreFailure::from)
                }
                Err(failure) => Err(failure),
            },
        };
        outcome.map_err(|failure| $store.counted(failure))
    }};
}

mod events;
mod imports;
mod learning;
mod sessions;
mod sightings;
mod upkeep;

impl Store {
    /// Stores cumulative snapshots of records, all or none; each replaces what is stored only when its sequence is
    /// higher. Those of five minutes that ended over a week ago are refused and counted; so are samples of sessions of an
    /// hour that did.
    pub async fn traffic_write(&self, rows: Vec<TrafficRow>, now: Timestamp) -> Result<TrafficWritten, StoreFailure> {
        let written = write_traffic!(self, |connection| traffic::write(connection, &rows, now))?;
        let counters = &self.inner.counters.traffic;
        counters.written.fetch_add(written.stored as u64, Ordering::Relaxed);
        counters.refused_late.fetch_add(written.refused_late as u64, Ordering::Relaxed);
        counters.session_written.fetch_add(written.sessions_stored as u64, Ordering::Relaxed);
        counters.session_refused_late.fetch_add(written.sessions_refused_late as u64, Ordering::Relaxed);
        Ok(written)
    }

    /// What was counted between two times: by five minutes, and by the hour where it is older than a week. A stretch
    /// that one of the two times lies in is there as a whole.
    pub async fn traffic_series(
        &self,
        zone: &ZoneId,
        scope: TrafficScope,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<TrafficSeries, StoreFailure> {
        let operations = match scope {
            TrafficScope::Zone => self.traffic_operations(Table::Records, zone.as_str()).await?,
            TrafficScope::Operation(id) => vec![traffic::operation_text(Some(id))],
            TrafficScope::Unmatched => vec![traffic::operation_text(None)],
        };
        let by_time = |place: Place| (place.start, place.seconds);
        let sums = self.traffic_sums(zone, operations, Window::new(since, until), by_time).await?;
        Ok(TrafficSeries { points: traffic::without_overlap(sums.by_key), damaged: sums.damaged })
    }

    /// What was counted between two times, by operation: requests that none fits first, then by id. Records that
    /// cannot be read are left out, and named in the log.
    pub async fn traffic_totals(
        &self,
        zone: &ZoneId,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(Option<OperationId>, Record)>, StoreFailure> {
        let operations = self.traffic_operations(Table::Records, zone.as_str()).await?;
        let by_operation = |place: Place| place.operation;
        let sums = self.traffic_sums(zone, operations, Window::new(since, until), by_operation).await?;
        Ok(sums.by_key.into_iter().collect())
    }

    /// Takes out the records and samples of operations that are gone. What fails here is done by the next maintenance.
    pub(super) async fn traffic_forget(&self, zone: &ZoneId, operations: Vec<OperationId>) {
        let operations: Vec<String> = operations.into_iter().map(|id| traffic::operation_text(Some(id))).collect();
        for table in [Table::Records, Table::Sessions, Table::Learning] {
            forgotten(self.traffic_forget_texts(table, zone.as_str(), &operations).await);
        }
    }

    /// Takes out the records, samples, imports and events of a zone that is gone, like those of an operation.
    pub(super) async fn traffic_forget_zone(&self, zone: &ZoneId) {
        for table in [Table::Records, Table::Sessions, Table::Learning] {
            let forget = async {
                let operations = self.traffic_operations(table, zone.as_str()).await?;
                self.traffic_forget_texts(table, zone.as_str(), &operations).await
            };
            forgotten(forget.await);
        }
        forgotten(self.imports_forget(zone.as_str()).await);
        forgotten(self.events_forget(zone.as_str()).await);
        forgotten(self.sightings_forget(zone.as_str()).await);
    }

    async fn traffic_operations(&self, table: Table, zone: &str) -> Result<Vec<String>, StoreFailure> {
        let zone = zone.to_owned();
        read_traffic!(self, |connection| traffic::operations(connection, table, &zone))
    }

    /// Sums the records of some operations, a few at a time: what is held at once has a bound, and others get to read
    /// in between.
    async fn traffic_sums<K: Ord + Send + 'static>(
        &self,
        zone: &ZoneId,
        operations: Vec<String>,
        window: Window,
        key: fn(Place) -> K,
    ) -> Result<Sums<K>, StoreFailure> {
        let mut sums = Sums::new();
        for some in operations.chunks(window.operations_at_once()) {
            let (zone, some) = (zone.clone(), some.to_vec());
            sums.merge(read_traffic!(self, |connection| Sums::read(connection, zone.as_str(), &some, window, key))?);
        }
        self.inner.counters.traffic.damaged.fetch_add(sums.damaged, Ordering::Relaxed);
        Ok(sums)
    }

    /// Takes out the rows of some operations in a table, and counts them.
    async fn traffic_forget_texts(&self, table: Table, zone: &str, operations: &[String]) -> Result<u64, StoreFailure> {
        let mut taken = 0;
        for some in operations.chunks(traffic::OPERATIONS_MAX) {
            let (zone, some) = (zone.to_owned(), some.to_vec());
            taken += write_traffic!(self, |connection| traffic::forget(connection, table, &zone, &some))?;
        }
        let counters = &self.inner.counters.traffic;
        let pruned = match table {
            Table::Sessions => &counters.session_pruned,
            Table::Learning => &counters.learning_pruned,
            Table::Records | Table::Imports => &counters.pruned,
        };
        pruned.fetch_add(taken, Ordering::Relaxed);
        Ok(taken)
    }
}

fn forgotten<T>(outcome: Result<T, StoreFailure>) {
    if let Err(failure) = outcome {
        let failure: &dyn std::error::Error = &failure;
        tracing::debug!(failure, "what was counted of what was removed stays until the next maintenance");
    }
}

/// The file that SQLite keeps records in. When it cannot be opened, nothing but records is missing.
pub(super) struct TrafficFile {
    path: PathBuf,
    /// The threads on it, or why there are none.
    sqlite: Result<Sqlite, Arc<OpenError>>,
}

impl TrafficFile {
    /// Opens the file beside the inventory, and makes it when it is missing.
    pub(super) fn open_beside(inventory: &Path, counters: &Arc<Counters>) -> Self {
        let path = traffic::path_beside(inventory);
        let sqlite = traffic::open(&path).and_then(|writer| {
            let unused = Batches::new(0, Arc::clone(counters), Arc::new(Announcer::default()));
            Sqlite::start(&path, writer, unused, Arc::clone(counters))
        });
        if let Err(error) = &sqlite {
            let error: &dyn std::error::Error = error;
            let path = path.display();
            tracing::error!(error, %path, "records of traffic are not kept until this file is repaired or moved away");
        }
        Self { path, sqlite: sqlite.map_err(Arc::new) }
    }

    pub(super) async fn close(&self) {
        if let Ok(sqlite) = &self.sqlite {
            sqlite.close().await;
        }
    }

    fn opened(&self) -> Result<&Sqlite, StoreFailure> {
        self.sqlite.as_ref().map_err(|error| StoreFailure::Unavailable(Box::new(Arc::clone(error))))
    }

    /// Says which of the two files failed.
    fn named(&self, failure: StoreFailure) -> StoreFailure {
        let name = |cause| Box::new(InFile { path: self.path.clone(), cause });
        match failure {
            StoreFailure::Unavailable(cause) => StoreFailure::Unavailable(name(cause)),
            StoreFailure::Internal(cause) => StoreFailure::Internal(name(cause)),
            other => other,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("in {path}")]
struct InFile {
    path: PathBuf,
    #[source]
    cause: Cause,
}
