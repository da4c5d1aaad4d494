//! Pages of schemas.

use demilune_inventory::ZoneId;

use super::{SCHEMA_ID, SOURCE, UserSchema, selected, user_schema};
use crate::{
    connection::Connection,
    error::StoreFailure,
    row::{Column, Value},
};

/// Which schemas to list; the newest come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserSchemaQuery {
    /// Keep those that requests are checked against, or the others; none keeps all.
    pub validation_enabled: Option<bool>,
    /// Whether to read the sources, which may be large.
    pub with_source: bool,
    /// How many rows to leave out.
    pub offset: u64,
    /// How many rows to answer with.
    pub limit: u32,
}

/// One page of schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSchemaPage {
    /// The rows of the page.
    pub schemas: Vec<UserSchema>,
    /// Matches of the filter over all pages.
    pub total_count: u64,
}

/// After all columns of a schema.
const TOTAL_COUNT: Column = Column { table: "user_schemas", name: "total_count", index: SOURCE.index + 1 };

/// A page of a zone's schemas, and the number of all that pass the filter; none if there is no such zone.
pub(crate) async fn list(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    query: UserSchemaQuery,
) -> Result<Option<UserSchemaPage>, StoreFailure> {
    let filter = match query.validation_enabled {
        None => "",
        Some(true) => " AND validation_enabled = 1",
        Some(false) => " AND validation_enabled = 0",
    };
    let selected = selected(query.with_source);
    let sql = format!(
        "SELECT s.*, (SELECT count(*) FROM user_schemas WHERE zone_id = $1{filter}) \
         FROM zones z LEFT JOIN (SELECT {selected} FROM user_schemas WHERE zone_id = $1{filter} \
         ORDER BY created_at DESC, schema_id DESC LIMIT $2 OFFSET $3) s ON TRUE \
         WHERE z.zone_id = $1 ORDER BY s.created_at DESC, s.schema_id DESC"
    );
    let offset = Value::Integer(query.offset.try_into().unwrap_or(i64::MAX));
    let rows = connection.query(sql, vec![zone.as_str().into(), Value::Integer(query.limit.into()), offset]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let total_count = first.count(TOTAL_COUNT)?;
    // An empty page is one row of nulls beside the total.
    let filled = rows.iter().filter(|row| !row.is_null(SCHEMA_ID));
    Ok(Some(UserSchemaPage { schemas: filled.map(user_schema).collect::<Result<_, _>>()?, total_count }))
}
