//! `GET …/schema_trial`: what came of the trial so far.

use axum::extract::State;
use demilune_inventory::ZoneId;

use super::wire::{TrialAnswer, TrialBody};
use crate::{
    http::{
        SharedState, State as Shared,
        auth::ReadableZone,
        envelope::Envelope,
        error::{ApiError, FailureBody},
    },
    trial,
};

/// The document that is tried on the requests of the zone, and what came of it so far.
#[utoipa::path(get, path = "/zones/{zone_id}/schema_trial", tag = "Validation", operation_id = "schema_trial_get",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    responses(
        (status = 200, description = "The trial.", body = TrialAnswer),
        (status = "4XX", description = "The request is at fault, or nothing is tried.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn show(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
) -> Result<Envelope<TrialBody>, ApiError> {
    Ok(Envelope::new(body(&state, &zone).await?))
}

/// The trial as it is now.
pub(super) async fn body(state: &Shared, zone: &ZoneId) -> Result<TrialBody, ApiError> {
    if state.store.zone_get(zone).await?.is_none() {
        return Err(ApiError::zone_unknown(zone.as_str()));
    }
    match trial::show(&state.store, zone).await? {
        Some((trial, report, not_saved)) => Ok(TrialBody::new(&trial, report, not_saved)),
        None => Err(ApiError::trial_unknown()),
    }
}
