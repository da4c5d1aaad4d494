//! Pages of operations, filtered and sorted.

use demilune_inventory::{Host, Method, ZoneId};

use super::{FIRST_SCHEMA, JOIN_THRESHOLDS, OPERATION_ID, SELECTED, StoredOperation, operation};
use crate::{
    connection::{Connection, placeholders},
    error::StoreFailure,
    learned_schema,
    row::{Column, Value},
    thresholds::{self, ThresholdKey},
};

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
    /// Turn the whole order round, except that what has no value stays last.
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
    Thresholds(ThresholdKey),
}

/// One page of operations.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationPage {
    /// The rows of the page.
    pub operations: Vec<StoredOperation>,
    /// Matches of the filter over all pages.
    pub total_count: u64,
}

/// After all columns of an operation.
const TOTAL_COUNT: Column =
    Column { table: "operations", name: "total_count", index: FIRST_SCHEMA + learned_schema::SELECTED_COLUMNS };

/// A page of a zone's operations, and the number of all that pass the filter, from one statement and so from one
/// state; with what was learned about them if asked for. None if there is no such zone.
pub(crate) async fn list(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    query: &OperationQuery,
    with_schemas: bool,
) -> Result<Option<OperationPage>, StoreFailure> {
    let mut parameters = vec![Value::from(zone.as_str())];
    let (hosts, methods, endpoint) = (&query.hosts, &query.methods, query.endpoint_contains.as_deref());
    let filter = filter(hosts, methods, endpoint, connection.substring_position(), &mut parameters);
    // The zone keeps count of its operations; only a filter makes counting necessary.
    let total = if filter.is_empty() {
        "z.operation_count".to_owned()
    } else {
        format!("(SELECT count(*) FROM operations WHERE zone_id = $1{filter})")
    };
    let order = order(query, connection.is_sqlite());
    let limit = parameters.len() + 1;
    let offset = limit + 1;
    let joined = if let OperationOrder::Thresholds(_) = query.order { JOIN_THRESHOLDS } else { "" };
    let thresholds = thresholds::SELECTED;
    let (schemas, join_schemas) = if with_schemas {
        let join = "LEFT JOIN operation_schemas s ON s.zone_id = z.zone_id AND s.operation_id = p.operation_id";
        (learned_schema::SELECTED, join)
    } else {
        (learned_schema::NOT_SELECTED, "")
    };
    let sql = format!(
        "SELECT p.operation_id, {thresholds}, {SELECTED}, {schemas}, {total} \
         FROM zones z LEFT JOIN (SELECT operation_id, {SELECTED} FROM operations {joined} WHERE zone_id = $1{filter} \
         ORDER BY {order} LIMIT ${limit} OFFSET ${offset}) p ON TRUE \
         LEFT JOIN operation_thresholds t ON t.zone_id = z.zone_id AND t.operation_id = p.operation_id {join_schemas} \
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
pub(crate) fn filter(
    hosts: &[Host],
    methods: &[Method],
    endpoint_contains: Option<&str>,
    substring_position: &str,
    parameters: &mut Vec<Value>,
) -> String {
    let mut sql = String::new();
    let hosts: Vec<_> = hosts.iter().map(Host::as_str).collect();
    let methods: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
    for (column, values) in [("host", hosts), ("method", methods)] {
        if !values.is_empty() {
            let list = placeholders(parameters.len() + 1, values.len());
            sql.push_str(&[" AND ", column, " IN (", &list, ")"].concat());
            parameters.extend(values.into_iter().map(Value::from));
        }
    }
    if endpoint_contains.is_some_and(|part| part.contains('\0')) {
        // No endpoint holds a NUL, and PostgreSQL refuses one in a text.
        sql.push_str(" AND FALSE");
    } else if let Some(part) = endpoint_contains {
        let place = placeholders(parameters.len() + 1, 1);
        sql.push_str(&[" AND ", substring_position, "(endpoint, ", &place, ") > 0"].concat());
        parameters.push(part.into());
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
        OperationOrder::Host | OperationOrder::Thresholds(_) => [host, endpoint, method],
        OperationOrder::Endpoint => [endpoint, host, method],
        OperationOrder::Method => [method, host, endpoint],
    };
    let direction = if query.descending { " DESC" } else { "" };
    let mut terms = Vec::new();
    if let OperationOrder::Thresholds(key) = query.order {
        terms.push("window_end IS NULL".to_owned());
        terms.extend(key.column().map(|column| [column, direction].concat()));
    }
    terms.extend(members.concat().iter().map(|term| [term, direction].concat()));
    terms.join(", ")
}
