//! Routes: where the requests of one operation are sent. They are columns of the operation's row and go with it.

use demilune_inventory::{Endpoint, OperationId, Timestamp, ZoneId};
use demilune_policy::rule::RouteTarget;

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Column, Row, Value, columns},
    zone,
};

/// The target of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where the operation's requests are sent.
    pub target: RouteTarget,
    /// When it was last set.
    pub last_updated: Timestamp,
}

columns! { "operations": ROUTE = 0 "route", ROUTE_UPDATED_AT = 1 "route_updated_at" }

/// A route as stored, which only its operation's endpoint can make sense of.
#[derive(Debug)]
pub(crate) struct RouteText {
    target: String,
    last_updated: Timestamp,
}

impl RouteText {
    /// Reads both columns; none where the operation has no route.
    pub(crate) fn read(row: &Row, target: Column, last_updated: Column) -> Result<Option<Self>, StoreFailure> {
        let Some(target) = row.parse_or_null(target)? else { return Ok(None) };
        Ok(Some(Self { target, last_updated: row.time(last_updated)? }))
    }

    /// The route of the operation with this id and endpoint.
    pub(crate) fn parse(&self, id: OperationId, endpoint: &Endpoint) -> Result<Route, StoreFailure> {
        let damaged = |_| StoreFailure::Damaged { table: ROUTE.table, column: ROUTE.name, row: id.to_string() };
        let target = RouteTarget::parse(&self.target, endpoint).map_err(damaged)?;
        Ok(Route { target, last_updated: self.last_updated })
    }
}

/// Sets a route, in the transaction that is open; none if there is no such operation.
///
/// Locks the operation before the zone, as upserts do.
pub(crate) async fn set(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: OperationId,
    target: RouteTarget,
    now: Timestamp,
) -> Result<Option<Route>, QueryError> {
    const UPDATE: &str = "UPDATE operations SET route = $3, route_updated_at = \
                          CASE WHEN route_updated_at >= $4 THEN route_updated_at + 1 ELSE $4 END \
                          WHERE zone_id = $1 AND operation_id = $2 RETURNING route, route_updated_at";
    let Some(before) = lock(connection, zone, id).await? else { return Ok(None) };
    let text = target.to_string();
    let mut parameters = operation(zone, id);
    parameters.extend([Value::Text(text.clone()), now.into()]);
    let rows = connection.query(UPDATE, parameters).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let last_updated = row.time(ROUTE_UPDATED_AT)?;
    if before.as_ref() != Some(&text) {
        zone::advance(connection, zone).await?;
    }
    Ok(Some(Route { target, last_updated }))
}

/// Removes a route, in the transaction that is open; false if there was none.
pub(crate) async fn delete(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: OperationId,
) -> Result<bool, QueryError> {
    const UPDATE: &str = "UPDATE operations SET route = NULL, route_updated_at = NULL \
                          WHERE zone_id = $1 AND operation_id = $2 AND route IS NOT NULL RETURNING operation_id";
    let found = !connection.query(UPDATE, operation(zone, id)).await?.is_empty();
    if found {
        zone::advance(connection, zone).await?;
    }
    Ok(found)
}

/// Locks an operation's row. Answers with its route's text, none inside where it has none; none if there is no such
/// operation.
async fn lock(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: OperationId,
) -> Result<Option<Option<String>>, QueryError> {
    const SELECT: &str = "SELECT route FROM operations WHERE zone_id = $1 AND operation_id = $2";
    let sql = [SELECT, connection.for_update()].concat();
    let rows = connection.query(sql, operation(zone, id)).await?;
    Ok(rows.first().map(|row| row.parse_or_null(ROUTE)).transpose()?)
}

fn operation(zone: &ZoneId, id: OperationId) -> Vec<Value> {
    vec![zone.as_str().into(), Value::Text(id.to_string())]
}
