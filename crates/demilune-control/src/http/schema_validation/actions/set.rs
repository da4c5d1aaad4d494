//! `PUT …/schema_validation/settings/operations/{operation_id}`: gives an operation an action (contract 6.10).

use axum::extract::State;
use demilune_inventory::{OperationId, ZoneId};
use demilune_store::{ActionChange, ActionsChangeError, OperationAction};

use super::wire::{ActionAnswer, ActionBody, ActionInput};
use crate::http::{
    SharedState,
    auth::{OperationInPath, WritableZone},
    body::JsonBody,
    envelope::Envelope,
    error::{ApiError, Defect, FailureBody},
    schema_validation::input::{ACTION, change, members},
};

/// Sets the action of an operation; null has the zone's default hold.
#[utoipa::path(put, path = "/zones/{zone_id}/schema_validation/settings/operations/{operation_id}", tag = "Validation", operation_id = "action_set",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    request_body = ActionInput,
    responses(
        (status = 200, description = "The action as it is now.", body = ActionAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn set(
    WritableZone(zone): WritableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<ActionBody>, ApiError> {
    if !members(&body)?.contains_key(ACTION) {
        let message = "The member mitigation_action is missing; it is none, log, block or null.";
        return Err(Defect::at(format!("/{ACTION}"), message).into());
    }
    let action = change_one(&state, &zone, id, change(&body, "")?).await?;
    Ok(Envelope::new(action.into()))
}

/// Changes the action of one operation.
pub(crate) async fn change_one(
    state: &SharedState,
    zone: &ZoneId,
    id: OperationId,
    change: ActionChange,
) -> Result<OperationAction, ApiError> {
    match state.store.operation_actions_change(zone, vec![(id, change)]).await {
        Ok(actions) => actions.first().copied().ok_or_else(ApiError::internal),
        Err(ActionsChangeError::OperationsUnknown(_)) => {
            Err(state.missing(zone, ApiError::operation_unknown()).await?)
        }
        Err(ActionsChangeError::Store(failure)) => Err(failure.into()),
    }
}
