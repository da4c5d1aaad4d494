//! `DELETE …/schema_trial`: ends the trial.

use axum::extract::State;

use crate::{
    http::{
        SharedState,
        auth::WritableZone,
        envelope::{Envelope, NullAnswer},
        error::{ApiError, FailureBody},
    },
    trial,
};

/// Ends the trial and forgets what was counted.
#[utoipa::path(delete, path = "/zones/{zone_id}/schema_trial", tag = "Validation", operation_id = "schema_trial_end",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    responses(
        (status = 200, description = "Nothing is tried any more.", body = NullAnswer),
        (status = "4XX", description = "The request is at fault, or nothing was tried.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn end(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
) -> Result<Envelope<()>, ApiError> {
    if state.store.zone_get(&zone).await?.is_none() {
        return Err(ApiError::zone_unknown(zone.as_str()));
    }
    if trial::end(&state.store, &zone).await? { Ok(Envelope::new(())) } else { Err(ApiError::trial_unknown()) }
}
