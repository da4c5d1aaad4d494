//! A zone's rules, read whole and from one moment.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{OperationId, ZoneId};
use demilune_policy::rule::{OperationRule, ZoneRules};

use crate::{
    connection::Connection,
    error::StoreFailure,
    learned_schema, operation, origin,
    schema_validation::{self, ZoneValidation},
    settings,
    user_schema::SchemaId,
    zone,
};

/// What a gateway loads of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRules {
    /// The rules; their revision covers all of this.
    pub rules: ZoneRules,
    /// For each operation that a schema was learned for, the names that it shows
    /// ([`StoredSchema::published`](crate::StoredSchema::published)); left out where it is empty.
    pub published: BTreeMap<OperationId, Vec<u8>>,
    /// The schemas in force, and what happens to requests that do not fit them.
    pub validation: ZoneValidation,
}

/// What a gateway loads of a zone, without the sources of the schemas that it knows; none if there is no such zone.
pub(crate) async fn get_for_gateway(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    known: &BTreeSet<SchemaId>,
) -> Result<Option<GatewayRules>, StoreFailure> {
    connection.begin_read().await?;
    let rules = read_for_gateway(connection, zone, known).await;
    connection.rollback().await;
    rules
}

async fn read_for_gateway(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    known: &BTreeSet<SchemaId>,
) -> Result<Option<GatewayRules>, StoreFailure> {
    let Some(rules) = read(connection, zone).await? else { return Ok(None) };
    let published = learned_schema::published(connection, zone).await?;
    let validation = schema_validation::of_zone(connection, zone, known).await?;
    Ok(Some(GatewayRules { rules, published, validation }))
}

/// A zone's rules; none if there is no such zone.
pub(crate) async fn get(connection: &mut Connection<'_>, zone: &ZoneId) -> Result<Option<ZoneRules>, StoreFailure> {
    connection.begin_read().await?;
    let rules = read(connection, zone).await;
    // Nothing was written, so that it does not matter how the transaction ends.
    connection.rollback().await;
    rules
}

async fn read(connection: &mut Connection<'_>, zone: &ZoneId) -> Result<Option<ZoneRules>, StoreFailure> {
    let Some(revision) = zone::revision(connection, zone).await? else { return Ok(None) };
    let operations = operation::routed(connection, zone).await?.into_iter();
    let mut operations: Vec<_> =
        operations.map(|(id, key, route)| OperationRule { id, key, route: route.map(|route| route.target) }).collect();
    // One state of the store is one value, in whichever order the rows came.
    operations.sort_unstable_by(|first, second| first.key.cmp(&second.key));
    let origins = origin::list(connection, zone).await?.unwrap_or_default();
    let stored = settings::get(connection, zone).await?.unwrap_or_default();
    Ok(Some(ZoneRules {
        zone: zone.clone(),
        revision,
        operations,
        origins: origins.into_iter().map(|record| record.origin).collect(),
        session_identifiers: stored.session_identifiers,
        settings: stored.settings,
    }))
}
