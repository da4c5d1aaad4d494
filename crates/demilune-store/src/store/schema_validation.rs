//! Questions about what happens to requests that do not fit the schema of their operation.

use std::collections::BTreeMap;

use demilune_inventory::{OperationId, Timestamp, ZoneId};

use super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, TRIES_MAX, ready, transaction};
use crate::{
    error::ActionsChangeError,
    schema_validation::{self, ActionChange, OperationAction, OperationActionPage, SchemaInfo, ValidationSettings},
};

impl Store {
    /// What a zone says of validation; none if there is no such zone.
    pub async fn validation_settings_get(&self, zone: &ZoneId) -> Result<Option<ValidationSettings>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| schema_validation::get_settings(connection, &zone))
    }

    /// Changes what a zone says by what it is, and gives what it is then; none if there is no such zone. Of several
    /// changes at once, each sees what those before it have made.
    pub async fn validation_settings_change(
        &self,
        zone: &ZoneId,
        to: impl FnOnce(ValidationSettings) -> ValidationSettings + Clone + Send + 'static,
    ) -> Result<Option<ValidationSettings>, StoreFailure> {
        change!(self, (zone, to), |connection| schema_validation::change_settings(connection, &zone, to))
    }

    /// An operation's own action; none if there is no such operation.
    pub async fn operation_action_get(
        &self,
        zone: &ZoneId,
        id: OperationId,
    ) -> Result<Option<OperationAction>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| schema_validation::action(connection, &zone, id))
    }

    /// One page of the operations of a zone that have an action of their own; none if there is no such zone.
    pub async fn operation_action_list(
        &self,
        zone: &ZoneId,
        offset: u64,
        limit: u32,
    ) -> Result<Option<OperationActionPage>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| schema_validation::actions(connection, &zone, offset, limit))
    }

    /// Changes actions of operations, all or nothing; gives what they are then, in the order of the changes.
    pub async fn operation_actions_change(
        &self,
        zone: &ZoneId,
        changes: Vec<(OperationId, ActionChange)>,
    ) -> Result<Vec<OperationAction>, ActionsChangeError> {
        let outcome: Result<_, StoreFailure> = change!(self, (zone, changes), |connection| {
            schema_validation::change_actions(connection, &zone, &changes)
        });
        outcome?
    }

    /// Which schema is in force for these operations, and what happens at this time to requests that do not fit it;
    /// operations that the zone does not have are left out.
    pub async fn schema_info(
        &self,
        zone: &ZoneId,
        ids: Vec<OperationId>,
        now: Timestamp,
    ) -> Result<BTreeMap<OperationId, SchemaInfo>, StoreFailure> {
        let zone = zone.clone();
        read!(self, transaction, |connection| schema_validation::info(connection, &zone, &ids, now))
    }
}
