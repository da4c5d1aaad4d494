//! Questions about operations that were discovered.

use std::{collections::BTreeMap, sync::Arc};

use demilune_inventory::ZoneId;

use super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, TRIES_MAX, ready, transaction};
use crate::discovered::{self, DiscoveredId, DiscoveredOperation, Discovery};

impl Store {
    /// Puts what was found in a zone in the place of what was found before, all or nothing. What is ignored stays so, also
    /// while it is not found. The zone's revision does not move.
    pub async fn discovery_replace(&self, zone: &ZoneId, discovery: Discovery) -> Result<(), StoreFailure> {
        let discovery = Arc::new(discovery);
        write_tried!(self, (zone, discovery), |connection| discovered::replace(connection, &zone, &discovery))
    }

    /// What was discovered in a zone, by id.
    pub async fn discovered_list(&self, zone: &ZoneId) -> Result<Vec<DiscoveredOperation>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| discovered::list(connection, &zone))
    }

    /// One discovered operation, with what it rests on; none if there is none.
    pub async fn discovered_get(
        &self,
        zone: &ZoneId,
        id: &DiscoveredId,
    ) -> Result<Option<(DiscoveredOperation, String)>, StoreFailure> {
        let (zone, id) = (zone.clone(), id.clone());
        read!(self, |connection| discovered::get(connection, &zone, &id))
    }

    /// Has discovered operations be ignored, or not any more. If any of them is unknown, nothing changes, and the answer
    /// says which are.
    pub async fn discovered_set_ignored(
        &self,
        zone: &ZoneId,
        changes: BTreeMap<DiscoveredId, bool>,
    ) -> Result<Vec<DiscoveredId>, StoreFailure> {
        let changes = Arc::new(changes);
        write_tried!(self, (zone, changes), |connection| discovered::set_ignored(connection, &zone, &changes))
    }
}
