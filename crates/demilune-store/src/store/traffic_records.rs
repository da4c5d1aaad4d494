//! Questions about records of traffic.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_traffic::Record;

use super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, ready, transaction};
use crate::{
    operation,
    traffic::{self, TrafficLimits, TrafficMaintained, TrafficRow, TrafficScope, TrafficSeries, TrafficWritten},
};

/// Runs something on the records: in their own file on SQLite, in the one database on PostgreSQL.
macro_rules! on_traffic {
    ($store:ident, $sqlite:ident, |$connection:ident| $work:expr) => {{
        let outcome: Result<_, QueryError> = match &$store.inner.backend {
            Backend::Sqlite { traffic, .. } => {
                let work = move |held: &mut SqliteConnection| {
                    let $connection = &mut Connection::Sqlite(held);
                    ready(async { $work })
                };
                traffic.$sqlite(work).await.map_err(QueryError::from).and_then(|outcome| outcome)
            }
            Backend::Postgres(postgres) => match postgres.acquire().await {
                Ok(mut held) => {
                    let $connection = &mut held.connection();
                    $work
                }
                Err(failure) => Err(failure.into()),
            },
        };
        outcome.map_err(|error| $store.counted(error.into()))
    }};
}

impl Store {
    /// Stores cumulative snapshots of records; each replaces what is stored only when its sequence is higher.
    pub async fn traffic_write(&self, rows: Vec<TrafficRow>, now: Timestamp) -> Result<TrafficWritten, StoreFailure> {
        on_traffic!(self, write_alone, |connection| {
            transaction!(connection, traffic::write(connection, &rows, now).await)
        })
    }

    /// What was counted between two times: by five minutes, and by the hour where it is older than a week.
    pub async fn traffic_series(
        &self,
        zone: &ZoneId,
        scope: TrafficScope,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<TrafficSeries, StoreFailure> {
        let zone = zone.clone();
        on_traffic!(self, read, |connection| {
            traffic::read_series(connection, &zone, scope, since, until).await.map_err(QueryError::from)
        })
    }

    /// What was counted between two times, by operation.
    pub async fn traffic_totals(
        &self,
        zone: &ZoneId,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(Option<OperationId>, Record)>, StoreFailure> {
        let zone = zone.clone();
        on_traffic!(self, read, |connection| {
            traffic::read_totals(connection, &zone, since, until).await.map_err(QueryError::from)
        })
    }

    /// Keeps records within their time and room; to be called every hour or so, by any number of processes.
    pub async fn traffic_maintain(
        &self,
        now: Timestamp,
        limits: TrafficLimits,
    ) -> Result<TrafficMaintained, StoreFailure> {
        let mut known = BTreeMap::new();
        for zone in self.zone_list().await? {
            let of_zone = zone.id.clone();
            let ids: BTreeSet<OperationId> = read!(self, |connection| operation::ids(connection, &of_zone))?;
            known.insert(zone.id, ids);
        }
        on_traffic!(self, write_alone, |connection| {
            transaction!(connection, traffic::maintain(connection, &known, now, limits).await)
        })
    }

    /// Takes out the records of operations that are gone. What fails here is done by the next maintenance.
    pub(super) async fn traffic_forget(&self, zone: &ZoneId, operations: Vec<OperationId>) {
        if operations.is_empty() {
            return;
        }
        let zone = zone.clone();
        let forgotten: Result<(), StoreFailure> = on_traffic!(self, write_alone, |connection| {
            transaction!(connection, traffic::forget(connection, &zone, &operations).await)
        });
        if let Err(failure) = forgotten {
            let failure: &dyn std::error::Error = &failure;
            tracing::debug!(failure, "records of removed operations stay until the next maintenance");
        }
    }
}
