//! Questions about schemas that were uploaded.

use std::sync::Arc;

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_traffic::SessionSample;

use super::{Backend, Connection, QueryError, SqliteConnection, Store, StoreFailure, TRIES_MAX, ready, transaction};
use crate::{
    error::UserSchemaAddError,
    user_schema::{
        self, NewUserSchema, SchemaHostsPage, SchemaId, SchemaOperationPage, SchemaOperationQuery, UserSchema,
        UserSchemaPage, UserSchemaQuery,
    },
};

impl Store {
    /// Adds a schema; its `created_at` becomes max(now, that of the zone's newest + 1 µs). The zone's revision advances
    /// if the schema is enabled.
    pub async fn user_schema_add(
        &self,
        zone: &ZoneId,
        new: NewUserSchema,
        now: Timestamp,
    ) -> Result<UserSchema, UserSchemaAddError> {
        // It may be large, and is needed again if the transaction is.
        let new = Arc::new(new);
        let added: Result<_, StoreFailure> =
            change!(self, (zone, new), |connection| user_schema::add(connection, &zone, &new, now));
        added?
    }

    /// One schema of a zone, with or without its source; none if there is no such schema.
    pub async fn user_schema_get(
        &self,
        zone: &ZoneId,
        id: SchemaId,
        with_source: bool,
    ) -> Result<Option<UserSchema>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| user_schema::get(connection, &zone, id, with_source))
    }

    /// The newest enabled schema that was uploaded and names an operation, with its source; none if there is none.
    pub async fn user_schema_of_operation(
        &self,
        zone: &ZoneId,
        operation: OperationId,
    ) -> Result<Option<UserSchema>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| user_schema::of_operation(connection, &zone, operation))
    }

    /// One page of a zone's schemas and the number of all that pass the filter; none if there is no such zone.
    pub async fn user_schema_list(
        &self,
        zone: &ZoneId,
        query: UserSchemaQuery,
    ) -> Result<Option<UserSchemaPage>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| user_schema::list(connection, &zone, query))
    }

    /// The sessions that were answered with 2xx before a learned schema was added, as far as they are sampled; none if there is
    /// no such schema, or nobody noted them.
    pub async fn user_schema_known_sessions(
        &self,
        zone: &ZoneId,
        id: SchemaId,
    ) -> Result<Option<SessionSample>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| user_schema::known_sessions(connection, &zone, id))
    }

    /// From now on a learned schema only logs what it would block; false if there is no such schema, or it does already.
    pub async fn user_schema_never_block(&self, zone: &ZoneId, id: SchemaId) -> Result<bool, StoreFailure> {
        change!(self, (zone), |connection| user_schema::never_block(connection, &zone, id))
    }

    /// Says whether requests are checked against a schema; gives it as it is then, with its source, and none if there
    /// is no such schema.
    pub async fn user_schema_set_enabled(
        &self,
        zone: &ZoneId,
        id: SchemaId,
        enabled: bool,
    ) -> Result<Option<UserSchema>, StoreFailure> {
        change!(self, (zone), |connection| user_schema::set_enabled(connection, &zone, id, enabled))
    }

    /// Removes a schema; false if there was none.
    pub async fn user_schema_delete(&self, zone: &ZoneId, id: SchemaId) -> Result<bool, StoreFailure> {
        change!(self, (zone), |connection| user_schema::delete(connection, &zone, id))
    }

    /// One page of what a schema describes, and the number of all that pass the filter; none if there is no such schema.
    pub async fn user_schema_operations(
        &self,
        zone: &ZoneId,
        id: SchemaId,
        query: SchemaOperationQuery,
    ) -> Result<Option<SchemaOperationPage>, StoreFailure> {
        let zone = zone.clone();
        read!(self, transaction, |connection| user_schema::operations(connection, &zone, id, &query))
    }

    /// One page of a zone's schemas with their hosts; none if there is no such zone.
    pub async fn user_schema_hosts(
        &self,
        zone: &ZoneId,
        offset: u64,
        limit: u32,
    ) -> Result<Option<SchemaHostsPage>, StoreFailure> {
        let zone = zone.clone();
        read!(self, transaction, |connection| user_schema::hosts(connection, &zone, offset, limit))
    }
}
