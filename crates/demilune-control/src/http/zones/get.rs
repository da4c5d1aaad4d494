//! `GET /zones/{zone_id}`: one zone.

use axum::extract::State;

use super::wire::{ZoneAnswer, ZoneBody};
use crate::http::{
    SharedState,
    auth::VisibleZone,
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// One zone that the caller has a grant on.
#[utoipa::path(get, path = "/zones/{zone_id}", tag = "Zones and tokens", operation_id = "zone_get",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    responses(
        (status = 200, description = "The zone.", body = ZoneAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn get(
    VisibleZone(zone): VisibleZone,
    State(state): State<SharedState>,
) -> Result<Envelope<ZoneBody>, ApiError> {
    let found = state.store.zone_get(&zone).await?.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    Ok(Envelope::new(ZoneBody::from(&found)))
}
