//! `PATCH …/schema_validation/settings/operations`: changes actions of several operations (contract 6.10).

use std::collections::BTreeMap;

use axum::extract::State;
use demilune_inventory::ZoneId;
use demilune_store::OperationAction;
use serde_json::Value;

use super::wire::{ActionBody, ActionsAnswer, ActionsInput};
use crate::http::{
    SharedState,
    auth::WritableZone,
    body::JsonBody,
    envelope::Envelope,
    error::{ApiError, FailureBody},
    schema_validation::input::{changes, changes_error},
};

/// Changes the actions of operations, all or none; null has the zone's default hold.
#[utoipa::path(patch, path = "/zones/{zone_id}/schema_validation/settings/operations", tag = "Validation", operation_id = "action_update_many",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = ActionsInput,
    responses(
        (status = 200, description = "The actions as they are now.", body = ActionsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn update_many(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<BTreeMap<String, ActionBody>>, ApiError> {
    let actions = change_many(&state, &zone, &body).await?.into_iter();
    Ok(Envelope::new(actions.map(|action| (action.operation.to_string(), action.into())).collect()))
}

/// Changes the actions that a body names, and gives them as they are then.
pub(crate) async fn change_many(
    state: &SharedState,
    zone: &ZoneId,
    body: &Value,
) -> Result<Vec<OperationAction>, ApiError> {
    let changes = changes(body)?;
    // Where there is no zone there is no operation either, and that is the lesser news.
    if state.store.zone_get(zone).await?.is_none() {
        return Err(ApiError::zone_unknown(zone.as_str()));
    }
    state.store.operation_actions_change(zone, changes).await.map_err(changes_error)
}
