//! Operations: their statements, and the batch in which they are written.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use demilune_inventory::{Host, Method, Operation, OperationId, OperationKey, Timestamp, ZoneId};
use sha2::{Digest, Sha256};

use crate::{
    connection::{Connection, placeholders},
    error::{QueryError, StoreFailure},
    route::{Route, RouteText},
    row::{Row, Value, columns},
};

/// An operation and what is asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOperation {
    /// The record.
    pub operation: Operation,
    /// What is asked for it.
    pub features: Features,
}

/// What is kept beside an operation's record; each part is there only once somebody asked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Where its requests are sent.
    pub route: Option<Route>,
}

/// One operation after an upsert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upserted {
    /// The operation as stored.
    pub operation: StoredOperation,
    /// True if it was not there before. Callers who add the same new operation at the same moment may all be told so.
    pub added: bool,
}

/// Which operations to list, in which order, which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationQuery {
    /// Keep these hosts; empty keeps all.
    pub hosts: Vec<Host>,
    /// Keep these methods; empty keeps all.
    pub methods: Vec<Method>,
    /// Keep endpoints that contain this text, case-sensitive.
    pub endpoint_contains: Option<String>,
    /// The member to sort by first; the others follow in the order host, endpoint, method.
    pub order: OperationOrder,
    /// Turn the whole order round.
    pub descending: bool,
    /// How many rows to leave out.
    pub offset: u64,
    /// How many rows to answer with.
    pub limit: u32,
}

/// What a list is sorted by first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are the members they name")]
pub enum OperationOrder {
    #[default]
    Host,
    Endpoint,
    Method,
}

/// One page of operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationPage {
    /// The rows of the page.
    pub operations: Vec<StoredOperation>,
    /// Matches of the filter over all pages.
    pub total_count: u64,
}

columns! { "operations":
    OPERATION_ID = 0 "operation_id",
    METHOD = 1 "method",
    HOST = 2 "host",
    ENDPOINT = 3 "endpoint",
    LAST_UPDATED = 4 "last_updated",
    ROUTE = 5 "route",
    ROUTE_UPDATED_AT = 6 "route_updated_at",
    TOTAL_COUNT = 7 "total_count",
}
const SELECTED: &str = "operation_id, method, host, endpoint, last_updated, route, route_updated_at";

fn operation(row: &Row) -> Result<StoredOperation, StoreFailure> {
    let key = OperationKey { method: row.parse(METHOD)?, host: row.parse(HOST)?, endpoint: row.parse(ENDPOINT)? };
    let id = row.parse(OPERATION_ID)?;
    let features = features(RouteText::read(row, ROUTE, ROUTE_UPDATED_AT)?.as_ref(), id, &key)?;
    let operation = Operation { id, key, last_updated: row.time(LAST_UPDATED)? };
    Ok(StoredOperation { operation, features })
}

fn features(route: Option<&RouteText>, id: OperationId, key: &OperationKey) -> Result<Features, StoreFailure> {
    let route = route.map(|text| text.parse(id, &key.endpoint)).transpose()?;
    Ok(Features { route })
}

/// One operation of a zone.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: OperationId,
) -> Result<Option<StoredOperation>, StoreFailure> {
    let sql = ["SELECT ", SELECTED, " FROM operations WHERE zone_id = $1 AND operation_id = $2"].concat();
    let parameters = vec![zone.as_str().into(), Value::Text(id.to_string())];
    connection.query(sql, parameters).await?.first().map(operation).transpose()
}

/// Every operation of a zone, in no order.
pub(crate) async fn all(connection: &mut Connection<'_>, zone: &ZoneId) -> Result<Vec<StoredOperation>, StoreFailure> {
    let sql = ["SELECT ", SELECTED, " FROM operations WHERE zone_id = $1"].concat();
    connection.query(sql, vec![zone.as_str().into()]).await?.iter().map(operation).collect()
}

/// A page of a zone's operations, and the number of all that pass the filter, from one statement and so from one
/// state. None if there is no such zone.
pub(crate) async fn list(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    query: &OperationQuery,
) -> Result<Option<OperationPage>, StoreFailure> {
    let mut parameters = vec![Value::from(zone.as_str())];
    let filter = filter(query, connection.substring_position(), &mut parameters);
    // The zone keeps count of its operations; only a filter makes counting necessary.
    let total = if filter.is_empty() {
        "z.operation_count".to_owned()
    } else {
        format!("(SELECT count(*) FROM operations WHERE zone_id = $1{filter})")
    };
    let order = order(query, connection.is_sqlite());
    let limit = parameters.len() + 1;
    let offset = limit + 1;
    let sql = format!(
        "SELECT p.operation_id, p.method, p.host, p.endpoint, p.last_updated, p.route, p.route_updated_at, {total} \
         FROM zones z LEFT JOIN (SELECT {SELECTED} FROM operations WHERE zone_id = $1{filter} \
         ORDER BY {order} LIMIT ${limit} OFFSET ${offset}) p ON TRUE \
         WHERE z.zone_id = $1 ORDER BY {order}"
    );
    parameters.push(Value::Integer(query.limit.into()));
    parameters.push(Value::Integer(query.offset.try_into().unwrap_or(i64::MAX)));

    let rows = connection.query(sql, parameters).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let total_count = first.count(TOTAL_COUNT)?;
    // An empty page is one row of nulls beside the total.
    let filled = rows.iter().filter(|row| !row.is_null(OPERATION_ID));
    Ok(Some(OperationPage { operations: filled.map(operation).collect::<Result<_, _>>()?, total_count }))
}

/// ` AND …` for each filter, its values appended to the parameters.
fn filter(query: &OperationQuery, substring_position: &str, parameters: &mut Vec<Value>) -> String {
    let mut sql = String::new();
    let hosts: Vec<_> = query.hosts.iter().map(Host::as_str).collect();
    let methods: Vec<_> = query.methods.iter().map(|method| method.as_str()).collect();
    for (column, values) in [("host", hosts), ("method", methods)] {
        if !values.is_empty() {
            let list = placeholders(parameters.len() + 1, values.len());
            sql.push_str(&[" AND ", column, " IN (", &list, ")"].concat());
            parameters.extend(values.into_iter().map(Value::from));
        }
    }
    if query.endpoint_contains.as_ref().is_some_and(|part| part.contains('\0')) {
        // No endpoint holds a NUL, and PostgreSQL refuses one in a text.
        sql.push_str(" AND FALSE");
    } else if let Some(part) = &query.endpoint_contains {
        let place = placeholders(parameters.len() + 1, 1);
        sql.push_str(&[" AND ", substring_position, "(endpoint, ", &place, ") > 0"].concat());
        parameters.push(part.as_str().into());
    }
    sql
}

/// Sorted by bytes, which both backends agree on. The prefix before the whole endpoint changes nothing in the order;
/// it is what the index of PostgreSQL holds, where whole endpoints do not fit into one.
fn order(query: &OperationQuery, is_sqlite: bool) -> String {
    let host = ["host"].as_slice();
    let endpoint = if is_sqlite { ["endpoint"].as_slice() } else { &["substr(endpoint, 1, 255)", "endpoint"] };
    let method = ["method"].as_slice();
    let members = match query.order {
        OperationOrder::Host => [host, endpoint, method],
        OperationOrder::Endpoint => [endpoint, host, method],
        OperationOrder::Method => [method, host, endpoint],
    };
    let direction = if query.descending { " DESC" } else { "" };
    let terms: Vec<_> = members.concat().iter().map(|term| [term, direction].concat()).collect();
    terms.join(", ")
}

/// A row to insert or to move on.
#[derive(Debug)]
pub(crate) struct RowUpsert {
    pub(crate) zone: ZoneId,
    pub(crate) key_hash: KeyHash,
    pub(crate) key: OperationKey,
    /// The id that the row gets if it is new.
    pub(crate) proposed: OperationId,
    pub(crate) now: Timestamp,
}

/// A row after its upsert.
#[derive(Debug)]
pub(crate) struct RowUpserted {
    pub(crate) zone: ZoneId,
    pub(crate) key_hash: KeyHash,
    pub(crate) id: OperationId,
    pub(crate) last_updated: Timestamp,
    pub(crate) route: Option<RouteText>,
}

/// SHA-256 of an operation's key. Primary keys hold it in place of the endpoint, which at 4096 bytes exceeds what an
/// index of PostgreSQL takes (2704). The whole digest is kept: two operations with one key would become one.
pub(crate) type KeyHash = [u8; 32];

fn key_hash(key: &OperationKey) -> KeyHash {
    // None of the three can hold a NUL, so no two keys write the same bytes.
    let mut digest = Sha256::new();
    for part in [key.host.as_str(), "\0", key.endpoint.as_str(), "\0", key.method.as_str()] {
        digest.update(part);
    }
    digest.finalize().into()
}

/// The statement that upserts, after `INSERT INTO operations (…)` and its source of rows: the id comes from the row.
pub(crate) const UPSERT_CONFLICT: &str = " ON CONFLICT (zone_id, key_hash) DO UPDATE SET last_updated = \
    CASE WHEN excluded.last_updated > operations.last_updated THEN excluded.last_updated \
    ELSE operations.last_updated + 1 END \
    RETURNING zone_id, key_hash, operation_id, last_updated, route, route_updated_at";

columns! { "operations":
    UPSERTED_ZONE = 0 "zone_id",
    UPSERTED_HASH = 1 "key_hash",
    UPSERTED_ID = 2 "operation_id",
    UPSERTED_TIME = 3 "last_updated",
    UPSERTED_ROUTE = 4 "route",
    UPSERTED_ROUTE_TIME = 5 "route_updated_at",
}

/// Reads a row of that statement.
pub(crate) fn row_upserted(row: &Row) -> Result<RowUpserted, StoreFailure> {
    Ok(RowUpserted {
        zone: row.parse(UPSERTED_ZONE)?,
        key_hash: row.bytes(UPSERTED_HASH)?,
        id: row.parse(UPSERTED_ID)?,
        last_updated: row.time(UPSERTED_TIME)?,
        route: RouteText::read(row, UPSERTED_ROUTE, UPSERTED_ROUTE_TIME)?,
    })
}

/// Operations that one caller wants in a zone, all or none.
#[derive(Debug)]
pub(crate) struct UpsertRequest {
    pub(crate) zone: ZoneId,
    pub(crate) keys: Vec<OperationKey>,
    pub(crate) now: Timestamp,
}

/// Why a transaction was taken back.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There is no such zone.
    ZoneNotFound(ZoneId),
    /// The zone would hold more than it may.
    LimitReached(ZoneId),
    /// The store could not answer.
    Query(QueryError),
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<StoreFailure> for Refusal {
    fn from(failure: StoreFailure) -> Self {
        Self::Query(failure.into())
    }
}

/// Upserts the operations of several callers in the transaction that is open, and answers each in the order of its
/// keys. Equal operations are folded into one row. Rows are locked in the order of their keys, then zones in the order
/// of their ids, so that two processes cannot wait for each other. An answer that cannot be read fails its caller
/// alone.
pub(crate) async fn upsert(
    connection: &mut Connection<'_>,
    requests: &[&UpsertRequest],
    operations_per_zone_max: u32,
) -> Result<Vec<Result<Vec<Upserted>, StoreFailure>>, Refusal> {
    let hashes: Vec<Vec<KeyHash>> =
        requests.iter().map(|request| request.keys.iter().map(key_hash).collect()).collect();
    let mut rows: BTreeMap<(ZoneId, KeyHash), RowUpsert> = BTreeMap::new();
    for (request, hashes) in requests.iter().zip(&hashes) {
        for (key, key_hash) in request.keys.iter().zip(hashes) {
            match rows.entry((request.zone.clone(), *key_hash)) {
                Entry::Occupied(mut folded) => {
                    let now = &mut folded.get_mut().now;
                    *now = request.now.max(*now);
                }
                Entry::Vacant(entry) => {
                    let random = uuid::Uuid::new_v4().into_bytes();
                    let proposed = OperationId::from_time_and_random(request.now, random);
                    let (zone, key, now) = (request.zone.clone(), key.clone(), request.now);
                    entry.insert(RowUpsert { zone, key_hash: *key_hash, key, proposed, now });
                }
            }
        }
    }
    let rows: Vec<_> = rows.into_values().collect();
    let proposed: BTreeMap<_, _> = rows.iter().map(|row| ((&row.zone, row.key_hash), row.proposed)).collect();

    let mut stored = BTreeMap::new();
    let mut added: BTreeMap<ZoneId, i64> = BTreeMap::new();
    for row in connection.upsert(&rows).await? {
        let is_new = proposed.get(&(&row.zone, row.key_hash)) == Some(&row.id);
        if is_new {
            *added.entry(row.zone.clone()).or_default() += 1;
        }
        stored.insert((row.zone, row.key_hash), (row.id, row.last_updated, row.route, is_new));
    }
    for (zone, added) in added {
        match change_zone(connection, &zone, added).await? {
            None => return Err(Refusal::ZoneNotFound(zone)),
            Some(count) if count > u64::from(operations_per_zone_max) => return Err(Refusal::LimitReached(zone)),
            Some(_) => {}
        }
    }

    let answer = |request: &UpsertRequest, key: &OperationKey, hash: KeyHash| {
        let missing = || StoreFailure::Internal("an upsert answered without one of its rows".into());
        let (id, last_updated, route, added) = stored.get(&(request.zone.clone(), hash)).ok_or_else(missing)?;
        let features = features(route.as_ref(), *id, key)?;
        let operation = Operation { id: *id, key: key.clone(), last_updated: *last_updated };
        Ok(Upserted { operation: StoredOperation { operation, features }, added: *added })
    };
    let answers = requests.iter().zip(&hashes).map(|(request, hashes)| {
        request.keys.iter().zip(hashes).map(|(key, hash)| answer(request, key, *hash)).collect()
    });
    Ok(answers.collect())
}

/// Removes operations in the transaction that is open; answers with the ids that were there, in the order given.
pub(crate) async fn delete(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
) -> Result<Vec<OperationId>, QueryError> {
    let mut removed = BTreeSet::new();
    for chunk in ids.chunks(DELETE_CHUNK) {
        let list = placeholders(2, chunk.len());
        let mut parameters = vec![Value::from(zone.as_str())];
        parameters.extend(chunk.iter().map(|id| Value::Text(id.to_string())));
        if !connection.is_sqlite() {
            // Locks the rows in the order of their keys, as upserts do.
            let lock = connection.for_update();
            let sql = format!(
                "SELECT operation_id FROM operations WHERE zone_id = $1 AND operation_id IN ({list}) ORDER BY key_hash{lock}"
            );
            connection.query(sql, parameters.clone()).await?;
        }
        let sql =
            format!("DELETE FROM operations WHERE zone_id = $1 AND operation_id IN ({list}) RETURNING operation_id");
        for row in connection.query(sql, parameters).await? {
            removed.insert(row.parse::<OperationId>(OPERATION_ID)?);
        }
    }
    if !removed.is_empty() {
        let count = i64::try_from(removed.len()).unwrap_or(i64::MAX);
        change_zone(connection, zone, -count).await?;
    }
    // `remove`, so that a repeated id is answered once.
    Ok(ids.iter().copied().filter(|id| removed.remove(id)).collect())
}

/// Most ids in one statement, below the bound of SQLite (32,766 parameters) and of PostgreSQL (65,535).
const DELETE_CHUNK: usize = 5_000;

/// Counts operations in or out of a zone and advances its revision. Answers with the new count; none if there is no
/// such zone.
async fn change_zone(connection: &mut Connection<'_>, zone: &ZoneId, by: i64) -> Result<Option<u64>, QueryError> {
    const SQL: &str = "UPDATE zones SET revision = revision + 1, operation_count = operation_count + $2 \
                       WHERE zone_id = $1 RETURNING operation_count";
    columns! { "zones": OPERATION_COUNT = 0 "operation_count" }
    let rows = connection.query(SQL, vec![zone.as_str().into(), Value::Integer(by)]).await?;
    Ok(rows.first().map(|row| row.count(OPERATION_COUNT)).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_run_together_have_hashes_of_their_own() {
        let hash = |host: &str, endpoint: &str| {
            key_hash(&OperationKey {
                host: host.parse().unwrap(),
                endpoint: endpoint.parse().unwrap(),
                method: Method::Get,
            })
        };
        assert_ne!(hash("a", "/b"), hash("a", "/b/"));
        assert_ne!(hash("ab", "/"), hash("a", "/b"));
    }
}
