//! `GET /demilune/v1/zones/{zone_id}/discovery/operations/{operation_id}/explain`: what a discovered operation rests on.

use axum::extract::State;
use demilune_store::StoreFailure;

use super::wire::{DiscoveredExplanationAnswer, DiscoveredExplanationBody};
use crate::http::{
    SharedState,
    auth::{DiscoveredInPath, ReadableZone},
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// What a discovered operation rests on: counts, and for each segment of its path why it is, or is not, a variable.
#[utoipa::path(get, path = "/zones/{zone_id}/discovery/operations/{operation_id}/explain", tag = "Discovery", operation_id = "discovered_explain",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The discovered operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The figures behind it.", body = DiscoveredExplanationAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn explain(
    ReadableZone(zone): ReadableZone,
    DiscoveredInPath(id): DiscoveredInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<DiscoveredExplanationBody>, ApiError> {
    let Some((operation, explanation)) = state.store.discovered_get(&zone, &id).await? else {
        return Err(state.missing(&zone, ApiError::discovered_unknown()).await?);
    };
    let explanation = serde_json::from_str(&explanation).map_err(|error| StoreFailure::Internal(Box::new(error)))?;
    Ok(Envelope::new(DiscoveredExplanationBody::new(&operation, explanation)))
}
