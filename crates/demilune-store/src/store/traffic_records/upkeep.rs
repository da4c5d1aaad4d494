//! Keeps records within their time and room.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use demilune_inventory::{OperationId, Timestamp, ZoneId};

use super::super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, ready, transaction};
use crate::{
    operation,
    traffic::{self, Cut, OPERATIONS_MAX, Table, Tidied, TrafficLimits, TrafficMaintained, Usage},
};

impl Store {
    /// Packs five-minute records that are over a week old by the hour, and takes out those that are over 400 days old,
    /// of nobody, or more than there is room for. Likewise samples of sessions: those of hours that ended over an hour
    /// ago are packed, and over a week ago taken out; and evidence of what callers send: days that ended over a day ago are
    /// packed, and over eight days ago taken out. Events are taken out a month later; `stats` count them. To be called every hour or so, by any number of processes: what one
    /// has done, the next finds done.
    pub async fn traffic_maintain(
        &self,
        now: Timestamp,
        limits: TrafficLimits,
    ) -> Result<TrafficMaintained, StoreFailure> {
        let mut done = TrafficMaintained::default();
        let mut hours = BTreeSet::new();
        let mut usage = Usage::default();
        let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for zone in self.traffic_zones(Table::Records).await? {
            let (of_zone, orphans) = self.traffic_orphans(Table::Records, &zone).await?;
            done.orphans += self.traffic_forget_texts(Table::Records, &zone, &orphans).await?;
            for some in of_zone.chunks(OPERATIONS_MAX) {
                let Tidied { hours: packed, aged_out, damaged } = self.traffic_tidy(&zone, some, now).await?;
                hours.extend(packed);
                done.aged_out += aged_out;
                self.inner.counters.traffic.damaged.fetch_add(damaged, Ordering::Relaxed);
                usage.merge(self.traffic_usage(&zone, some).await?);
            }
            kept.insert(zone, of_zone);
        }
        done.hours_packed = hours.len() as u64;
        for cut in usage.shrink(limits.bytes_max) {
            done.over_limit += self.traffic_prune(&kept, cut).await?;
        }
        self.count_maintained(done, &usage);
        done.sessions = self.sessions_maintain(now, limits).await?;
        done.learning = self.learning_maintain(now, limits).await?;
        self.imports_maintain().await?;
        self.events_maintain(now, limits).await?;
        self.sightings_maintain(now).await?;
        Ok(done)
    }

    pub(super) async fn traffic_zones(&self, table: Table) -> Result<Vec<String>, StoreFailure> {
        read_traffic!(self, |connection| traffic::zones(connection, table))
    }

    /// The operations of a zone with rows in a table, those that are there apart from those that are gone. The rows come
    /// first: an operation that is added meanwhile has none among them.
    pub(super) async fn traffic_orphans(
        &self,
        table: Table,
        zone: &str,
    ) -> Result<(Vec<String>, Vec<String>), StoreFailure> {
        let stored = self.traffic_operations(table, zone).await?;
        let known = match zone.parse::<ZoneId>() {
            Ok(zone) if self.zone_get(&zone).await?.is_some() => {
                let ids: BTreeSet<OperationId> = read!(self, |connection| operation::ids(connection, &zone))?;
                let texts = ids.into_iter().map(Some).chain([None]).map(traffic::operation_text);
                texts.collect::<BTreeSet<String>>()
            }
            _ => BTreeSet::new(),
        };
        Ok(stored.into_iter().partition(|operation| known.contains(operation)))
    }

    async fn traffic_tidy(&self, zone: &str, operations: &[String], now: Timestamp) -> Result<Tidied, StoreFailure> {
        let (zone, operations) = (zone.to_owned(), operations.to_vec());
        write_traffic!(self, |connection| traffic::tidy(connection, &zone, &operations, now))
    }

    async fn traffic_usage(&self, zone: &str, operations: &[String]) -> Result<Usage, StoreFailure> {
        let (zone, operations) = (zone.to_owned(), operations.to_vec());
        read_traffic!(self, |connection| Usage::read(connection, &zone, &operations))
    }

    async fn traffic_prune(&self, kept: &BTreeMap<String, Vec<String>>, cut: Cut) -> Result<u64, StoreFailure> {
        let mut taken = 0;
        for (zone, operations) in kept {
            for some in operations.chunks(OPERATIONS_MAX) {
                let (zone, some) = (zone.clone(), some.to_vec());
                taken += write_traffic!(self, |connection| traffic::prune(connection, &zone, &some, cut))?;
            }
        }
        Ok(taken)
    }

    fn count_maintained(&self, done: TrafficMaintained, usage: &Usage) {
        let counters = &self.inner.counters.traffic;
        counters.rows.store(usage.rows(), Ordering::Relaxed);
        counters.bytes.store(usage.bytes(), Ordering::Relaxed);
        // Orphans were counted as they went.
        counters.pruned.fetch_add(done.aged_out + done.over_limit, Ordering::Relaxed);
    }
}
