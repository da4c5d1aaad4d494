//! Actions of single operations, which come before the default of their zone.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{OperationId, ZoneId};

use super::MitigationAction;
use crate::{
    beside,
    connection::{Connection, placeholders},
    error::{ActionsChangeError, QueryError, StoreFailure},
    row::{Row, Value, columns},
    zone,
};

/// An operation and its own action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationAction {
    /// The operation.
    pub operation: OperationId,
    /// Its action; none where the zone's default holds.
    pub action: Option<MitigationAction>,
}

/// One page of operations that have an action of their own, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationActionPage {
    /// The rows of the page.
    pub actions: Vec<(OperationId, MitigationAction)>,
    /// Rows over all pages.
    pub total_count: u64,
}

/// What to do about an operation's action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionChange {
    /// It stays as it is.
    Keep,
    /// The zone's default holds.
    Inherit,
    /// This one holds.
    Set(MitigationAction),
}

columns! { "operation_actions":
    OPERATION_ID = 0 "operation_id",
    ACTION = 1 "mitigation_action",
    TOTAL_COUNT = 2 "total_count",
}

fn operation_action(row: &Row) -> Result<OperationAction, StoreFailure> {
    Ok(OperationAction { operation: row.parse(OPERATION_ID)?, action: row.parse_or_null(ACTION)? })
}

/// An operation's own action; none if there is no such operation.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: OperationId,
) -> Result<Option<OperationAction>, StoreFailure> {
    Ok(of_operations(connection, zone, &[id]).await?.pop())
}

/// Those of these operations that the zone has, with their own actions.
async fn of_operations(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
) -> Result<Vec<OperationAction>, StoreFailure> {
    let (parameters, places) = beside::zone_and(zone, ids);
    let sql = format!(
        "SELECT operation_id, mitigation_action FROM operations LEFT JOIN operation_actions \
         USING (zone_id, operation_id) WHERE zone_id = $1 AND operation_id IN ({places})"
    );
    connection.query(sql, parameters).await?.iter().map(operation_action).collect()
}

/// Every operation of a zone with an action of its own.
pub(super) async fn all(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
) -> Result<BTreeMap<OperationId, MitigationAction>, StoreFailure> {
    const SQL: &str = "SELECT operation_id, mitigation_action FROM operation_actions WHERE zone_id = $1";
    let rows = connection.query(SQL, vec![zone.as_str().into()]).await?;
    rows.iter().map(|row| Ok((row.parse(OPERATION_ID)?, row.parse(ACTION)?))).collect()
}

/// A page of the operations of a zone with an action of their own; none if there is no such zone.
pub(crate) async fn list(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    offset: u64,
    limit: u32,
) -> Result<Option<OperationActionPage>, StoreFailure> {
    const SQL: &str = "SELECT a.operation_id, a.mitigation_action, \
        (SELECT count(*) FROM operation_actions WHERE zone_id = $1) FROM zones z \
        LEFT JOIN (SELECT operation_id, mitigation_action FROM operation_actions WHERE zone_id = $1 \
        ORDER BY operation_id LIMIT $2 OFFSET $3) a ON TRUE WHERE z.zone_id = $1 ORDER BY a.operation_id";
    let offset = Value::Integer(offset.try_into().unwrap_or(i64::MAX));
    let rows = connection.query(SQL, vec![zone.as_str().into(), Value::Integer(limit.into()), offset]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let total_count = first.count(TOTAL_COUNT)?;
    // An empty page is one row of nulls beside the total.
    let filled = rows.iter().filter(|row| !row.is_null(OPERATION_ID));
    let actions = filled.map(|row| Ok((row.parse(OPERATION_ID)?, row.parse(ACTION)?)));
    Ok(Some(OperationActionPage { actions: actions.collect::<Result<_, StoreFailure>>()?, total_count }))
}

/// Changes actions, all or nothing, in the transaction that is open; gives what they are then, in the order of the
/// changes.
///
/// Locks the operations before the zone, as upserts do.
pub(crate) async fn change(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    changes: &[(OperationId, ActionChange)],
) -> Result<Result<Vec<OperationAction>, ActionsChangeError>, QueryError> {
    let mut actions = BTreeMap::new();
    for some in changes.chunks(beside::CHUNK) {
        let ids: Vec<_> = some.iter().map(|(id, _)| *id).collect();
        beside::lock_some(connection, zone, &ids).await?;
        let found = of_operations(connection, zone, &ids).await?;
        actions.extend(found.into_iter().map(|found| (found.operation, found.action)));
    }
    let unknown: Vec<_> = changes.iter().map(|(id, _)| *id).filter(|id| !actions.contains_key(id)).collect();
    if !unknown.is_empty() {
        return Ok(Err(ActionsChangeError::OperationsUnknown(unknown)));
    }
    let mut others = BTreeSet::new();
    for (id, change) in changes {
        let after = match change {
            ActionChange::Keep => continue,
            ActionChange::Inherit => None,
            ActionChange::Set(action) => Some(*action),
        };
        if actions.insert(*id, after) != Some(after) {
            others.insert(*id);
        }
    }
    let others: Vec<_> = others.iter().map(|id| (*id, actions.get(id).copied().flatten())).collect();
    write(connection, zone, &others).await?;
    if !others.is_empty() {
        zone::advance(connection, zone).await?;
    }
    let after =
        |(id, _): &(OperationId, _)| OperationAction { operation: *id, action: actions.get(id).copied().flatten() };
    Ok(Ok(changes.iter().map(after).collect()))
}

async fn write(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    actions: &[(OperationId, Option<MitigationAction>)],
) -> Result<(), QueryError> {
    const INSERT: &str = "INSERT INTO operation_actions (zone_id, operation_id, mitigation_action) VALUES ";
    const CONFLICT: &str =
        " ON CONFLICT (zone_id, operation_id) DO UPDATE SET mitigation_action = excluded.mitigation_action";
    for some in actions.chunks(beside::CHUNK) {
        let inherit: Vec<_> = some.iter().filter(|(_, action)| action.is_none()).map(|(id, _)| *id).collect();
        if !inherit.is_empty() {
            let (parameters, places) = beside::zone_and(zone, &inherit);
            let sql = format!("DELETE FROM operation_actions WHERE zone_id = $1 AND operation_id IN ({places})");
            connection.query(sql, parameters).await?;
        }
        let mut parameters = vec![Value::from(zone.as_str())];
        let mut rows = Vec::new();
        for (id, action) in some.iter().filter_map(|(id, action)| Some((id, (*action)?))) {
            rows.push(format!("($1, {})", placeholders(parameters.len() + 1, 2)));
            parameters.extend([Value::Text(id.to_string()), action.as_str().into()]);
        }
        if !rows.is_empty() {
            connection.query([INSERT, &rows.join(", "), CONFLICT].concat(), parameters).await?;
        }
    }
    Ok(())
}
