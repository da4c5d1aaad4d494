//! Which schema is in force for an operation, and what happens to requests that do not fit it.

use std::collections::BTreeMap;

use demilune_inventory::{OperationId, Timestamp, ZoneId};

use super::{MitigationAction, settings};
use crate::{
    beside,
    connection::Connection,
    error::StoreFailure,
    row::{Row, columns},
    user_schema::SchemaId,
};

/// What is known of an operation's validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaInfo {
    /// The schema in force: of those that are enabled and name the operation, the newest.
    pub active: Option<ActiveSchema>,
    /// Whether something was learned about the operation's requests.
    pub learned_available: bool,
    /// What happens to requests that do not fit: what the zone and the operation say, taken together, and `log` in
    /// place of `block` while the schema in force only logs.
    pub action: MitigationAction,
}

/// A schema in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveSchema {
    /// Its id.
    pub id: SchemaId,
    /// When it was added.
    pub created_at: Timestamp,
    /// Whether it was learned from traffic.
    pub is_learned: bool,
    /// Until when it logs what it would block; none if it blocks from the start.
    pub log_until: Option<Timestamp>,
    /// What its owner calls it.
    pub name: String,
}

impl SchemaInfo {
    /// Puts `log` in the place of `block` where the schema in force only logs at this time.
    fn act_at(&mut self, now: Timestamp) {
        let log_until = self.active.as_ref().and_then(|active| active.log_until);
        if self.action == MitigationAction::Block && log_until.is_some_and(|until| now < until) {
            self.action = MitigationAction::Log;
        }
    }
}

/// What is known of these operations' validation at this time, all from one moment; those that the zone does not have are
/// left out.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
    now: Timestamp,
) -> Result<BTreeMap<OperationId, SchemaInfo>, StoreFailure> {
    connection.begin_read().await?;
    let found = read(connection, zone, ids).await;
    // Nothing was written, so that it does not matter how the transaction ends.
    connection.rollback().await;
    let mut found = found?;
    for info in found.values_mut() {
        info.act_at(now);
    }
    Ok(found)
}

async fn read(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
) -> Result<BTreeMap<OperationId, SchemaInfo>, StoreFailure> {
    let mut found = BTreeMap::new();
    for some in ids.chunks(beside::CHUNK) {
        found.extend(without_schemas(connection, zone, some).await?);
        for (id, active) in active(connection, zone, some).await? {
            // The newest comes last.
            found.entry(id).and_modify(|info: &mut SchemaInfo| info.active = Some(active));
        }
    }
    Ok(found)
}

async fn without_schemas(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
) -> Result<Vec<(OperationId, SchemaInfo)>, StoreFailure> {
    columns! { "operations":
        OPERATION_ID = 0 "operation_id",
        HAS_SCHEMA = 1 "has_parameter_schemas",
        ACTION = 2 "mitigation_action",
        DEFAULT_ACTION = 3 "default_action",
        IS_OFF = 4 "is_off",
    }
    let (parameters, places) = beside::zone_and(zone, ids);
    let sql = format!(
        "SELECT o.operation_id, o.has_parameter_schemas, a.mitigation_action, v.default_action, v.is_off \
         FROM operations o LEFT JOIN operation_actions a ON a.zone_id = o.zone_id AND a.operation_id = o.operation_id \
         LEFT JOIN validation_settings v ON v.zone_id = o.zone_id \
         WHERE o.zone_id = $1 AND o.operation_id IN ({places})"
    );
    let info = |row: &Row| {
        let own = row.parse_or_null(ACTION)?;
        let action = settings(row, DEFAULT_ACTION, IS_OFF)?.effective(own);
        let info = SchemaInfo { active: None, learned_available: row.flag(HAS_SCHEMA)?, action };
        Ok((row.parse(OPERATION_ID)?, info))
    };
    connection.query(sql, parameters).await?.iter().map(info).collect()
}

/// The enabled schemas that name these operations, the newest of each operation last.
async fn active(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    ids: &[OperationId],
) -> Result<Vec<(OperationId, ActiveSchema)>, StoreFailure> {
    columns! { "user_schemas":
        OPERATION_ID = 0 "operation_id",
        SCHEMA_ID = 1 "schema_id",
        CREATED_AT = 2 "created_at",
        NAME = 3 "name",
        LEARNED_FROM = 4 "learned_from",
        LOG_UNTIL = 5 "log_until",
    }
    let (parameters, places) = beside::zone_and(zone, ids);
    let sql = format!(
        "SELECT o.operation_id, s.schema_id, s.created_at, s.name, s.learned_from, s.log_until \
         FROM operations o \
         JOIN user_schema_operations u ON u.zone_id = o.zone_id AND u.key_hash = o.key_hash \
         JOIN user_schemas s ON s.zone_id = u.zone_id AND s.schema_id = u.schema_id \
         WHERE o.zone_id = $1 AND o.operation_id IN ({places}) AND s.validation_enabled = 1 \
         ORDER BY s.created_at, s.schema_id"
    );
    let active = |row: &Row| {
        let active = ActiveSchema {
            id: row.parse(SCHEMA_ID)?,
            created_at: row.time(CREATED_AT)?,
            is_learned: !row.is_null(LEARNED_FROM),
            log_until: row.time_or_null(LOG_UNTIL)?,
            name: row.parse(NAME)?,
        };
        Ok((row.parse(OPERATION_ID)?, active))
    };
    connection.query(sql, parameters).await?.iter().map(active).collect()
}
