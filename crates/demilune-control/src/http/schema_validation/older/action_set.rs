//! `PUT …/operations/{operation_id}/schema_validation`: gives an operation an action (contract 6.4).

use axum::extract::State;
use demilune_store::ActionChange;

use super::wire::{OlderActionAnswer, OlderActionInput, OpenEnvelope};
use crate::http::{
    SharedState,
    auth::{OperationInPath, WritableZone},
    body::JsonBody,
    error::{ApiError, FailureBody},
    schema_validation::{
        actions::{ActionBody, change_one},
        input::{change, members},
    },
};

/// Sets the action of an operation; without one, the zone's default holds.
#[utoipa::path(put, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}/schema_validation", tag = "Validation", operation_id = "older_action_set",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    request_body = OlderActionInput,
    responses(
        (status = 200, description = "The action as it is now.", body = OlderActionAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn action_set(
    WritableZone(zone): WritableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<OpenEnvelope<ActionBody>, ApiError> {
    members(&body)?;
    let change = match change(&body, "")? {
        // Terraform leaves null out.
        ActionChange::Keep => ActionChange::Inherit,
        other => other,
    };
    Ok(OpenEnvelope::new(change_one(&state, &zone, id, change).await?.into()))
}
