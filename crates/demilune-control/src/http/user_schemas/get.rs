//! `GET …/user_schemas/{schema_id}`, and the same schema for the calls after it (contract 6.7, 6.8).

use axum::extract::State;
use demilune_inventory::ZoneId;
use demilune_store::SchemaId;

use super::wire::{SchemaAnswer, SchemaBody};
use crate::http::{
    SharedState,
    auth::{ReadableZone, SchemaInPath},
    envelope::Envelope,
    error::{ApiError, FailureBody},
    query::{Query, boolean},
};

/// One schema of a zone.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/user_schemas/{schema_id}", tag = "Validation", operation_id = "user_schema_get",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("schema_id" = String, Path, description = "The schema.", min_length = 36, max_length = 36),
        ("omit_source" = Option<bool>, Query, description = "Leave the document out."),
    ),
    responses(
        (status = 200, description = "The schema.", body = SchemaAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn get(
    ReadableZone(zone): ReadableZone,
    SchemaInPath(id): SchemaInPath,
    State(state): State<SharedState>,
    query: Query,
) -> Result<Envelope<SchemaBody>, ApiError> {
    one(&state, &zone, id, query).await
}

/// One schema.
pub(crate) async fn one(
    state: &SharedState,
    zone: &ZoneId,
    id: SchemaId,
    mut query: Query,
) -> Result<Envelope<SchemaBody>, ApiError> {
    let with_source = !query.value("omit_source", boolean).unwrap_or(false);
    query.finish()?;
    match state.store.user_schema_get(zone, id, with_source).await? {
        Some(schema) => Ok(Envelope::new(schema.into())),
        None => Err(state.missing(zone, ApiError::schema_unknown()).await?),
    }
}
