//! Questions about samples of sessions, and what keeps them within their time and room.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_traffic::{Hour, SessionSample, SessionWindow, Source, WindowTotals};

use super::super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, ready, transaction};
use crate::traffic::{
    OPERATIONS_MAX, SummariesMaintained, Table, TrafficLimits,
    sessions::{self, SessionUsage, SessionsTidied},
};

/// Operations that are read in one statement: in 24 hours some 25 KiB an hour, source and operation, and more for the
/// last two hours, which makes some five megabytes a source.
const WINDOWS_AT_ONCE: usize = 4;

impl Store {
    /// The sessions of operations in the 24 hours that end then, over all sources, with the sources that saw any; by
    /// operation. Those without a sample in this time are left out, and so are samples that cannot be read: they are
    /// counted, and named in the log.
    pub async fn session_windows(
        &self,
        zone: &ZoneId,
        operations: Vec<OperationId>,
        end: Hour,
    ) -> Result<Vec<(OperationId, WindowTotals, Vec<Source>)>, StoreFailure> {
        let mut windows = Vec::with_capacity(operations.len());
        for some in operations.chunks(WINDOWS_AT_ONCE) {
            let (zone, some) = (zone.clone(), some.to_vec());
            let rows = read_traffic!(self, |connection| sessions::read(connection, &zone, &some, end))?;
            // Milliseconds of work, which neither a thread that reads nor one that answers requests should do.
            let summed = tokio::task::spawn_blocking(move || rows.sum_up()).await;
            let (sums, damaged) = summed.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
            self.inner.counters.traffic.session_damaged.fetch_add(damaged, Ordering::Relaxed);
            windows.extend(sums);
        }
        windows.sort_unstable_by_key(|(operation, ..)| *operation);
        windows.dedup_by_key(|(operation, ..)| *operation);
        Ok(windows)
    }

    /// The sessions of an operation in the days that end then, over all sources, as far as they are sampled: who was there,
    /// not how often. Samples that cannot be read are left out, counted, and named in the log.
    pub async fn sessions_seen(
        &self,
        zone: &ZoneId,
        operation: OperationId,
        end: Hour,
        days: u32,
    ) -> Result<SessionSample, StoreFailure> {
        let mut seen = SessionSample::default();
        for day in 0..u64::from(days) {
            let end = Hour::of(end.start().saturating_sub(day * SessionWindow::HOURS * Hour::SECONDS));
            let zone = zone.clone();
            let rows = read_traffic!(self, |connection| sessions::read(connection, &zone, &[operation], end))?;
            let adding = tokio::task::spawn_blocking(move || {
                let damaged = rows.add_to(&mut seen);
                (seen, damaged)
            });
            let (sum, damaged) = adding.await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
            self.inner.counters.traffic.session_damaged.fetch_add(damaged, Ordering::Relaxed);
            seen = sum;
        }
        Ok(seen)
    }

    /// The operations of a zone that have samples in the hours from `since` on and before `until`; by id.
    pub async fn session_operations(
        &self,
        zone: &ZoneId,
        since: Hour,
        until: Hour,
    ) -> Result<Vec<OperationId>, StoreFailure> {
        let zone = zone.clone();
        read_traffic!(self, |connection| sessions::operations(connection, Table::Sessions, &zone, since, until))
    }

    /// Packs samples, and takes out what is too old, of nobody or too much.
    pub(super) async fn sessions_maintain(
        &self,
        now: Timestamp,
        limits: TrafficLimits,
    ) -> Result<SummariesMaintained, StoreFailure> {
        let mut done = SummariesMaintained::default();
        let mut usage = SessionUsage::default();
        let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for zone in self.traffic_zones(Table::Sessions).await? {
            let (of_zone, orphans) = self.traffic_orphans(Table::Sessions, &zone).await?;
            done.orphans += self.traffic_forget_texts(Table::Sessions, &zone, &orphans).await?;
            for some in of_zone.chunks(OPERATIONS_MAX) {
                self.sessions_tidy(&zone, some, now, &mut done).await?;
                usage.merge(self.summary_usage(Table::Sessions, &zone, some).await?);
            }
            kept.insert(zone, of_zone);
        }
        if let Some(before) = usage.shrink(limits.session_bytes_max) {
            done.over_limit = self.summaries_prune(Table::Sessions, &kept, before).await?;
        }
        let counters = &self.inner.counters.traffic;
        counters.session_rows.store(usage.rows(), Ordering::Relaxed);
        counters.session_bytes.store(usage.bytes(), Ordering::Relaxed);
        // Orphans were counted as they went.
        counters.session_pruned.fetch_add(done.aged_out + done.over_limit, Ordering::Relaxed);
        Ok(done)
    }

    /// Packs hours until none is left: a few in each transaction, so that gateways get their turn in between.
    async fn sessions_tidy(
        &self,
        zone: &str,
        operations: &[String],
        now: Timestamp,
        done: &mut SummariesMaintained,
    ) -> Result<(), StoreFailure> {
        loop {
            let (zone, some) = (zone.to_owned(), operations.to_vec());
            let SessionsTidied { hours, aged_out, damaged } =
                write_traffic!(self, |connection| sessions::tidy(connection, &zone, &some, now))?;
            done.aged_out += aged_out;
            done.packed += hours;
            self.inner.counters.traffic.session_damaged.fetch_add(damaged, Ordering::Relaxed);
            if hours == 0 {
                return Ok(());
            }
        }
    }

    pub(super) async fn summary_usage(
        &self,
        table: Table,
        zone: &str,
        operations: &[String],
    ) -> Result<SessionUsage, StoreFailure> {
        let (zone, operations) = (zone.to_owned(), operations.to_vec());
        read_traffic!(self, |connection| SessionUsage::read(connection, table, &zone, &operations))
    }

    pub(super) async fn summaries_prune(
        &self,
        table: Table,
        kept: &BTreeMap<String, Vec<String>>,
        before: u64,
    ) -> Result<u64, StoreFailure> {
        let mut taken = 0;
        for (zone, operations) in kept {
            for some in operations.chunks(OPERATIONS_MAX) {
                let (zone, some) = (zone.clone(), some.to_vec());
                taken += write_traffic!(self, |connection| sessions::prune(connection, table, &zone, &some, before))?;
            }
        }
        Ok(taken)
    }
}
