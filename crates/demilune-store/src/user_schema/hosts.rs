//! The hosts that schemas speak of.

use std::collections::BTreeMap;

use demilune_inventory::{Host, ZoneId};

use super::{SchemaId, UserSchema, UserSchemaPage, UserSchemaQuery, list as schemas};
use crate::{beside, connection::Connection, error::StoreFailure, row::columns};

/// A schema and the hosts of what it describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaHosts {
    /// The schema, without its source.
    pub schema: UserSchema,
    /// The hosts, each once, by their bytes.
    pub hosts: Vec<Host>,
}

/// One page of schemas with their hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaHostsPage {
    /// The rows of the page, the newest schema first.
    pub schemas: Vec<SchemaHosts>,
    /// Schemas over all pages.
    pub total_count: u64,
}

/// A page of a zone's schemas with their hosts, all from one moment; none if there is no such zone.
pub(crate) async fn list(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    offset: u64,
    limit: u32,
) -> Result<Option<SchemaHostsPage>, StoreFailure> {
    connection.begin_read().await?;
    let page = read(connection, zone, offset, limit).await;
    // Nothing was written, so that it does not matter how the transaction ends.
    connection.rollback().await;
    page
}

async fn read(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    offset: u64,
    limit: u32,
) -> Result<Option<SchemaHostsPage>, StoreFailure> {
    let query = UserSchemaQuery { validation_enabled: None, with_source: false, offset, limit };
    let Some(UserSchemaPage { schemas, total_count }) = schemas(connection, zone, query).await? else {
        return Ok(None);
    };
    let ids: Vec<_> = schemas.iter().map(|schema| schema.id).collect();
    let mut hosts = of_schemas(connection, zone, &ids).await?;
    let schemas = schemas.into_iter().map(|schema| {
        let hosts = hosts.remove(&schema.id).unwrap_or_default();
        SchemaHosts { schema, hosts }
    });
    Ok(Some(SchemaHostsPage { schemas: schemas.collect(), total_count }))
}

async fn of_schemas(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[SchemaId],
) -> Result<BTreeMap<SchemaId, Vec<Host>>, StoreFailure> {
    columns! { "user_schema_operations": SCHEMA_ID = 0 "schema_id", HOST = 1 "host" }
    let (parameters, places) = beside::zone_and(zone, ids);
    let sql = format!(
        "SELECT DISTINCT schema_id, host FROM user_schema_operations WHERE zone_id = $1 AND schema_id IN ({places}) \
         ORDER BY schema_id, host"
    );
    let mut hosts = BTreeMap::<_, Vec<Host>>::new();
    for row in connection.query(sql, parameters).await? {
        hosts.entry(row.parse(SCHEMA_ID)?).or_default().push(row.parse(HOST)?);
    }
    Ok(hosts)
}
