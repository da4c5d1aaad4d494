//! Questions about what was learned of operations' requests.

use demilune_inventory::{OperationId, Timestamp, ZoneId};

use super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, TRIES_MAX, ready, transaction};
use crate::learned_schema::{self, StoredSchema};

impl Store {
    /// Replaces what was learned about operations of a zone, all or nothing; none takes it away. Operations that are
    /// gone are left out, and what is stored already is not written again. An operation's `last_updated` does not move;
    /// the zone's revision advances if any `published` is another than before.
    ///
    /// Some hundreds at a time are right: while they are written, nobody adds an operation to these.
    pub async fn learned_schema_replace(
        &self,
        zone: &ZoneId,
        results: Vec<(OperationId, Option<StoredSchema>)>,
    ) -> Result<(), StoreFailure> {
        let replaced: Result<_, StoreFailure> =
            write_tried!(self, (zone, results), |connection| learned_schema::replace(connection, &zone, &results));
        if replaced? {
            self.inner.announcer.announce();
        }
        Ok(())
    }

    /// What was learned about an operation's requests; none if nothing was, or there is no such operation.
    pub async fn learned_schema_get(
        &self,
        zone: &ZoneId,
        id: OperationId,
    ) -> Result<Option<StoredSchema>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| learned_schema::get(connection, &zone, id))
    }

    /// The operations of a zone that something was learned about, by id; each with the time when that last changed.
    pub async fn learned_schema_all(&self, zone: &ZoneId) -> Result<Vec<(OperationId, Timestamp)>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| learned_schema::all(connection, &zone))
    }
}
