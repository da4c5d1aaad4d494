//! Questions about requests that no operation matches, and what keeps them within their time.

use demilune_inventory::{Timestamp, ZoneId};
use demilune_traffic::Source;

use super::super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, ready, transaction};
use crate::traffic::{SightingsRow, sightings};

impl Store {
    /// Stores cumulative sightings, which replace what is stored only if their sequence is higher. False if their day is
    /// over eleven days ago and not kept.
    pub async fn sightings_write(&self, row: SightingsRow, now: Timestamp) -> Result<bool, StoreFailure> {
        write_traffic!(self, |connection| sightings::write(connection, &row, now))
    }

    /// Which days of a zone were seen by whom: those that begin at `from` or later, in seconds since the epoch, and
    /// before `until`.
    pub async fn sightings_list(
        &self,
        zone: &ZoneId,
        from: u64,
        until: u64,
    ) -> Result<Vec<(u64, Source)>, StoreFailure> {
        let zone = zone.clone();
        read_traffic!(self, |connection| sightings::list(connection, &zone, from, until))
    }

    /// What a source saw in a day of a zone; none if that was taken out meanwhile.
    pub async fn sightings_get(
        &self,
        zone: &ZoneId,
        day: u64,
        source: &Source,
    ) -> Result<Option<Vec<u8>>, StoreFailure> {
        let (zone, source) = (zone.clone(), source.clone());
        read_traffic!(self, |connection| sightings::get(connection, &zone, day, &source))
    }

    /// Takes out what is too old, or of zones that are gone.
    pub(super) async fn sightings_maintain(&self, now: Timestamp) -> Result<(), StoreFailure> {
        for zone in read_traffic!(self, |connection| sightings::zones(connection))? {
            let there = match zone.parse() {
                Ok(zone) => self.zone_get(&zone).await?.is_some(),
                Err(_) => false,
            };
            self.sightings_prune(&zone, there.then_some(now)).await?;
        }
        Ok(())
    }

    /// Takes out the sightings of a zone that is gone.
    pub(super) async fn sightings_forget(&self, zone: &str) -> Result<(), StoreFailure> {
        self.sightings_prune(zone, None).await
    }

    async fn sightings_prune(&self, zone: &str, now: Option<Timestamp>) -> Result<(), StoreFailure> {
        let zone = zone.to_owned();
        write_traffic!(self, |connection| sightings::prune(connection, &zone, now)).map(drop)
    }
}
