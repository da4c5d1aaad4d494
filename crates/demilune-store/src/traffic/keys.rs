//! Which zones and operations there are records of. Each is one look into the primary key, however many records it has.

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Row, Value},
};

/// Most operations in one statement or transaction of maintenance: a week of records of five minutes each from a few
/// sources is some 50,000 rows, and others get their turn after a moment.
pub(crate) const OPERATIONS_MAX: usize = 16;

/// The zones.
pub(crate) async fn zones(connection: &mut Connection<'_>) -> Result<Vec<String>, StoreFailure> {
    const SQL: &str = "WITH RECURSIVE found (name) AS (\
        SELECT min(zone_id) FROM traffic_records UNION ALL \
        SELECT (SELECT min(zone_id) FROM traffic_records WHERE zone_id > found.name) \
        FROM found WHERE found.name IS NOT NULL\
        ) SELECT name FROM found WHERE name IS NOT NULL";
    names(connection.query(SQL, Vec::new()).await)
}

/// The operations of a zone as they are stored; empty for requests that none fits.
pub(crate) async fn operations(connection: &mut Connection<'_>, zone: &str) -> Result<Vec<String>, StoreFailure> {
    const SQL: &str = "WITH RECURSIVE found (name) AS (\
        SELECT min(operation_id) FROM traffic_records WHERE zone_id = $1 UNION ALL \
        SELECT (SELECT min(operation_id) FROM traffic_records WHERE zone_id = $1 AND operation_id > found.name) \
        FROM found WHERE found.name IS NOT NULL\
        ) SELECT name FROM found WHERE name IS NOT NULL";
    names(connection.query(SQL, vec![zone.into()]).await)
}

fn names(rows: Result<Vec<Row>, QueryError>) -> Result<Vec<String>, StoreFailure> {
    let name =
        |row: Row| row.0.into_iter().find_map(|value| if let Value::Text(name) = value { Some(name) } else { None });
    Ok(rows?.into_iter().filter_map(name).collect())
}
