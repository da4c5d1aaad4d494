//! `DELETE …/schema_validation/settings/operations/{operation_id}`: takes an operation's action away (contract 6.10).

use axum::extract::State;
use demilune_store::ActionChange;

use super::{
    change_one,
    wire::{RemovedAnswer, RemovedBody},
};
use crate::http::{
    SharedState,
    auth::{OperationInPath, WritableZone},
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// Takes the action of an operation away, so that the zone's default holds. That there was none is no error.
#[utoipa::path(delete, path = "/zones/{zone_id}/schema_validation/settings/operations/{operation_id}", tag = "Validation", operation_id = "action_remove",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The zone's default holds.", body = RemovedAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn remove(
    WritableZone(zone): WritableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<RemovedBody>, ApiError> {
    let action = change_one(&state, &zone, id, ActionChange::Inherit).await?;
    Ok(Envelope::new(RemovedBody { operation_id: action.operation.to_string() }))
}
