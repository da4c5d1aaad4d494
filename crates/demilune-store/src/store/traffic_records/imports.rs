//! Questions about what was imported.

use demilune_inventory::{Timestamp, ZoneId};
use demilune_traffic::Source;

use super::super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, ready, transaction};
use crate::traffic::{ImportBegun, Table, imports};

impl Store {
    /// Notes that a content is about to be imported under a source, by its hash, and what tells its sessions apart where
    /// that is not the zone's session identifiers. If it was imported before under another source, all that source had
    /// counted and seen is taken out in the same transaction: a content counts once.
    pub async fn import_begin(
        &self,
        zone: &ZoneId,
        content_hash: &str,
        source: &Source,
        session_by: Option<&str>,
        now: Timestamp,
    ) -> Result<ImportBegun, StoreFailure> {
        let (zone, hash) = (zone.clone(), content_hash.to_owned());
        let (source, session_by) = (source.clone(), session_by.map(str::to_owned));
        write_traffic!(self, |connection| {
            imports::begin(connection, &zone, &hash, &source, session_by.as_deref(), now)
        })
    }

    /// What told sessions apart in what these sources have counted, none where it was the zone's session identifiers.
    /// Sources that are no imports are left out.
    pub async fn import_session_by(
        &self,
        zone: &ZoneId,
        sources: &[Source],
    ) -> Result<Vec<(Source, Option<String>)>, StoreFailure> {
        let (zone, sources) = (zone.clone(), sources.to_vec());
        read_traffic!(self, |connection| imports::session_by(connection, &zone, &sources))
    }

    /// Forgets the imports of a zone that is gone.
    pub(super) async fn imports_forget(&self, zone: &str) -> Result<(), StoreFailure> {
        let zone = zone.to_owned();
        write_traffic!(self, |connection| imports::forget(connection, &zone))
    }

    /// Forgets the imports of zones that are gone.
    pub(super) async fn imports_maintain(&self) -> Result<(), StoreFailure> {
        for zone in self.traffic_zones(Table::Imports).await? {
            let there = match zone.parse() {
                Ok(zone) => self.zone_get(&zone).await?.is_some(),
                Err(_) => false,
            };
            if !there {
                self.imports_forget(&zone).await?;
            }
        }
        Ok(())
    }
}
