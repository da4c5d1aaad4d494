//! `DELETE …/user_schemas/{schema_id}`: removes a schema (contract 6.7).

use axum::extract::State;
use demilune_inventory::ZoneId;
use demilune_store::SchemaId;

use crate::http::{
    SharedState,
    auth::{SchemaInPath, WritableZone},
    envelope::{Empty, EmptyAnswer, Envelope},
    error::{ApiError, FailureBody},
};

/// Removes a schema: requests are no longer checked against it.
#[utoipa::path(delete, path = "/zones/{zone_id}/api_gateway/user_schemas/{schema_id}", tag = "Validation", operation_id = "user_schema_remove",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("schema_id" = String, Path, description = "The schema.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The schema is gone.", body = EmptyAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn remove(
    WritableZone(zone): WritableZone,
    SchemaInPath(id): SchemaInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<Empty>, ApiError> {
    take_out(&state, &zone, id).await?;
    Ok(Envelope::new(Empty {}))
}

/// Removes a schema that must be there.
pub(crate) async fn take_out(state: &SharedState, zone: &ZoneId, id: SchemaId) -> Result<(), ApiError> {
    if state.store.user_schema_delete(zone, id).await? {
        return Ok(());
    }
    Err(state.missing(zone, ApiError::schema_unknown()).await?)
}
