//! `GET …/origins`: a zone's origins.

use axum::extract::State;

use super::wire::{OriginBody, OriginsAnswer};
use crate::http::{
    SharedState,
    auth::VisibleZone,
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// The origins of a zone by their hosts, all on one page: a zone has a thousand at most.
#[utoipa::path(get, path = "/zones/{zone_id}/origins", tag = "Gateway", operation_id = "origin_list",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    responses(
        (status = 200, description = "The origins.", body = OriginsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn list(
    VisibleZone(zone): VisibleZone,
    State(state): State<SharedState>,
) -> Result<Envelope<Vec<OriginBody>>, ApiError> {
    let origins = state.store.origin_list(&zone).await?.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    Ok(Envelope::new(origins.iter().map(OriginBody::from).collect()))
}
