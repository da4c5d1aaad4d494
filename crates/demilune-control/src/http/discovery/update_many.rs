//! `PATCH …/discovery/operations`: has discovered operations be reviewed or ignored (contract 6.12).

use std::collections::BTreeMap;

use axum::extract::State;
use demilune_inventory::ZoneId;
use demilune_store::DiscoveredId;
use serde_json::Value;

use super::{
    input::ignored,
    wire::{DiscoveredStateBody, DiscoveredStatesAnswer, DiscoveredStatesInput},
};
use crate::{
    discovery::Discovered,
    http::{
        SharedState,
        auth::WritableZone,
        body::JsonBody,
        envelope::Envelope,
        error::{ApiError, Defect, FailureBody, NOT_FOUND},
        input::{member_pointer, sentence},
    },
};

/// Most defects answered for one call: a body of a mebibyte can hold tens of thousands.
const DEFECTS_MAX: usize = 100;

/// Has discovered operations be reviewed or ignored, all or none.
#[utoipa::path(patch, path = "/zones/{zone_id}/api_gateway/discovery/operations", tag = "Discovery", operation_id = "discovered_update_many",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = DiscoveredStatesInput,
    responses(
        (status = 200, description = "The states as they are now.", body = DiscoveredStatesAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn update_many(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<BTreeMap<String, DiscoveredStateBody>>, ApiError> {
    Ok(Envelope::new(apply(&state, &zone, changes(&body)?).await?))
}

/// Changes states, and gives them as they are then.
pub(super) async fn apply(
    state: &SharedState,
    zone: &ZoneId,
    changes: BTreeMap<DiscoveredId, Option<bool>>,
) -> Result<BTreeMap<String, DiscoveredStateBody>, ApiError> {
    // What is left as it is must be known as well.
    let found = Discovered::all(&state.store, zone).await?.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    let is_known = |id: &DiscoveredId| found.iter().any(|found| found.operation.id == *id);
    refuse(changes.keys().filter(|id| !is_known(id)))?;
    let set = changes.iter().filter_map(|(id, ignored)| Some((id.clone(), (*ignored)?))).collect();
    refuse(state.store.discovered_set_ignored(zone, set).await?.iter())?;
    let found = Discovered::all(&state.store, zone).await?.unwrap_or_default();
    let asked = found.into_iter().filter(|found| changes.contains_key(&found.operation.id));
    Ok(asked.map(|found| (found.operation.id.to_string(), found.state.into())).collect())
}

/// Refuses a change of what is not there.
fn refuse<'i>(unknown: impl Iterator<Item = &'i DiscoveredId>) -> Result<(), ApiError> {
    let defect = |id: &DiscoveredId| Defect {
        code: &NOT_FOUND,
        message: format!("There is no discovered operation {id} in the zone; nothing was changed."),
        pointer: Some(format!("/{id}")),
        chain: &[],
    };
    ApiError::collect(unknown.take(DEFECTS_MAX).map(defect).collect())
}

/// What a body asks for, by id.
fn changes(body: &Value) -> Result<BTreeMap<DiscoveredId, Option<bool>>, ApiError> {
    let Value::Object(members) = body else {
        return Err(Defect::at("", "The body must be a JSON object of ids of discovered operations.").into());
    };
    let (mut changes, mut defects) = (BTreeMap::new(), Vec::new());
    for (name, value) in members {
        let pointer = member_pointer(name);
        let id = name.parse::<DiscoveredId>().map_err(|error| Defect::at(&pointer, sentence(&error)));
        match (id, ignored(value, &pointer)) {
            (Ok(id), Ok(change)) => {
                changes.insert(id, change);
            }
            (id, change) => defects.extend([id.err(), change.err()].into_iter().flatten()),
        }
        if defects.len() >= DEFECTS_MAX {
            break;
        }
    }
    ApiError::collect(defects)?;
    Ok(changes)
}
