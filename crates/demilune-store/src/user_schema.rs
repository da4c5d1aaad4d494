//! Schemas that were uploaded: OpenAPI documents, kept byte for byte, with the operations that each describes.

mod hosts;
mod id;
mod operations;
mod page;

use std::time::Duration;

use demilune_inventory::{Host, OperationId, OperationKey, Timestamp, ZoneId};
use demilune_policy::rule::ValidationLimits;
use demilune_traffic::SessionSample;

pub(crate) use hosts::list as hosts;
pub use hosts::{SchemaHosts, SchemaHostsPage};
pub use id::{SchemaId, SchemaIdError};
pub(crate) use operations::list as operations;
pub use operations::{SchemaOperation, SchemaOperationPage, SchemaOperationQuery};
pub(crate) use page::list;
pub use page::{UserSchemaPage, UserSchemaQuery};

use crate::{
    beside,
    connection::Connection,
    error::{QueryError, StoreFailure, UserSchemaAddError},
    row::{Row, Value, columns},
    settings, zone,
};

/// Most bytes of one schema: those of a document that can be read
/// ([`Limits::bytes_max`](demilune_schema::document::Limits::bytes_max) unless told).
pub const USER_SCHEMA_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A schema as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSchema {
    /// Stable while the schema exists.
    pub id: SchemaId,
    /// What its owner calls it, such as the name of a file; not unique.
    pub name: String,
    /// When it was added; of two schemas of a zone, the one that was added later has the later time.
    pub created_at: Timestamp,
    /// Whether requests are checked against it.
    pub validation_enabled: bool,
    /// The operation that it was learned from; none if it was uploaded.
    pub learned_from: Option<OperationId>,
    /// Until when it logs what it would block: never to block is [`Timestamp::MAX`]. None if it blocks from the start.
    pub log_until: Option<Timestamp>,
    /// The host of servers whose URL names none, with which the document is to be read.
    pub default_host: Option<Host>,
    /// Bytes of its source.
    pub source_bytes: u64,
    /// The document, byte for byte; none if it was not asked for.
    pub source: Option<String>,
}

/// A schema to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUserSchema {
    /// What its owner calls it.
    pub name: String,
    /// Whether requests are checked against it.
    pub validation_enabled: bool,
    /// The operation that it was learned from; none if it was uploaded. It goes with that operation, takes the place of
    /// one that was learned from it before, and does not count towards the limits of a zone.
    pub learned_from: Option<OperationId>,
    /// For how long it logs what it would block, from when it is added; none if it blocks from the start.
    pub log_for: Option<Duration>,
    /// The sessions that were answered with 2xx before, as far as they are sampled: if too many of those do not fit, the
    /// schema is wrong rather than they. None if it was uploaded.
    pub known_sessions: Option<SessionSample>,
    /// The host of servers whose URL names none.
    pub default_host: Option<Host>,
    /// The document, at most [`USER_SCHEMA_BYTES_MAX`] bytes.
    pub source: String,
    /// What it describes, each once; the zone need not have these operations.
    pub operations: Vec<OperationKey>,
}

impl NewUserSchema {
    fn log_until(&self, created_at: Timestamp) -> Option<Timestamp> {
        let micros = i64::try_from(self.log_for?.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(created_at.as_micros().saturating_add(micros))
    }
}

/// The one kind of schema that there is, as it is stored.
const KIND: &str = "openapi_v3";

columns! { "user_schemas":
    SCHEMA_ID = 0 "schema_id",
    CREATED_AT = 1 "created_at",
    NAME = 2 "name",
    KIND_COLUMN = 3 "kind",
    VALIDATION_ENABLED = 4 "validation_enabled",
    DEFAULT_HOST = 5 "default_host",
    LEARNED_FROM = 6 "learned_from",
    SOURCE_BYTES = 7 "source_bytes",
    LOG_UNTIL = 8 "log_until",
    SOURCE = 9 "source",
}
// What is read of a schema that is removed, after its id.
columns! { "user_schemas": REMOVED_ENABLED = 1 "validation_enabled" }

/// What is read of a schema, with its source or with nothing in the place of that.
const fn selected(with_source: bool) -> &'static str {
    if with_source {
        "schema_id, created_at, name, kind, validation_enabled, default_host, learned_from, source_bytes, log_until, source"
    } else {
        "schema_id, created_at, name, kind, validation_enabled, default_host, learned_from, source_bytes, log_until, \
         NULL AS source"
    }
}

fn user_schema(row: &Row) -> Result<UserSchema, StoreFailure> {
    row.parse_with(KIND_COLUMN, |kind| if kind == KIND { Ok(()) } else { Err(()) })?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec());
    Ok(UserSchema {
        id: row.parse(SCHEMA_ID)?,
        name: row.parse(NAME)?,
        created_at: row.time(CREATED_AT)?,
        validation_enabled: row.flag(VALIDATION_ENABLED)?,
        learned_from: row.parse_or_null(LEARNED_FROM)?,
        log_until: row.time_or_null(LOG_UNTIL)?,
        default_host: row.parse_or_null(DEFAULT_HOST)?,
        source_bytes: row.count(SOURCE_BYTES)?,
        source: if row.is_null(SOURCE) { None } else { Some(row.blob_with(SOURCE, text)?) },
    })
}

/// One schema of a zone.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: SchemaId,
    with_source: bool,
) -> Result<Option<UserSchema>, StoreFailure> {
    let selected = selected(with_source);
    let sql = ["SELECT ", selected, " FROM user_schemas WHERE zone_id = $1 AND schema_id = $2"].concat();
    connection.query(sql, schema(zone, id)).await?.first().map(user_schema).transpose()
}

/// The newest enabled schema that was uploaded and names an operation, with its source; none if there is none.
pub(crate) async fn of_operation(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    operation: OperationId,
) -> Result<Option<UserSchema>, StoreFailure> {
    const SQL: &str = "SELECT s.schema_id FROM operations o \
        JOIN user_schema_operations u ON u.zone_id = o.zone_id AND u.key_hash = o.key_hash \
        JOIN user_schemas s ON s.zone_id = u.zone_id AND s.schema_id = u.schema_id \
        WHERE o.zone_id = $1 AND o.operation_id = $2 AND s.validation_enabled = 1 AND s.learned_from IS NULL \
        ORDER BY s.created_at DESC, s.schema_id DESC LIMIT 1";
    let parameters = vec![zone.as_str().into(), Value::Text(operation.to_string())];
    let Some(id) = connection.query(SQL, parameters).await?.first().map(|row| row.parse(SCHEMA_ID)).transpose()? else {
        return Ok(None);
    };
    get(connection, zone, id, true).await
}

/// Every enabled schema of a zone, without sources, the newest first.
pub(crate) async fn enabled(connection: &mut Connection<'_>, zone: &ZoneId) -> Result<Vec<UserSchema>, StoreFailure> {
    let selected = selected(false);
    let filter = " FROM user_schemas WHERE zone_id = $1 AND validation_enabled = 1";
    let sql = ["SELECT ", selected, filter, " ORDER BY created_at DESC, schema_id DESC"].concat();
    connection.query(sql, vec![zone.as_str().into()]).await?.iter().map(user_schema).collect()
}

/// Adds a schema, in the transaction that is open.
///
/// Locks the operation before the zone, as upserts do.
pub(crate) async fn add(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    new: &NewUserSchema,
    now: Timestamp,
) -> Result<Result<UserSchema, UserSchemaAddError>, QueryError> {
    if let Some(operation) = new.learned_from
        && beside::lock_some(connection, zone, &[operation]).await?.is_empty()
    {
        return Ok(Err(UserSchemaAddError::OperationUnknown));
    }
    if !zone::lock(connection, zone).await? {
        return Ok(Err(UserSchemaAddError::ZoneUnknown));
    }
    let there = There::read(connection, zone).await?;
    let limits = settings::get(connection, zone).await?.unwrap_or_default().settings.limits;
    if let Err(error) = there.check(new, limits) {
        return Ok(Err(error));
    }
    let created_at = there.next_time(now);
    let stored = UserSchema {
        id: SchemaId::random(),
        name: new.name.clone(),
        created_at,
        validation_enabled: new.validation_enabled,
        learned_from: new.learned_from,
        log_until: new.log_until(created_at),
        default_host: new.default_host.clone(),
        source_bytes: new.source.len() as u64,
        source: Some(new.source.clone()),
    };
    let took_enabled_out = match new.learned_from {
        Some(operation) => remove_learned(connection, zone, operation).await?,
        None => false,
    };
    insert(connection, zone, &stored, new.known_sessions.as_ref()).await?;
    operations::insert(connection, zone, stored.id, &new.operations).await?;
    if stored.validation_enabled || took_enabled_out {
        zone::advance(connection, zone).await?;
    }
    Ok(Ok(stored))
}

/// Removes what was learned from an operation before; whether requests were checked against it.
async fn remove_learned(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    operation: OperationId,
) -> Result<bool, QueryError> {
    const DELETE: &str = "DELETE FROM user_schemas WHERE zone_id = $1 AND learned_from = $2 \
                          RETURNING schema_id, validation_enabled";
    let rows = connection.query(DELETE, vec![zone.as_str().into(), Value::Text(operation.to_string())]).await?;
    let mut enabled = false;
    for row in &rows {
        enabled |= row.flag(REMOVED_ENABLED)?;
    }
    Ok(enabled)
}

async fn insert(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    stored: &UserSchema,
    known_sessions: Option<&SessionSample>,
) -> Result<(), QueryError> {
    const INSERT: &str = "INSERT INTO user_schemas (zone_id, schema_id, created_at, name, kind, validation_enabled, \
        default_host, learned_from, source_bytes, source, log_until, known_sessions) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let source = stored.source.as_deref().unwrap_or_default();
    let mut parameters = schema(zone, stored.id);
    parameters.extend([
        stored.created_at.into(),
        stored.name.as_str().into(),
        KIND.into(),
        Value::Integer(stored.validation_enabled.into()),
        Value::TextOrNull(stored.default_host.as_ref().map(ToString::to_string)),
        Value::TextOrNull(stored.learned_from.as_ref().map(ToString::to_string)),
        Value::Integer(i64::try_from(stored.source_bytes).unwrap_or(i64::MAX)),
        Value::Blob(source.as_bytes().to_vec()),
        Value::IntegerOrNull(stored.log_until.map(Timestamp::as_micros)),
        Value::BlobOrNull(known_sessions.map(SessionSample::encode)),
    ]);
    connection.query(INSERT, parameters).await.map(drop)
}

/// The schemas that a zone has, as far as a new one must know.
struct There {
    uploaded: u64,
    uploaded_bytes: u64,
    newest: Option<Timestamp>,
}

impl There {
    async fn read(connection: &mut Connection<'_>, zone: &ZoneId) -> Result<Self, StoreFailure> {
        const SQL: &str = "SELECT count(*) FILTER (WHERE learned_from IS NULL), CAST(coalesce(sum(source_bytes) \
            FILTER (WHERE learned_from IS NULL), 0) AS BIGINT), max(created_at) FROM user_schemas WHERE zone_id = $1";
        columns! { "user_schemas": COUNT = 0 "schema_id", BYTES = 1 "source_bytes", NEWEST = 2 "created_at" }
        let rows = connection.query(SQL, vec![zone.as_str().into()]).await?;
        let row = rows.first().ok_or_else(|| StoreFailure::Internal("a count answered without a row".into()))?;
        Ok(Self { uploaded: row.count(COUNT)?, uploaded_bytes: row.count(BYTES)?, newest: row.time_or_null(NEWEST)? })
    }

    fn check(&self, new: &NewUserSchema, limits: ValidationLimits) -> Result<(), UserSchemaAddError> {
        if new.learned_from.is_some() {
            return Ok(());
        }
        if self.uploaded >= limits.schemas_max.into() {
            return Err(UserSchemaAddError::TooMany(limits.schemas_max));
        }
        if self.uploaded_bytes + new.source.len() as u64 > limits.schemas_bytes_max.into() {
            return Err(UserSchemaAddError::TooLarge(limits.schemas_bytes_max));
        }
        Ok(())
    }

    /// max(now, newest + 1 µs): the schema in force is told by its time.
    fn next_time(&self, now: Timestamp) -> Timestamp {
        let after = self.newest.and_then(|newest| Timestamp::from_micros(newest.as_micros() + 1));
        after.map_or(now, |after| after.max(now))
    }
}

/// Says whether requests are checked against a schema, in the transaction that is open; gives it as it is then, with
/// its source, and none if there is no such schema.
pub(crate) async fn set_enabled(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: SchemaId,
    enabled: bool,
) -> Result<Option<UserSchema>, QueryError> {
    const UPDATE: &str = "UPDATE user_schemas SET validation_enabled = $3 \
                          WHERE zone_id = $1 AND schema_id = $2 AND validation_enabled <> $3 RETURNING schema_id";
    let mut parameters = schema(zone, id);
    parameters.push(Value::Integer(enabled.into()));
    if !connection.query(UPDATE, parameters).await?.is_empty() {
        zone::advance(connection, zone).await?;
    }
    Ok(get(connection, zone, id, true).await?)
}

/// The sessions that a learned schema knows; none if there is no such schema, or it knows none.
pub(crate) async fn known_sessions(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: SchemaId,
) -> Result<Option<SessionSample>, StoreFailure> {
    const SQL: &str = "SELECT schema_id, known_sessions FROM user_schemas \
                       WHERE zone_id = $1 AND schema_id = $2 AND known_sessions IS NOT NULL";
    columns! { "user_schemas": KNOWN_SESSIONS = 1 "known_sessions" }
    let rows = connection.query(SQL, schema(zone, id)).await?;
    rows.first().map(|row| row.blob_with(KNOWN_SESSIONS, SessionSample::decode)).transpose()
}

/// From now on a learned schema only logs, in the transaction that is open; false if there is no such schema, or it never
/// blocks anyway.
pub(crate) async fn never_block(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: SchemaId,
) -> Result<bool, QueryError> {
    const UPDATE: &str = "UPDATE user_schemas SET log_until = $3 WHERE zone_id = $1 AND schema_id = $2 \
                          AND learned_from IS NOT NULL AND coalesce(log_until, 0) < $3 RETURNING schema_id";
    let mut parameters = schema(zone, id);
    parameters.push(Timestamp::MAX.into());
    let changed = !connection.query(UPDATE, parameters).await?.is_empty();
    if changed {
        zone::advance(connection, zone).await?;
    }
    Ok(changed)
}

/// Removes a schema, in the transaction that is open; false if there was none.
pub(crate) async fn delete(connection: &mut Connection<'_>, zone: &ZoneId, id: SchemaId) -> Result<bool, QueryError> {
    const DELETE: &str = "DELETE FROM user_schemas WHERE zone_id = $1 AND schema_id = $2 \
                          RETURNING schema_id, validation_enabled";
    let rows = connection.query(DELETE, schema(zone, id)).await?;
    let Some(row) = rows.first() else { return Ok(false) };
    if row.flag(REMOVED_ENABLED)? {
        zone::advance(connection, zone).await?;
    }
    Ok(true)
}

fn schema(zone: &ZoneId, id: SchemaId) -> Vec<Value> {
    vec![zone.as_str().into(), Value::Text(id.to_string())]
}
