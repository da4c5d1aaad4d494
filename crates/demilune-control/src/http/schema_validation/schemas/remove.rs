//! `DELETE …/schema_validation/schemas/{schema_id}`: removes a schema (contract 6.8).

use axum::extract::State;

use super::wire::{RemovedAnswer, RemovedBody};
use crate::http::{
    SharedState,
    auth::{SchemaInPath, WritableZone},
    envelope::Envelope,
    error::{ApiError, FailureBody},
    user_schemas::take_out,
};

/// Removes a schema: requests are no longer checked against it.
#[utoipa::path(delete, path = "/zones/{zone_id}/schema_validation/schemas/{schema_id}", tag = "Validation", operation_id = "schema_remove",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("schema_id" = String, Path, description = "The schema.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The schema is gone.", body = RemovedAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn remove(
    WritableZone(zone): WritableZone,
    SchemaInPath(id): SchemaInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<RemovedBody>, ApiError> {
    take_out(&state, &zone, id).await?;
    Ok(Envelope::new(RemovedBody { id: id.to_string(), schema_id: id.to_string() }))
}
