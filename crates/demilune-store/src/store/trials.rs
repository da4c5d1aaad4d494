//! Questions about documents that are tried on requests.

use std::{collections::BTreeMap, sync::Arc};

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_schema::Tally;

use super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, TRIES_MAX, ready, transaction};
use crate::{
    trial::{self, NewTrial, Trial, TrialRow},
    user_schema::SchemaId,
};

impl Store {
    /// Begins a trial in the place of the one before, whose counts are gone then; none if there is no such zone.
    pub async fn trial_begin(
        &self,
        zone: &ZoneId,
        new: NewTrial,
        now: Timestamp,
    ) -> Result<Option<Trial>, StoreFailure> {
        // It may be large, and is needed again if the transaction is.
        let new = Arc::new(new);
        change!(self, (zone, new), |connection| trial::begin(connection, &zone, &new, now))
    }

    /// The trial of a zone, without its source; none if there is none.
    pub async fn trial_get(&self, zone: &ZoneId) -> Result<Option<Trial>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| trial::get(connection, &zone, false))
    }

    /// Ends the trial of a zone, and forgets what was counted; false if there is none.
    pub async fn trial_end(&self, zone: &ZoneId) -> Result<bool, StoreFailure> {
        change!(self, (zone), |connection| trial::end(connection, &zone))
    }

    /// Stores what a gateway has counted. Those of a trial that has ended are left out, and so are snapshots that are older
    /// than what is there.
    pub async fn trial_count(&self, rows: Vec<TrialRow>) -> Result<(), StoreFailure> {
        let rows = Arc::new(rows);
        write_tried!(self, (rows), |connection| trial::count(connection, &rows))
    }

    /// What all gateways have counted of a trial, by operation.
    pub async fn trial_counts(
        &self,
        zone: &ZoneId,
        trial: SchemaId,
    ) -> Result<BTreeMap<OperationId, Tally>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| trial::counts(connection, &zone, trial))
    }
}
