//! `PATCH …/schema_validation/schemas/{schema_id}`: switches a schema on or off (contract 6.8).

use axum::extract::State;

use super::wire::SchemaChange;
use crate::http::{
    SharedState,
    auth::{SchemaInPath, WritableZone},
    body::JsonBody,
    envelope::Envelope,
    error::{ApiError, FailureBody},
    user_schemas::{SchemaAnswer, SchemaBody, validation_enabled},
};

/// Says whether requests are checked against a schema.
#[utoipa::path(patch, path = "/zones/{zone_id}/schema_validation/schemas/{schema_id}", tag = "Validation", operation_id = "schema_update",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("schema_id" = String, Path, description = "The schema.", min_length = 36, max_length = 36),
    ),
    request_body = SchemaChange,
    responses(
        (status = 200, description = "The schema as it is now.", body = SchemaAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn update(
    WritableZone(zone): WritableZone,
    SchemaInPath(id): SchemaInPath,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<SchemaBody>, ApiError> {
    let changed = match validation_enabled(&body)? {
        Some(enabled) => state.store.user_schema_set_enabled(&zone, id, enabled).await?,
        None => state.store.user_schema_get(&zone, id, true).await?,
    };
    match changed {
        Some(schema) => Ok(Envelope::new(schema.into())),
        None => Err(state.missing(&zone, ApiError::schema_unknown()).await?),
    }
}
