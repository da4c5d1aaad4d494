//! What was found out about operations: rows in a table of their own, one beside the operation's, which it goes with.
//! A flag on the operation's row says whether there is one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use demilune_inventory::{OperationId, ZoneId};

use crate::{
    connection::{Connection, placeholders},
    error::{QueryError, StoreFailure},
    row::{Row, Value, columns},
};

/// A kind of finding.
pub(crate) trait Finding {
    /// Its table.
    const TABLE: &'static str;
    /// The column of `operations` that is 1 where the table has a row.
    const FLAG: &'static str;
    /// What is read of a row, after one column that says whose it is.
    const SELECTED: &'static str;
    /// The statement that writes a row: its first two parameters say whose it is, the others are the values.
    const UPSERT: &'static str;

    /// The values that are written.
    fn values(&self) -> Vec<Value>;
}

/// For each operation what is to be kept of it, and none where nothing is.
pub(crate) type Findings<'a, F> = BTreeMap<OperationId, Option<&'a F>>;

/// Most operations in one statement.
pub(crate) const CHUNK: usize = 512;

columns! { "operations": OPERATION_ID = 0 "operation_id" }

/// The row of one operation; none if there is none, or no such operation.
pub(crate) async fn row<F: Finding>(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: OperationId,
) -> Result<Option<Row>, StoreFailure> {
    Ok(rows::<F>(connection, zone, &[id]).await?.pop())
}

/// The rows of these operations.
pub(crate) async fn of_operations<F: Finding>(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
) -> Result<BTreeMap<OperationId, Row>, StoreFailure> {
    let mut found = BTreeMap::new();
    for some in ids.chunks(CHUNK) {
        for row in rows::<F>(connection, zone, some).await? {
            found.insert(row.parse(OPERATION_ID)?, row);
        }
    }
    Ok(found)
}

/// The rows of these operations of zones.
pub(crate) async fn of_zones<F: Finding>(
    connection: &mut Connection<'_>,
    wanted: BTreeMap<ZoneId, Vec<OperationId>>,
) -> Result<BTreeMap<ZoneId, BTreeMap<OperationId, Row>>, StoreFailure> {
    let mut found = BTreeMap::new();
    for (zone, ids) in wanted {
        let rows = of_operations::<F>(connection, &zone, &ids).await?;
        found.insert(zone, rows);
    }
    Ok(found)
}

/// Locks the rows of at most [`CHUNK`] operations, in the order of their keys as upserts do, and gives what is to be
/// kept of those that are there. Should there be two of one, the last one counts.
pub(crate) async fn lock<'a, F>(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    some: &'a [(OperationId, Option<F>)],
) -> Result<Findings<'a, F>, QueryError> {
    let there = lock_some(connection, zone, &some.iter().map(|(id, _)| *id).collect::<Vec<_>>()).await?;
    let those = some.iter().filter(|(id, _)| there.contains(id));
    Ok(those.map(|(id, finding)| (*id, finding.as_ref())).collect())
}

/// Locks the rows of at most [`CHUNK`] operations, in the order of their keys as upserts do, and gives those that are
/// there.
pub(crate) async fn lock_some(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
) -> Result<BTreeSet<OperationId>, QueryError> {
    let (parameters, listed) = list(zone, ids);
    let lock = connection.for_update();
    let sql = ["SELECT operation_id FROM operations WHERE ", &listed, " ORDER BY key_hash", lock].concat();
    let rows = connection.query(sql, parameters).await?;
    Ok(rows.iter().map(|row| row.parse(OPERATION_ID)).collect::<Result<_, _>>()?)
}

/// Writes what is to be kept of operations whose rows are locked, and takes out the rest.
pub(crate) async fn replace<F: Finding>(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    findings: &Findings<'_, F>,
) -> Result<(), QueryError> {
    for (id, finding) in findings {
        match finding {
            Some(finding) => put(connection, zone, *id, *finding).await?,
            None => remove::<F>(connection, zone, *id).await?,
        }
    }
    for has in [true, false] {
        let those = findings.iter().filter(|(_, finding)| finding.is_some() == has);
        flag::<F>(connection, zone, &those.map(|(id, _)| *id).collect::<Vec<_>>(), has).await?;
    }
    Ok(())
}

fn list(zone: &ZoneId, ids: &[OperationId]) -> (Vec<Value>, String) {
    let (parameters, places) = zone_and(zone, ids);
    (parameters, format!("zone_id = $1 AND operation_id IN ({places})"))
}

/// Parameters of a statement: the zone, then ids, whose places in the text come along. They are filled up with the last
/// of them, so that there are few different statements, which stay prepared. Without ids, nothing is in their list.
pub(crate) fn zone_and(zone: &ZoneId, ids: &[impl Display]) -> (Vec<Value>, String) {
    let mut parameters = vec![Value::from(zone.as_str())];
    if ids.is_empty() {
        return (parameters, "NULL".to_owned());
    }
    let length = ids.len().next_power_of_two();
    let last = ids.last();
    parameters.extend(ids.iter().chain(last.into_iter().cycle()).take(length).map(|id| Value::Text(id.to_string())));
    (parameters, placeholders(2, length))
}

async fn rows<F: Finding>(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
) -> Result<Vec<Row>, StoreFailure> {
    let (parameters, listed) = list(zone, ids);
    let sql = ["SELECT operation_id, ", F::SELECTED, " FROM ", F::TABLE, " WHERE ", &listed].concat();
    Ok(connection.query(sql, parameters).await?)
}

async fn put<F: Finding>(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: OperationId,
    finding: &F,
) -> Result<(), QueryError> {
    let mut parameters = vec![Value::from(zone.as_str()), Value::Text(id.to_string())];
    parameters.extend(finding.values());
    connection.query(F::UPSERT, parameters).await.map(drop)
}

async fn remove<F: Finding>(connection: &mut Connection<'_>, zone: &ZoneId, id: OperationId) -> Result<(), QueryError> {
    let sql = ["DELETE FROM ", F::TABLE, " WHERE zone_id = $1 AND operation_id = $2"].concat();
    connection.query(sql, vec![zone.as_str().into(), Value::Text(id.to_string())]).await.map(drop)
}

/// Says on these operations' rows whether there is a finding. Rows that say so already are left alone: to write one
/// again costs more than to look.
async fn flag<F: Finding>(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
    has: bool,
) -> Result<(), QueryError> {
    if ids.is_empty() {
        return Ok(());
    }
    let (parameters, listed) = list(zone, ids);
    let (to, from) = if has { ("1", "0") } else { ("0", "1") };
    let sql = ["UPDATE operations SET ", F::FLAG, " = ", to, " WHERE ", &listed, " AND ", F::FLAG, " = ", from];
    connection.query(sql.concat(), parameters).await.map(drop)
}
