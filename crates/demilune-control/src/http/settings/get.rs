//! `GET …/settings`: a zone's settings.

use axum::extract::State;

use super::wire::{SettingsAnswer, SettingsBody};
use crate::http::{
    SharedState,
    auth::VisibleZone,
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// The settings of a zone.
#[utoipa::path(get, path = "/zones/{zone_id}/settings", tag = "Gateway", operation_id = "settings_get",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    responses(
        (status = 200, description = "The settings.", body = SettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn get(
    VisibleZone(zone): VisibleZone,
    State(state): State<SharedState>,
) -> Result<Envelope<SettingsBody>, ApiError> {
    let settings = state.store.zone_settings_get(&zone).await?.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    Ok(Envelope::new(SettingsBody::from(settings)))
}
