//! `GET …/operations/{operation_id}/schema_validation`: an operation's own action (contract 6.4).

use axum::extract::State;

use super::wire::{OlderActionAnswer, OpenEnvelope};
use crate::http::{
    SharedState,
    auth::{OperationInPath, ReadableZone},
    error::{ApiError, FailureBody},
    schema_validation::actions::ActionBody,
};

/// The action of an operation; null where the zone's default holds.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}/schema_validation", tag = "Validation", operation_id = "older_action_get",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The action.", body = OlderActionAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn action_get(
    ReadableZone(zone): ReadableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
) -> Result<OpenEnvelope<ActionBody>, ApiError> {
    match state.store.operation_action_get(&zone, id).await? {
        Some(found) => Ok(OpenEnvelope::new(found.into())),
        None => Err(state.missing(&zone, ApiError::operation_unknown()).await?),
    }
}
