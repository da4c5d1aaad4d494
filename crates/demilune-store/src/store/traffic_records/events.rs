//! Questions about events, and what keeps them within their time and room.

use std::sync::atomic::Ordering;

use demilune_inventory::{Timestamp, ZoneId};

use super::super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, ready, transaction};
use crate::traffic::{
    EventFilter, EventPage, TrafficLimits, ValidationEvent,
    events::{self, EventsTidied},
};

impl Store {
    /// Stores events, at most 1,000 in one call, all or none; of zones that have too many, the oldest go. Events out of the
    /// bounds that their type names are refused as [`StoreFailure::Internal`].
    pub async fn events_write(&self, events: Vec<(ZoneId, ValidationEvent)>) -> Result<(), StoreFailure> {
        events::check(&events).map_err(|failure| self.counted(failure))?;
        let written = events.len() as u64;
        let limits = TrafficLimits::default();
        let pruned = write_traffic!(self, |connection| events::write(connection, &events, limits))?;
        let counters = &self.inner.counters.traffic;
        counters.events_written.fetch_add(written, Ordering::Relaxed);
        counters.events_pruned.fetch_add(pruned, Ordering::Relaxed);
        Ok(())
    }

    /// A page of a zone's events that pass a filter, the newest first; of one time, the one written last. Those that
    /// cannot be read are left out, counted, and named in the log.
    pub async fn events_list(
        &self,
        zone: &ZoneId,
        filter: &EventFilter,
        offset: u64,
        limit: u32,
    ) -> Result<EventPage, StoreFailure> {
        let (zone, filter) = (zone.clone(), filter.clone());
        let page = read_traffic!(self, |connection| events::list(connection, &zone, &filter, offset, limit))?;
        self.inner.counters.traffic.events_damaged.fetch_add(page.damaged, Ordering::Relaxed);
        Ok(page)
    }

    /// Takes out events that are too old, of zones that are gone, or too many.
    pub(super) async fn events_maintain(&self, now: Timestamp, limits: TrafficLimits) -> Result<(), StoreFailure> {
        let zones = read_traffic!(self, |connection| events::zones(connection))?;
        for zone in zones {
            let there = match zone.parse() {
                Ok(zone) => self.zone_get(&zone).await?.is_some(),
                Err(_) => false,
            };
            if there {
                self.events_tidy(&zone, now, limits.events_per_zone_max).await?;
            } else {
                self.events_forget(&zone).await?;
            }
        }
        self.events_shrink(limits.events_max).await
    }

    /// Takes out the events of a zone that is gone.
    pub(super) async fn events_forget(&self, zone: &str) -> Result<(), StoreFailure> {
        loop {
            let zone = zone.to_owned();
            let taken = write_traffic!(self, |connection| events::forget(connection, &zone))?;
            if self.events_pruned(taken) == 0 {
                return Ok(());
            }
        }
    }

    async fn events_tidy(&self, zone: &str, now: Timestamp, most: u64) -> Result<(), StoreFailure> {
        loop {
            let zone = zone.to_owned();
            let taken = write_traffic!(self, |connection| events::tidy(connection, &zone, now, most))?;
            if self.events_pruned(taken) == 0 {
                return Ok(());
            }
        }
    }

    async fn events_shrink(&self, most: u64) -> Result<(), StoreFailure> {
        loop {
            let EventsTidied { taken, left } = write_traffic!(self, |connection| events::shrink(connection, most))?;
            self.inner.counters.traffic.events.store(left, Ordering::Relaxed);
            if self.events_pruned(taken) == 0 {
                return Ok(());
            }
        }
    }

    fn events_pruned(&self, taken: u64) -> u64 {
        self.inner.counters.traffic.events_pruned.fetch_add(taken, Ordering::Relaxed);
        taken
    }
}
