//! `PUT …/settings`: replaces a zone's settings.

use axum::extract::State;
use demilune_policy::rule::ZoneSettings;

use super::{
    change::SettingsChange,
    wire::{SettingsAnswer, SettingsBody},
};
use crate::http::{
    SharedState,
    auth::OperatedZone,
    body::JsonBody,
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// Replaces the settings of a zone; the body names all of them.
#[utoipa::path(put, path = "/zones/{zone_id}/settings", tag = "Gateway", operation_id = "settings_replace",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = SettingsBody,
    responses(
        (status = 200, description = "The settings as they are now.", body = SettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn replace(
    OperatedZone(zone): OperatedZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<SettingsBody>, ApiError> {
    let settings = SettingsChange::read_whole(&body)?.apply(ZoneSettings::default());
    if state.store.zone_settings_set(&zone, settings).await? {
        Ok(Envelope::new(SettingsBody::from(settings)))
    } else {
        Err(ApiError::zone_unknown(zone.as_str()))
    }
}
