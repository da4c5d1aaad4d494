//! Questions about what is recommended for operations.

use demilune_inventory::{OperationId, ZoneId};

use super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, TRIES_MAX, ready, transaction};
use crate::thresholds::{self, StoredThresholds};

impl Store {
    /// Replaces what is recommended for operations of a zone, all or nothing; none takes it away. Operations that are
    /// gone are left out. Neither the zone's revision nor an operation's `last_updated` moves.
    ///
    /// Some hundreds at a time are right: while they are written, nobody adds an operation to these.
    pub async fn thresholds_replace(
        &self,
        zone: &ZoneId,
        results: Vec<(OperationId, Option<StoredThresholds>)>,
    ) -> Result<(), StoreFailure> {
        write_tried!(self, (zone, results), |connection| thresholds::replace(connection, &zone, &results))
    }

    /// What is recommended for an operation; none if nothing is, or there is no such operation.
    pub async fn thresholds_get(
        &self,
        zone: &ZoneId,
        id: OperationId,
    ) -> Result<Option<StoredThresholds>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| thresholds::get(connection, &zone, id))
    }

    /// The operations of a zone that something is recommended for, by id; each with the end of the day that it rests
    /// on, in seconds since the epoch.
    pub async fn thresholds_all(&self, zone: &ZoneId) -> Result<Vec<(OperationId, u64)>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| thresholds::all(connection, &zone))
    }
}
