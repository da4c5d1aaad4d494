//! What schemas describe: keys of operations, whether the zone has them or not.

use std::collections::BTreeMap;

use demilune_inventory::{Host, Method, OperationId, OperationKey, ZoneId};

use super::{SchemaId, schema};
use crate::{
    connection::{Connection, placeholders},
    error::{QueryError, StoreFailure},
    operation::{self, StoredOperation, filter, key_hash},
    row::{Row, Value, columns},
};

/// Something that a schema describes.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaOperation {
    /// Method, host and endpoint.
    pub key: OperationKey,
    /// The zone's operation with this key; none if there is none.
    pub saved: Option<StoredOperation>,
}

/// Which of the operations of a schema to list; they are ordered by host, endpoint and method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaOperationQuery {
    /// Keep these hosts; empty keeps all.
    pub hosts: Vec<Host>,
    /// Keep these methods; empty keeps all.
    pub methods: Vec<Method>,
    /// Keep endpoints that contain this text, case-sensitive.
    pub endpoint_contains: Option<String>,
    /// Keep those that the zone has, or those that it does not have; none keeps all.
    pub is_saved: Option<bool>,
    /// How many rows to leave out.
    pub offset: u64,
    /// How many rows to answer with.
    pub limit: u32,
}

/// One page of the operations of a schema.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaOperationPage {
    /// The rows of the page.
    pub operations: Vec<SchemaOperation>,
    /// Matches of the filter over all pages.
    pub total_count: u64,
}

/// Most rows in one statement: six parameters each, two of them shared.
const CHUNK: usize = 512;

/// Writes what a new schema describes, in the transaction that is open.
pub(super) async fn insert(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: SchemaId,
    keys: &[OperationKey],
) -> Result<(), QueryError> {
    const INSERT: &str =
        "INSERT INTO user_schema_operations (zone_id, schema_id, key_hash, method, host, endpoint) VALUES ";
    for some in keys.chunks(CHUNK) {
        let mut parameters = schema(zone, id);
        let mut rows = Vec::with_capacity(some.len());
        for key in some {
            rows.push(format!("($1, $2, {})", placeholders(parameters.len() + 1, 4)));
            parameters.push(Value::Blob(key_hash(key).to_vec()));
            parameters.extend([key.method.as_str(), key.host.as_str(), key.endpoint.as_str()].map(Value::from));
        }
        connection.query([INSERT, &rows.join(", ")].concat(), parameters).await?;
    }
    Ok(())
}

columns! { "user_schema_operations":
    METHOD = 1 "method",
    HOST = 2 "host",
    ENDPOINT = 3 "endpoint",
    OPERATION_ID = 4 "operation_id",
    TOTAL_COUNT = 5 "total_count",
}

/// A page of what a schema describes, with the zone's operations, all from one moment; none if there is no such schema.
pub(crate) async fn list(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: SchemaId,
    query: &SchemaOperationQuery,
) -> Result<Option<SchemaOperationPage>, StoreFailure> {
    connection.begin_read().await?;
    let page = read(connection, zone, id, query).await;
    // Nothing was written, so that it does not matter how the transaction ends.
    connection.rollback().await;
    page
}

async fn read(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: SchemaId,
    query: &SchemaOperationQuery,
) -> Result<Option<SchemaOperationPage>, StoreFailure> {
    let (sql, parameters) = statement(connection, zone, id, query);
    let rows = connection.query(sql, parameters).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let total_count = first.count(TOTAL_COUNT)?;
    // An empty page is one row of nulls beside the total.
    let keys = rows.iter().filter(|row| !row.is_null(METHOD)).map(key).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<_> = keys.iter().filter_map(|(_, id)| *id).collect();
    let mut saved = BTreeMap::new();
    for stored in operation::get_some(connection, zone, &ids).await? {
        saved.insert(stored.operation.id, stored);
    }
    let operations =
        keys.into_iter().map(|(key, id)| SchemaOperation { key, saved: id.and_then(|id| saved.remove(&id)) });
    Ok(Some(SchemaOperationPage { operations: operations.collect(), total_count }))
}

fn key(row: &Row) -> Result<(OperationKey, Option<OperationId>), StoreFailure> {
    let key = OperationKey { method: row.parse(METHOD)?, host: row.parse(HOST)?, endpoint: row.parse(ENDPOINT)? };
    Ok((key, row.parse_or_null(OPERATION_ID)?))
}

fn statement(
    connection: &Connection<'_>,
    zone: &ZoneId,
    id: SchemaId,
    query: &SchemaOperationQuery,
) -> (String, Vec<Value>) {
    let mut parameters = schema(zone, id);
    let (hosts, methods, endpoint) = (&query.hosts, &query.methods, query.endpoint_contains.as_deref());
    let filter = filter(hosts, methods, endpoint, connection.substring_position(), &mut parameters);
    let status = match query.is_saved {
        None => "",
        Some(true) => " WHERE o.operation_id IS NOT NULL",
        Some(false) => " WHERE o.operation_id IS NULL",
    };
    let described = format!(
        "FROM (SELECT key_hash, method, host, endpoint FROM user_schema_operations \
         WHERE zone_id = $1 AND schema_id = $2{filter}) u"
    );
    let from = format!("{described} LEFT JOIN operations o ON o.zone_id = $1 AND o.key_hash = u.key_hash{status}");
    // What the zone has only matters for counting where it is asked for.
    let counted = if query.is_saved.is_some() { &from } else { &described };
    let limit = parameters.len() + 1;
    let offset = limit + 1;
    let sql = format!(
        "SELECT s.schema_id, p.*, (SELECT count(*) {counted}) FROM user_schemas s \
         LEFT JOIN (SELECT u.method, u.host, u.endpoint, o.operation_id {from} \
         ORDER BY u.host, u.endpoint, u.method LIMIT ${limit} OFFSET ${offset}) p ON TRUE \
         WHERE s.zone_id = $1 AND s.schema_id = $2 ORDER BY p.host, p.endpoint, p.method"
    );
    parameters.push(Value::Integer(query.limit.into()));
    parameters.push(Value::Integer(query.offset.try_into().unwrap_or(i64::MAX)));
    (sql, parameters)
}
