//! `GET …/schema_validation/settings/operations/{operation_id}`: an operation's own action (contract 6.10).

use axum::extract::State;

use super::wire::{ActionAnswer, ActionBody};
use crate::http::{
    SharedState,
    auth::{OperationInPath, ReadableZone},
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// The action of an operation; 404 while it has none of its own.
#[utoipa::path(get, path = "/zones/{zone_id}/schema_validation/settings/operations/{operation_id}", tag = "Validation", operation_id = "action_get",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The action.", body = ActionAnswer),
        (status = "4XX", description = "The request is at fault, or the operation has no action of its own.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn get(
    ReadableZone(zone): ReadableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<ActionBody>, ApiError> {
    match state.store.operation_action_get(&zone, id).await? {
        Some(found) if found.action.is_some() => Ok(Envelope::new(found.into())),
        Some(_) => Err(ApiError::action_absent()),
        None => Err(state.missing(&zone, ApiError::operation_unknown()).await?),
    }
}
