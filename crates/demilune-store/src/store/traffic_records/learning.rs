//! Questions about evidence of what callers send, and what keeps it within its time and room.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_traffic::Hour;

use super::super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, ready, transaction};
use crate::traffic::{
    LearningRow, LearningWritten, OPERATIONS_MAX, StoredEvidence, SummariesMaintained, Table, TrafficLimits,
    learning::{self, LearningTidied},
    sessions::{self, SessionUsage},
};

impl Store {
    /// Stores cumulative evidence, all or none; each replaces what is stored only when its sequence is higher. That of an
    /// hour that ended over a week ago, or is packed, is refused and counted.
    pub async fn learning_write(
        &self,
        rows: Vec<LearningRow>,
        now: Timestamp,
    ) -> Result<LearningWritten, StoreFailure> {
        let written = write_traffic!(self, |connection| learning::write(connection, &rows, now))?;
        let counters = &self.inner.counters.traffic;
        counters.learning_written.fetch_add(written.stored as u64, Ordering::Relaxed);
        counters.learning_refused_late.fetch_add(written.refused_late as u64, Ordering::Relaxed);
        Ok(written)
    }

    /// The evidence of an operation in the hours from `from` on and before `until`, by time: of hours, and of days that
    /// lie in between as a whole. Rows that cannot be read are left out, counted, and named in the log.
    pub async fn learning_evidence(
        &self,
        zone: &ZoneId,
        operation: OperationId,
        from: Hour,
        until: Hour,
    ) -> Result<Vec<StoredEvidence>, StoreFailure> {
        let zone = zone.clone();
        let (evidence, damaged) =
            read_traffic!(self, |connection| learning::read(connection, &zone, operation, from, until))?;
        self.inner.counters.traffic.learning_damaged.fetch_add(damaged, Ordering::Relaxed);
        Ok(evidence)
    }

    /// The operations of a zone that have evidence in the hours from `from` on and before `until`; by id.
    pub async fn learning_operations(
        &self,
        zone: &ZoneId,
        from: Hour,
        until: Hour,
    ) -> Result<Vec<OperationId>, StoreFailure> {
        let zone = zone.clone();
        read_traffic!(self, |connection| sessions::operations(connection, Table::Learning, &zone, from, until))
    }

    /// Packs evidence, and takes out what is too old, of nobody or too much.
    pub(super) async fn learning_maintain(
        &self,
        now: Timestamp,
        limits: TrafficLimits,
    ) -> Result<SummariesMaintained, StoreFailure> {
        let mut done = SummariesMaintained::default();
        let mut usage = SessionUsage::default();
        let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for zone in self.traffic_zones(Table::Learning).await? {
            let (of_zone, orphans) = self.traffic_orphans(Table::Learning, &zone).await?;
            done.orphans += self.traffic_forget_texts(Table::Learning, &zone, &orphans).await?;
            for some in of_zone.chunks(OPERATIONS_MAX) {
                self.learning_tidy(&zone, some, now, &mut done).await?;
                usage.merge(self.summary_usage(Table::Learning, &zone, some).await?);
            }
            kept.insert(zone, of_zone);
        }
        if let Some(before) = usage.shrink(limits.learning_bytes_max) {
            done.over_limit = self.summaries_prune(Table::Learning, &kept, before).await?;
        }
        let counters = &self.inner.counters.traffic;
        counters.learning_rows.store(usage.rows(), Ordering::Relaxed);
        counters.learning_bytes.store(usage.bytes(), Ordering::Relaxed);
        // Orphans were counted as they went.
        counters.learning_pruned.fetch_add(done.aged_out + done.over_limit, Ordering::Relaxed);
        Ok(done)
    }

    /// Packs days until none is left: a few in each transaction, so that gateways get their turn in between.
    async fn learning_tidy(
        &self,
        zone: &str,
        operations: &[String],
        now: Timestamp,
        done: &mut SummariesMaintained,
    ) -> Result<(), StoreFailure> {
        loop {
            let (zone, some) = (zone.to_owned(), operations.to_vec());
            let LearningTidied { days, aged_out, damaged } =
                write_traffic!(self, |connection| learning::tidy(connection, &zone, &some, now))?;
            done.aged_out += aged_out;
            done.packed += days;
            self.inner.counters.traffic.learning_damaged.fetch_add(damaged, Ordering::Relaxed);
            if days == 0 {
                return Ok(());
            }
        }
    }
}
