//! Operations: their statements, and the batch in which they are written.

mod page;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use demilune_inventory::{Operation, OperationId, OperationKey, Timestamp, ZoneId};
use sha2::{Digest, Sha256};

pub use page::{OperationOrder, OperationPage, OperationQuery};
pub(crate) use page::{filter, list};

use crate::{
    beside,
    connection::{Connection, placeholders},
    error::{QueryError, StoreFailure},
    learned_schema::{self, StoredSchema},
    route::{Route, RouteText},
    row::{Row, Value, columns},
    thresholds::{self, StoredThresholds},
};

/// An operation and what is asked for it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredOperation {
    /// The record.
    pub operation: Operation,
    /// What is asked for it.
    pub features: Features,
}

/// What is kept beside an operation's record; each part is there only once somebody asked for it, or it was found out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    /// Where its requests are sent.
    pub route: Option<Route>,
    /// What is recommended for its clients.
    pub thresholds: Option<StoredThresholds>,
    /// What was learned about its requests. Only read for one operation, or when a list is asked for with schemas.
    pub parameter_schemas: Option<StoredSchema>,
}

/// One operation after an upsert.
#[derive(Clone, Debug, PartialEq)]
pub struct Upserted {
    /// The operation as stored.
    pub operation: StoredOperation,
    /// True if it was not there before. Callers who add the same new operation at the same moment may all be told so.
    pub added: bool,
}

// The columns of the recommendation stand between the id and the others, those of what was learned behind them.
columns! { "operations":
    OPERATION_ID = 0 "operation_id",
    METHOD = 15 "method",
    HOST = 16 "host",
    ENDPOINT = 17 "endpoint",
    LAST_UPDATED = 18 "last_updated",
    ROUTE = 19 "route",
    ROUTE_UPDATED_AT = 20 "route_updated_at",
}
const _: () = assert!(METHOD.index == thresholds::SELECTED_COLUMNS);
const SELECTED: &str = "method, host, endpoint, last_updated, route, route_updated_at";
const FIRST_SCHEMA: usize = ROUTE_UPDATED_AT.index + 1;
const JOIN_THRESHOLDS: &str = "LEFT JOIN operation_thresholds USING (zone_id, operation_id)";
const JOIN_SCHEMAS: &str = "LEFT JOIN operation_schemas USING (zone_id, operation_id)";

fn operation(row: &Row) -> Result<StoredOperation, StoreFailure> {
    let key = OperationKey { method: row.parse(METHOD)?, host: row.parse(HOST)?, endpoint: row.parse(ENDPOINT)? };
    let id = row.parse(OPERATION_ID)?;
    let features = Features {
        route: RouteText::read(row, ROUTE, ROUTE_UPDATED_AT)?.map(|text| text.parse(id, &key.endpoint)).transpose()?,
        thresholds: thresholds::read(row)?,
        parameter_schemas: learned_schema::read(row, FIRST_SCHEMA)?,
    };
    let operation = Operation { id, key, last_updated: row.time(LAST_UPDATED)? };
    Ok(StoredOperation { operation, features })
}

/// One operation of a zone.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: OperationId,
) -> Result<Option<StoredOperation>, StoreFailure> {
    Ok(get_some(connection, zone, &[id]).await?.pop())
}

/// Those of these operations that the zone has, in no order.
pub(crate) async fn get_some(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
) -> Result<Vec<StoredOperation>, StoreFailure> {
    let (parameters, places) = beside::zone_and(zone, ids);
    let sql = format!(
        "SELECT operation_id, {}, {SELECTED}, {} FROM operations {JOIN_THRESHOLDS} {JOIN_SCHEMAS} \
         WHERE zone_id = $1 AND operation_id IN ({places})",
        thresholds::SELECTED,
        learned_schema::SELECTED
    );
    connection.query(sql, parameters).await?.iter().map(operation).collect()
}

/// Every operation of a zone with its route, in no order: what a ruleset is made from, and no more.
pub(crate) async fn routed(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
) -> Result<Vec<(OperationId, OperationKey, Option<Route>)>, StoreFailure> {
    const SQL: &str = "SELECT operation_id, method, host, endpoint, route, route_updated_at FROM operations \
                       WHERE zone_id = $1";
    columns! { "operations":
        METHOD = 1 "method", HOST = 2 "host", ENDPOINT = 3 "endpoint", ROUTE = 4 "route",
        ROUTE_UPDATED_AT = 5 "route_updated_at",
    }
    let operation = |row: &Row| {
        let key = OperationKey { method: row.parse(METHOD)?, host: row.parse(HOST)?, endpoint: row.parse(ENDPOINT)? };
        let id = row.parse(OPERATION_ID)?;
        let route = RouteText::read(row, ROUTE, ROUTE_UPDATED_AT)?.map(|text| text.parse(id, &key.endpoint));
        Ok((id, key, route.transpose()?))
    };
    connection.query(SQL, vec![zone.as_str().into()]).await?.iter().map(operation).collect()
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
    /// Whether there is a row of its recommendation.
    pub(crate) has_thresholds: bool,
    /// Whether there is a row of what was learned about it.
    pub(crate) has_schema: bool,
}

/// SHA-256 of an operation's key. Primary keys hold it in place of the endpoint, which at 4096 bytes exceeds what an
/// index of PostgreSQL takes (2704). The whole digest is kept: two operations with one key would become one.
pub(crate) type KeyHash = [u8; 32];

pub(crate) fn key_hash(key: &OperationKey) -> KeyHash {
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
    RETURNING zone_id, key_hash, operation_id, last_updated, route, route_updated_at, \
    has_thresholds, has_parameter_schemas";

columns! { "operations":
    UPSERTED_ZONE = 0 "zone_id",
    UPSERTED_HASH = 1 "key_hash",
    UPSERTED_ID = 2 "operation_id",
    UPSERTED_TIME = 3 "last_updated",
    UPSERTED_ROUTE = 4 "route",
    UPSERTED_ROUTE_TIME = 5 "route_updated_at",
    UPSERTED_HAS_THRESHOLDS = 6 "has_thresholds",
    UPSERTED_HAS_SCHEMA = 7 "has_parameter_schemas",
}

/// Reads a row of that statement.
pub(crate) fn row_upserted(row: &Row) -> Result<RowUpserted, StoreFailure> {
    Ok(RowUpserted {
        zone: row.parse(UPSERTED_ZONE)?,
        key_hash: row.bytes(UPSERTED_HASH)?,
        id: row.parse(UPSERTED_ID)?,
        last_updated: row.time(UPSERTED_TIME)?,
        route: RouteText::read(row, UPSERTED_ROUTE, UPSERTED_ROUTE_TIME)?,
        has_thresholds: row.flag(UPSERTED_HAS_THRESHOLDS)?,
        has_schema: row.flag(UPSERTED_HAS_SCHEMA)?,
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
    let asked_alone: BTreeSet<_> = requests.iter().zip(&hashes).filter_map(alone).collect();
    let (mut with_thresholds, mut with_schema) = (Wanted::new(), Wanted::new());
    for row in connection.upsert(&rows).await? {
        if row.has_thresholds {
            with_thresholds.entry(row.zone.clone()).or_default().push(row.id);
        }
        if row.has_schema && asked_alone.contains(&(&row.zone, row.key_hash)) {
            with_schema.entry(row.zone.clone()).or_default().push(row.id);
        }
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
    // An operation's row was locked by its upsert, so that what it said of these still holds.
    let thresholds = beside::of_zones::<StoredThresholds>(connection, with_thresholds).await?;
    let schemas = beside::of_zones::<StoredSchema>(connection, with_schema).await?;

    let answer = |request: &UpsertRequest, key: &OperationKey, hash: KeyHash| {
        let missing = || StoreFailure::Internal("an upsert answered without one of its rows".into());
        let (id, last_updated, route, added) = stored.get(&(request.zone.clone(), hash)).ok_or_else(missing)?;
        let thresholds = thresholds.get(&request.zone).and_then(|rows| rows.get(id));
        let schema = schemas.get(&request.zone).and_then(|rows| rows.get(id)).filter(|_| request.keys.len() == 1);
        let features = Features {
            route: route.as_ref().map(|text| text.parse(*id, &key.endpoint)).transpose()?,
            thresholds: thresholds.map(thresholds::read).transpose()?.flatten(),
            parameter_schemas: schema.map(learned_schema::read_beside).transpose()?.flatten(),
        };
        let operation = Operation { id: *id, key: key.clone(), last_updated: *last_updated };
        Ok(Upserted { operation: StoredOperation { operation, features }, added: *added })
    };
    let answers = requests.iter().zip(&hashes).map(|(request, hashes)| {
        request.keys.iter().zip(hashes).map(|(key, hash)| answer(request, key, *hash)).collect()
    });
    Ok(answers.collect())
}

/// Operations whose findings are wanted.
type Wanted = BTreeMap<ZoneId, Vec<OperationId>>;

/// The key of a request that has no other.
fn alone<'a>((request, hashes): (&&'a UpsertRequest, &Vec<KeyHash>)) -> Option<(&'a ZoneId, KeyHash)> {
    if let [hash] = hashes.as_slice() { Some((&request.zone, *hash)) } else { None }
}

/// The ids of a zone's operations.
pub(crate) async fn ids(connection: &mut Connection<'_>, zone: &ZoneId) -> Result<BTreeSet<OperationId>, StoreFailure> {
    const SQL: &str = "SELECT operation_id FROM operations WHERE zone_id = $1";
    let rows = connection.query(SQL, vec![zone.as_str().into()]).await?;
    rows.iter().map(|row| row.parse(OPERATION_ID)).collect()
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
                method: "GET".parse().unwrap(),
            })
        };
        assert_ne!(hash("a", "/b"), hash("a", "/b/"));
        assert_ne!(hash("ab", "/"), hash("a", "/b"));
    }
}
