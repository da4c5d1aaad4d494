//! `GET /demilune/v1/zones/{zone_id}/operations/{operation_id}/parameter_schemas/explain`: what a schema rests on.

use axum::extract::State;

use super::wire::{SchemaExplanationAnswer, SchemaExplanationBody};
use crate::{
    clock,
    http::{
        SharedState,
        auth::{OperationInPath, ReadableZone},
        envelope::Envelope,
        error::{ApiError, FailureBody},
    },
    schemas::Progress,
};

/// What an operation's learned schema rests on, or what is missing for one.
#[utoipa::path(get, path = "/zones/{zone_id}/operations/{operation_id}/parameter_schemas/explain", tag = "Gateway", operation_id = "parameter_schemas_explain",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The evidence behind the schema.", body = SchemaExplanationAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn explain(
    ReadableZone(zone): ReadableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<SchemaExplanationBody>, ApiError> {
    let operation = state.operation(&zone, id).await?;
    let now = clock::now();
    let body = match &operation.features.parameter_schemas {
        Some(stored) => SchemaExplanationBody::learned(id, stored, now)?,
        None => SchemaExplanationBody::learning(id, Progress::of(&state.store, &zone, id, now).await?, now),
    };
    Ok(Envelope::new(body))
}
