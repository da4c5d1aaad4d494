//! Which zones and operations there are rows of. Each is one look into the primary key, however many rows it has.

use demilune_traffic::{Bucket, Hour};

use super::learning::DAY_SECONDS;
use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Row, Value},
};

/// Most operations in one statement or transaction of maintenance: a week of records of five minutes each from a few
/// sources is some 50,000 rows, and others get their turn after a moment.
pub(crate) const OPERATIONS_MAX: usize = 16;

/// A table of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Records,
    Sessions,
    Imports,
    Learning,
}

impl Table {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Records => "traffic_records",
            Self::Sessions => "traffic_sessions",
            Self::Imports => "traffic_imports",
            Self::Learning => "traffic_learning",
        }
    }

    /// The lengths of time that its rows are of.
    pub(super) const fn lengths(self) -> [u64; 2] {
        match self {
            Self::Learning => [Hour::SECONDS, DAY_SECONDS],
            Self::Records | Self::Sessions | Self::Imports => [Bucket::SECONDS, Hour::SECONDS],
        }
    }

    /// The column of its summaries.
    pub(super) const fn summary(self) -> &'static str {
        match self {
            Self::Records | Self::Imports => "record",
            Self::Sessions => "sessions",
            Self::Learning => "evidence",
        }
    }
}

/// The zones.
pub(crate) async fn zones(connection: &mut Connection<'_>, table: Table) -> Result<Vec<String>, StoreFailure> {
    let table = table.name();
    let sql = format!(
        "WITH RECURSIVE found (name) AS (\
        SELECT min(zone_id) FROM {table} UNION ALL \
        SELECT (SELECT min(zone_id) FROM {table} WHERE zone_id > found.name) \
        FROM found WHERE found.name IS NOT NULL\
        ) SELECT name FROM found WHERE name IS NOT NULL"
    );
    names(connection.query(sql, Vec::new()).await)
}

/// The operations of a zone as they are stored; empty for requests that none fits.
pub(crate) async fn operations(
    connection: &mut Connection<'_>,
    table: Table,
    zone: &str,
) -> Result<Vec<String>, StoreFailure> {
    let table = table.name();
    let sql = format!(
        "WITH RECURSIVE found (name) AS (\
        SELECT min(operation_id) FROM {table} WHERE zone_id = $1 UNION ALL \
        SELECT (SELECT min(operation_id) FROM {table} WHERE zone_id = $1 AND operation_id > found.name) \
        FROM found WHERE found.name IS NOT NULL\
        ) SELECT name FROM found WHERE name IS NOT NULL"
    );
    names(connection.query(sql, vec![zone.into()]).await)
}

fn names(rows: Result<Vec<Row>, QueryError>) -> Result<Vec<String>, StoreFailure> {
    let name =
        |row: Row| row.0.into_iter().find_map(|value| if let Value::Text(name) = value { Some(name) } else { None });
    Ok(rows?.into_iter().filter_map(name).collect())
}
