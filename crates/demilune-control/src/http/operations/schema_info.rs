//! Which schema is in force for an operation, as it looks on the wire (contract 2.5 E).

use std::collections::BTreeMap;

use demilune_inventory::{OperationId, ZoneId};
use demilune_store::{ActiveSchema, MitigationAction, SchemaInfo, StoredOperation};
use serde::Serialize;
use utoipa::ToSchema;

use super::Feature;
use crate::{
    clock,
    http::{State, error::ApiError},
};

/// What is known of the validation of some operations, if that was asked for.
#[derive(Debug, Default)]
pub(crate) struct SchemaInfos(BTreeMap<OperationId, SchemaInfo>);

impl SchemaInfos {
    /// Reads it, if it is among the features.
    pub(crate) async fn read<'o>(
        state: &State,
        zone: &ZoneId,
        features: &[Feature],
        operations: impl IntoIterator<Item = &'o StoredOperation>,
    ) -> Result<Self, ApiError> {
        if !features.contains(&Feature::SchemaInfo) {
            return Ok(Self::default());
        }
        let ids = operations.into_iter().map(|stored| stored.operation.id).collect();
        Ok(Self(state.store.schema_info(zone, ids, clock::now()).await?))
    }

    /// Whether a schema is in force for an operation.
    pub(super) fn is_filled(&self, id: OperationId) -> bool {
        self.0.get(&id).is_some_and(|info| info.active.is_some())
    }

    pub(super) fn of(&self, id: OperationId) -> SchemaInfoBody {
        match self.0.get(&id) {
            Some(info) => info.into(),
            // The operation went while it was asked for.
            None => SchemaInfoBody {
                active_schema: None,
                learned_available: false,
                mitigation_action: MitigationAction::None.as_str(),
            },
        }
    }
}

/// What requests to an operation are checked against, and what happens to those that do not fit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SchemaInfo)]
pub(crate) struct SchemaInfoBody {
    /// The schema in force; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    active_schema: Option<ActiveSchemaBody>,
    /// Whether a schema was learned from traffic.
    learned_available: bool,
    /// What happens to requests that do not fit: the operation's own action, or the default of the zone, unless the zone
    /// overrides both; `log` in place of `block` for the first 24 hours of a learned schema.
    #[schema(value_type = String, pattern = "^(none|log|block)$")]
    mitigation_action: &'static str,
}

/// The schema in force.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActiveSchema)]
struct ActiveSchemaBody {
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    id: String,
    /// When it was uploaded.
    #[schema(format = DateTime)]
    created_at: String,
    /// Whether it was learned from traffic.
    is_learned: bool,
    #[schema(max_length = 255)]
    name: String,
}

impl From<&SchemaInfo> for SchemaInfoBody {
    fn from(info: &SchemaInfo) -> Self {
        Self {
            active_schema: info.active.as_ref().map(ActiveSchemaBody::from),
            learned_available: info.learned_available,
            mitigation_action: info.action.as_str(),
        }
    }
}

impl From<&ActiveSchema> for ActiveSchemaBody {
    fn from(active: &ActiveSchema) -> Self {
        Self {
            id: active.id.to_string(),
            created_at: active.created_at.to_string(),
            is_learned: active.is_learned,
            name: active.name.clone(),
        }
    }
}
